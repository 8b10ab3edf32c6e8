//! Rules for grants (PROTOCOL §5, §6): offered, accepted, used, exhausted or revoked; expired is computed.
//!
//! **A redemption that stands is the only way to a gate's share**, so what is refused here is not read.

use super::body::{AcceptGrant, Acceptance, Credential, IssueGrant, Kind, RedeemGrant, RevokeGrant, Slot};
use super::state::{Key, Views as _};
use super::value::{Accepted, CHAIN_START, GrantLeaf, Status, Terms, Use, extend_chain};
use super::{Rejection, Step};
use crate::consent::{GRANT_BOX, INCLUDE_WITHIN, USE_BOX};
use crate::id::GrantId;

/// The longest claim, in seconds: 180 days.
pub const LONGEST_CLAIM: u64 = 180 * 86_400;

/// The longest accept-within of a grant to read, in seconds. A claim may wait for an insurer's server at night.
pub const ACCEPT_WITHIN: u64 = 30 * 60;

/// How far after its inclusion an include-before may lie, in seconds: the ten minutes that a wallet gives,
/// and one for clocks that differ. So nobody can include later what a gate no longer holds a tombstone for.
pub const INCLUDE_AHEAD: u64 = INCLUDE_WITHIN + 60;

/// Most uses of a grant.
pub const MAX_USES: u64 = 1000;

/// Most records in a grant.
pub const MAX_RECORDS: u64 = 256;

