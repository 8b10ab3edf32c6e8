//! What an audit comes to, counted as it goes: by organisation, professional, month, hour, class, insurer and slot. As
//! many lines as there are organisations and certificates, and months in which they read, however long the ledger is.

use super::clock::{self, Month};
use super::row::{At, Professional, Read, Reversal, Row, Settlement, Told};
use super::unusual::Thresholds;
use crate::consent::Decision;
use crate::contract::{BoxKey, Role, Slot};
use crate::id::PartyId;
use crate::report::{Money, Sensitivity};
use crate::sm::PublicKey;
use std::collections::BTreeMap;

/// Purposes that are counted one by one; a patient's wallet could invent as many as it likes.
const MOST_PURPOSES: usize = 64;
/// Under which all further purposes are counted.
pub const OTHER_PURPOSE: &str = "…";

/// What an organisation's people did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Institution {
    /// As it was certified last.
    pub name: String,
    /// Reads.
    pub reads: u64,
    /// Records in them.
    pub records: u64,
    /// Reads that no certificate stands for: not opened, or wrong.
    pub nameless: u64,
    /// Reads by class: one of several classes counts in each.
    pub classes: BTreeMap<Sensitivity, u64>,
}

/// What one person or server read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Who, by the newest certificate.
    pub who: Professional,
    /// As what.
    pub role: Role,
    /// Reads.
    pub reads: u64,
    /// Records in them.
    pub records: u64,
    /// Reads at night.
    pub night: u64,
    /// The first read.
    pub first: At,
    /// The last.
    pub last: At,
}

/// Reads that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Reads.
    pub reads: u64,
    /// Records in them.
    pub records: u64,
    /// Reads at night.
    pub night: u64,
    /// The last read.
    pub last: At,
}

/// What an insurer did in a slot, in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Paid whole.
    pub whole: u64,
    /// Paid in part.
    pub partly: u64,
    /// Taken back.
    pub reversed: u64,
    /// Settled, and the box isn't open: how much isn't known.
    pub unread: u64,
    /// What was asked for, in hundredths.
    pub claimed: u128,
    /// What was paid, in hundredths, and not taken back since.
    pub paid: u128,
}

/// Everything that is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// By organisation.
    pub institutions: BTreeMap<PartyId, Institution>,
    /// By person or server.
    pub readers: BTreeMap<(PartyId, PublicKey), Reader>,
    /// Reads by month and organisation.
    pub months: BTreeMap<(Month, PartyId), u64>,
    /// The same by person or server; no key stands for the nameless reads of an organisation.
    pub people: BTreeMap<(Month, PartyId, Option<PublicKey>), Counted>,
    /// Reads by hour of the day in China.
    pub hours: [u64; 24],
    /// Reads and records by class.
    pub classes: BTreeMap<Sensitivity, u64>,
    /// Reads by purpose.
    pub purposes: BTreeMap<String, u64>,
    /// By insurer, slot and currency; the currency is empty where it isn't known.
    pub claims: BTreeMap<(PartyId, Slot, String), Claims>,
    /// Invoices voided, by hospital.
    pub voided: BTreeMap<PartyId, u64>,
    /// The auditor's own looks.
    pub looks: u64,
    /// The auditor, as the ledger names it.
    pub auditor: Option<PartyId>,
    /// The keys that boxes were sealed to, from the genesis on: one a change, however often they were changed.
    pub quarters: Vec<BoxKey>,
    /// Reads in all.
    pub reads: u64,
    /// Boxes whose key isn't at hand.
    pub no_key: u64,
    /// Findings by name.
    pub findings: BTreeMap<&'static str, u64>,
}

impl Tables {
    /// Names an organisation.
    pub(super) fn name(&mut self, party: &PartyId, name: &str) {
        name.clone_into(&mut self.institutions.entry(party.clone()).or_default().name);
    }

