//! Who must have signed a transaction: the column "signed by" of the table in PROTOCOL §5, and the
//! verification, which may be done beforehand.
//!
//! **A signature that holds under a key is a fact, whatever the state; which key it has to be is the state's
//! to say.** [`Checked::check`] verifies off the sequencing thread against any recent state and remembers under
//! which keys the signatures hold. [`apply_checked`](super::apply_checked) asks the state for the keys again
//! and verifies anew only where one has changed meanwhile: never trusts, rarely waits.

use super::body::{Acceptance, Credential, TagProof, Voucher};
use super::state::{State, Views as _};
use super::transaction::{SignedTransaction, Transaction};
use super::{MAX_TRANSACTION, Rejection};
use crate::id::{LedgerId, TransactionId};
use crate::sm::PublicKey;

/// A signature in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The transaction's own, by position.
    Transaction(usize),
    /// The organisation's, on the credential inside.
    Credential,
    /// The offer key's, on the acceptance inside.
    Acceptance,
    /// The hospital's, on the voucher inside.
    Voucher,
    /// The tag's, on the proof inside.
    TagProof,
}

impl Part {
    const fn rejection(self) -> Rejection {
        match self {
            Self::Transaction(_) => Rejection::Signature,
            Self::Credential => Rejection::CredentialSignature,
            Self::Acceptance => Rejection::AcceptanceSignature,
            Self::Voucher => Rejection::Voucher,
            Self::TagProof => Rejection::TagSignature,
        }
    }
}

/// A transaction that was read, with the signatures that are known to hold.
#[derive(Clone, Debug)]
pub struct Checked {
    signed: SignedTransaction,
    id: TransactionId,
    ledger: LedgerId,
    transaction: Transaction,
    credential: Option<Credential>,
    acceptance: Option<Acceptance>,
    voucher: Option<Voucher>,
    proof: Option<TagProof>,
    held: Vec<(Part, PublicKey)>,
    /// Tests of the rules say which signatures hold instead of making them.
    #[cfg(test)]
    pub(super) nothing_else_holds: bool,
}

/// Which signatures of a transaction must hold, under which keys, as the state said in its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing counts until these signatures hold"]
pub struct Unverified(Vec<(Part, PublicKey)>);

impl Unverified {
    /// Whether all of them hold; on any thread.
    pub fn verify(&self, checked: &Checked) -> Result<(), Rejection> {
        match self.0.iter().find(|(part, key)| !checked.holds(*part, key)) {
            Some((part, _)) => Err(part.rejection()),
            None => Ok(()),
        }
    }

    /// How many there are: an SM2 verification each.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none; every transaction has one.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Checked {
    /// Reads a transaction for this ledger. No signature is verified yet.
    pub fn read(signed: SignedTransaction, ledger: &LedgerId) -> Result<Self, Rejection> {
        if signed.to_bytes().len() > MAX_TRANSACTION {
            return Err(Rejection::TooLarge);
        }
        let transaction = signed.claimed()?;
        let voted = matches!(transaction, Transaction::RegisterParty(_) | Transaction::SuspendParty(_));
        if signed.signatures().len() > 1 && !voted {
            return Err(Rejection::Form);
        }
        let credential = transaction.credential().map(crate::sm::Signed::claimed).transpose();
        let acceptance = match &transaction {
            Transaction::AcceptGrant(body) => Some(body.acceptance.claimed()).transpose(),
            _ => Ok(None),
        };
        let voucher = transaction.voucher().map(crate::sm::Signed::claimed).transpose();
        let proof = match &transaction {
            Transaction::SettleClaim(body) => Some(body.proof.claimed()).transpose(),
            _ => Ok(None),
        };
        Ok(Self {
            id: signed.id(),
            ledger: *ledger,
            credential: credential.map_err(|_| Rejection::Form)?,
            acceptance: acceptance.map_err(|_| Rejection::Form)?,
            voucher: voucher.map_err(|_| Rejection::Form)?,
            proof: proof.map_err(|_| Rejection::Form)?,
            signed,
            transaction,
            held: Vec::new(),
            #[cfg(test)]
            nothing_else_holds: false,
        })
    }

