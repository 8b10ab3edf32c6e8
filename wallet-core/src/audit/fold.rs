//! The fold: one entry after another, in order; what a later one needs of an earlier one is all that is kept.

use super::open::{Boxes, Opened, Using, What};
use super::row::{At, Finding, Gone, Professional, Read, Row, Settlement, Signer, Told, Wrong};
use super::table::Tables;
use super::unusual::{Thresholds, Watch};
use crate::consent::Certifiers;
use crate::contract::{
    AuditorKeys, Credential, Damaged, Genesis, Kind, Rotated, Slot, State, Transaction, Views as _, Voucher,
};
use crate::id::{Commitment, GrantId, LedgerId, PartyId, TagId};
use crate::identity::Certificate;
use crate::report::Money;
use crate::sm::{Digest, PublicKey, Signed};
use core::ops::Range;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A report's anchor, as a settlement finds it.
#[derive(Clone, Debug)]
struct Anchored {
    party: PartyId,
    at: At,
    gone: Option<(Gone, u64)>,
}

/// The first settlement of a slot of an invoice, whatever its tag.
#[derive(Clone, Debug)]
struct First {
    tag: TagId,
    entry: u64,
    insurer: PartyId,
}

/// A settlement in force.
#[derive(Clone, Debug)]
struct InForce {
    at: At,
    signer: Signer,
    paid: Option<Money>,
}

/// What came of one entry.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The entry's line, where it is one that an audit lists.
    pub row: Option<Row>,
    /// What is wrong, by this entry or by the end of a window.
    pub findings: Vec<Finding>,
}

/// An audit under way. Entries go through [`Audit::boxes`] in order, their boxes are opened on any thread
/// ([`Boxes::open`]), and come back through [`Audit::take`] in order.
#[derive(Clone, Debug)]
pub struct Audit {
    ledger: LedgerId,
    root: Certificate,
    thresholds: Thresholds,
    /// Of these entries boxes are opened and lines given.
    range: Range<u64>,
    /// The auditor's own entry that says so, which is opened and given too.
    look: Option<u64>,
    auditor: AuditorKeys,
    certifiers: BTreeMap<PartyId, Arc<Certifiers>>,
    suspensions: BTreeMap<PartyId, Vec<(u64, u64)>>,
    /// As many as the ledger has anchors: a settlement names one by its first bytes.
    anchors: BTreeMap<[u8; 8], Anchored>,
    /// As many as there are settlements: the only way to see a second tag for one invoice.
    firsts: BTreeMap<(PartyId, Slot, Digest), First>,
    in_force: BTreeMap<TagId, InForce>,
    voids: BTreeMap<TagId, u64>,
    /// Who opened a claim grant: a settlement's box names no person.
    claimants: BTreeMap<GrantId, Professional>,
    watch: Watch,
    tables: Tables,
}

impl Audit {
    /// Begins with the genesis.
    pub fn new(genesis: &Genesis, thresholds: Thresholds) -> Result<Self, Damaged> {
        let auditor = crate::contract::Memory::new(genesis).auditor()?;
        let party = Some(auditor.party.clone());
        let tables = Tables { auditor: party, quarters: auditor.boxes.clone(), ..Tables::default() };
        Ok(Self {
            ledger: genesis.ledger_id(),
            root: genesis.root.read().map_err(|_| Damaged)?,
            thresholds,
            range: 0..u64::MAX,
            look: None,
            auditor,
            certifiers: BTreeMap::new(),
            suspensions: BTreeMap::new(),
            anchors: BTreeMap::new(),
            firsts: BTreeMap::new(),
            in_force: BTreeMap::new(),
            voids: BTreeMap::new(),
            claimants: BTreeMap::new(),
            watch: Watch::new(thresholds),
            tables,
        })
    }

    /// Opens boxes and gives lines of some entries only, and of the look that says so.
    ///
    /// What stands openly on the ledger is taken of all entries: certificates, anchors, suspensions, settlements in
    /// force, voids. What only a box says isn't known beyond these: a first settlement of the same slot of an invoice, the
    /// person who opened a claim, what was paid by a settlement that is taken back now. Of the night that begins
    /// before them or ends after them, and of a day that they cut, the reads within are counted.
    #[must_use]
    pub fn within(mut self, range: Range<u64>, look: Option<u64>) -> Self {
        (self.range, self.look) = (range, look);
        self
    }

    fn is_within(&self, entry: u64) -> bool {
        self.range.contains(&entry) || self.look == Some(entry)
    }

