//! Enrolling a desk: invite link, request, certificate pair (PROTOCOL §2). And the credentials that an
//! enrolled person asks for.
//!
//! **The keys are made in the desk's browser and never leave it.** An invite is used once: its id is
//! remembered by the relay that issues. That the person is still enrolled and unsuspended when a credential
//! is asked for, the relay looks up; the rest is checked here.

use super::{Certificate, CertificateError, Chain, Kind, Request, Role, Subject};
use crate::cbor;
use crate::contract::Credential;
use crate::id::{LedgerId, PartyId};
use crate::sm::{Digest, Object, PublicKey, Random, SecretKey, Signed, SmError};

/// An invite holds for a day.
pub const INVITE_LIFETIME: u64 = 86_400;

/// A credential holds for a day at most.
pub const CREDENTIAL_LIFETIME: u64 = 86_400;

/// Credentials asked for at a time.
pub const CREDENTIALS_AT_A_TIME: usize = 16;

/// Why an enrolment or credential is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    /// Not an invite link.
    #[error("this is not an invite link, or it was cut short: ask your administrator for a new one")]
    Link,
    /// The organisation didn't sign it, or for another ledger.
    #[error("the invite was not signed by this organisation")]
    Invite(#[source] SmError),
    /// After its day.
    #[error("the invite has expired: ask your administrator for a new one")]
    Expired,
    /// Requested or answered with keys that don't belong.
    #[error("the request was not signed with the key that it names")]
    Request(#[source] SmError),
    /// What can't be certified, or was certified otherwise than invited.
    #[error("the certificate is not what was asked for: {0}")]
    Certificate(#[from] CertificateError),
    /// The answer's certificates are for other keys or people.
    #[error("the certificates that came back are not for this desk")]
    Answer,
    /// A credential for a role that the certificate doesn't have, or a server in a role that is a person's.
    #[error("the certificate does not have this role, or a server can't have it")]
    Role,
    /// None, or more than may be asked for.
    #[error("ask for 1 to 16 credentials, each with two keys of its own")]
    Number,
}

/// An invitation of one person, signed by the organisation's certified key.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Invite {
    /// The organisation.
    #[n(0)]
    pub party: PartyId,
    /// The role that the person gets.
    #[n(1)]
    pub role: Role,
    /// The person's name.
    #[n(2)]
    pub name: String,
    /// The person's title.
    #[n(3)]
    pub title: Option<String>,
    /// The person's department.
    #[n(4)]
    pub unit: Option<String>,
    /// Last second.
    #[n(5)]
    pub expiry: u64,
    /// What makes the link unguessable.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub secret: [u8; 16],
    /// Set where a server is invited and not a person.
    #[n(7)]
    pub server: Option<ServerSeat>,
}

/// The seat of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum ServerSeat {
    /// An insurer's server, which settles claims by itself.
    #[n(1)]
    Claims,
}

impl Object for Invite {
    const NAME: &'static str = "invite";
}

impl Invite {
    /// Invites a person from `now` on for a day.
    pub fn new(
        party: PartyId,
        role: Role,
        name: impl Into<String>,
        now: u64,
        random: &mut dyn Random,
    ) -> Self {
        let mut secret = [0; 16];
        random.fill(&mut secret);
        let expiry = now.saturating_add(INVITE_LIFETIME);
        Self { party, role, name: name.into(), title: None, unit: None, expiry, secret, server: None }
    }

    /// The fragment of an invite link: `https://HOST/enrol#<this>`.
    pub fn to_fragment(invite: &Signed<Self>) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&invite.to_bytes())
    }

    /// Reads what [`Invite::to_fragment`] wrote. Nothing is verified.
    pub fn from_fragment(fragment: &str) -> Result<Signed<Self>, EnrolmentError> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(fragment.as_bytes());
        Signed::from_bytes(&bytes.map_err(|_| EnrolmentError::Link)?).map_err(|_| EnrolmentError::Link)
    }
}

/// A desk's request for its certificate pair, signed by the key to sign.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Enrolment {
    /// The invite, as it came.
    #[n(0)]
    pub invite: Signed<Invite>,
    /// The key to sign.
    #[n(1)]
    pub sign: PublicKey,
    /// The key to seal to.
    #[n(2)]
    pub seal: PublicKey,
}

