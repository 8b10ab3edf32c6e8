//! The contract: what may stand on the ledger (PROTOCOL §5). Pure and total, the only place where these rules
//! live; no floats, no hash maps, no clock.
//!
//! | need | call |
//! |---|---|
//! | the state before the first entry | [`genesis`] |
//! | decide on a transaction and get its writes | [`apply`] |
//! | the same, its signatures verified beforehand on other threads | [`Checked`], [`apply_checked`] |
//! | the same, its signatures verified afterwards, for a replay | [`apply_unverified`], [`Unverified`] |
//! | replay entries in memory | [`Memory`] |
//! | several entries before one commit | [`Overlay`] |
//! | read the state | [`Views`] |
//! | what a relay submits | [`Batch`] |
//!
//! **A refused transaction changes nothing**: no entry, no count, no write.
//!
//! # What may refuse what
//!
//! By the names of the [`Rejection`]s; a test holds this table against what happens.
//!
//! | kind | signed by | refused as |
//! |---|---|---|
//! | `every-kind` | (but a revocation has no quota: a patient can always take back) | `form` `too-large` `batch-size` `unsponsored` `quota` `duplicate` `out-of-order` `damaged` `signature` |
//! | `credential` | (a desk's credential, by the organisation's acceptance key) | `unknown-party` `credential-signature` `party-suspended` `party-expired` `credential-role` `role-missing` `credential-expired` `credential-too-long` |
//! | `register-party` | t vote keys | `votes` `roles` `certificate` `serial-used` `party-suspended` |
//! | `suspend-party` | t vote keys | `votes` `text` `unknown-party` `already-suspended` |
//! | `rotate-keys` | certified key | `unknown-party` `party-suspended` `party-expired` `role-missing` `roles` `not-auditor` `sequence` |
//! | `log-audit` | audit key | `auditor-box` `unknown-party` `party-suspended` |
//! | `open-holder` | holder root | `holder-known` |
//! | `move-holder` | manage key or holder root | `unknown-holder` `holder-root` `sequence` |
//! | `anchor-report` | credential's key | `credential` `anchor-known` `ticket-term` |
//! | `supersede-report` | credential's key | `credential` `text` `unknown-anchor` `other-issuer` `already-replaced` `anchor-known` `ticket-term` |
//! | `bind-ticket` | ticket key | `unknown-anchor` `not-a-ticket` `ticket-cancelled` `ticket-used` `ticket-expired` |
//! | `cancel-ticket` | credential's key | `credential` `text` `unknown-anchor` `other-issuer` `ticket-cancelled` |
//! | `issue-grant` | grant key | `auditor-box` `claim-role` `duration` `accept-within` `uses` `records` `grant-known` `include-before` |
//! | `accept-grant` | credential's key, and the offer key on the acceptance | `credential` `unknown-grant` `acceptance-signature` `acceptance` `already-accepted` `grant-revoked` `accepted-too-late` |
//! | `redeem-grant` | credential's key | `credential` `unknown-grant` `auditor-box` `record-numbers` `not-accepted` `other-grantee` `grant-revoked` `grant-expired` `grant-exhausted` `use-number` `too-soon` |
//! | `revoke-grant` | grant key | `unknown-grant` `grant-expired` |
//! | `settle-claim` | credential's key, the hospital's voucher key on the voucher, the tag's on the proof | `credential` `unknown-grant` `voucher` `tag-signature` `tag-proof` `auditor-box` `include-before` `not-a-claim` `wrong-slot` `not-accepted` `not-redeemed` `other-grantee` `grant-revoked` `grant-expired` `claim-settled` `claim-void` |
//! | `reverse-claim` | credential's key, the hospital's voucher key on the voucher | `credential` `voucher` `auditor-box` `include-before` `reversal-reason` `wrong-slot` `other-voucher` `not-settled` `other-insurer` `claim-void` |
//!
//! # A grant
//!
//! | | accept | redeem | revoke |
//! |---|---|---|---|
//! | **offered** | accepted | not-accepted | revoked |
//! | **accepted** | already-accepted | accepted; exhausted by the last use | revoked |
//! | **exhausted** | already-accepted | grant-exhausted | revoked |
//! | **revoked** | grant-revoked | grant-revoked | duplicate: it is the same transaction |
//! | past its end, computed | accepted-too-late | grant-expired | grant-expired |
//!
//! # A report's ticket
//!
//! | | bind | cancel | supersede |
//! |---|---|---|---|
//! | **anchored** | bound | cancelled | replaced |
//! | **bound** | ticket-used | cancelled | replaced |
//! | **cancelled** | ticket-cancelled | ticket-cancelled | replaced |
//! | **replaced** | as before | as before | already-replaced |
//! | past its expiry, computed | ticket-expired | as before | as before |
//!
//! # A payer slot of an invoice
//!
//! | | settle | the insurer reverses | the hospital reverses |
//! |---|---|---|---|
//! | **open**, or never named | settled | not-settled | void |
//! | **settled** | claim-settled, whichever insurer asks | open; other-insurer for another | void, flagged |
//! | **void** | claim-void | void, no longer flagged; not-settled where it wasn't settled | claim-void |

