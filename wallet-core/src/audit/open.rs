//! Opening the boxes of one entry: pure, on any thread, with what the ledger said in the entry's turn.

use super::row::{
    At, Boxed, Consent, Finding, LONGEST_PURPOSE, Look, Paid, Professional, Read, Reversal, Row, Settlement,
    Signer, Told, Wrong,
};
use crate::consent::{
    AuditedRecord, AuditorGrant, AuditorLook, AuditorReversal, AuditorSettlement, AuditorUse, Behind,
    BoxFault, Certifiers,
};
use crate::contract::{Credential, RedeemGrant, ReverseClaim, SettleClaim, Terms, Voucher};
use crate::id::{GrantId, LedgerId, TagId};
use crate::identity::Certificate;
use crate::report::Sensitivity;
use crate::sm::{PublicKey, SecretKey, SmError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The auditor's secret keys that are at hand, by quarter. None of them is printed.
#[derive(Clone, Default)]
pub struct BoxKeys(BTreeMap<PublicKey, SecretKey>);

impl core::fmt::Debug for BoxKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "BoxKeys({} [redacted])", self.0.len())
    }
}

impl FromIterator<SecretKey> for BoxKeys {
    fn from_iter<I: IntoIterator<Item = SecretKey>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| (key.public(), key)).collect())
    }
}

/// What came of opening a box.
enum Unsealed<T> {
    Opened(T),
    OtherQuarter(T),
    NoKey,
    Wrong(BoxFault),
}

impl BoxKeys {
    /// The public halves.
    pub fn public(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.keys()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tries the keys that were in force, then, where all of them are at hand, the others.
    fn unseal<T>(&self, valid: &[PublicKey], open: impl Fn(&SecretKey) -> Result<T, SmError>) -> Unsealed<T> {
        for key in valid.iter().filter_map(|key| self.0.get(key)) {
            match open(key) {
                Ok(told) => return Unsealed::Opened(told),
                Err(SmError::Form) => return Unsealed::Wrong(BoxFault::Form),
                Err(_) => {}
            }
        }
        if valid.iter().any(|key| !self.0.contains_key(key)) {
            return Unsealed::NoKey;
        }
        let others = self.0.iter().filter(|(key, _)| !valid.contains(key));
        match others.map(|(_, secret)| open(secret)).find_map(Result::ok) {
            Some(told) => Unsealed::OtherQuarter(told),
            None => Unsealed::Wrong(BoxFault::Sealed),
        }
    }
}

/// The boxes of one entry, and what the ledger said of it in its turn.
#[derive(Clone, Debug)]
pub struct Boxes {
    pub(super) ledger: LedgerId,
    pub(super) at: At,
    /// To which the entry's own box may have been sealed.
    pub(super) valid: Vec<PublicKey>,
    /// Whether they are opened: of other entries only what stands openly on the ledger is taken.
    pub(super) within: bool,
    pub(super) what: What,
}

/// An entry with a box.
#[derive(Clone, Debug)]
pub(super) enum What {
    Grant { id: GrantId, records: u64, sealed: Vec<u8> },
    Use(Box<Using>),
    Settle { body: Box<SettleClaim>, desk: Credential, voucher: Voucher },
    Reverse { body: Box<ReverseClaim>, desk: Credential, voucher: Voucher, certifiers: Arc<Certifiers> },
    Look { audit: PublicKey, sealed: Vec<u8> },
}

/// A redemption, and the grant that it is under.
#[derive(Clone, Debug)]
pub(super) struct Using {
    pub(super) body: RedeemGrant,
    pub(super) terms: Terms,
    /// To which the grant's box may have been sealed.
    pub(super) valid: Vec<PublicKey>,
    pub(super) desk: Credential,
    pub(super) certifiers: Arc<Certifiers>,
}

/// An entry with its boxes opened as far as the keys at hand do.
#[derive(Clone, Debug)]
pub struct Opened {
    pub(super) row: Option<Row>,
    pub(super) findings: Vec<Finding>,
    pub(super) signer: Signer,
    /// The first bytes of the commitments of the records that were read.
    pub(super) anchors: Vec<[u8; 8]>,
    /// Whether its line is given.
    pub(super) within: bool,
}

/// Gathers what is wrong with one entry.
struct Gathered {
    at: At,
    signer: Signer,
    findings: Vec<Finding>,
}

impl Gathered {
    fn wrong(&mut self, what: Wrong) {
        self.findings.push(Finding { at: self.at, what, signer: self.signer.clone() });
    }