impl Object for Enrolment {
    const NAME: &'static str = "enrolment";
}

/// What the organisation may certify: the caller makes sure that `invite` was never used before.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The invite's id, to be remembered.
    pub invite: Digest,
    /// To sign, to seal to.
    pub requests: [Request; 2],
}

impl Enrolment {
    /// Asks to be enrolled, with two keys made here.
    pub fn request(
        invite: Signed<Invite>,
        sign: &SecretKey,
        seal: &PublicKey,
        ledger: &LedgerId,
    ) -> Signed<Self> {
        Signed::new(&Self { invite, sign: sign.public(), seal: *seal }, sign, ledger)
    }

    /// Checks a request at the organisation's side.
    pub fn admit(
        request: &Signed<Self>,
        organisation: &Certificate,
        ledger: &LedgerId,
        now: u64,
    ) -> Result<Admission, EnrolmentError> {
        let claimed = request.claimed().map_err(EnrolmentError::Request)?;
        let enrolment = request.verify(&claimed.sign, ledger).map_err(EnrolmentError::Request)?;
        let invite = enrolment.invite.verify(organisation.key(), ledger).map_err(EnrolmentError::Invite)?;
        if invite.party != organisation.subject().party || enrolment.sign == enrolment.seal {
            return Err(EnrolmentError::Answer);
        }
        if now > invite.expiry {
            return Err(EnrolmentError::Expired);
        }
        if invite.server.is_some() && !invite.role.is_insurer() {
            return Err(EnrolmentError::Role);
        }
        let [sign, seal] = match invite.server {
            None => [Kind::PersonSign, Kind::PersonSeal],
            Some(ServerSeat::Claims) => [Kind::ServerSign, Kind::ServerSeal],
        };
        let subject = Subject {
            unit: invite.unit,
            name: Some(invite.name),
            title: invite.title,
            ..Subject::organisation(invite.party, organisation.subject().organisation.clone())
        };
        let request =
            |kind, key| Request { kind, subject: subject.clone(), key, role: Some(invite.role), inbox: None };
        Ok(Admission {
            invite: enrolment.invite.id(),
            requests: [request(sign, enrolment.sign), request(seal, enrolment.seal)],
        })
    }
}

/// The answer: the person's two certificates and the organisation's.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Enrolled {
    /// To sign, to seal to.
    #[n(0)]
    pub pair: [Certificate; 2],
    /// Who issued them.
    #[n(1)]
    pub organisation: Certificate,
}

impl Enrolled {
    /// Checks the answer at the desk's side and returns the two chains.
    pub fn check(
        self,
        sign: &PublicKey,
        seal: &PublicKey,
        root: &Certificate,
        now: u64,
    ) -> Result<[Chain; 2], EnrolmentError> {
        let [first, second] = self.pair;
        let kinds = matches!(
            (first.kind(), second.kind()),
            (Kind::PersonSign, Kind::PersonSeal) | (Kind::ServerSign, Kind::ServerSeal)
        );
        let keys = first.key() == sign && second.key() == seal;
        if !kinds || !keys || first.subject() != second.subject() || first.role() != second.role() {
            return Err(EnrolmentError::Answer);
        }
        let chains = [
            Chain::new(vec![first, self.organisation.clone()])?,
            Chain::new(vec![second, self.organisation])?,
        ];
        for chain in &chains {
            chain.verify(root, now)?;
        }
        Ok(chains)
    }
}

/// The body of `POST /v1/desk/credentials`, in a request signed by the person's key.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct CredentialRequest {
    /// The person's chain.
    #[n(0)]
    pub chain: Chain,
    /// The role.
    #[n(1)]
    pub role: Role,
    /// Grantee key (signs) and box key (is sealed to) of each credential, all fresh.
    #[n(2)]
    pub keys: Vec<(PublicKey, PublicKey)>,
}

