//! A naive reference for the contract. It has no state but the list of what was accepted, and answers every
//! question by looking through that list. It names *all* that is wrong with an attempt: the contract must
//! accept exactly what has no fault, and refuse with one of the faults.

use super::super::*;
use super::world::*;
use crate::id::{Commitment, GrantId, HolderId};
use crate::sm::PublicKey;
use std::collections::BTreeSet;

/// A transaction with the truth about its signatures.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub transaction: Transaction,
    /// Under which keys it claims to be signed.
    pub claimed: Vec<PublicKey>,
    /// Whether those signatures were made for this ledger, by those keys.
    pub holds: bool,
    pub credential: Option<(Credential, PublicKey)>,
    pub acceptance: Option<(Acceptance, PublicKey)>,
    pub voucher: Option<(Voucher, PublicKey)>,
    pub proof: Option<(TagProof, PublicKey)>,
    pub context: Context,
}

/// A certificate that the test made, and what it knows of it.
pub(super) struct Known {
    pub der: CertificateDer,
    pub code: &'static str,
    pub from: u64,
    pub to: u64,
    pub certifies: bool,
    pub serial: u64,
}

pub(super) struct Naive<'a> {
    pub genesis: &'a Genesis,
    pub ledger: LedgerId,
    pub certificates: &'a [Known],
    pub accepted: Vec<Attempt>,
}

pub(super) type Faults = BTreeSet<Rejection>;

