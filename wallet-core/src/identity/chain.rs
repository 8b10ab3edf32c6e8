//! A leaf certificate with its organisation's, up to the root that the genesis names.
//!
//! **A person holds only under its own organisation**: same code, same name, signed by it. Whether the
//! organisation is registered and unsuspended is the ledger's to say, not this module's.

use super::{Certificate, CertificateError, Kind};

/// Organisation alone, or person or server before its organisation. The root isn't part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    leaf: Option<Certificate>,
    organisation: Certificate,
}

impl Chain {
    /// A chain in the order of the formats: leaf first, organisation last.
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, CertificateError> {
        let wrong = CertificateError::Form("a chain is one leaf and its organisation");
        let mut certificates = certificates.into_iter();
        let (first, second, third) = (certificates.next(), certificates.next(), certificates.next());
        let (leaf, organisation) = match (first, second, third) {
            (Some(organisation), None, None) => (None, organisation),
            (Some(leaf), Some(organisation), None) => (Some(leaf), organisation),
            _ => return Err(wrong),
        };
        let leaf_certifies = leaf.as_ref().is_some_and(|leaf| leaf.kind().certifies());
        if organisation.kind() != Kind::Organisation || leaf_certifies {
            return Err(wrong);
        }
        Ok(Self { leaf, organisation })
    }

    /// Person, server, or the organisation itself: the one that acts.
    pub fn leaf(&self) -> &Certificate {
        self.leaf.as_ref().unwrap_or(&self.organisation)
    }

    /// The organisation.
    pub const fn organisation(&self) -> &Certificate {
        &self.organisation
    }

    /// Leaf first, organisation last.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.leaf.iter().chain(core::iter::once(&self.organisation))
    }

    /// Checks every signature, right and validity at `now`, and returns the leaf. For something that was
    /// anchored earlier, `now` is the moment of its anchoring.
    pub fn verify(&self, root: &Certificate, now: u64) -> Result<&Certificate, CertificateError> {
        root.verify_root()?;
        root.validity().check(now)?;
        self.organisation.verify_issued_by(root)?;
        self.organisation.validity().check(now)?;
        if let Some(leaf) = &self.leaf {
            leaf.verify_issued_by(&self.organisation)?;
            leaf.validity().check(now)?;
        }
        Ok(self.leaf())
    }
}

impl<C> minicbor::Encode<C> for Chain {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.certificates().collect::<Vec<_>>().encode(e, context)
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Chain {
    fn decode(d: &mut minicbor::Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(Vec::decode(d, context)?).map_err(|_| minicbor::decode::Error::message("not a chain"))
    }
}