    /// Checks what a box says; what is sealed to another quarter's key counts as read, and as wrong.
    fn checked<T, U>(
        &mut self,
        boxed: Boxed,
        unsealed: Unsealed<T>,
        check: impl FnOnce(&mut Self, T) -> Result<U, BoxFault>,
    ) -> Told<U> {
        let (told, other) = match unsealed {
            Unsealed::Opened(told) => (told, false),
            Unsealed::OtherQuarter(told) => (told, true),
            Unsealed::NoKey => return Told::NoKey,
            Unsealed::Wrong(fault) => {
                self.wrong(Wrong::Box(boxed, fault));
                return Told::Wrong;
            }
        };
        let checked = check(self, told);
        if other {
            self.wrong(Wrong::Box(boxed, BoxFault::OtherQuarter));
        }
        match checked {
            Ok(told) => Told::Opened(told),
            Err(fault) => {
                self.wrong(Wrong::Box(boxed, fault));
                Told::Wrong
            }
        }
    }

    fn claims(&mut self, certificate: &[u8]) {
        let claimed = Certificate::from_der(certificate).ok();
        self.signer.person = claimed.as_ref().map(Professional::of);
    }

    fn is(&mut self, certificate: &Certificate) -> Professional {
        self.signer.proven = true;
        Professional::of(certificate)
    }
}

impl Signer {
    fn desk(desk: &Credential) -> Self {
        let (party, role, key) = (desk.party.clone(), desk.role, desk.grantee);
        Self { party: Some(party), role: Some(role), desk: Some(key), person: None, proven: false }
    }
}

impl Boxes {
    /// Where the entry stands.
    pub const fn at(&self) -> At {
        self.at
    }