impl Naive<'_> {
    pub fn faults(&self, attempt: &Attempt) -> Faults {
        let mut faults = Faults::new();
        let (context, now) = (&attempt.context, attempt.context.now);
        let last = self.accepted.last().map_or(START, |a| a.context.now);
        if context.number != self.accepted.len() as u64 + 1 || now < last {
            faults.insert(Rejection::OutOfOrder);
        }
        if let Some(entry) = (1..).zip(&self.accepted).find(|(_, a)| a.transaction == attempt.transaction) {
            faults.insert(Rejection::Duplicate { entry: entry.0 });
        }
        if !self.genesis.members.iter().any(|member| member.party == context.sponsor) {
            faults.insert(Rejection::Unsponsored);
        }
        let revokes = |a: &Attempt| matches!(a.transaction, Transaction::RevokeGrant(_));
        let same_hour =
            |a: &&Attempt| a.context.sponsor == context.sponsor && a.context.now / 3600 == context.now / 3600;
        let counted = self.accepted.iter().filter(same_hour).filter(|a| !revokes(a)).count() as u64;
        if counted >= self.genesis.quota && !revokes(attempt) {
            faults.insert(Rejection::Quota);
        }
        faults.extend(self.own_faults(attempt, now));
        faults
    }

    fn own_faults(&self, attempt: &Attempt, now: u64) -> Faults {
        match &attempt.transaction {
            Transaction::RegisterParty(body) => self.register(attempt, body, now),
            Transaction::SuspendParty(body) => self.suspend(attempt, body),
            Transaction::RotateKeys(body) => self.rotate(attempt, body, now),
            Transaction::LogAudit(body) => {
                let mut faults = self.good(&party(AUDITOR), now);
                faults.extend(unless(attempt.by(self.audit_key()), Rejection::Signature));
                faults.extend(unless(!body.auditor_box.is_empty(), Rejection::AuditorBox));
                faults
            }
            Transaction::OpenHolder(body) => {
                let known = self.holder(&HolderId::of(&body.root)).is_some();
                let mut faults = unless(attempt.by(body.root), Rejection::Signature);
                faults.extend(unless(!known, Rejection::HolderKnown));
                faults
            }
            Transaction::MoveHolder(body) => self.move_holder(attempt, body),
            Transaction::AnchorReport(body) => {
                let mut faults = self.desk(attempt, Role::Issuer, now);
                faults.extend(self.new_anchor(&body.commitment, &body.destination, now));
                faults
            }
            Transaction::SupersedeReport(body) => {
                let mut faults = self.desk(attempt, Role::Issuer, now);
                faults.extend(self.new_anchor(&body.commitment, &body.destination, now));
                faults.extend(unless(!body.why.is_empty(), Rejection::Text));
                faults.extend(self.own_anchor(attempt, &body.replaces));
                let replaced =
                    self.any(|t| matches!(t, Transaction::SupersedeReport(b) if b.replaces == body.replaces));
                faults.extend(unless(!replaced, Rejection::AlreadyReplaced));
                faults
            }
            Transaction::BindTicket(body) => self.bind(attempt, body, now),
            Transaction::CancelTicket(body) => {
                let mut faults = self.desk(attempt, Role::Issuer, now);
                faults.extend(unless(!body.why.is_empty(), Rejection::Text));
                faults.extend(self.own_anchor(attempt, &body.commitment));
                faults.extend(unless(!self.cancelled(&body.commitment), Rejection::TicketCancelled));
                faults
            }
            Transaction::IssueGrant(body) => self.issue(attempt, body, now),
            Transaction::AcceptGrant(body) => self.accept(attempt, &body.grant, now),
            Transaction::RedeemGrant(body) => self.redeem(attempt, body, now),
            Transaction::SettleClaim(body) => self.settle(attempt, body, now),
            Transaction::ReverseClaim(body) => self.reverse(attempt, body, now),
            Transaction::RevokeGrant(body) => {
                let Some((grant, issued)) = self.issued(&body.grant) else {
                    return one(Rejection::UnknownGrant);
                };
                let mut faults = unless(attempt.by(grant.key), Rejection::Signature);
                faults.extend(unless(!self.revoked(&body.grant), Rejection::GrantRevoked));
                faults.extend(unless(now < issued + grant.duration, Rejection::GrantExpired));
                faults
            }
        }
    }

    fn any(&self, test: impl Fn(&Transaction) -> bool) -> bool {
        self.accepted.iter().any(|a| test(&a.transaction))
    }

    // ---- organisations

    fn known(&self, der: &CertificateDer) -> &Known {
        self.certificates.iter().find(|known| known.der == *der).expect("one of the test's certificates")
    }

    pub fn registrations<'s>(
        &'s self,
        id: &'s PartyId,
    ) -> impl Iterator<Item = (&'s RegisterParty, &'s Known)> {
        self.accepted.iter().filter_map(|a| match &a.transaction {
            Transaction::RegisterParty(body) => {
                let known = self.known(&body.certificate);
                (known.code == id.as_str()).then_some((body, known))
            }
            _ => None,
        })
    }

    fn suspended_from(&self, id: &PartyId) -> Option<u64> {
        let from = |a: &Attempt| match &a.transaction {
            Transaction::SuspendParty(body) if body.party == *id => Some(body.from),
            _ => None,
        };
        self.accepted.iter().filter_map(from).min()
    }

    fn good(&self, id: &PartyId, now: u64) -> Faults {
        let Some((_, certificate)) = self.registrations(id).last() else {
            return one(Rejection::UnknownParty);
        };
        let mut faults =
            unless(self.suspended_from(id).is_none_or(|from| now < from), Rejection::PartySuspended);
        let valid = (certificate.from..=certificate.to).contains(&now);
        faults.extend(unless(valid, Rejection::PartyExpired));
        faults
    }

    pub fn acceptance_key(&self, id: &PartyId) -> Option<PublicKey> {
        let set = |a: &Attempt| match &a.transaction {
            Transaction::RegisterParty(body) if self.known(&body.certificate).code == id.as_str() => {
                Some(body.acceptance)
            }
            Transaction::RotateKeys(body) if body.party == *id && body.which == Rotated::Acceptance => {
                Some(body.key)
            }
            _ => None,
        };
        self.accepted.iter().filter_map(set).next_back()
    }

    pub fn rotations(&self, test: impl Fn(&RotateKeys) -> bool) -> u64 {
        let count = self
            .accepted
            .iter()
            .filter(|a| matches!(&a.transaction, Transaction::RotateKeys(body) if test(body)))
            .count();
        count as u64
    }

    pub fn sequence(&self, id: &PartyId, which: Rotated) -> u64 {
        let auditors = |which| matches!(which, Rotated::Audit | Rotated::AuditorBox);
        self.rotations(|body| body.party == *id && auditors(body.which) == auditors(which))
    }

    pub fn audit_key(&self) -> PublicKey {
        let set = |a: &Attempt| match &a.transaction {
            Transaction::RotateKeys(body) if body.which == Rotated::Audit => Some(body.key),
            _ => None,
        };
        self.accepted.iter().filter_map(set).next_back().unwrap_or(self.genesis.auditor.audit)
    }

    fn votes(&self, attempt: &Attempt) -> Faults {
        let distinct: BTreeSet<_> = attempt.claimed.iter().collect();
        let members = distinct.iter().all(|k| self.genesis.members.iter().any(|m| m.vote == **k));
        let enough = distinct.len() >= 3 && distinct.len() == attempt.claimed.len();
        let mut faults = unless(members && enough, Rejection::Votes);
        faults.extend(unless(attempt.holds, Rejection::Signature));
        faults
    }

    fn register(&self, attempt: &Attempt, body: &RegisterParty, now: u64) -> Faults {
        let certificate = self.known(&body.certificate);
        let id = party(certificate.code);
        let mut faults = self.votes(attempt);
        let valid = certificate.certifies && (certificate.from..=certificate.to).contains(&now);
        faults.extend(unless(valid, Rejection::Certificate));
        let used = self.any(|t| match t {
            Transaction::RegisterParty(b) => self.known(&b.certificate).serial == certificate.serial,
            _ => false,
        });
        faults.extend(unless(!used, Rejection::SerialUsed));
        faults.extend(unless(self.suspended_from(&id).is_none(), Rejection::PartySuspended));
        let distinct: BTreeSet<_> = body.roles.iter().copied().collect();
        let in_order = !distinct.is_empty() && distinct.into_iter().collect::<Vec<_>>() == body.roles;
        let fitting = body.vouchers.is_empty() || body.roles.contains(&Role::Issuer);
        faults.extend(unless(in_order && fitting, Rejection::Roles));
        faults
    }

    fn suspend(&self, attempt: &Attempt, body: &SuspendParty) -> Faults {
        let mut faults = self.votes(attempt);
        faults.extend(unless(!body.why.is_empty(), Rejection::Text));
        let registered = self.registrations(&body.party).next().is_some();
        faults.extend(unless(registered, Rejection::UnknownParty));
        let earlier = self.suspended_from(&body.party).is_none_or(|from| body.from < from);
        faults.extend(unless(earlier, Rejection::AlreadySuspended));
        faults
    }

    fn rotate(&self, attempt: &Attempt, body: &RotateKeys, now: u64) -> Faults {
        let mut faults = self.good(&body.party, now);
        let Some((registration, known)) = self.registrations(&body.party).last() else { return faults };
        let certified = certified_key(known.code).public();
        faults.extend(unless(attempt.by(certified), Rejection::Signature));
        let follows = body.sequence == self.sequence(&body.party, body.which) + 1;
        faults.extend(unless(follows, Rejection::Sequence));
        match body.which {
            Rotated::Acceptance => {}
            Rotated::Voucher => {
                let issuer = registration.roles.contains(&Role::Issuer);
                faults.extend(unless(issuer, Rejection::RoleMissing));
                let rotated = self.rotations(|b| b.party == body.party && b.which == Rotated::Voucher);
                let room = self.registered_vouchers(&body.party).len() as u64 + rotated < 64;
                faults.extend(unless(room, Rejection::Roles));
            }
            Rotated::Audit | Rotated::AuditorBox => {
                faults.extend(unless(body.party == party(AUDITOR), Rejection::NotAuditor));
            }
        }
        faults
    }

    pub fn desk(&self, attempt: &Attempt, role: Role, now: u64) -> Faults {
        let (credential, signer) = attempt.credential.as_ref().expect("these kinds carry one");
        let mut faults = self.good(&credential.party, now);
        let Some((registration, _)) = self.registrations(&credential.party).last() else { return faults };
        faults.extend(unless(attempt.by(credential.grantee), Rejection::Signature));
        let vouched = self.acceptance_key(&credential.party) == Some(*signer);
        faults.extend(unless(vouched, Rejection::CredentialSignature));
        faults.extend(unless(credential.role == role, Rejection::CredentialRole));
        faults.extend(unless(registration.roles.contains(&role), Rejection::RoleMissing));
        faults.extend(unless(now < credential.expiry, Rejection::CredentialExpired));
        faults.extend(unless(credential.expiry <= now + DAY, Rejection::CredentialTooLong));
        faults
    }

    // ---- holders

    fn holder(&self, id: &HolderId) -> Option<(PublicKey, PublicKey, u64)> {
        let mut found = None;
        for attempt in &self.accepted {
            match &attempt.transaction {
                Transaction::OpenHolder(body) if HolderId::of(&body.root) == *id => {
                    found = Some((body.root, body.manage, 0));
                }
                Transaction::MoveHolder(body) if body.holder == *id => {
                    found = found.map(|(root, _, _)| (root, body.manage, body.sequence));
                }
                _ => {}
            }
        }
        found
    }

    pub fn manage_key(&self, id: &HolderId) -> Option<(PublicKey, u64)> {
        self.holder(id).map(|(_, manage, sequence)| (manage, sequence))
    }

    fn move_holder(&self, attempt: &Attempt, body: &MoveHolder) -> Faults {
        let Some((root, manage, sequence)) = self.holder(&body.holder) else {
            let mut faults = one(Rejection::UnknownHolder);
            faults.extend(unless(body.root.is_none_or(|root| attempt.by(root)), Rejection::Signature));
            return faults;
        };
        let mut faults = unless(body.root.is_none_or(|given| given == root), Rejection::HolderRoot);
        faults.extend(unless(attempt.by(body.root.unwrap_or(manage)), Rejection::Signature));
        faults.extend(unless(body.sequence == sequence + 1, Rejection::Sequence));
        faults
    }

    // ---- reports

    pub fn anchor(&self, id: &Commitment) -> Option<(&PartyId, &Destination)> {
        self.accepted.iter().find_map(|a| {
            let (commitment, destination) = match &a.transaction {
                Transaction::AnchorReport(body) => (body.commitment, &body.destination),
                Transaction::SupersedeReport(body) => (body.commitment, &body.destination),
                _ => return None,
            };
            (commitment == *id)
                .then(|| (&a.credential.as_ref().expect("anchored with one").0.party, destination))
        })
    }

    fn new_anchor(&self, id: &Commitment, destination: &Destination, now: u64) -> Faults {
        let mut faults = unless(self.anchor(id).is_none(), Rejection::AnchorKnown);
        let over = matches!(destination, Destination::Ticket(_, expiry, _) if *expiry <= now);
        faults.extend(unless(!over, Rejection::TicketTerm));
        faults
    }

    fn own_anchor(&self, attempt: &Attempt, id: &Commitment) -> Faults {
        let (credential, _) = attempt.credential.as_ref().expect("these kinds carry one");
        match self.anchor(id) {
            None => one(Rejection::UnknownAnchor),
            Some((issuer, _)) => unless(*issuer == credential.party, Rejection::OtherIssuer),
        }
    }

    fn cancelled(&self, id: &Commitment) -> bool {
        self.any(|t| matches!(t, Transaction::CancelTicket(body) if body.commitment == *id))
    }

    fn bind(&self, attempt: &Attempt, body: &BindTicket, now: u64) -> Faults {
        let (key, expiry) = match self.anchor(&body.commitment) {
            None => return one(Rejection::UnknownAnchor),
            Some((_, Destination::Holder(_))) => return one(Rejection::NotATicket),
            Some((_, Destination::Ticket(key, expiry, _))) => (*key, *expiry),
        };
        let used = self.any(|t| matches!(t, Transaction::BindTicket(b) if b.commitment == body.commitment));
        let mut faults = unless(attempt.by(key), Rejection::Signature);
        faults.extend(unless(!self.cancelled(&body.commitment), Rejection::TicketCancelled));
        faults.extend(unless(!used, Rejection::TicketUsed));
        faults.extend(unless(now < expiry, Rejection::TicketExpired));
        faults
    }

    // ---- grants

    pub fn issued(&self, id: &GrantId) -> Option<(&IssueGrant, u64)> {
        self.accepted.iter().find_map(|a| match &a.transaction {
            Transaction::IssueGrant(body) if GrantId::of(&self.ledger, &body.key) == *id => {
                Some((body, a.context.now))
            }
            _ => None,
        })
    }

    pub fn accepted_by(&self, id: &GrantId) -> Option<&Credential> {
        self.accepted.iter().find_map(|a| match &a.transaction {
            Transaction::AcceptGrant(body) if body.grant == *id => a.credential.as_ref().map(|(c, _)| c),
            _ => None,
        })
    }

    pub fn redemptions(&self, id: &GrantId) -> Vec<u64> {
        let at = |a: &Attempt| match &a.transaction {
            Transaction::RedeemGrant(body) if body.grant == *id => Some(a.context.now),
            _ => None,
        };
        self.accepted.iter().filter_map(at).collect()
    }

    pub fn revoked(&self, id: &GrantId) -> bool {
        self.any(|t| matches!(t, Transaction::RevokeGrant(body) if body.grant == *id))
    }

    fn issue(&self, attempt: &Attempt, body: &IssueGrant, now: u64) -> Faults {
        let known = self.issued(&GrantId::of(&self.ledger, &body.key)).is_some();
        let mut faults = unless(attempt.by(body.key), Rejection::Signature);
        faults.extend(unless(!known, Rejection::GrantKnown));
        let soon = now <= body.include_before && body.include_before <= now + 660;
        faults.extend(unless(soon, Rejection::IncludeBefore));
        let claim = body.kind == Kind::Claim;
        let insurer = matches!(body.role, Role::InsurerStatutory | Role::InsurerCommercial);
        faults.extend(unless(!claim || insurer, Rejection::ClaimRole));
        let days = if claim { 180 } else { 30 };
        faults.extend(unless(body.duration > 0 && body.duration <= days * DAY, Rejection::Duration));
        let within = body.accept_within;
        let soon = within > 0 && (claim || within <= 1800) && 2 * within <= body.duration;
        faults.extend(unless(soon, Rejection::AcceptWithin));
        faults.extend(unless(body.uses >= 1 && body.uses <= 1000, Rejection::Uses));
        faults.extend(unless(body.records >= 1 && body.records <= 256, Rejection::Records));
        faults.extend(unless(body.auditor_box.len() == 1105, Rejection::AuditorBox));
        faults
    }

    fn accept(&self, attempt: &Attempt, id: &GrantId, now: u64) -> Faults {
        let Some((grant, issued)) = self.issued(id) else { return one(Rejection::UnknownGrant) };
        let mut faults = self.desk(attempt, grant.role, now);
        let (credential, _) = attempt.credential.as_ref().expect("these kinds carry one");
        let (acceptance, signer) = attempt.acceptance.as_ref().expect("an acceptance");
        faults.extend(unless(*signer == grant.offer, Rejection::AcceptanceSignature));
        let right = acceptance.grant == *id
            && acceptance.grantee == credential.grantee
            && acceptance.box_key == credential.box_key;
        faults.extend(unless(right, Rejection::Acceptance));
        faults.extend(unless(self.accepted_by(id).is_none(), Rejection::AlreadyAccepted));
        faults.extend(unless(!self.revoked(id), Rejection::GrantRevoked));
        faults.extend(unless(now < issued + grant.accept_within, Rejection::AcceptedTooLate));
        faults
    }

    /// The keys and the organisation that accepted.
    pub(super) fn grantee(&self, grant: &GrantId, credential: &Credential) -> Faults {
        let Some(by) = self.accepted_by(grant) else { return one(Rejection::NotAccepted) };
        let same = (&by.party, by.grantee, by.box_key)
            == (&credential.party, credential.grantee, credential.box_key);
        unless(same, Rejection::OtherGrantee)
    }

    fn redeem(&self, attempt: &Attempt, body: &RedeemGrant, now: u64) -> Faults {
        let Some((grant, issued)) = self.issued(&body.grant) else { return one(Rejection::UnknownGrant) };
        let mut faults = self.desk(attempt, grant.role, now);
        let (credential, _) = attempt.credential.as_ref().expect("these kinds carry one");
        faults.extend(self.grantee(&body.grant, credential));
        let uses = self.redemptions(&body.grant);
        faults.extend(unless(!self.revoked(&body.grant), Rejection::GrantRevoked));
        faults.extend(unless(now < issued + grant.duration, Rejection::GrantExpired));
        faults.extend(unless((uses.len() as u64) < grant.uses, Rejection::GrantExhausted));
        faults.extend(unless(body.use_number == uses.len() as u64 + 1, Rejection::UseNumber));
        let waited = uses.last().is_none_or(|last| now >= last + grant.interval);
        faults.extend(unless(waited, Rejection::TooSoon));
        let distinct: BTreeSet<u64> = body.records.iter().copied().filter(|r| *r < grant.records).collect();
        let in_order = !body.records.is_empty() && distinct.into_iter().collect::<Vec<_>>() == body.records;
        faults.extend(unless(in_order, Rejection::RecordNumbers));
        faults.extend(unless(body.auditor_box.len() == 3153, Rejection::AuditorBox));
        faults
    }
}

impl Attempt {
    pub fn by(&self, key: PublicKey) -> bool {
        self.holds && self.claimed == [key]
    }
}

pub(super) fn one(rejection: Rejection) -> Faults {
    Faults::from([rejection])
}

pub(super) fn unless(right: bool, rejection: Rejection) -> Faults {
    if right { Faults::new() } else { one(rejection) }
}
