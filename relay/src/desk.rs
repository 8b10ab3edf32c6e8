//! Organisations whose keys this relay keeps, and their people (PROTOCOL §2): invites, enrolment, credentials,
//! suspension; a hospital's claim tags (§6). **An acceptance key signs only for enrolled, unsuspended persons**, and only
//! who issues gets tags.
//!
//! A person is known by the key to sign. Suspended persons keep their row for good.

use crate::{
    keys::{KeyError, Keys},
    random::SystemRandom,
    store::{Store, StoreError},
};
use minicbor::{Decode, Encode};
use redb::{ReadableTable as _, TableDefinition};
use std::{collections::BTreeMap, fs, io};
use suishen_core::{
    cbor,
    contract::Credential,
    id::{LedgerId, PartyId},
    identity::{
        CREDENTIAL_LIFETIME, Certificate, CertificateError, CredentialRequest, Enrolled, Enrolment,
        EnrolmentError, Invite, Kind, LONGEST_PERSON_VALIDITY, Role, Serial, ServerSeat, Validity, issue,
    },
    report::{ClaimKey, ClaimTag, TagRequest},
    sm::{Key32, PublicKey, SecretKey, Signed},
};

/// How long before its issue a person's certificate begins, in seconds.
const BACKDATED: u64 = 300;
const INVITES: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("invites-used");
const PERSONS: TableDefinition<'_, &[u8; 65], &[u8]> = TableDefinition::new("persons");
/// Who had the tags of which invoice made, and when: (digest of its number, time, the person's key).
const TAGS: TableDefinition<'_, (&[u8; 32], u64, &[u8; 65]), ()> = TableDefinition::new("tags-made-by");

/// Folder of the organisations' keys, within the keys' folder.
pub const ORGANISATIONS: &str = "organisations";
/// File of an organisation's certificate, beside its keys.
const CERTIFICATE: &str = "certificate.der";

/// Why a desk gets nothing.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// No such organisation here.
    #[error("this relay does not keep the keys of this organisation")]
    NoOrganisation,
    /// By the rules of enrolment.
    #[error(transparent)]
    Enrolment(#[from] EnrolmentError),
    /// An invite is used once.
    #[error("the invite was used before")]
    Used,
    /// Not enrolled here.
    #[error("this key is not that of an enrolled person")]
    NotEnrolled,
    /// By its organisation.
    #[error("the organisation suspended this person")]
    Suspended,
    /// A certificate couldn't be made or read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An organisation and its keys.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Under the consortium's root.
    pub certificate: Certificate,
    /// The certified key: certifies people.
    pub certified: SecretKey,
    /// Signs credentials.
    pub acceptance: SecretKey,
    /// Vouches for claim tags.
    voucher: SecretKey,
    /// What claim tags are made from: whoever has it makes every invoice's, so it stays in this process. Made at the
    /// founding and never again: with another one each slot could be settled twice.
    tags: SecretKey,
}

impl Organisation {
    /// Reads one organisation.
    pub fn read(keys: &Keys, party: &PartyId) -> Result<Self, DeskError> {
        let keys = keys.folder(ORGANISATIONS).folder(party.as_str());
        let der = match fs::read(keys.path().join(CERTIFICATE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(DeskError::NoOrganisation),
            other => other.map_err(StoreError::from)?,
        };
        let certificate = Certificate::from_der(&der)?;
        Ok(Self {
            certificate,
            certified: keys.read("certified")?,
            acceptance: keys.read("acceptance")?,
            voucher: keys.read("voucher")?,
            tags: keys.read("tags")?,
        })
    }

    /// Writes the certificate beside its keys.
    pub fn write_certificate(keys: &Keys, party: &PartyId, certificate: &Certificate) -> io::Result<()> {
        let folder = keys.folder(ORGANISATIONS).folder(party.as_str());
        fs::write(folder.path().join(CERTIFICATE), certificate.to_der())
    }

    /// Invites a person: the fragment of a link that is used once, within a day.
    pub fn invite(&self, person: &Invitee, ledger: &LedgerId, now: u64) -> String {
        let party = self.certificate.subject().party.clone();
        let mut invite = Invite::new(party, person.role, person.name.clone(), now, &mut SystemRandom);
        invite.title.clone_from(&person.title);
        invite.unit.clone_from(&person.unit);
        invite.server = person.server.then_some(ServerSeat::Claims);
        Invite::to_fragment(&Signed::new(&invite, &self.certified, ledger))
    }
}

/// Whom to invite.
#[derive(Clone, Debug)]
pub struct Invitee {
    /// Name.
    pub name: String,
    /// What they will act as.
    pub role: Role,
    /// Title, as 主任医师.
    pub title: Option<String>,
    /// Department.
    pub unit: Option<String>,
    /// An insurer's server and not a person.
    pub server: bool,
}

#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
struct Person {
    #[n(0)]
    party: PartyId,
    #[n(1)]
    since: u64,
    #[n(2)]
    suspended: Option<u64>,
    /// As in the invite; rows of old have none.
    #[n(3)]
    name: Option<String>,
}

/// An enrolled person, as their organisation sees them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EnrolledPerson {
    /// Their key to sign.
    #[n(0)]
    pub person: PublicKey,
    /// Their name.
    #[n(1)]
    pub name: Option<String>,
    /// When they enrolled.
    #[n(2)]
    pub since: u64,
    /// When they were suspended.
    #[n(3)]
    pub suspended: Option<u64>,
}

