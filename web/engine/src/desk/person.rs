//! Who sits at this desk: enrolment by invite, certificates, credentials (PROTOCOL §2). Keys are made here, kept under
//! the browser's platform key, and never leave.

use crate::engine::Engine;
use crate::http::Call;
use crate::ledger::Ledger;
use crate::platform::BrowserRandom;
use crate::platform_key::PlatformKey;
use crate::store::{Store, Table};
use suishen_bridge::{Action, Desk, Fault};
use suishen_core::cbor;
use suishen_core::consent::{ConsultFault, Consultation};
use suishen_core::contract::Credential;
use suishen_core::id::GrantId;
use suishen_core::identity::{self, Certificate, Chain, CredentialRequest, Enrolled, Enrolment, Invite};
use suishen_core::qr::ConsentOffer;
use suishen_core::report::{ClaimKey, ClaimTag, InvoiceNumber, TagRequest};
use suishen_core::sm::{SecretKey, Signed};

const PERSON: &str = "person";
const KEY: &str = "desk";
/// A credential is asked for anew when it has less than this left, in seconds.
const CREDENTIAL_LEFT: u64 = 3600;

/// The person, with keys.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Person {
    #[n(0)]
    sign: SecretKey,
    #[n(1)]
    seal: SecretKey,
    /// Certificate to sign with, and its organisation's.
    #[n(2)]
    pub chain: Chain,
    /// Certificate to seal to.
    #[n(3)]
    sealing: Chain,
}

/// An organisation's word for this desk, with the keys that it names.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Pass {
    /// Signs the desk's transactions.
    #[n(0)]
    pub grantee: SecretKey,
    /// Opens what is sealed to the desk.
    #[n(1)]
    pub box_key: SecretKey,
    /// The credential.
    #[n(2)]
    pub credential: Signed<Credential>,
    /// Until when.
    #[n(3)]
    pub expiry: u64,
}

impl Pass {
    /// Whether it is good for a while yet.
    pub const fn lasts(&self, now: u64) -> bool {
        now + CREDENTIAL_LEFT < self.expiry
    }
}

/// Writes a value of the desk under the platform key.
pub async fn keep<T: minicbor::Encode<()>>(store: &Store, name: &str, value: &T) -> Result<(), Fault> {
    let key = PlatformKey::provide(store, KEY).await?;
    let sealed = key.seal(&cbor::encode(value)).await?;
    Ok(store.put(Table::Desk, name, sealed).await?)
}

/// Reads all values of the desk whose names begin so.
pub async fn kept<T>(store: &Store, prefix: &str) -> Result<Vec<(String, T)>, Fault>
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
{
    let Some(key) = PlatformKey::existing(store, KEY).await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (name, sealed) in store.all(Table::Desk).await? {
        if name.starts_with(prefix) {
            let plain = key.open(&sealed).await?;
            let value = cbor::decode(&plain).map_err(|_| Fault::new("store-damaged", Action::Nothing))?;
            found.push((name, value));
        }
    }
    Ok(found)
}

impl Person {
    /// The person enrolled in this browser.
    pub async fn load(store: &Store) -> Result<Option<Self>, Fault> {
        Ok(kept::<Self>(store, PERSON).await?.pop().map(|(_, person)| person))
    }

    /// The same, who must be enrolled.
    pub async fn here(store: &Store) -> Result<Self, Fault> {
        Self::load(store).await?.ok_or_else(|| Fault::new("not-enrolled", Action::Nothing))
    }