    /// Opens them with the keys at hand.
    pub fn open(self, keys: &BoxKeys) -> Opened {
        let signer = match &self.what {
            What::Grant { .. } | What::Look { .. } => Signer::default(),
            What::Use(using) => Signer::desk(&using.desk),
            What::Settle { desk, .. } | What::Reverse { desk, .. } => Signer::desk(desk),
        };
        let mut gathered = Gathered { at: self.at, signer, findings: Vec::new() };
        let Self { ledger, at, valid, within, what } = self;
        let none = BoxKeys::default();
        let keys = if within { keys } else { &none };
        let mut anchors = Vec::new();
        let row = match what {
            What::Grant { id, records, sealed } => {
                let unsealed = keys.unseal(&valid, |key| AuditorGrant::open(key, &ledger, &id, &sealed));
                gathered.checked(Boxed::Grant, unsealed, |_, told| consented(told, &id, records));
                None
            }
            What::Use(using) => {
                let behind =
                    Behind { ledger: &ledger, certifiers: &using.certifiers, desk: &using.desk, at: at.time };
                let (read, records) = read(&mut gathered, keys, &valid, &using, &behind);
                anchors = records;
                Some(Row::Read(read))
            }
            What::Settle { body, desk, voucher } => {
                Some(Row::Settlement(settled(&mut gathered, keys, (&ledger, &valid), &body, &desk, voucher)))
            }
            What::Reverse { body, desk, voucher, certifiers } => {
                let behind = Behind { ledger: &ledger, certifiers: &certifiers, desk: &desk, at: at.time };
                Some(Row::Reversal(reversed(&mut gathered, keys, &valid, &body, &behind, &voucher)))
            }
            What::Look { audit, sealed } => {
                let unsealed = keys.unseal(&valid, |key| AuditorLook::open(key, &ledger, &audit, &sealed));
                let told =
                    gathered.checked(Boxed::Look, unsealed, |_, look| Ok((look.why, look.from, look.to)));
                Some(Row::Look(Look { at, told }))
            }
        };
        let Gathered { signer, findings, .. } = gathered;
        Opened { row, findings, signer, anchors, within }
    }
}

/// What the patient agreed to, where the box is about this grant.
fn consented(
    told: AuditorGrant,
    grant: &GrantId,
    records: u64,
) -> Result<(Consent, Vec<AuditedRecord>), BoxFault> {
    if told.grant != *grant || told.records.len() as u64 != records {
        return Err(BoxFault::Other);
    }
    let mut purpose = told.purpose;
    let end = (0..=LONGEST_PURPOSE).rev().find(|at| purpose.is_char_boundary(*at));
    purpose.truncate(end.unwrap_or(0));
    Ok((Consent { purpose, holder: told.holder }, told.records))
}

fn read(
    gathered: &mut Gathered,
    keys: &BoxKeys,
    valid: &[PublicKey],
    using: &Using,
    behind: &Behind<'_>,
) -> (Read, Vec<[u8; 8]>) {
    let Using { body, terms, desk, .. } = using;
    let (grant, ledger) = (body.grant, behind.ledger);
    let number = u32::try_from(body.use_number).unwrap_or(u32::MAX);
    let unsealed = keys.unseal(valid, |key| AuditorUse::open(key, ledger, &grant, number, &body.auditor_box));
    let by = gathered.checked(Boxed::Use, unsealed, |gathered, told| {
        gathered.claims(&told.certificate);
        told.verify(body, behind).map(|certificate| gathered.is(&certificate))
    });
    let sealed = &terms.grant.auditor_box;
    let unsealed = keys.unseal(&using.valid, |key| AuditorGrant::open(key, ledger, &grant, sealed));
    let shared =
        gathered.checked(Boxed::Grant, unsealed, |_, told| consented(told, &grant, terms.grant.records));
    let (consent, listed) = match shared {
        Told::Opened((consent, records)) => (Told::Opened(consent), records),
        Told::NoKey => (Told::NoKey, Vec::new()),
        Told::Wrong => (Told::Wrong, Vec::new()),
    };
    let records: Vec<AuditedRecord> = body
        .records
        .iter()
        .filter_map(|number| listed.get(usize::try_from(*number).ok()?).copied())
        .collect();
    let classes: BTreeSet<Sensitivity> = records.iter().map(|record| record.class).collect();
    let read = Read {
        at: gathered.at,
        grant,
        number: body.use_number,
        kind: terms.grant.kind,
        role: terms.grant.role,
        party: desk.party.clone(),
        by,
        consent,
        classes: classes.into_iter().collect(),
        records: body.records.len() as u64,
    };
    (read, records.iter().map(|record| record.anchor).collect())
}

fn settled(
    gathered: &mut Gathered,
    keys: &BoxKeys,
    (ledger, valid): (&LedgerId, &[PublicKey]),
    body: &SettleClaim,
    desk: &Credential,
    voucher: Voucher,
) -> Settlement {
    let tag = TagId::of(&voucher);
    let unsealed = keys
        .unseal(valid, |key| AuditorSettlement::unseal(key, ledger, &body.grant, &tag, &body.auditor_box));
    let told = gathered.checked(Boxed::Settlement, unsealed, |_, told| {
        told.verify(&body.grant, &tag)?;
        Ok(Paid {
            decision: told.decision(),
            claimed: told.claimed,
            paid: told.paid,
            reason: told.reason,
            invoice: told.invoice,
            anchor: told.anchor,
        })
    });
    let (party, issuer, slot) = (desk.party.clone(), voucher.issuer, voucher.slot);
    Settlement { at: gathered.at, party, issuer, slot, tag, grant: body.grant, told }
}

fn reversed(
    gathered: &mut Gathered,
    keys: &BoxKeys,
    valid: &[PublicKey],
    body: &ReverseClaim,
    behind: &Behind<'_>,
    voucher: &Voucher,
) -> Reversal {
    let unsealed = keys.unseal(valid, |key| AuditorReversal::unseal(key, behind.ledger, body));
    let told = gathered.checked(Boxed::Reversal, unsealed, |gathered, told| {
        gathered.claims(&told.certificate);
        let certificate = told.verify(body, behind)?;
        Ok((gathered.is(&certificate), told.words))
    });
    let (party, tag, slot) = (behind.desk.party.clone(), TagId::of(voucher), voucher.slot);
    Reversal { at: gathered.at, party, tag, slot, why: body.why, told }
}