impl CredentialRequest {
    /// Reads a body.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnrolmentError> {
        cbor::decode(bytes).map_err(|_| EnrolmentError::Answer)
    }

    /// Checks what the organisation `party` may sign, and returns the person's key, which must be the one
    /// that signed the HTTP request. Each credential may expire at `now` + [`CREDENTIAL_LIFETIME`].
    pub fn check(&self, party: &PartyId, root: &Certificate, now: u64) -> Result<PublicKey, EnrolmentError> {
        let person = self.chain.verify(root, now)?;
        if !matches!(person.kind(), Kind::PersonSign | Kind::ServerSign) || person.subject().party != *party {
            return Err(EnrolmentError::Answer);
        }
        if !person.signs_as(self.role) {
            return Err(EnrolmentError::Role);
        }
        let mut keys: Vec<_> = self.keys.iter().flat_map(|(grantee, seal)| [grantee, seal]).collect();
        keys.push(person.key());
        keys.sort_unstable();
        let distinct = keys.windows(2).all(|pair| pair[0] != pair[1]);
        if self.keys.is_empty() || self.keys.len() > CREDENTIALS_AT_A_TIME || !distinct {
            return Err(EnrolmentError::Number);
        }
        Ok(*person.key())
    }

    /// The credentials, once [`CredentialRequest::check`] passed and the person is enrolled and unsuspended.
    pub fn grant(
        &self,
        party: &PartyId,
        acceptance: &SecretKey,
        ledger: &LedgerId,
        now: u64,
    ) -> Vec<Signed<Credential>> {
        let expiry = now.saturating_add(CREDENTIAL_LIFETIME);
        let credential = |&(grantee, box_key): &(PublicKey, PublicKey)| {
            Signed::new(
                &Credential { party: party.clone(), role: self.role, grantee, box_key, expiry },
                acceptance,
                ledger,
            )
        };
        self.keys.iter().map(credential).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::issue;
    use super::super::tests::{DAYS, NOW, hospital, key, organisation, root, serial};
    use super::*;
    use crate::sm::seeded::Seeded;

    const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);

    fn invite() -> Signed<Invite> {
        let mut invite = Invite::new(hospital().party, Role::Issuer, "王敏", NOW, &mut Seeded::new(1));
        invite.unit = Some("检验科".into());
        Signed::new(&invite, &key(2), &LEDGER)
    }

    fn request() -> Signed<Enrolment> {
        let invite = Invite::from_fragment(&Invite::to_fragment(&invite())).unwrap();
        Enrolment::request(invite, &key(11), &key(12).public(), &LEDGER)
    }

    fn enrolled() -> Enrolled {
        let organisation = organisation(hospital(), 2);
        let admission = Enrolment::admit(&request(), &organisation, &LEDGER, NOW).unwrap();
        let pair = admission.requests.map(|r| issue(&organisation, &key(2), &r, &serial(9), DAYS).unwrap());
        cbor::decode(&cbor::encode(&Enrolled { pair, organisation })).unwrap()
    }

    #[test]
    fn an_invited_person_gets_a_pair_under_the_name_of_the_invite() {
        let [sign, seal] = enrolled().check(&key(11).public(), &key(12).public(), &root(), NOW).unwrap();
        assert_eq!(sign.leaf().subject().name.as_deref(), Some("王敏"));
        assert_eq!(sign.leaf().subject().unit.as_deref(), Some("检验科"));
        assert_eq!(sign.leaf().role(), Some(Role::Issuer));
        assert_eq!(seal.leaf().key(), &key(12).public());
    }

    #[test]
    fn a_server_is_certified_as_one_and_only_for_an_insurer() {
        let organisation = organisation(hospital(), 2);
        let admitted = |role| {
            let mut invite = Invite::new(hospital().party, role, "理赔服务器", NOW, &mut Seeded::new(1));
            invite.server = Some(ServerSeat::Claims);
            let request = Enrolment::request(
                Signed::new(&invite, &key(2), &LEDGER),
                &key(11),
                &key(12).public(),
                &LEDGER,
            );
            Enrolment::admit(&request, &organisation, &LEDGER, NOW)
        };
        for role in Role::ALL.into_iter().filter(|role| !role.is_insurer()) {
            assert_eq!(admitted(role).err(), Some(EnrolmentError::Role));
        }
        let admission = admitted(Role::InsurerCommercial).unwrap();
        let pair = admission.requests.map(|r| issue(&organisation, &key(2), &r, &serial(9), DAYS).unwrap());
        let enrolled = Enrolled { pair, organisation: organisation.clone() };
        let [sign, seal] = enrolled.check(&key(11).public(), &key(12).public(), &root(), NOW).unwrap();
        assert_eq!((sign.leaf().kind(), seal.leaf().kind()), (Kind::ServerSign, Kind::ServerSeal));
        assert_eq!(sign.leaf().subject().name.as_deref(), Some("理赔服务器"));
        let keys = vec![(key(21).public(), key(22).public())];
        let request = CredentialRequest { chain: sign, role: Role::InsurerCommercial, keys };
        assert_eq!(request.check(&hospital().party, &root(), NOW), Ok(key(11).public()));
        let other = CredentialRequest { role: Role::InsurerStatutory, ..request };
        assert_eq!(other.check(&hospital().party, &root(), NOW), Err(EnrolmentError::Role));
    }

    #[test]
    fn an_invite_holds_for_a_day_at_its_own_organisation_and_ledger() {
        let organisation = organisation(hospital(), 2);
        assert!(Enrolment::admit(&request(), &organisation, &LEDGER, NOW + INVITE_LIFETIME).is_ok());
        let late = Enrolment::admit(&request(), &organisation, &LEDGER, NOW + INVITE_LIFETIME + 1);
        assert_eq!(late.err(), Some(EnrolmentError::Expired));
        let elsewhere = Enrolment::admit(&request(), &organisation, &LedgerId::from_bytes([8; 32]), NOW);
        assert!(matches!(elsewhere.err(), Some(EnrolmentError::Request(_))));
        let impostor = super::super::tests::organisation(hospital(), 4);
        let foreign = Enrolment::admit(&request(), &impostor, &LEDGER, NOW);
        assert!(matches!(foreign.err(), Some(EnrolmentError::Invite(_))));
    }

    #[test]
    fn a_taken_invite_serves_nobody_who_puts_other_keys_in() {
        let mut stolen = request().claimed().unwrap();
        stolen.seal = key(13).public();
        let forged = Signed::new(&stolen, &key(14), &LEDGER);
        let refused = Enrolment::admit(&forged, &organisation(hospital(), 2), &LEDGER, NOW);
        assert!(matches!(refused.err(), Some(EnrolmentError::Request(_))));
    }

    #[test]
    fn a_desk_takes_no_certificates_for_other_keys() {
        let other = enrolled().check(&key(11).public(), &key(13).public(), &root(), NOW);
        assert_eq!(other.err(), Some(EnrolmentError::Answer));
        let mut swapped = enrolled();
        swapped.pair.swap(0, 1);
        let swapped = swapped.check(&key(12).public(), &key(11).public(), &root(), NOW);
        assert_eq!(swapped.err(), Some(EnrolmentError::Answer));
    }

    #[test]
    fn a_link_that_was_cut_is_no_invite() {
        let fragment = Invite::to_fragment(&invite());
        assert_eq!(Invite::from_fragment(&fragment[..fragment.len() - 2]).err(), Some(EnrolmentError::Link));
    }

    #[test]
    fn credentials_are_for_the_certified_role_and_fresh_keys() {
        let [chain, _] = enrolled().check(&key(11).public(), &key(12).public(), &root(), NOW).unwrap();
        let keys = vec![(key(21).public(), key(22).public()), (key(23).public(), key(24).public())];
        let request = CredentialRequest { chain, role: Role::Issuer, keys };
        let request = CredentialRequest::from_bytes(&cbor::encode(&request)).unwrap();
        let check = |request: &CredentialRequest| request.check(&hospital().party, &root(), NOW);
        assert_eq!(check(&request), Ok(key(11).public()));
        assert_eq!(
            check(&CredentialRequest { role: Role::Auditor, ..request.clone() }),
            Err(EnrolmentError::Role)
        );
        let none = CredentialRequest { keys: vec![], ..request.clone() };
        assert_eq!(check(&none), Err(EnrolmentError::Number));
        let twice = CredentialRequest { keys: vec![request.keys[0], request.keys[0]], ..request.clone() };
        assert_eq!(check(&twice), Err(EnrolmentError::Number));
        let elsewhere = request.check(&PartyId::new("OTHER").unwrap(), &root(), NOW);
        assert_eq!(elsewhere, Err(EnrolmentError::Answer));
    }
}