mod batch;
mod body;
mod claim;
mod genesis;
mod grant;
mod holder;
mod party;
mod rejection;
mod report;
mod signers;
mod state;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;
mod value;

pub use batch::{Batch, Entry, MAX_BATCH};
pub use body::{
    AcceptGrant, Acceptance, AnchorReport, BindTicket, CancelTicket, CertificateDer, Credential, Destination,
    IssueGrant, Kind, LogAudit, MoveHolder, OpenHolder, RedeemGrant, RegisterParty, ReversalReason,
    ReverseClaim, RevokeGrant, RotateKeys, Rotated, SettleClaim, Settled, Slot, SupersedeReport,
    SuspendParty, TagProof, Voucher,
};
pub use genesis::{Auditor, Bounds, Genesis, GenesisError, MAX_MEMBERS, Member};
pub use grant::{ACCEPT_WITHIN, INCLUDE_AHEAD, LONGEST_CLAIM, MAX_RECORDS, MAX_USES};
pub use party::CREDENTIAL_TERM;
pub use rejection::Rejection;
pub use signers::{Checked, Unverified};
pub use state::{Changes, Damaged, Key, Memory, Overlay, State, Views};
pub use transaction::{MAX_TRANSACTION, SignedTransaction, Transaction};
pub use value::{
    Accepted, Anchor, AuditorKeys, Binding, BoxKey, CHAIN_START, Cancellation, Claim, GrantLeaf, Holder,
    Last, Party, Reversal, Settlement, Status, Suspension, Terms, Use, extend_chain,
};

pub use crate::identity::Role;

use crate::id::{LedgerId, PartyId, TransactionId};

/// Largest box of a `LogAudit`; those of grants, uses, settlements and reversals have one size
/// each: [`GRANT_BOX`](crate::consent::GRANT_BOX), [`USE_BOX`](crate::consent::USE_BOX),
/// [`SETTLEMENT_BOX`](crate::consent::SETTLEMENT_BOX), [`REVERSAL_BOX`](crate::consent::REVERSAL_BOX).
pub const MAX_AUDITOR_BOX: usize = 16 * 1024;

/// Longest reason, in bytes.
pub const MAX_TEXT: usize = 500;

/// Where and when a transaction would stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The number of the entry: one more than the last.
    pub number: u64,
    /// The ledger's time, not before the last entry's.
    pub now: u64,
    /// Who brings it.
    pub sponsor: PartyId,
}