/// The organisations here, and who is enrolled.
#[derive(Debug)]
pub struct Desks {
    organisations: BTreeMap<PartyId, Organisation>,
    store: Store,
    root: Certificate,
    ledger: LedgerId,
}

impl Desks {
    /// Reads all organisations whose keys are here.
    pub fn open(keys: &Keys, store: Store, root: Certificate, ledger: LedgerId) -> Result<Self, DeskError> {
        store.write(|tx| {
            tx.open_table(INVITES)?;
            tx.open_table(PERSONS)?;
            tx.open_table(TAGS)?;
            Ok::<_, StoreError>(())
        })?;
        let mut organisations = BTreeMap::new();
        let folder = keys.folder(ORGANISATIONS);
        let entries = match fs::read_dir(folder.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(other.map_err(StoreError::from)?),
        };
        for entry in entries.into_iter().flatten() {
            let name = entry.map_err(StoreError::from)?.file_name();
            let Some(party) = name.to_str().and_then(PartyId::new) else { continue };
            organisations.insert(party.clone(), Organisation::read(keys, &party)?);
        }
        Ok(Self { organisations, store, root, ledger })
    }

    /// An organisation whose keys are here.
    pub fn organisation(&self, party: &PartyId) -> Result<&Organisation, DeskError> {
        self.organisations.get(party).ok_or(DeskError::NoOrganisation)
    }

    /// Certifies an invited person's keys. The invite is used up, durably, before the answer goes out.
    pub fn enrol(&self, request: &Signed<Enrolment>, now: u64) -> Result<Enrolled, DeskError> {
        let claimed = request.claimed().map_err(EnrolmentError::Request)?;
        let invite = claimed.invite.claimed().map_err(EnrolmentError::Invite)?;
        let organisation = self.organisation(&invite.party)?;
        let admission = Enrolment::admit(request, &organisation.certificate, &self.ledger, now)?;
        let Validity { not_before: founded, not_after: end } = organisation.certificate.validity();
        // The desk's time is told in whole seconds and may be one behind.
        let not_before = now.saturating_sub(BACKDATED).max(founded);
        let not_after = not_before.saturating_add(LONGEST_PERSON_VALIDITY - 1).min(end);
        let validity = Validity { not_before, not_after };
        let certify = |request| {
            let serial = Serial::generate(&mut SystemRandom);
            issue(&organisation.certificate, &organisation.certified, &request, &serial, validity)
        };
        let [sign, seal] = admission.requests.map(certify);
        let pair = [sign?, seal?];
        let person =
            Person { party: invite.party, since: now, suspended: None, name: Some(invite.name.clone()) };
        self.store.write(|tx| {
            let mut invites = tx.open_table(INVITES).map_err(StoreError::from)?;
            let used =
                invites.insert(admission.invite.as_bytes(), invite.expiry).map_err(StoreError::from)?;
            if used.is_some() {
                return Err(DeskError::Used);
            }
            let mut persons = tx.open_table(PERSONS).map_err(StoreError::from)?;
            // A key that was ever enrolled keeps its row: a suspended person comes back with new keys only.
            if persons.get(pair[0].key().as_bytes()).map_err(StoreError::from)?.is_some() {
                return Err(DeskError::Used);
            }
            let row = cbor::encode(&person);
            persons.insert(pair[0].key().as_bytes(), row.as_slice()).map_err(StoreError::from)?;
            Ok(())
        })?;
        Ok(Enrolled { pair, organisation: organisation.certificate.clone() })
    }