    /// Verifies every signature under the keys that `state` names and remembers which hold. Costs up to four
    /// SM2 verifications; may be done on any thread, against a state that is older than the one applied to.
    ///
    /// An error says what [`apply_checked`](super::apply_checked) would say in this state. A relay may answer
    /// with it; a replica must not, since its state may be another than its peers'.
    pub fn check(&mut self, state: &dyn State) -> Result<(), Rejection> {
        for (part, key) in self.signers(state)? {
            if !self.holds(part, &key) {
                return Err(part.rejection());
            }
            if !self.held.contains(&(part, key)) {
                self.held.push((part, key));
            }
        }
        Ok(())
    }

    /// The transaction's id.
    pub const fn id(&self) -> TransactionId {
        self.id
    }

    /// The transaction. That it was signed, only [`apply_checked`](super::apply_checked) says.
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The transaction with its signatures, as it goes into the entry.
    pub const fn signed(&self) -> &SignedTransaction {
        &self.signed
    }

    pub(super) const fn ledger(&self) -> &LedgerId {
        &self.ledger
    }

    pub(super) const fn acceptance(&self) -> Option<&Acceptance> {
        self.acceptance.as_ref()
    }

    /// The credential inside. `Form` can't happen: each kind that asks for one carries one.
    pub(super) fn credential(&self) -> Result<&Credential, Rejection> {
        self.credential.as_ref().ok_or(Rejection::Form)
    }

    /// The voucher inside; as with the credential.
    pub(super) fn voucher(&self) -> Result<&Voucher, Rejection> {
        self.voucher.as_ref().ok_or(Rejection::Form)
    }

    /// The tag's word inside; as with the credential.
    pub(super) fn proof(&self) -> Result<&TagProof, Rejection> {
        self.proof.as_ref().ok_or(Rejection::Form)
    }

    /// Which signatures must hold by what the state says now.
    pub(super) fn unverified(&self, state: &dyn State) -> Result<Unverified, Rejection> {
        self.signers(state).map(Unverified)
    }

    /// Refuses unless every signature that `state` asks for holds.
    pub(super) fn require(&self, state: &dyn State) -> Result<(), Rejection> {
        self.unverified(state)?.verify(self)
    }

    fn holds(&self, part: Part, key: &PublicKey) -> bool {
        if self.held.contains(&(part, *key)) {
            return true;
        }
        #[cfg(test)]
        if self.nothing_else_holds {
            return false;
        }
        match part {
            Part::Transaction(i) => {
                self.signed.signatures().get(i).is_some_and(|s| s.verify(key, &self.ledger).is_ok())
            }
            Part::Credential => {
                self.transaction.credential().is_some_and(|s| s.verify(key, &self.ledger).is_ok())
            }
            Part::Acceptance => match &self.transaction {
                Transaction::AcceptGrant(body) => body.acceptance.verify(key, &self.ledger).is_ok(),
                _ => false,
            },
            Part::Voucher => self.transaction.voucher().is_some_and(|s| s.verify(key, &self.ledger).is_ok()),
            Part::TagProof => match &self.transaction {
                Transaction::SettleClaim(body) => body.proof.verify(key, &self.ledger).is_ok(),
                _ => false,
            },
        }
    }