impl From<Damaged> for Rejection {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

/// The state before the first entry.
pub fn genesis(genesis: &Genesis) -> Changes {
    let mut changes = Changes::new();
    let auditor = AuditorKeys {
        party: genesis.auditor.party.clone(),
        audit: genesis.auditor.audit,
        boxes: vec![BoxKey { key: genesis.auditor.box_key, since: genesis.time }],
        sequence: 0,
    };
    changes.put(&Key::Genesis, genesis);
    changes.put(&Key::Auditor, &auditor);
    changes.put(&Key::Last, &Last { number: 0, now: genesis.time });
    changes
}

/// Decides whether a transaction stands, and what it writes. Verifies its signatures.
pub fn apply(
    state: &dyn State,
    context: &Context,
    signed: &SignedTransaction,
    ledger: &LedgerId,
) -> Result<Changes, Rejection> {
    apply_checked(state, context, &Checked::read(signed.clone(), ledger)?)
}

/// Decides like [`apply`], for the ledger that the transaction was read for. Signatures that [`Checked::check`]
/// found to hold under the keys that the state names *now* aren't verified again; all others are.
pub fn apply_checked(state: &dyn State, context: &Context, checked: &Checked) -> Result<Changes, Rejection> {
    let counts = admit(state, context, checked)?;
    checked.require(state)?;
    decide(state, context, checked, counts)
}

/// Decides like [`apply_checked`] as if every signature held, and says which must: for a replay, which verifies them on
/// all cores meanwhile. **Nothing that follows counts until [`Unverified::verify`] has held for this entry and all
/// before it.**
pub fn apply_unverified(
    state: &dyn State,
    context: &Context,
    checked: &Checked,
) -> Result<(Changes, Unverified), Rejection> {
    let counts = admit(state, context, checked)?;
    let unverified = checked.unverified(state)?;
    Ok((decide(state, context, checked, counts)?, unverified))
}

/// What every kind of transaction must meet; how many entries its sponsor had in this hour, where it counts.
fn admit(state: &dyn State, context: &Context, checked: &Checked) -> Result<Option<u64>, Rejection> {
    let last = state.last()?;
    if Some(context.number) != last.number.checked_add(1) || context.now < last.now {
        return Err(Rejection::OutOfOrder);
    }
    if let Some(entry) = state.entry_of(&checked.id())? {
        return Err(Rejection::Duplicate { entry });
    }
    let genesis = state.genesis()?;
    genesis.member(&context.sponsor).ok_or(Rejection::Unsponsored)?;
    let used = state.quota(&context.sponsor, context.now / 3600)?;
    // A patient can always take back, whatever others have sent; a grant, which counts, has one revocation.
    let counts = !matches!(checked.transaction(), Transaction::RevokeGrant(_));
    if counts && used >= genesis.quota {
        return Err(Rejection::Quota);
    }
    Ok(counts.then_some(used))
}

fn decide(
    state: &dyn State,
    context: &Context,
    checked: &Checked,
    counts: Option<u64>,
) -> Result<Changes, Rejection> {
    let mut step = Step::new(state, context, checked);
    step.take(checked)?;
    if let Some(used) = counts {
        step.put(&Key::Quota(context.sponsor.clone(), context.now / 3600), &(used + 1));
    }
    step.put(&Key::Transaction(checked.id()), &context.number);
    step.put(&Key::Last, &Last { number: context.number, now: context.now });
    Ok(step.changes)
}

/// One transaction on its way: the state before, and the writes so far. The rules are methods on it, one
/// file a subject; its signatures hold when they are asked.
struct Step<'a> {
    state: &'a dyn State,
    number: u64,
    now: u64,
    id: TransactionId,
    ledger: &'a LedgerId,
    changes: Changes,
}

impl<'a> Step<'a> {
    fn new(state: &'a dyn State, context: &Context, checked: &'a Checked) -> Self {
        Self {
            state,
            number: context.number,
            now: context.now,
            id: checked.id(),
            ledger: checked.ledger(),
            changes: Changes::new(),
        }
    }
}

impl Step<'_> {
    fn take(&mut self, checked: &Checked) -> Result<(), Rejection> {
        match checked.transaction() {
            Transaction::RegisterParty(body) => self.register_party(body),
            Transaction::SuspendParty(body) => self.suspend_party(body),
            Transaction::RotateKeys(body) => self.rotate_keys(body),
            Transaction::LogAudit(body) => self.log_audit(body),
            Transaction::OpenHolder(body) => self.open_holder(body),
            Transaction::MoveHolder(body) => self.move_holder(body),
            Transaction::AnchorReport(body) => self.anchor_report(body, checked.credential()?),
            Transaction::SupersedeReport(body) => self.supersede_report(body, checked.credential()?),
            Transaction::BindTicket(body) => self.bind_ticket(body),
            Transaction::CancelTicket(body) => self.cancel_ticket(body, checked.credential()?),
            Transaction::IssueGrant(body) => self.issue_grant(body),
            Transaction::AcceptGrant(body) => {
                let acceptance = checked.acceptance().ok_or(Rejection::Form)?;
                self.accept_grant(body, checked.credential()?, acceptance)
            }
            Transaction::RedeemGrant(body) => self.redeem_grant(body, checked.credential()?),
            Transaction::RevokeGrant(body) => self.revoke_grant(body),
            Transaction::SettleClaim(body) => {
                self.settle_claim(body, checked.credential()?, checked.voucher()?, checked.proof()?)
            }
            Transaction::ReverseClaim(body) => {
                self.reverse_claim(body, checked.credential()?, checked.voucher()?)
            }
        }
    }

    fn put<T: minicbor::Encode<()>>(&mut self, key: &Key, value: &T) {
        self.changes.put(key, value);
    }
}

fn check_text(text: &str) -> Result<(), Rejection> {
    if (1..=MAX_TEXT).contains(&text.len()) { Ok(()) } else { Err(Rejection::Text) }
}

/// The auditor's own box has a bound.
fn check_auditor_box(sealed: &[u8]) -> Result<(), Rejection> {
    if (1..=MAX_AUDITOR_BOX).contains(&sealed.len()) { Ok(()) } else { Err(Rejection::AuditorBox) }
}

/// Boxes of grants, uses and settlements have one size each, so that their length tells nothing and carries nothing.
const fn check_box_size(sealed: &[u8], size: usize) -> Result<(), Rejection> {
    if sealed.len() == size { Ok(()) } else { Err(Rejection::AuditorBox) }
}