    /// Signs credentials for the person whose key signed the request.
    pub fn credentials(
        &self,
        request: &CredentialRequest,
        signer: &PublicKey,
        now: u64,
    ) -> Result<Vec<Signed<Credential>>, DeskError> {
        let party = &request.chain.leaf().subject().party;
        let organisation = self.organisation(party)?;
        let person = request.check(party, &self.root, now)?;
        self.check_enrolled(party, &person, signer)?;
        let sign = |(grantee, box_key): &(PublicKey, PublicKey)| {
            let expiry = now.saturating_add(CREDENTIAL_LIFETIME);
            let (grantee, box_key) = (*grantee, *box_key);
            let credential =
                Credential { party: party.clone(), role: request.role, grantee, box_key, expiry };
            Signed::new(&credential, &organisation.acceptance, &self.ledger)
        };
        Ok(request.keys.iter().map(sign).collect())
    }

    /// Both slots' claim tags of an invoice, for an issuing person; the same each time. Noted before they go out.
    pub fn tags(
        &self,
        request: &TagRequest,
        signer: &PublicKey,
        now: u64,
    ) -> Result<[(ClaimTag, ClaimKey); 2], DeskError> {
        let person = request.chain.verify(&self.root, now)?;
        let party = &person.subject().party;
        let organisation = self.organisation(party)?;
        if person.kind() != Kind::PersonSign || person.role() != Some(Role::Issuer) {
            return Err(EnrolmentError::Role.into());
        }
        self.check_enrolled(party, person.key(), signer)?;
        self.store.write(|tx| {
            let mut made = tx.open_table(TAGS)?;
            made.insert((request.number.digest(party).as_bytes(), now, signer.as_bytes()), ())?;
            Ok::<_, StoreError>(())
        })?;
        let secret = Key32::from_bytes(*organisation.tags.to_bytes());
        Ok(ClaimTag::both(&secret, party, &request.number, &organisation.voucher, &self.ledger))
    }

    /// The person signed the request, is enrolled for this organisation and not suspended.
    fn check_enrolled(
        &self,
        party: &PartyId,
        person: &PublicKey,
        signer: &PublicKey,
    ) -> Result<(), DeskError> {
        match self.person(person)? {
            Some(Person { suspended: Some(_), .. }) if person == signer => Err(DeskError::Suspended),
            Some(row) if person == signer && row.party == *party => Ok(()),
            _ => Err(DeskError::NotEnrolled),
        }
    }

    fn person(&self, key: &PublicKey) -> Result<Option<Person>, StoreError> {
        self.store.read(|tx| {
            let table = tx.open_table(PERSONS)?;
            let row = table.get(key.as_bytes())?;
            row.map(|row| cbor::decode(row.value()).map_err(|_| StoreError::Row)).transpose()
        })
    }

    /// All who were ever enrolled for an organisation.
    pub fn people(&self, party: &PartyId) -> Result<Vec<EnrolledPerson>, StoreError> {
        self.store.read(|tx| {
            let mut people = Vec::new();
            for row in tx.open_table(PERSONS)?.iter()? {
                let (key, row) = row?;
                let row: Person = cbor::decode(row.value()).map_err(|_| StoreError::Row)?;
                let person = PublicKey::from_bytes(key.value()).map_err(|_| StoreError::Row)?;
                let Person { since, suspended, name, .. } = row;
                if row.party == *party {
                    people.push(EnrolledPerson { person, name, since, suspended });
                }
            }
            Ok(people)
        })
    }

    /// Suspends a person of this organisation from now on: no more credentials, those out run for a day at most.
    pub fn suspend(&self, party: &PartyId, key: &PublicKey, now: u64) -> Result<(), DeskError> {
        let mut person = self.person(key)?.filter(|p| p.party == *party).ok_or(DeskError::NotEnrolled)?;
        person.suspended.get_or_insert(now);
        self.store.write(|tx| {
            let mut table = tx.open_table(PERSONS).map_err(StoreError::from)?;
            table.insert(key.as_bytes(), cbor::encode(&person).as_slice()).map_err(StoreError::from)?;
            Ok(())
        })
    }

    /// Forgets used invites that have expired anyway.
    pub fn expire(&self, now: u64) -> Result<(), StoreError> {
        self.store.write(|tx| {
            tx.open_table(INVITES)?.retain(|_, expiry| expiry >= now)?;
            Ok(())
        })
    }
}