    /// Which signatures must hold, under which keys.
    fn signers(&self, state: &dyn State) -> Result<Vec<(Part, PublicKey)>, Rejection> {
        let only = |key| Ok(vec![(Part::Transaction(0), key)]);
        match &self.transaction {
            Transaction::RegisterParty(_) | Transaction::SuspendParty(_) => self.votes(state),
            Transaction::RotateKeys(body) => {
                let party = state.party(&body.party)?.ok_or(Rejection::UnknownParty)?;
                only(super::party::certified_key(&party)?)
            }
            Transaction::LogAudit(_) => only(state.auditor()?.audit),
            Transaction::OpenHolder(body) => only(body.root),
            Transaction::MoveHolder(body) => match body.root {
                Some(root) => only(root),
                None => only(state.holder(&body.holder)?.ok_or(Rejection::UnknownHolder)?.manage),
            },
            Transaction::BindTicket(body) => only(super::report::ticket_key(state, &body.commitment)?),
            Transaction::AnchorReport(_) | Transaction::SupersedeReport(_) | Transaction::CancelTicket(_) => {
                self.credentialed(state)
            }
            Transaction::IssueGrant(body) => only(body.key),
            Transaction::AcceptGrant(body) => {
                let terms = state.terms(&body.grant)?.ok_or(Rejection::UnknownGrant)?;
                let mut signers = self.credentialed(state)?;
                signers.push((Part::Acceptance, terms.grant.offer));
                Ok(signers)
            }
            Transaction::RedeemGrant(body) => {
                state.terms(&body.grant)?.ok_or(Rejection::UnknownGrant)?;
                self.credentialed(state)
            }
            Transaction::RevokeGrant(body) => {
                only(state.terms(&body.grant)?.ok_or(Rejection::UnknownGrant)?.grant.key)
            }
            Transaction::SettleClaim(body) => {
                state.terms(&body.grant)?.ok_or(Rejection::UnknownGrant)?;
                let mut signers = self.vouched(state)?;
                signers.push((Part::TagProof, self.voucher()?.tag));
                Ok(signers)
            }
            Transaction::ReverseClaim(_) => self.vouched(state),
        }
    }

    /// By a credential's key, with a voucher by a key that its hospital has or had: a voucher outlives the key and
    /// the hospital's good standing, as what it anchored does.
    fn vouched(&self, state: &dyn State) -> Result<Vec<(Part, PublicKey)>, Rejection> {
        let mut signers = self.credentialed(state)?;
        let issuer = state.party(&self.voucher()?.issuer)?.ok_or(Rejection::UnknownParty)?;
        let kid = self.transaction.voucher().map(crate::sm::Signed::kid);
        let key = issuer.vouchers.into_iter().find(|key| Some(key.key_id()) == kid);
        signers.push((Part::Voucher, key.ok_or(Rejection::Voucher)?));
        Ok(signers)
    }

    /// By the credential's key; the credential by the organisation's acceptance key.
    fn credentialed(&self, state: &dyn State) -> Result<Vec<(Part, PublicKey)>, Rejection> {
        let credential = self.credential()?;
        let party = state.party(&credential.party)?.ok_or(Rejection::UnknownParty)?;
        Ok(vec![(Part::Transaction(0), credential.grantee), (Part::Credential, party.acceptance)])
    }

    /// By the vote keys of at least t different members, and by nobody else.
    fn votes(&self, state: &dyn State) -> Result<Vec<(Part, PublicKey)>, Rejection> {
        let genesis = state.genesis()?;
        let mut signers: Vec<(Part, PublicKey)> = Vec::new();
        for (i, signature) in self.signed.signatures().iter().enumerate() {
            let mut members = genesis.members.iter().map(|member| member.vote);
            let key = members.find(|key| key.key_id() == signature.kid()).ok_or(Rejection::Votes)?;
            if signers.iter().any(|(_, earlier)| *earlier == key) {
                return Err(Rejection::Votes);
            }
            signers.push((Part::Transaction(i), key));
        }
        if signers.len() < genesis.threshold() { Err(Rejection::Votes) } else { Ok(signers) }
    }
}

#[cfg(test)]
impl Checked {
    /// Reads a transaction whose signatures hold under exactly these keys, for tests of everything else.
    pub(super) fn assuming(
        signed: SignedTransaction,
        ledger: &LedgerId,
        held: Vec<(Part, PublicKey)>,
    ) -> Result<Self, Rejection> {
        Ok(Self { held, nothing_else_holds: true, ..Self::read(signed, ledger)? })
    }
}
