//! Events: what can happen to a vault, and how one is signed, encrypted and addressed (PROTOCOL §3).
//!
//! Stored form: CBOR [epoch, SM4-GCM under the epoch's read key (padded `COSE_Sign1` of the event)], bound to the
//! vault. **The padding hides which kind of event it is; its address is the SM3 of the stored form.**

use super::{DeviceCertificate, DeviceRole, Epoch, EventError, GroupsCopy};
use crate::cbor;
use crate::contract::{Claim, IssueGrant, SignedTransaction};
use crate::id::{BlobAddress, Commitment, GrantId, VaultId};
use crate::identity::Chain;
use crate::report::{GroupOpening, PartCopy};
use crate::sm::{Digest, Key32, Label, Object, PublicKey, Random, SecretKey, Signed, aead, pad};
use minicbor::{Decode, Encode};

const EVENT: Label = Label::new("vault-event");

/// One change, by one device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Event {
    /// Key that signs.
    #[n(0)]
    pub device: PublicKey,
    /// 0 for the device's admission, then one more each time.
    #[n(1)]
    pub sequence: u64,
    /// This device's previous event.
    #[n(2)]
    pub previous: Option<Digest>,
    /// The newest events of other devices that this one knew, ascending: its causal past.
    #[n(3)]
    pub seen: Vec<Digest>,
    /// Under whose read key it is encrypted.
    #[n(4)]
    pub epoch: u32,
    /// When, as the device knew the ledger's time. To be shown; decides nothing.
    #[n(5)]
    pub time: u64,
    /// What.
    #[n(6)]
    pub body: Body,
}

