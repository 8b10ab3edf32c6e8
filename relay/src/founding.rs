//! Founding a ledger: keys and certificates of a consortium with this relay as its only member, the genesis from
//! them, and its organisations' registration as the first entries.
//!
//! The root's key is made in the data folder too. A real consortium takes `keys/root` offline once all of its
//! organisations are certified; nothing reads it afterwards.

use crate::{
    desk::{ORGANISATIONS, Organisation},
    keys::Keys,
    order::{Order as _, Solo, SubmitError},
    random::SystemRandom,
    replica::Replica,
};
use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use suishen_core::{
    contract::{
        Auditor, Bounds, CertificateDer, Genesis, Member, RegisterParty, Rejection, SignedTransaction,
        Transaction, Views as _,
    },
    id::PartyId,
    identity::{Kind, Request, Role, Serial, Subject, Validity, issue, self_sign},
    sm::SecretKey,
};

/// Ten years, in seconds.
const ROOT_TERM: u64 = 10 * 365 * 86_400;
/// Five years, in seconds.
const ORGANISATION_TERM: u64 = 5 * 365 * 86_400;

/// Who founds a ledger. As a file it is TOML with these names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consortium {
    /// The relay's name in cosignature lines.
    pub relay: String,
    /// Where the relay is reached, the wallet's pages first: `https://wallet.example.org`.
    pub origins: Vec<String>,
    /// Who certifies the organisations.
    pub root: Named,
    /// Code of the organisation that runs the relay.
    pub member: String,
    /// Code of the organisation that opens auditor boxes.
    pub auditor: String,
    /// All organisations, member and auditor among them.
    #[serde(rename = "organisation")]
    pub organisations: Vec<Founder>,
}

/// An organisation's code and name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Capital letters and digits, like a unified social credit code.
    pub code: String,
    /// As people see it.
    pub name: String,
}

/// A founding organisation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founder {
    /// Capital letters and digits, like a unified social credit code.
    pub code: String,
    /// As patients see it.
    pub name: String,
    /// What its people may act as.
    pub roles: Vec<FounderRole>,
}

/// A [`Role`] by its name in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FounderRole {
    /// Issues reports.
    Issuer,
    /// Reads records to treat.
    Physician,
    /// Settles claims on the statutory slot.
    InsurerStatutory,
    /// Settles claims on the commercial slot.
    InsurerCommercial,
    /// Dispenses.
    Pharmacist,
    /// Opens auditor boxes.
    Auditor,
}

impl From<FounderRole> for Role {
    fn from(role: FounderRole) -> Self {
        match role {
            FounderRole::Issuer => Self::Issuer,
            FounderRole::Physician => Self::Physician,
            FounderRole::InsurerStatutory => Self::InsurerStatutory,
            FounderRole::InsurerCommercial => Self::InsurerCommercial,
            FounderRole::Pharmacist => Self::Pharmacist,
            FounderRole::Auditor => Self::Auditor,
        }
    }
}

impl Founder {
    /// Its roles, ascending and each once, as the contract wants them.
    fn roles(&self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.roles.iter().any(|own| Role::from(*own) == *role)).collect()
    }
}

/// An organisation's code, read.
pub fn party(code: &str) -> anyhow::Result<PartyId> {
    PartyId::new(code)
        .ok_or_else(|| anyhow!("{code:?} is not an organisation's code: capital letters and digits"))
}

