//! Transactions and their signatures (PROTOCOL §5; formats.cddl, "ledger"): formats only. What each kind
//! carries is in `body`, the rules are in the sibling modules.
//!
//! A transaction is an array `[kind, body]`. Its id is the SM3 of that, whoever signs.

use super::Rejection;
use super::body::{
    AcceptGrant, AnchorReport, BindTicket, CancelTicket, Credential, IssueGrant, LogAudit, MoveHolder,
    OpenHolder, RedeemGrant, RegisterParty, ReverseClaim, RevokeGrant, RotateKeys, SettleClaim,
    SupersedeReport, SuspendParty, Voucher,
};
use crate::cbor;
use crate::id::TransactionId;
use crate::sm::{Digest, Object, SecretKey, Signed};
use minicbor::{Decode, Encode};

/// Most bytes that a signed transaction may have: 64 KiB, less what an entry adds to it, since the length of
/// an entry is written in two bytes ([`crate::proof::tile`]).
pub const MAX_TRANSACTION: usize = 64 * 1024 - 256;

/// Something that the ledger may be asked to record. Kinds 16 and up are reserved.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Transaction {
    /// An organisation joins, or renews its certificate.
    #[n(0)]
    RegisterParty(#[n(0)] RegisterParty),
    /// An organisation is suspended from some moment on.
    #[n(1)]
    SuspendParty(#[n(0)] SuspendParty),
    /// An organisation changes one of its keys.
    #[n(2)]
    RotateKeys(#[n(0)] RotateKeys),
    /// The auditor opened boxes; what and why, sealed.
    #[n(3)]
    LogAudit(#[n(0)] LogAudit),
    /// A vault's holder appears.
    #[n(4)]
    OpenHolder(#[n(0)] OpenHolder),
    /// A vault's holder changes its keys.
    #[n(5)]
    MoveHolder(#[n(0)] MoveHolder),
    /// A report's commitment.
    #[n(6)]
    AnchorReport(#[n(0)] AnchorReport),
    /// A report's commitment, in place of an earlier version.
    #[n(7)]
    SupersedeReport(#[n(0)] SupersedeReport),
    /// A wallet keeps a report.
    #[n(8)]
    BindTicket(#[n(0)] BindTicket),
    /// The issuer takes a report back.
    #[n(9)]
    CancelTicket(#[n(0)] CancelTicket),
    /// A patient offers to share.
    #[n(10)]
    IssueGrant(#[n(0)] IssueGrant),
    /// A desk takes the offer.
    #[n(11)]
    AcceptGrant(#[n(0)] AcceptGrant),
    /// The desk reads.
    #[n(12)]
    RedeemGrant(#[n(0)] RedeemGrant),
    /// The patient withdraws.
    #[n(13)]
    RevokeGrant(#[n(0)] RevokeGrant),
    /// An insurer settles a payer slot of an invoice.
    #[n(14)]
    SettleClaim(#[n(0)] SettleClaim),
    /// An insurer takes its settlement back, or a hospital its invoice.
    #[n(15)]
    ReverseClaim(#[n(0)] ReverseClaim),
}

impl Object for Transaction {
    const NAME: &'static str = "transaction";
}

impl Transaction {
    /// The names of the kinds, in the order of their numbers.
    pub const NAMES: [&'static str; 16] = [
        "register-party",
        "suspend-party",
        "rotate-keys",
        "log-audit",
        "open-holder",
        "move-holder",
        "anchor-report",
        "supersede-report",
        "bind-ticket",
        "cancel-ticket",
        "issue-grant",
        "accept-grant",
        "redeem-grant",
        "revoke-grant",
        "settle-claim",
        "reverse-claim",
    ];

    /// The number of this kind, 0 to 15.
    pub const fn number(&self) -> u8 {
        match self {
            Self::RegisterParty(_) => 0,
            Self::SuspendParty(_) => 1,
            Self::RotateKeys(_) => 2,
            Self::LogAudit(_) => 3,
            Self::OpenHolder(_) => 4,
            Self::MoveHolder(_) => 5,
            Self::AnchorReport(_) => 6,
            Self::SupersedeReport(_) => 7,
            Self::BindTicket(_) => 8,
            Self::CancelTicket(_) => 9,
            Self::IssueGrant(_) => 10,
            Self::AcceptGrant(_) => 11,
            Self::RedeemGrant(_) => 12,
            Self::RevokeGrant(_) => 13,
            Self::SettleClaim(_) => 14,
            Self::ReverseClaim(_) => 15,
        }
    }

    /// The name of this kind.
    pub const fn name(&self) -> &'static str {
        Self::NAMES[self.number() as usize]
    }

    /// SM3 of the canonical encoding.
    pub fn id(&self) -> TransactionId {
        TransactionId::from_digest(Digest::of(&cbor::encode(self)))
    }

    /// The credential that it carries, as far as its kind carries one.
    pub const fn credential(&self) -> Option<&Signed<Credential>> {
        match self {
            Self::AnchorReport(body) => Some(&body.credential),
            Self::SupersedeReport(body) => Some(&body.credential),
            Self::CancelTicket(body) => Some(&body.credential),
            Self::AcceptGrant(body) => Some(&body.credential),
            Self::RedeemGrant(body) => Some(&body.credential),
            Self::SettleClaim(body) => Some(&body.credential),
            Self::ReverseClaim(body) => Some(&body.credential),
            _ => None,
        }
    }

    /// The hospital's voucher that it carries, as far as its kind carries one.
    pub const fn voucher(&self) -> Option<&Signed<Voucher>> {
        match self {
            Self::SettleClaim(body) => Some(&body.voucher),
            Self::ReverseClaim(body) => Some(&body.voucher),
            _ => None,
        }
    }
}

/// A transaction under its signatures: one, or several members' for a vote, all over the same payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction(Vec<Signed<Transaction>>);

impl SignedTransaction {
    /// Signs with one key.
    pub fn new(transaction: &Transaction, key: &SecretKey, ledger: &crate::id::LedgerId) -> Self {
        Self(vec![Signed::new(transaction, key, ledger)])
    }

    /// Puts members' votes together. `None` for no vote, or for votes on different things.
    pub fn from_votes(votes: Vec<Signed<Transaction>>) -> Option<Self> {
        let first = votes.first()?.id();
        votes.iter().all(|vote| vote.id() == first).then_some(Self(votes))
    }

    /// The signatures; never empty.
    pub fn signatures(&self) -> &[Signed<Transaction>] {
        &self.0
    }

    /// SM3 of the payload, whoever signed.
    pub fn id(&self) -> TransactionId {
        TransactionId::from_digest(self.0[0].id())
    }

    /// What it claims to be; no signature is verified.
    pub fn claimed(&self) -> Result<Transaction, Rejection> {
        self.0[0].claimed().map_err(|_| Rejection::Form)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads canonical bytes, payload included.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Rejection> {
        if bytes.len() > MAX_TRANSACTION {
            return Err(Rejection::TooLarge);
        }
        let signed: Self = cbor::decode(bytes).map_err(|_| Rejection::Form)?;
        signed.claimed()?;
        Ok(signed)
    }
}

impl<C> Encode<C> for SignedTransaction {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.0.encode(e, context)
    }
}

impl<'b, C> Decode<'b, C> for SignedTransaction {
    fn decode(d: &mut minicbor::Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_votes(Decode::decode(d, context)?)
            .ok_or_else(|| minicbor::decode::Error::message("signatures over one payload, at least one"))
    }
}
