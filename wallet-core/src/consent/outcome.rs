//! What became of an insurer's decisions: the grant's log alone says it, whatever a relay answered.
//!
//! **A decision is given up once it can't stand by the members' own word, and is looked for all the same**: whoever answers
//! for the ledger's time could let it stand afterwards.

use crate::{
    contract::{Reversal, Settled, Transaction},
    proof::log::AccessLog,
};

/// A decision that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stood {
    /// Which of those that were asked for.
    pub which: usize,
    /// Its entry.
    pub entry: u64,
    /// The ledger's time in it.
    pub at: u64,
}

/// Those of these decisions that stand in a grant's log, in the ledger's order.
pub fn stood(log: &AccessLog, decisions: &[Transaction]) -> Vec<Stood> {
    let found = log.entries.iter().filter_map(|entry| {
        let which = decisions.iter().position(|decision| *decision == entry.transaction)?;
        Some(Stood { which, entry: entry.number, at: entry.now })
    });
    found.collect()
}

/// By which entry of a grant's log a settlement under it was taken back, whichever desk of its insurer did: once at the most,
/// so no other reversal of it can stand any more.
pub fn taken_back(log: &AccessLog, settlement: &Settled) -> Option<Reversal> {
    log.entries.iter().find_map(|entry| match &entry.transaction {
        Transaction::ReverseClaim(body) if body.settlement.as_ref() == Some(settlement) => {
            Some(Reversal { why: body.why, at: entry.now, entry: entry.number })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{
        CHAIN_START, Credential, GrantLeaf, Kind, ReversalReason, ReverseClaim, RevokeGrant, Role, Slot,
        Status, Voucher,
    };
    use crate::id::{GrantId, LedgerId, PartyId};
    use crate::proof::log::LogEntry;
    use crate::sm::seeded::Seeded;
    use crate::sm::{SecretKey, Signed};

    fn decision(number: u8) -> Transaction {
        Transaction::RevokeGrant(RevokeGrant { grant: GrantId::from_bytes([number; 32]) })
    }

    #[test]
    fn what_stands_is_found_in_the_ledgers_order_and_nothing_else_is() {
        let entry = |number, of| LogEntry { number, now: 100 + number, transaction: decision(of) };
        let leaf =
            GrantLeaf { kind: Kind::Claim, status: Status::Accepted, uses: 1, count: 3, chain: CHAIN_START };
        let log = AccessLog { leaf, entries: vec![entry(4, 9), entry(7, 2), entry(8, 1)] };
        let found = stood(&log, &[decision(1), decision(2), decision(3)]);
        let at = |which, entry| Stood { which, entry, at: 100 + entry };
        assert_eq!(found, [at(1, 7), at(0, 8)]);
        assert!(stood(&log, &[]).is_empty());
    }
    fn reversal(settlement: Option<Settled>, why: ReversalReason) -> Transaction {
        let (key, ledger) = (SecretKey::generate(&mut Seeded::new(1)), LedgerId::from_bytes([1; 32]));
        let party = PartyId::new("91520100ANLAN00051").unwrap();
        let credential = Credential {
            party: party.clone(),
            role: Role::InsurerCommercial,
            grantee: key.public(),
            box_key: key.public(),
            expiry: 1,
        };
        let voucher = Voucher { issuer: party, tag: key.public(), slot: Slot::Commercial };
        Transaction::ReverseClaim(ReverseClaim {
            credential: Signed::new(&credential, &key, &ledger),
            voucher: Signed::new(&voucher, &key, &ledger),
            settlement,
            why,
            auditor_box: Vec::new(),
            include_before: 1,
        })
    }

    #[test]
    fn the_reversal_of_a_settlement_is_found_and_that_of_another_one_is_not() {
        let settled = |entry| Settled { grant: GrantId::from_bytes([1; 32]), entry };
        let entry = |number, transaction| LogEntry { number, now: 100 + number, transaction };
        let leaf =
            GrantLeaf { kind: Kind::Claim, status: Status::Accepted, uses: 1, count: 3, chain: CHAIN_START };
        let entries = vec![
            entry(4, decision(1)),
            entry(6, reversal(Some(settled(5)), ReversalReason::Error)),
            entry(9, reversal(Some(settled(8)), ReversalReason::PaidBack)),
            entry(11, reversal(None, ReversalReason::OnPaper)),
        ];
        let log = AccessLog { leaf, entries };
        let found = taken_back(&log, &settled(8));
        assert_eq!(found, Some(Reversal { why: ReversalReason::PaidBack, at: 109, entry: 9 }));
        assert_eq!(taken_back(&log, &settled(10)), None);
    }
}