    /// Enrols this browser with an invite link.
    pub async fn enrol(engine: &Engine, text: &str) -> Result<Self, Fault> {
        let store = engine.store().await?;
        let ledger = engine.fresh_ledger().await?;
        let fragment = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment).trim();
        let invite = Invite::from_fragment(fragment).map_err(|_| Fault::new("invite-link", Action::Retry))?;
        let (sign, seal) = (SecretKey::generate(&mut BrowserRandom), SecretKey::generate(&mut BrowserRandom));
        let request = Enrolment::request(invite, &sign, &seal.public(), &ledger.id);
        let answer = ledger.call(&Call::send("POST", "/v1/desk/enrol", request.to_bytes())).await?;
        let bad = || Fault::new("enrolment", Action::Retry);
        let enrolled: Enrolled = cbor::decode(&answer).map_err(|_| bad())?;
        let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
        let root = root(ledger)?;
        let [chain, sealing] =
            enrolled.check(&sign.public(), &seal.public(), &root, now).map_err(|_| bad())?;
        let person = Self { sign, seal, chain, sealing };
        keep(store, PERSON, &person).await?;
        Ok(person)
    }

    /// As the screen shows it.
    pub fn desk(&self) -> Desk {
        let certificate = self.chain.leaf();
        let subject = certificate.subject();
        Desk {
            name: subject.name.clone().unwrap_or_default(),
            title: subject.title.clone().unwrap_or_default(),
            unit: subject.unit.clone().unwrap_or_default(),
            organisation: subject.organisation.clone(),
            role: certificate.role().map(|role| format!("{role:?}").to_lowercase()).unwrap_or_default(),
            until: certificate.validity().not_after,
        }
    }

    /// What the person is certified to act as.
    pub fn role(&self) -> identity::Role {
        self.chain.leaf().role().unwrap_or(identity::Role::Physician)
    }

    /// The person's signing key.
    pub const fn key(&self) -> &SecretKey {
        &self.sign
    }

    /// The person's certificates: to sign, to seal to.
    pub fn chains(&self) -> [Chain; 2] {
        [self.chain.clone(), self.sealing.clone()]
    }

    /// Opens what a patient gave this person in a live consultation.
    pub fn open_consultation(
        &self,
        consultation: &Consultation,
        grant: &GrantId,
        offer: &[u8],
    ) -> Result<ConsentOffer, ConsultFault> {
        consultation.open(grant, offer, &self.seal)
    }

    /// A fresh pass for one purpose.
    pub async fn pass(&self, ledger: &Ledger, role: identity::Role) -> Result<Pass, Fault> {
        let grantee = SecretKey::generate(&mut BrowserRandom);
        let box_key = SecretKey::generate(&mut BrowserRandom);
        self.renew(ledger, role, grantee, box_key).await
    }

    /// A pass for the same keys on a later day.
    pub async fn renew(
        &self,
        ledger: &Ledger,
        role: identity::Role,
        grantee: SecretKey,
        box_key: SecretKey,
    ) -> Result<Pass, Fault> {
        let keys = vec![(grantee.public(), box_key.public())];
        let request = CredentialRequest { chain: self.chain.clone(), role, keys };
        let call = Call::send("POST", "/v1/desk/credentials", cbor::encode(&request));
        let answer = ledger.signed(call, &self.sign).await?;
        let bad = || Fault::new("credential", Action::Retry);
        let mut credentials: Vec<Signed<Credential>> = cbor::decode(&answer).map_err(|_| bad())?;
        let credential = credentials.pop().ok_or_else(bad)?;
        let claimed = credential.claimed().map_err(|_| bad())?;
        if claimed.grantee != grantee.public() || claimed.box_key != box_key.public() {
            return Err(bad());
        }
        Ok(Pass { grantee, box_key, expiry: claimed.expiry, credential })
    }
}

impl Person {
    /// The claim tags of an invoice, from the organisation's relay; none for a report without one.
    pub async fn tags(&self, ledger: &Ledger, fhir: &[u8]) -> Result<Vec<(ClaimTag, ClaimKey)>, Fault> {
        let bad =
            |e: &dyn std::fmt::Display| Fault::new("report", Action::Nothing).with_detail(e.to_string());
        let number = InvoiceNumber::in_report(fhir).map_err(|e| bad(&e))?;
        let Some(number) = number else { return Ok(Vec::new()) };
        let request = TagRequest { chain: self.chain.clone(), number };
        let call = Call::send("POST", "/v1/desk/tags", cbor::encode(&request));
        let answer = ledger.signed(call, &self.sign).await?;
        cbor::decode(&answer).map_err(|_| Fault::new("credential", Action::Retry))
    }
}

/// The consortium's root certificate, from the genesis.
pub fn root(ledger: &Ledger) -> Result<Certificate, Fault> {
    Certificate::from_der(&ledger.genesis.root.0).map_err(|_| Fault::new("ledger-unsound", Action::Nothing))
}