    pub(super) fn count(&mut self, row: &Row, thresholds: &Thresholds) {
        let no_key = match row {
            Row::Read(read) => {
                self.read(read, thresholds);
                matches!(read.by, Told::NoKey) || matches!(read.consent, Told::NoKey)
            }
            Row::Settlement(settlement) => {
                self.settled(settlement);
                matches!(settlement.told, Told::NoKey)
            }
            Row::Reversal(reversal) => {
                if reversal.why.is_hospitals() {
                    *self.voided.entry(reversal.party.clone()).or_default() += 1;
                }
                matches!(reversal.told, Told::NoKey)
            }
            Row::Look(look) => {
                self.looks += 1;
                matches!(look.told, Told::NoKey)
            }
        };
        self.no_key += u64::from(no_key);
    }

    fn read(&mut self, read: &Read, thresholds: &Thresholds) {
        self.reads += 1;
        self.hours[usize::from(clock::hour(read.at.time)) % 24] += 1;
        let (month, night) = (Month::of(read.at.time), thresholds.is_night(read.at.time));
        *self.months.entry((month, read.party.clone())).or_default() += 1;
        let key = read.by.opened().map(|who| who.key);
        let none = Counted { reads: 0, records: 0, night: 0, last: read.at };
        let person = self.people.entry((month, read.party.clone(), key)).or_insert(none);
        person.reads += 1;
        person.records += read.records;
        person.night += u64::from(night);
        person.last = read.at;
        let institution = self.institutions.entry(read.party.clone()).or_default();
        institution.reads += 1;
        institution.records += read.records;
        for class in &read.classes {
            *institution.classes.entry(*class).or_default() += 1;
            *self.classes.entry(*class).or_default() += 1;
        }
        if let Told::Opened(consent) = &read.consent {
            let known = self.purposes.len() < MOST_PURPOSES || self.purposes.contains_key(&consent.purpose);
            let purpose = if known { consent.purpose.as_str() } else { OTHER_PURPOSE };
            *self.purposes.entry(purpose.to_owned()).or_default() += 1;
        }
        let Told::Opened(who) = &read.by else {
            institution.nameless += 1;
            return;
        };
        let fresh = || Reader {
            who: who.clone(),
            role: read.role,
            reads: 0,
            records: 0,
            night: 0,
            first: read.at,
            last: read.at,
        };
        let reader = self.readers.entry((read.party.clone(), who.key)).or_insert_with(fresh);
        reader.who.clone_from(who);
        reader.reads += 1;
        reader.records += read.records;
        reader.night += u64::from(night);
        reader.last = read.at;
    }

    fn settled(&mut self, settlement: &Settlement) {
        let currency = settlement.told.opened().map_or("", |told| told.paid.currency());
        let claims = self.claims(&settlement.party, settlement.slot, currency);
        match &settlement.told {
            Told::Opened(told) => {
                match told.decision {
                    Decision::Whole => claims.whole += 1,
                    Decision::Partly | Decision::Refused => claims.partly += 1,
                }
                claims.claimed += u128::from(told.claimed.hundredths());
                claims.paid += u128::from(told.paid.hundredths());
            }
            Told::NoKey | Told::Wrong => claims.unread += 1,
        }
    }

    /// An insurer took a settlement back; how much, where its box was open.
    pub(super) fn taken_back(&mut self, reversal: &Reversal, paid: Option<&Money>) {
        let currency = paid.map_or("", Money::currency);
        let claims = self.claims(&reversal.party, reversal.slot, currency);
        claims.reversed += 1;
        claims.paid = claims.paid.saturating_sub(paid.map_or(0, |paid| u128::from(paid.hundredths())));
    }

    fn claims(&mut self, insurer: &PartyId, slot: Slot, currency: &str) -> &mut Claims {
        self.claims.entry((insurer.clone(), slot, currency.to_owned())).or_default()
    }

    /// Whose reads a line of [`Tables::people`] counts; none for nameless ones.
    pub fn reader(&self, party: &PartyId, key: Option<&PublicKey>) -> Option<&Reader> {
        self.readers.get(&(party.clone(), *key?))
    }

    /// The name of an organisation, or its code.
    pub fn named<'a>(&'a self, party: &'a PartyId) -> &'a str {
        let name = self.institutions.get(party).map(|institution| institution.name.as_str());
        name.filter(|name| !name.is_empty()).unwrap_or(party.as_str())
    }
}