/// Makes keys and certificates in `keys`, and the genesis from them. What is there already is kept.
pub fn genesis(keys: &Keys, consortium: &Consortium, quota: u64, now: u64) -> anyhow::Result<Genesis> {
    let root_key = keys.folder("root").read_or_make("root")?;
    let serial = || Serial::generate(&mut SystemRandom);
    let subject = Subject::organisation(party(&consortium.root.code)?, &consortium.root.name);
    let validity = |term| Validity { not_before: now - now % 86_400, not_after: now + term };
    let root = self_sign(subject, &root_key, &serial(), validity(ROOT_TERM))?;
    for Founder { code, name, .. } in &consortium.organisations {
        let id = party(code)?;
        let folder = keys.folder(ORGANISATIONS).folder(code);
        let key = folder.read_or_make("certified")?.public();
        for name in ["acceptance", "voucher", "tags"] {
            folder.read_or_make(name)?;
        }
        let subject = Subject::organisation(id.clone(), name);
        let request = Request { kind: Kind::Organisation, subject, key, role: None, inbox: None };
        let certificate = issue(&root, &root_key, &request, &serial(), validity(ORGANISATION_TERM))?;
        Organisation::write_certificate(keys, &id, &certificate)?;
    }
    for code in [&consortium.member, &consortium.auditor] {
        if !consortium.organisations.iter().any(|founder| founder.code == *code) {
            return Err(anyhow!("{code} is member or auditor, but not among the organisations"));
        }
    }
    let member = keys.folder("member");
    let public = |name| Ok::<_, anyhow::Error>(member.read_or_make(name)?.public());
    let auditor = keys.folder("auditor");
    let genesis = Genesis {
        root: CertificateDer::from(&root),
        members: vec![Member {
            party: party(&consortium.member)?,
            origins: consortium.origins.clone(),
            vote: public("vote")?,
            sponsor: public("sponsor")?,
            cosigner: public("cosigner")?,
            gate: public("gate")?,
            time: public("time")?,
            name: consortium.relay.clone(),
        }],
        auditor: Auditor {
            party: party(&consortium.auditor)?,
            audit: auditor.read_or_make("audit")?.public(),
            box_key: auditor.read_or_make("box")?.public(),
        },
        quota,
        bounds: Bounds { read: Bounds::READ },
        time: now,
    };
    genesis.check().context("this consortium makes no valid genesis")?;
    Ok(genesis)
}

/// Registers the organisations that the ledger doesn't have yet.
pub async fn register(
    keys: &Keys,
    consortium: &Consortium,
    replica: &Replica,
    order: &Solo,
) -> anyhow::Result<()> {
    let vote = keys.folder("member").read("vote")?;
    for founder in &consortium.organisations {
        let id = party(&founder.code)?;
        if replica.published().snapshot().view(|state| state.party(&id))?.is_none() {
            let transaction = registration(keys, &id, founder.roles())?;
            submit(order, replica, &transaction, &vote)
                .await
                .with_context(|| format!("the organisation {} could not be registered", founder.code))?;
        }
    }
    Ok(())
}

pub(crate) fn registration(keys: &Keys, party: &PartyId, roles: Vec<Role>) -> anyhow::Result<Transaction> {
    let organisation = Organisation::read(keys, party)?;
    let voucher = keys.folder(ORGANISATIONS).folder(party.as_str()).read("voucher")?.public();
    let vouchers = if roles.contains(&Role::Issuer) { vec![voucher] } else { Vec::new() };
    Ok(Transaction::RegisterParty(RegisterParty {
        certificate: CertificateDer::from(&organisation.certificate),
        acceptance: organisation.acceptance.public(),
        vouchers,
        roles,
    }))
}

async fn submit(
    order: &Solo,
    replica: &Replica,
    transaction: &Transaction,
    vote: &SecretKey,
) -> anyhow::Result<()> {
    let signed = SignedTransaction::new(transaction, vote, &replica.ledger());
    match order.submit(signed).await {
        Ok(_) | Err(SubmitError::Rejected(Rejection::Duplicate { .. })) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        relay = "langfang-relay"
        origins = ["https://wallet.example.org"]
        member = "HOSPITAL1"
        auditor = "AUDITOR1"
        root = { code = "ROOT1", name = "Consortium" }
        [[organisation]]
        code = "HOSPITAL1"
        name = "Hospital"
        roles = ["physician", "issuer", "issuer"]
        [[organisation]]
        code = "AUDITOR1"
        name = "Auditor"
        roles = ["auditor"]
    "#;

    fn found(file: &str) -> anyhow::Result<Genesis> {
        let dir = tempfile::tempdir().unwrap();
        let consortium: Consortium = toml::from_str(file)?;
        genesis(&Keys::new(dir.path().to_owned()), &consortium, 1000, 1_795_000_000)
    }

    #[test]
    fn a_file_founds_a_ledger() {
        let genesis = found(FILE).unwrap();
        assert_eq!(genesis.members[0].party.as_str(), "HOSPITAL1");
        assert_eq!(genesis.members[0].origins, ["https://wallet.example.org"]);
        let consortium: Consortium = toml::from_str(FILE).unwrap();
        assert_eq!(consortium.organisations[0].roles(), [Role::Issuer, Role::Physician]);
    }

    #[test]
    fn what_founds_nothing_is_named() {
        for (from, to, named) in [
            ("member = \"HOSPITAL1\"", "member = \"NOBODY\"", "NOBODY"),
            ("code = \"ROOT1\"", "code = \"root 1\"", "root 1"),
            ("\"auditor\"]", "\"janitor\"]", "janitor"),
            ("relay =", "relais =", "relais"),
        ] {
            let error = format!("{:#}", found(&FILE.replacen(from, to, 1)).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
