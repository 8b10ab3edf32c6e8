//! Who signed what lies in an auditor's box: a person or server that the credential's own organisation certified, up to
//! the consortium's root (PROTOCOL §2, §6). A box that says something else than its entry is a fault with a name on it.

use super::{AuditorReversal, AuditorUse, Presence, Reversing};
use crate::contract::{Credential, RedeemGrant, ReverseClaim};
use crate::id::{LedgerId, TagId};
use crate::identity::{Certificate, CertificateError, Kind};
use crate::sm::SmError;

/// Most certificates of one organisation that are remembered: five years each.
const MOST_CERTIFICATES: usize = 64;

/// An organisation's certificates, each proven under the consortium's root. It may have renewed its own since it
/// certified somebody, so all of them count.
#[derive(Clone, Debug, Default)]
pub struct Certifiers(Vec<Certificate>);

impl Certifiers {
    /// One more, the newest, as it stood on the ledger at `at`.
    pub fn add(
        &mut self,
        certificate: Certificate,
        root: &Certificate,
        at: u64,
    ) -> Result<(), CertificateError> {
        root.verify_root()?;
        root.validity().check(at)?;
        certificate.verify_issued_by(root)?;
        certificate.validity().check(at)?;
        self.0.insert(0, certificate);
        self.0.truncate(MOST_CERTIFICATES);
        Ok(())
    }

    /// The organisation's name, as it was certified last.
    pub fn name(&self) -> Option<&str> {
        self.0.first().map(|newest| newest.subject().organisation.as_str())
    }

    fn certify(&self, leaf: &Certificate, at: u64) -> bool {
        let holds =
            |above: &Certificate| above.validity().check(at).is_ok() && leaf.verify_issued_by(above).is_ok();
        self.0.iter().any(holds)
    }
}

/// What the ledger says of the desk behind an entry.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// Which ledger.
    pub ledger: &'a LedgerId,
    /// The certificates of the credential's organisation.
    pub certifiers: &'a Certifiers,
    /// The credential in the entry.
    pub desk: &'a Credential,
    /// The entry's time.
    pub at: u64,
}

/// What is wrong with an auditor's box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BoxFault {
    /// With no key that was in force.
    #[error("the box opens with no auditor's key that was in force")]
    Sealed,
    /// Sealed to a key of another time: what is in it was read all the same.
    #[error("the box is sealed to an auditor's key of another quarter")]
    OtherQuarter,
    /// Opened, but not what belongs in such a box.
    #[error("what is in the box is no account of such an entry")]
    Form,
    /// About another grant, slot, use, record or reason than its entry.
    #[error("the box is about something else than its entry")]
    Other,
    /// The certificate in it doesn't hold under the organisation of the entry's credential.
    #[error("the certificate in the box was not issued by the organisation that the entry is by")]
    Certificate,
    /// Not certified to sign in the role of the credential.
    #[error("whom the box names is not certified in the role that the entry is in")]
    Role,
    /// Didn't sign for this entry and the key that signed it.
    #[error("whom the box names did not sign for this entry")]
    Presence,
}

impl From<SmError> for BoxFault {
    fn from(error: SmError) -> Self {
        if error == SmError::Form { Self::Form } else { Self::Sealed }
    }
}

impl Behind<'_> {
    /// The certificate of whoever signed, proven up to the root.
    fn signer(&self, der: &[u8]) -> Result<Certificate, BoxFault> {
        let leaf = Certificate::from_der(der).map_err(|_| BoxFault::Certificate)?;
        let own = leaf.subject().party == self.desk.party && leaf.validity().check(self.at).is_ok();
        if !own || !self.certifiers.certify(&leaf, self.at) {
            return Err(BoxFault::Certificate);
        }
        let signs = matches!(leaf.kind(), Kind::PersonSign | Kind::ServerSign);
        if signs && leaf.role() == Some(self.desk.role) { Ok(leaf) } else { Err(BoxFault::Role) }
    }
}

impl AuditorUse {
    /// Checks what was told of a use against its entry; gives the certificate of who read.
    pub fn verify(&self, entry: &RedeemGrant, behind: &Behind<'_>) -> Result<Certificate, BoxFault> {
        let records = self.records.iter().map(|record| u64::from(*record));
        let same = self.grant == entry.grant
            && u64::from(self.number) == entry.use_number
            && records.eq(entry.records.iter().copied());
        if !same {
            return Err(BoxFault::Other);
        }
        let person = behind.signer(&self.certificate)?;
        let expected = Presence { grant: entry.grant, grantee: behind.desk.grantee };
        match self.presence.verify(person.key(), behind.ledger) {
            Ok(presence) if presence == expected => Ok(person),
            _ => Err(BoxFault::Presence),
        }
    }
}

impl AuditorReversal {
    /// Checks what was told of a reversal against its entry; gives the certificate of who reversed.
    pub fn verify(&self, entry: &ReverseClaim, behind: &Behind<'_>) -> Result<Certificate, BoxFault> {
        let voucher = entry.voucher.claimed().map_err(|_| BoxFault::Other)?;
        let tag = TagId::of(&voucher);
        if (self.tag, self.settlement, self.why) != (tag, entry.settlement, entry.why) {
            return Err(BoxFault::Other);
        }
        let person = behind.signer(&self.certificate)?;
        let expected = Reversing { tag, desk: behind.desk.grantee };
        match self.presence.verify(person.key(), behind.ledger) {
            Ok(reversing) if reversing == expected => Ok(person),
            _ => Err(BoxFault::Presence),
        }
    }
}
