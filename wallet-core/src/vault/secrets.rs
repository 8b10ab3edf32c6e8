//! What only devices that may act can read: the keys of grants, and what settles claim tags. Both lie in events, sealed
//! once more under the epoch's act key; who may only look sees that there is something.

use super::{Record, Vault, VaultError};
use crate::cbor;
use crate::id::{Commitment, GrantId};
use crate::report::ClaimKey;
use crate::sm::{Key32, Label, Random, SecretKey, aead};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const GRANT: Label = Label::new("grant-secrets");
const CLAIM: Label = Label::new("claim-keys");

/// The keys of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantSecrets {
    /// Signs the grant and its revocation.
    #[n(0)]
    pub grant: SecretKey,
    /// In the code.
    #[n(1)]
    pub offer: SecretKey,
    /// What the desk seals its certificate to.
    #[n(2)]
    pub reply: SecretKey,
    /// The patient's half.
    #[n(3)]
    pub half: Key32,
}

impl Vault {
    /// Encrypts a grant's keys for its event.
    pub fn seal_grant(
        &self,
        grant: &GrantId,
        secrets: &GrantSecrets,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, VaultError> {
        if !self.is_protected() {
            return Err(VaultError::NotProtected);
        }
        Ok(seal(self.act()?, GRANT, grant.as_bytes(), secrets, random))
    }

    /// The keys of a grant that this vault made.
    pub fn grant_secrets(&mut self, grant: &GrantId) -> Result<GrantSecrets, VaultError> {
        let sealed = self.index().grant(grant).ok_or(VaultError::NoGrant)?.issued.secrets.clone();
        self.acts().find_map(|act| open(act, GRANT, grant.as_bytes(), &sealed)).ok_or(VaultError::NoGrant)
    }

    /// Encrypts what settles a record's claim tags for its event; nothing for a record without any.
    pub fn seal_claim_keys(
        &self,
        record: &Commitment,
        keys: &Vec<ClaimKey>,
        random: &mut dyn Random,
    ) -> Result<Option<ByteVec>, VaultError> {
        if keys.is_empty() {
            return Ok(None);
        }
        Ok(Some(seal(self.act()?, CLAIM, record.as_bytes(), keys, random).into()))
    }

    /// What settles a record's claim tags: none where it has none, or this device may only look.
    pub fn claim_keys(&self, record: &Record) -> Vec<ClaimKey> {
        let Some(sealed) = &record.added.claim_keys else { return Vec::new() };
        let context = record.added.record.as_bytes();
        self.acts().find_map(|act| open(act, CLAIM, context, sealed)).unwrap_or_default()
    }
}

fn seal<T: Encode<()>>(
    act: &Key32,
    label: Label,
    context: &[u8],
    secrets: &T,
    random: &mut dyn Random,
) -> Vec<u8> {
    aead::seal(act, label, context, &Zeroizing::new(cbor::encode(secrets)), random)
}

fn open<T: for<'b> Decode<'b, ()> + Encode<()>>(
    act: &Key32,
    label: Label,
    context: &[u8],
    sealed: &[u8],
) -> Option<T> {
    cbor::decode(&aead::open(act, label, context, sealed).ok()?).ok()
}
