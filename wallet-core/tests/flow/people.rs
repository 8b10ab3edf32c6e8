//! Organisations, the persons at their desks, and patients with their vaults.

use crate::Seeded;
use crate::world::{DAY, NOW, World};
use suishen_core::contract::{Credential, MoveHolder, Role, SignedTransaction, Transaction};
use suishen_core::id::{HolderId, LedgerId, PartyId};
use suishen_core::identity::{
    Certificate, Chain, Kind, LONGEST_PERSON_VALIDITY, Request, Serial, Subject, Validity, issue, self_sign,
};
use suishen_core::sm::{SecretKey, Signed};
use suishen_core::vault::{StoredEvent, Vault};

const YEARS: Validity = Validity { not_before: NOW - 2 * DAY, not_after: NOW + 3650 * DAY };
const SEASON: Validity =
    Validity { not_before: NOW - 2 * DAY, not_after: NOW - 2 * DAY + LONGEST_PERSON_VALIDITY };

/// The consortium's root and its key.
pub fn consortium_root(random: &mut Seeded) -> (Certificate, SecretKey) {
    let key = SecretKey::generate(random);
    let subject = Subject::organisation(PartyId::new("SUISHEN").unwrap(), "随身联盟");
    (self_sign(subject, &key, &Serial::generate(random), YEARS).unwrap(), key)
}

/// An organisation with its keys.
#[derive(Clone, Debug)]
pub struct Organisation {
    pub id: PartyId,
    pub certificate: Certificate,
    pub key: SecretKey,
    pub acceptance: SecretKey,
}

/// An organisation under the root.
pub fn certify_organisation(
    code: &str,
    name: &str,
    root: &Certificate,
    root_key: &SecretKey,
    random: &mut Seeded,
) -> Organisation {
    let id = PartyId::new(code).unwrap();
    let key = SecretKey::generate(random);
    let request = Request {
        kind: Kind::Organisation,
        subject: Subject::organisation(id.clone(), name),
        key: key.public(),
        role: None,
        inbox: None,
    };
    let certificate = issue(root, root_key, &request, &Serial::generate(random), YEARS).unwrap();
    Organisation { id, certificate, key, acceptance: SecretKey::generate(random) }
}

impl Organisation {
    /// Certifies somebody of this organisation.
    pub fn certify(
        &self,
        kind: Kind,
        role: Role,
        subject: Subject,
        random: &mut Seeded,
    ) -> (Chain, SecretKey) {
        let key = SecretKey::generate(random);
        let request = Request { kind, subject, key: key.public(), role: Some(role), inbox: None };
        let serial = Serial::generate(random);
        let leaf = issue(&self.certificate, &self.key, &request, &serial, SEASON).unwrap();
        (Chain::new(vec![leaf, self.certificate.clone()]).unwrap(), key)
    }

    /// A subject of this organisation.
    pub fn person(&self, name: &str) -> Subject {
        Subject {
            unit: Some("心内科".into()),
            name: Some(name.into()),
            title: Some("主任医师".into()),
            ..self.certificate.subject().clone()
        }
    }
}

/// A person at a desk, with a credential and its two keys.
#[derive(Clone, Debug)]
pub struct Desk {
    pub chain: Chain,
    /// The person's key to sign.
    pub person: SecretKey,
    pub credential: Signed<Credential>,
    pub grantee: SecretKey,
    pub box_key: SecretKey,
}

impl Desk {
    /// Certifies a person and gives a credential for a day.
    pub fn enrol(
        organisation: &Organisation,
        role: Role,
        name: &str,
        ledger: &LedgerId,
        now: u64,
        random: &mut Seeded,
    ) -> Self {
        let (chain, person) = organisation.certify(Kind::PersonSign, role, organisation.person(name), random);
        let (grantee, box_key) = (SecretKey::generate(random), SecretKey::generate(random));
        let credential = Credential {
            party: organisation.id.clone(),
            role,
            grantee: grantee.public(),
            box_key: box_key.public(),
            expiry: now + DAY,
        };
        let credential = Signed::new(&credential, &organisation.acceptance, ledger);
        Self { chain, person, credential, grantee, box_key }
    }
}

/// A patient: a protected vault, its holder open on the ledger.
pub struct Patient {
    pub vault: Vault,
    pub holder: HolderId,
    pub events: Vec<StoredEvent>,
}

impl Patient {
    /// A new wallet, whose holder isn't on the ledger yet.
    pub fn new(world: &mut World) -> Self {
        let (mut vault, events) = Vault::create(world.ledger, "手机", world.now, &mut world.random);
        vault.add_passkey(vec![1], [2; 32], &[3; 32], &mut world.random);
        Self { holder: vault.holder(), vault, events }
    }

    /// The holder's opening, as the vault prepared it.
    pub fn opening(&mut self) -> SignedTransaction {
        self.vault.index().holder().unwrap().clone()
    }

    /// A new wallet with an open holder.
    pub fn open(world: &mut World) -> Self {
        let mut patient = Self::new(world);
        let opening = patient.opening();
        world.order(opening).unwrap();
        patient
    }

    /// The key that speaks for the holder.
    pub fn authority(&self) -> SecretKey {
        self.vault.authority().unwrap()
    }

    /// Moves the holder to another authority, as after a device was removed.
    pub fn move_holder(&self, world: &mut World, authority: &SecretKey) {
        let manage = self.vault.holder_manage().unwrap();
        let body = MoveHolder {
            holder: self.holder,
            authority: authority.public(),
            manage: manage.public(),
            sequence: 1,
            root: None,
        };
        world.send(Transaction::MoveHolder(body), &manage).unwrap();
    }
}