    /// Takes note of an entry, and gives its boxes, where it has any. `state` is the one with this entry in it.
    pub fn boxes(
        &mut self,
        at: At,
        transaction: &Transaction,
        state: &dyn State,
    ) -> Result<Option<Boxes>, Damaged> {
        let what = match transaction {
            Transaction::RegisterParty(body) => {
                let certificate = body.certificate.read().map_err(|_| Damaged)?;
                self.certified(certificate, at.time)?;
                return Ok(None);
            }
            Transaction::SuspendParty(body) => {
                self.suspensions.entry(body.party.clone()).or_default().push((body.from, at.entry));
                return Ok(None);
            }
            Transaction::RotateKeys(body) => {
                self.auditor = state.auditor()?;
                let newest = self.auditor.boxes.last().copied();
                self.tables.quarters.extend(newest.filter(|_| body.which == Rotated::AuditorBox));
                return Ok(None);
            }
            Transaction::AnchorReport(body) => {
                return self.anchored(&body.commitment, &body.credential, at).map(|()| None);
            }
            Transaction::SupersedeReport(body) => {
                self.gone(&body.replaces, Gone::Replaced, at.entry);
                return self.anchored(&body.commitment, &body.credential, at).map(|()| None);
            }
            Transaction::CancelTicket(body) => {
                self.gone(&body.commitment, Gone::Cancelled, at.entry);
                return Ok(None);
            }
            Transaction::IssueGrant(body) => What::Grant {
                id: GrantId::of(&self.ledger, &body.key),
                records: body.records,
                sealed: body.auditor_box.clone(),
            },
            Transaction::RedeemGrant(body) => {
                let (desk, terms) = (claimed(&body.credential)?, state.terms(&body.grant)?.ok_or(Damaged)?);
                let (valid, certifiers) = (self.valid_at(terms.issued), self.certifiers(&desk.party));
                What::Use(Box::new(Using { body: body.clone(), terms, valid, desk, certifiers }))
            }
            Transaction::SettleClaim(body) => What::Settle {
                desk: claimed(&body.credential)?,
                voucher: vouched(&body.voucher)?,
                body: Box::new(body.clone()),
            },
            Transaction::ReverseClaim(body) => {
                let desk = claimed(&body.credential)?;
                let (voucher, certifiers) = (vouched(&body.voucher)?, self.certifiers(&desk.party));
                What::Reverse { body: Box::new(body.clone()), desk, voucher, certifiers }
            }
            Transaction::LogAudit(body) => {
                What::Look { audit: self.auditor.audit, sealed: body.auditor_box.clone() }
            }
            Transaction::OpenHolder(_)
            | Transaction::MoveHolder(_)
            | Transaction::BindTicket(_)
            | Transaction::AcceptGrant(_)
            | Transaction::RevokeGrant(_) => return Ok(None),
        };
        let within = self.is_within(at.entry);
        let (ledger, valid) = (self.ledger, self.valid_at(at.time));
        // Of others only how a claim stands counts, and no box is opened for it.
        let counts = within || matches!(what, What::Settle { .. } | What::Reverse { .. });
        Ok(counts.then_some(Boxes { ledger, at, valid, within, what }))
    }

    fn certified(&mut self, certificate: Certificate, at: u64) -> Result<(), Damaged> {
        let (party, name) = (certificate.subject().party.clone(), certificate.subject().organisation.clone());
        self.tables.name(&party, &name);
        let certifiers = self.certifiers.entry(party).or_default();
        Arc::make_mut(certifiers).add(certificate, &self.root, at).map_err(|_| Damaged)
    }

    fn certifiers(&self, party: &PartyId) -> Arc<Certifiers> {
        self.certifiers.get(party).cloned().unwrap_or_default()
    }

    fn valid_at(&self, then: u64) -> Vec<PublicKey> {
        self.auditor.valid_at(then).copied().collect()
    }

    fn anchored(
        &mut self,
        commitment: &Commitment,
        credential: &Signed<Credential>,
        at: At,
    ) -> Result<(), Damaged> {
        let anchor = Anchored { party: claimed(credential)?.party, at, gone: None };
        self.anchors.entry(first_bytes(commitment)).or_insert(anchor);
        Ok(())
    }

    fn gone(&mut self, commitment: &Commitment, gone: Gone, entry: u64) {
        if let Some(anchor) = self.anchors.get_mut(&first_bytes(commitment)) {
            anchor.gone.get_or_insert((gone, entry));
        }
    }

    /// Takes an entry whose boxes were opened, in the order of the entries.
    pub fn take(&mut self, opened: Opened) -> Taken {
        let Opened { row, mut findings, mut signer, anchors, within } = opened;
        if !within {
            row.and_then(|row| self.stands(&row, &signer));
            return Taken::default();
        }
        match &row {
            Some(Row::Read(read)) => self.read(read, &signer, &anchors, &mut findings),
            Some(Row::Settlement(settlement)) => {
                if let Some(person) = self.claimants.get(&settlement.grant) {
                    (signer.person, signer.proven) = (Some(person.clone()), true);
                    for finding in &mut findings {
                        finding.signer = signer.clone();
                    }
                }
                self.settled(settlement, &signer, &mut findings);
            }
            Some(Row::Reversal(_) | Row::Look(_)) | None => {}
        }
        if let Some(row) = &row {
            let before = self.stands(row, &signer);
            if let Row::Reversal(reversal) = row
                && !reversal.why.is_hospitals()
            {
                self.tables.taken_back(reversal, before.and_then(|before| before.paid).as_ref());
            }
            self.tables.count(row, &self.thresholds);
        }
        self.counted(&findings);
        Taken { row, findings }
    }

