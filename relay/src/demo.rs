//! A demo consortium with real keys and certificates: a root, two hospitals and an auditor, this relay the only
//! member. Founded once in an empty data folder; the root's key lies there too, which a real consortium keeps
//! offline.

use crate::{
    config::Limits,
    desk::{DeskError, Invitee, ORGANISATIONS, Organisation},
    http::{Problem, Shared},
    keys::Keys,
    order::{Order as _, Solo, SubmitError},
    random::SystemRandom,
    replica::Replica,
};
use anyhow::Context as _;
use serde_json::json;
use suishen_core::{
    contract::{
        Auditor, Bounds, CertificateDer, Genesis, Member, RegisterParty, Rejection, SignedTransaction,
        Transaction, Views as _,
    },
    id::PartyId,
    identity::{Certificate, Kind, Request, Role, Serial, Subject, Validity, issue, self_sign},
    sm::SecretKey,
};

/// A name for the relay in cosignature lines.
const RELAY: &str = "anlan-relay";
const ROOT: (&str, &str) = ("52520100ANLAN00001", "安澜健康信息联盟");
const HOSPITAL: (&str, &str) = ("12520100ANLAN00018", "安澜市人民医院");
const OTHER_HOSPITAL: (&str, &str) = ("12520100ANLAN00026", "安澜市中医院");
const AUDITOR: (&str, &str) = ("11520100ANLAN00034", "安澜市卫生健康委员会");
/// Ten years, in seconds.
const ROOT_TERM: u64 = 10 * 365 * 86_400;
/// Five years, in seconds.
const ORGANISATION_TERM: u64 = 5 * 365 * 86_400;

struct Founder {
    code: &'static str,
    name: &'static str,
    roles: &'static [Role],
}

const ORGANISATIONS_OF_DEMO: [Founder; 3] = [
    Founder { code: HOSPITAL.0, name: HOSPITAL.1, roles: &[Role::Issuer, Role::Physician] },
    Founder { code: OTHER_HOSPITAL.0, name: OTHER_HOSPITAL.1, roles: &[Role::Issuer, Role::Physician] },
    Founder { code: AUDITOR.0, name: AUDITOR.1, roles: &[Role::Auditor] },
];

/// Who may be enrolled with one click.
const ROLES: [(&str, &str, Role, &str, &str, &str); 4] = [
    ("hospital", HOSPITAL.0, Role::Issuer, "方静", "主管技师", "检验科"),
    ("doctor", HOSPITAL.0, Role::Physician, "李文", "主任医师", "心血管内科"),
    ("doctor2", OTHER_HOSPITAL.0, Role::Physician, "周岚", "副主任医师", "脾胃病科"),
    ("auditor", AUDITOR.0, Role::Auditor, "何正", "审计员", "信息与统计处"),
];

fn party(code: &str) -> PartyId {
    PartyId::new(code).expect("the demo's codes are capital letters and digits")
}

/// Founds the demo's ledger in a data folder that has none.
pub fn genesis(keys: &Keys, origin: &str, limits: &Limits, now: u64) -> anyhow::Result<Genesis> {
    let root_key = keys.folder("root").read_or_make("root")?;
    let serial = || Serial::generate(&mut SystemRandom);
    let subject = Subject::organisation(party(ROOT.0), ROOT.1);
    let validity = |term| Validity { not_before: now - now % 86_400, not_after: now + term };
    let root = self_sign(subject, &root_key, &serial(), validity(ROOT_TERM))?;
    for Founder { code, name, .. } in ORGANISATIONS_OF_DEMO {
        let folder = keys.folder(ORGANISATIONS).folder(code);
        let key = folder.read_or_make("certified")?.public();
        for name in ["acceptance", "voucher"] {
            folder.read_or_make(name)?;
        }
        let subject = Subject::organisation(party(code), name);
        let request = Request { kind: Kind::Organisation, subject, key, role: None, inbox: None };
        let certificate = issue(&root, &root_key, &request, &serial(), validity(ORGANISATION_TERM))?;
        Organisation::write_certificate(keys, &party(code), &certificate)?;
    }
    let member = keys.folder("member");
    let public = |name| Ok::<_, anyhow::Error>(member.read_or_make(name)?.public());
    let auditor = keys.folder("auditor");
    let genesis = Genesis {
        root: CertificateDer::from(&root),
        members: vec![Member {
            party: party(HOSPITAL.0),
            origins: vec![origin.to_owned()],
            vote: public("vote")?,
            sponsor: public("sponsor")?,
            cosigner: public("cosigner")?,
            gate: public("gate")?,
            time: public("time")?,
            name: RELAY.to_owned(),
        }],
        auditor: Auditor {
            party: party(AUDITOR.0),
            audit: auditor.read_or_make("audit")?.public(),
            box_key: auditor.read_or_make("box")?.public(),
        },
        quota: limits.quota,
        bounds: Bounds { read: Bounds::READ },
        time: now,
    };
    genesis.check().context("the demo's genesis is not valid")?;
    Ok(genesis)
}

/// Registers the demo's organisations that the ledger doesn't have yet.
pub async fn register(keys: &Keys, replica: &Replica, order: &Solo) -> anyhow::Result<()> {
    let vote = keys.folder("member").read("vote")?;
    for Founder { code, roles, .. } in ORGANISATIONS_OF_DEMO {
        let known = replica.published().snapshot().view(|state| state.party(&party(code)))?;
        if known.is_none() {
            let transaction = registration(keys, &party(code), roles)?;
            submit(order, replica, &transaction, &vote).await?;
        }
    }
    Ok(())
}

fn registration(keys: &Keys, party: &PartyId, roles: &[Role]) -> anyhow::Result<Transaction> {
    let organisation = Organisation::read(keys, party)?;
    let voucher = keys.folder(ORGANISATIONS).folder(party.as_str()).read("voucher")?.public();
    let vouchers = if roles.contains(&Role::Issuer) { vec![voucher] } else { Vec::new() };
    Ok(Transaction::RegisterParty(RegisterParty {
        certificate: CertificateDer::from(&organisation.certificate),
        acceptance: organisation.acceptance.public(),
        vouchers,
        roles: roles.to_vec(),
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
        Err(error) => Err(error).context("an organisation of the demo could not be registered"),
    }
}

/// The demo as it is served.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// The port on which each role has its own name under `localhost`.
    pub port: u16,
}

impl Demo {
    /// A fresh invite link for each role.
    pub fn links(&self, node: &Shared) -> Result<serde_json::Value, Problem> {
        let mut links = serde_json::Map::new();
        for (role, code, acts_as, name, title, unit) in ROLES {
            let invitee = Invitee {
                name: name.to_owned(),
                role: acts_as,
                title: Some(title.to_owned()),
                unit: Some(unit.to_owned()),
            };
            let organisation = node.desks.organisation(&party(code))?;
            let fragment = organisation.invite(&invitee, &node.replica.ledger(), node.now());
            let link = format!("http://{role}.localhost:{}/enrol#{fragment}", self.port);
            links.insert(role.to_owned(), json!(link));
        }
        Ok(links.into())
    }
}

/// The root certificate of a genesis.
pub fn root_of(genesis: &Genesis) -> Result<Certificate, DeskError> {
    Ok(genesis.root.read()?)
}