impl Step<'_> {
    /// Neither too late, nor so far ahead that somebody could bring it when nobody expects it any more.
    pub(super) fn check_included(&self, before: u64) -> Result<(), Rejection> {
        let allowed = self.now..=self.now.saturating_add(INCLUDE_AHEAD);
        if allowed.contains(&before) { Ok(()) } else { Err(Rejection::IncludeBefore) }
    }

    /// Its start is its inclusion, which must not come later than the wallet allowed.
    pub(super) fn issue_grant(&mut self, body: &IssueGrant) -> Result<(), Rejection> {
        self.check_bounds(body)?;
        let id = GrantId::of(self.ledger, &body.key);
        if self.state.grant(&id)?.is_some() {
            return Err(Rejection::GrantKnown);
        }
        self.check_included(body.include_before)?;
        let leaf =
            GrantLeaf { kind: body.kind, status: Status::Offered, uses: 0, count: 0, chain: CHAIN_START };
        let terms = Terms { grant: body.clone(), issued: self.now, accepted: None, reserved: 0 };
        self.put_leaf(&id, leaf);
        self.put(&Key::Terms(id), &terms);
        Ok(())
    }

    /// By whoever holds the offer key, once, in time, in the role that the patient chose.
    pub(super) fn accept_grant(
        &mut self,
        body: &AcceptGrant,
        desk: &Credential,
        acceptance: &Acceptance,
    ) -> Result<(), Rejection> {
        let (mut leaf, mut terms) = self.grant(&body.grant)?;
        let named = (&acceptance.grant, &acceptance.grantee, &acceptance.box_key);
        if named != (&body.grant, &desk.grantee, &desk.box_key) {
            return Err(Rejection::Acceptance);
        }
        match leaf.status {
            Status::Offered => {}
            Status::Accepted | Status::Exhausted => return Err(Rejection::AlreadyAccepted),
            Status::Revoked => return Err(Rejection::GrantRevoked),
        }
        if self.now >= terms.accept_end() {
            return Err(Rejection::AcceptedTooLate);
        }
        self.good_desk(desk, terms.grant.role)?;
        leaf.status = Status::Accepted;
        terms.accepted = Some(Accepted {
            party: desk.party.clone(),
            grantee: desk.grantee,
            box_key: desk.box_key,
            at: self.now,
        });
        self.put_leaf(&body.grant, leaf);
        self.put(&Key::Terms(body.grant), &terms);
        Ok(())
    }

    /// One read: by the keys that accepted, their organisation still good, in the window, uses left.
    pub(super) fn redeem_grant(&mut self, body: &RedeemGrant, desk: &Credential) -> Result<(), Rejection> {
        super::check_box_size(&body.auditor_box, USE_BOX)?;
        let (mut leaf, terms) = self.grant(&body.grant)?;
        check_record_numbers(&body.records, terms.grant.records)?;
        check_grantee(&leaf, &terms, desk)?;
        if self.now >= terms.end() {
            return Err(Rejection::GrantExpired);
        }
        if leaf.status == Status::Exhausted {
            return Err(Rejection::GrantExhausted);
        }
        self.good_desk(desk, terms.grant.role)?;
        let number = self.next_use(body, &leaf, terms.grant.interval)?;
        leaf.uses = body.use_number;
        if leaf.uses >= terms.grant.uses {
            leaf.status = Status::Exhausted;
        }
        let redemption =
            Use { epk: body.epk, records: body.records.clone(), at: self.now, transaction: self.id };
        self.put_leaf(&body.grant, leaf);
        self.put(&Key::Use(body.grant, number), &redemption);
        Ok(())
    }

    /// From any status, until the end: gates may still hold shares of an exhausted grant. A second revocation
    /// is the same transaction, so a duplicate, and never comes here.
    pub(super) fn revoke_grant(&mut self, body: &RevokeGrant) -> Result<(), Rejection> {
        let (mut leaf, terms) = self.grant(&body.grant)?;
        if self.now >= terms.end() {
            return Err(Rejection::GrantExpired);
        }
        leaf.status = Status::Revoked;
        self.put_leaf(&body.grant, leaf);
        Ok(())
    }

    pub(super) fn grant(&self, id: &GrantId) -> Result<(GrantLeaf, Terms), Rejection> {
        let leaf = self.state.grant(id)?.ok_or(Rejection::UnknownGrant)?;
        let terms = self.state.terms(id)?.ok_or(Rejection::UnknownGrant)?;
        Ok((leaf, terms))
    }

    /// Every entry on a grant goes into its chain.
    pub(super) fn put_leaf(&mut self, id: &GrantId, mut leaf: GrantLeaf) {
        leaf.count += 1;
        leaf.chain = extend_chain(&leaf.chain, &self.id, self.now);
        self.put(&Key::Grant(*id), &leaf);
    }

    fn next_use(&self, body: &RedeemGrant, leaf: &GrantLeaf, interval: u64) -> Result<u32, Rejection> {
        let number = u32::try_from(body.use_number).map_err(|_| Rejection::UseNumber)?;
        if Some(body.use_number) != leaf.uses.checked_add(1) {
            return Err(Rejection::UseNumber);
        }
        if let Some(last) = self.state.redemption(&body.grant, number - 1)?
            && self.now - last.at < interval
        {
            return Err(Rejection::TooSoon);
        }
        Ok(number)
    }

    fn check_bounds(&self, body: &IssueGrant) -> Result<(), Rejection> {
        super::check_box_size(&body.auditor_box, GRANT_BOX)?;
        let (longest, within) = match body.kind {
            Kind::Read => (self.state.genesis()?.bounds.read, ACCEPT_WITHIN),
            Kind::Claim => (LONGEST_CLAIM, LONGEST_CLAIM),
        };
        if body.kind == Kind::Claim && Slot::of(body.role).is_none() {
            return Err(Rejection::ClaimRole);
        }
        if !(1..=longest).contains(&body.duration) {
            return Err(Rejection::Duration);
        }
        if !(1..=within.min(body.duration / 2)).contains(&body.accept_within) {
            return Err(Rejection::AcceptWithin);
        }
        if !(1..=MAX_USES).contains(&body.uses) {
            return Err(Rejection::Uses);
        }
        if !(1..=MAX_RECORDS).contains(&body.records) {
            return Err(Rejection::Records);
        }
        Ok(())
    }
}

/// The grant was accepted, by the keys and the organisation that the desk presents now, and stands.
pub(super) fn check_grantee(leaf: &GrantLeaf, terms: &Terms, desk: &Credential) -> Result<(), Rejection> {
    let accepted = match (leaf.status, &terms.accepted) {
        (Status::Revoked, _) => return Err(Rejection::GrantRevoked),
        (Status::Offered, _) | (_, None) => return Err(Rejection::NotAccepted),
        (Status::Accepted | Status::Exhausted, Some(accepted)) => accepted,
    };
    let presented = (&desk.party, &desk.grantee, &desk.box_key);
    let same = presented == (&accepted.party, &accepted.grantee, &accepted.box_key);
    if same { Ok(()) } else { Err(Rejection::OtherGrantee) }
}

fn check_record_numbers(numbers: &[u64], records: u64) -> Result<(), Rejection> {
    let ascending = numbers.is_sorted_by(|a, b| a < b);
    let known = numbers.last().is_some_and(|last| *last < records);
    if ascending && known { Ok(()) } else { Err(Rejection::RecordNumbers) }
}