impl Object for Event {
    const NAME: &'static str = "event";
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Body {
    /// A device's first event: its certificate, and a name that its owner recognises.
    #[n(0)]
    DeviceAdmitted(#[n(0)] Signed<DeviceCertificate>, #[n(1)] String),
    /// `OpenHolder`, signed when the vault was made, to be sent before the first grant.
    #[n(1)]
    HolderPrepared(#[n(0)] SignedTransaction),
    /// A record is kept.
    #[n(2)]
    RecordAdded(#[n(0)] Box<RecordAdded>),
    /// The person's own tag is put on.
    #[n(3)]
    Tagged(#[n(0)] Commitment, #[n(1)] String),
    /// And taken off.
    #[n(4)]
    Untagged(#[n(0)] Commitment, #[n(1)] String),
    /// The person's own name for a record; empty for none.
    #[n(5)]
    Renamed(#[n(0)] Commitment, #[n(1)] String),
    /// Out of lists and bulk choices.
    #[n(6)]
    Hidden(#[n(0)] Commitment),
    /// Back into them.
    #[n(7)]
    Unhidden(#[n(0)] Commitment),
    /// A share is offered.
    #[n(8)]
    GrantIssued(#[n(0)] Box<GrantIssued>),
    /// The person said yes or no to whoever accepted.
    #[n(9)]
    GrantAnswered(#[n(0)] Answer),
    /// Taken back.
    #[n(10)]
    GrantRevoked(#[n(0)] GrantId),
    /// A desk's receipt arrived.
    #[n(11)]
    ReceiptSeen(#[n(0)] ReceiptSeen),
    /// A redemption was proven.
    #[n(12)]
    ReadSeen(#[n(0)] ReadSeen),
    /// Somebody to share with again.
    #[n(13)]
    ContactAdded(#[n(0)] Contact),
    /// An identity code was shown: what opens its inbox.
    #[n(14)]
    IdentityShown(#[n(0)] IdentityShown),
    /// A setting, by name.
    #[n(15)]
    SettingChanged(#[n(0)] String, #[n(1)] String),
    /// The person looked at the access log, at this ledger time.
    #[n(16)]
    LastLooked(#[n(0)] u64),
    /// The phrase was written down and checked.
    #[n(17)]
    PhraseWritten,
    /// A backup file was written.
    #[n(18)]
    BackedUp(#[n(0)] u64),
    /// This device certified another one, which may not have written anything yet.
    #[n(19)]
    DeviceCertified(#[n(0)] Signed<DeviceCertificate>),
    /// The device with this key to sign was removed; the epoch that does it stands by itself.
    #[n(20)]
    DeviceRemoved(#[n(0)] PublicKey),
    /// `MoveHolder` to the keys of a new epoch, to be sent.
    #[n(21)]
    HolderMoved(#[n(0)] SignedTransaction),
    /// What an insurer said of a claim.
    #[n(22)]
    ClaimAnswered(#[n(0)] Box<ClaimAnswered>),
    /// How a payer slot of an invoice stands.
    #[n(23)]
    SlotSeen(#[n(0)] Box<SlotSeen>),
}

impl Body {
    /// What a device must at least be allowed to write it.
    pub(super) const fn needs(&self) -> DeviceRole {
        match self {
            Self::DeviceAdmitted(..) | Self::ReceiptSeen(_) | Self::ReadSeen(_) | Self::LastLooked(_) => {
                DeviceRole::View
            }
            Self::DeviceCertified(_) | Self::DeviceRemoved(_) | Self::HolderMoved(_) => DeviceRole::Manage,
            _ => DeviceRole::Share,
        }
    }
}

/// A record and all that opens and proves it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RecordAdded {
    /// The record as the ledger knows it.
    #[n(0)]
    pub record: Commitment,
    /// The signed manifest, as it came.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub manifest: Vec<u8>,
    /// Opens the commitment.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// Open the holder commitment, outer first: one for a ticket, two for a known patient.
    #[n(3)]
    pub holder_salts: Vec<Key32>,
    /// This vault's own copies of the parts.
    #[n(4)]
    pub parts: Vec<PartCopy>,
    /// The groups that hold its claim tags, at hand; of a record that was kept before groups lay beside it, all of them.
    #[n(5)]
    pub tags: Vec<GroupOpening>,
    /// Who issued it.
    #[n(6)]
    pub chain: Chain,
    /// How it came.
    #[n(7)]
    pub source: Source,
    /// What settles its claim tags, encrypted under the epoch's act key ([`Vault::seal_claim_keys`](super::Vault::seal_claim_keys));
    /// none for a record without tags.
    #[n(8)]
    pub claim_keys: Option<minicbor::bytes::ByteVec>,
    /// Where all of its disclosure groups lie; none where it has none.
    #[n(9)]
    pub groups: Option<GroupsCopy>,
}

impl RecordAdded {
    /// Whether parts of it can be shown without the rest.
    pub const fn has_groups(&self) -> bool {
        self.groups.is_some() || !self.tags.is_empty()
    }

    /// Addresses of all that lies beside it: content first, with the number of its part.
    pub fn beside(&self) -> impl Iterator<Item = (u32, BlobAddress)> {
        let parts = self.parts.iter().map(|copy| (copy.part, copy.address));
        parts.chain(self.groups.iter().map(|copy| (u32::MAX, copy.address)))
    }
}

/// Its content is the patient's, its salts open it: neither is printed.
impl core::fmt::Debug for RecordAdded {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "RecordAdded({:?} [redacted])", self.record)
    }
}

/// How a record came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Source {
    /// By a ticket.
    #[n(0)]
    Ticket,
    /// Into an inbox.
    #[n(1)]
    Inbox,
}

/// A grant as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantIssued {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// [`GrantSecrets`](super::GrantSecrets), encrypted under the epoch's act key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub secrets: Vec<u8>,
    /// The terms.
    #[n(2)]
    pub terms: IssueGrant,
    /// The records, in the grant's order.
    #[n(3)]
    pub records: Vec<Commitment>,
    /// `PurposeOfUse` code.
    #[n(4)]
    pub purpose: String,
    /// Language of the text.
    #[n(5)]
    pub language: String,
    /// What the person agreed to.
    #[n(6)]
    pub text: String,
    /// Works without the phone: the half is in the code.
    #[n(7)]
    pub offline: bool,
}

/// Yes or no to a person.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Answer {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The person.
    #[n(1)]
    pub person: Chain,
    /// Yes.
    #[n(2)]
    pub agreed: bool,
}

/// A desk's receipt.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReceiptSeen {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The use, from 1.
    #[n(1)]
    pub number: u32,
    /// The signed receipt.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub receipt: Vec<u8>,
}

/// What an insurer said of a claim, opened and checked.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClaimAnswered {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// Its place among the answers in the drop box, from 0.
    #[n(1)]
    pub number: u32,
    /// The answer as the insurer signed it: the patient's evidence.
    #[n(2)]
    pub answer: Signed<crate::consent::Answer>,
}

/// How a payer slot of a record's invoice stood when a device of this wallet looked, proven.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SlotSeen {
    /// The record.
    #[n(0)]
    pub record: Commitment,
    /// As the ledger had it.
    #[n(1)]
    pub claim: Claim,
}

/// A redemption, proven.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReadSeen {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The use, from 1.
    #[n(1)]
    pub number: u32,
    /// The ledger entry.
    #[n(2)]
    pub entry: u64,
    /// The entry's time.
    #[n(3)]
    pub time: u64,
    /// Record numbers that were asked for.
    #[n(4)]
    pub records: Vec<u32>,
}

/// Somebody known.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Contact {
    /// From the certificate.
    #[n(0)]
    pub chain: Chain,
    /// The person's own name for them.
    #[n(1)]
    pub name: String,
}

/// What belongs to an identity code (PROTOCOL §4).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct IdentityShown {
    /// The salt in C.
    #[n(0)]
    pub salt: Key32,
    /// Opens what is delivered.
    #[n(1)]
    pub seal: SecretKey,
    /// Reads and empties the inbox.
    #[n(2)]
    pub inbox: SecretKey,
}

/// An event as it is stored, synced and backed up; an epoch too, whose stored form is its own signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// SM3 of the bytes.
    pub address: BlobAddress,
    /// The stored form.
    pub bytes: Vec<u8>,
}

#[derive(Encode, Decode)]
struct Sealed {
    #[n(0)]
    epoch: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

impl StoredEvent {
    /// Bytes that came from a store, file or peer.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { address: BlobAddress::of(&bytes), bytes }
    }

    pub(super) fn seal(
        event: &Signed<Event>,
        epoch: u32,
        read: &Key32,
        vault: &VaultId,
        random: &mut dyn Random,
    ) -> Self {
        let padded = pad::pad(&event.to_bytes());
        let sealed = aead::seal(read, EVENT, &context(vault, epoch), &padded, random);
        Self::from_bytes(cbor::encode(&Sealed { epoch, sealed }))
    }

    /// An epoch in its stored form.
    pub fn of_epoch(epoch: &Signed<Epoch>) -> Self {
        Self::from_bytes(epoch.to_bytes())
    }

    /// The epoch that this is, if it is one. Nothing is verified but the form.
    pub fn epoch(&self) -> Option<Signed<Epoch>> {
        // An array of four; an event is one of two.
        (self.bytes.first() == Some(&0x84)).then(|| Signed::from_bytes(&self.bytes).ok()).flatten()
    }

    /// Opens the stored form with a read key of its epoch: several epochs may have one number. Verifies no
    /// signature; beside what was signed stands what it claims.
    pub(super) fn open<'k>(
        &self,
        vault: &VaultId,
        read: impl FnOnce(u32) -> Vec<&'k Key32>,
    ) -> Result<(Signed<Event>, Event), EventError> {
        if BlobAddress::of(&self.bytes) != self.address {
            return Err(EventError::Form);
        }
        let Sealed { epoch, sealed } = cbor::decode(&self.bytes).map_err(|_| EventError::Form)?;
        let keys = read(epoch);
        let context = context(vault, epoch);
        let padded = keys.iter().find_map(|key| aead::open(key, EVENT, &context, &sealed).ok());
        // Of a later number there may be another epoch, whose key isn't here yet.
        let missing = if keys.is_empty() || epoch > 0 { EventError::Epoch } else { EventError::Open };
        let padded = padded.ok_or(missing)?;
        let bytes = pad::unpad(&padded).map_err(|_| EventError::Content)?;
        let event = Signed::<Event>::from_bytes(bytes).map_err(|_| EventError::Content)?;
        let claimed = event.claimed().map_err(|_| EventError::Content)?;
        if claimed.epoch == epoch { Ok((event, claimed)) } else { Err(EventError::Content) }
    }
}

fn context(vault: &VaultId, epoch: u32) -> Vec<u8> {
    [vault.as_bytes().as_slice(), &epoch.to_be_bytes()].concat()
}