    fn read(&mut self, read: &Read, signer: &Signer, anchors: &[[u8; 8]], findings: &mut Vec<Finding>) {
        if let (Kind::Claim, Told::Opened(who)) = (read.kind, &read.by) {
            self.claimants.insert(read.grant, who.clone());
        }
        let known = |anchor: &[u8; 8]| self.anchors.get(anchor).is_some_and(|it| it.at.entry < read.at.entry);
        if !anchors.iter().all(known) {
            findings.push(Finding { at: read.at, what: Wrong::Records, signer: signer.clone() });
        }
        findings.extend(self.watch.take(read, signer));
    }

    fn settled(&mut self, settlement: &Settlement, signer: &Signer, findings: &mut Vec<Finding>) {
        let mut wrong = |what| findings.push(Finding { at: settlement.at, what, signer: signer.clone() });
        let told = settlement.told.opened();
        if let Some(told) = told {
            self.invoice(settlement, told.anchor).into_iter().for_each(&mut wrong);
            let key = (settlement.issuer.clone(), settlement.slot, told.invoice);
            match self.firsts.get(&key) {
                Some(first) if first.tag != settlement.tag => wrong(Wrong::TwoTags {
                    issuer: settlement.issuer.clone(),
                    first: (first.entry, first.insurer.clone()),
                    both: self.in_force.contains_key(&first.tag),
                }),
                Some(_) => {}
                None => {
                    let insurer = settlement.party.clone();
                    let first = First { tag: settlement.tag, entry: settlement.at.entry, insurer };
                    self.firsts.insert(key, first);
                }
            }
        }
    }

    /// How a slot stands after this entry; gives what was in force before.
    fn stands(&mut self, row: &Row, signer: &Signer) -> Option<InForce> {
        match row {
            Row::Settlement(it) => {
                let paid = it.told.opened().map(|told| told.paid.clone());
                self.in_force.insert(it.tag, InForce { at: it.at, signer: signer.clone(), paid })
            }
            Row::Reversal(it) if it.why.is_hospitals() => {
                self.voids.insert(it.tag, it.at.entry);
                None
            }
            Row::Reversal(it) => self.in_force.remove(&it.tag),
            Row::Read(_) | Row::Look(_) => None,
        }
    }

    /// What a fresh look would have refused (see [`Standing`](crate::consent::Standing)).
    fn invoice(&self, settlement: &Settlement, anchor: [u8; 8]) -> Option<Wrong> {
        let entry = settlement.at.entry;
        let anchored = self.anchors.get(&anchor).filter(|it| it.at.entry < entry);
        let Some(anchored) = anchored.filter(|it| it.party == settlement.issuer) else {
            return Some(Wrong::Anchor);
        };
        if let Some((gone, by)) = anchored.gone.filter(|(_, by)| *by < entry) {
            return Some(Wrong::Settled(gone, by));
        }
        let suspensions = self.suspensions.get(&anchored.party).into_iter().flatten();
        let before = |&&(from, by): &&(u64, u64)| by < entry && from <= anchored.at.time;
        suspensions.clone().find(before).map(|(_, by)| Wrong::Settled(Gone::Suspended, *by))
    }

    /// What was counted so far.
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The thresholds by which it judges.
    pub const fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Nothing comes any more: the tables, and what only the end shows. `last` is the last entry.
    pub fn end(mut self, last: At) -> (Tables, Vec<Finding>) {
        let watch = core::mem::replace(&mut self.watch, Watch::new(self.thresholds));
        let mut findings = watch.end();
        for (tag, void) in &self.voids {
            let in_force = self.in_force.get(tag);
            // One of the two is within what is looked at.
            let shown = in_force.filter(|it| self.is_within(it.at.entry) || self.is_within(*void));
            if let Some(InForce { at, signer, .. }) = shown {
                let (at, signer) = (*at, signer.clone());
                findings.push(Finding { at, what: Wrong::PaidVoid { void: *void }, signer });
            }
        }
        let newest = self.auditor.boxes.last().map(|key| key.since);
        let quarter = self.thresholds.quarter;
        if let Some(since) = newest.filter(|since| since.saturating_add(quarter) < last.time) {
            let signer = Signer { party: Some(self.auditor.party.clone()), ..Signer::default() };
            findings.push(Finding { at: last, what: Wrong::KeyOverdue { since }, signer });
        }
        findings.sort_by_key(|finding| finding.at);
        self.counted(&findings);
        (self.tables, findings)
    }

    fn counted(&mut self, findings: &[Finding]) {
        for finding in findings {
            *self.tables.findings.entry(finding.what.name()).or_default() += 1;
        }
    }
}

fn first_bytes(commitment: &Commitment) -> [u8; 8] {
    crate::consent::anchor_of(commitment)
}

/// What an entry's credential says: it stands, so it was signed.
fn claimed(credential: &Signed<Credential>) -> Result<Credential, Damaged> {
    credential.claimed().map_err(|_| Damaged)
}

fn vouched(voucher: &Signed<Voucher>) -> Result<Voucher, Damaged> {
    voucher.claimed().map_err(|_| Damaged)
}
