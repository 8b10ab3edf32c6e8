//! `suishen invite`: a link that enrols one person's desk, once, within a day. Works while the relay runs.

use super::{Outcome, serve};
use crate::{
    config::Place,
    desk::{Invitee, Organisation},
    keys::Keys,
    node::{GENESIS, KEYS},
    order::system_clock,
};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use std::fs;
use suishen_core::{
    cbor,
    contract::Genesis,
    id::{LedgerId, PartyId},
    identity::Role,
};

/// Options of `suishen invite`.
#[derive(Clone, Debug, Args)]
pub struct Invite {
    /// The organisation's code; its keys must be in the data folder
    #[arg(long, env = "SUISHEN_PARTY", value_name = "CODE")]
    pub party: String,
    /// What the person will act as
    #[arg(long, env = "SUISHEN_ROLE")]
    pub role: PersonRole,
    /// The person's name, as patients will see it
    #[arg(long, env = "SUISHEN_NAME")]
    pub name: String,
    /// The person's title
    #[arg(long, env = "SUISHEN_TITLE")]
    pub title: Option<String>,
    /// Invite a server that settles claims by itself (`suishen claims`); for insurers only
    #[arg(long, env = "SUISHEN_SERVER")]
    pub server: bool,
    /// The person's department
    #[arg(long, env = "SUISHEN_UNIT")]
    pub unit: Option<String>,
    /// Origin of the desk's page [default: where the relay last served it]
    #[arg(long, env = "SUISHEN_DESK_ORIGIN", value_name = "ORIGIN")]
    pub desk_origin: Option<String>,
}

/// What a person acts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PersonRole {
    /// Issues reports.
    Issuer,
    /// Reads records to treat.
    Physician,
    /// Opens auditor boxes.
    Auditor,
    /// Settles what statutory insurance pays.
    InsurerStatutory,
    /// Settles what commercial insurance pays.
    InsurerCommercial,
}

impl From<PersonRole> for Role {
    fn from(role: PersonRole) -> Self {
        match role {
            PersonRole::Issuer => Self::Issuer,
            PersonRole::Physician => Self::Physician,
            PersonRole::Auditor => Self::Auditor,
            PersonRole::InsurerStatutory => Self::InsurerStatutory,
            PersonRole::InsurerCommercial => Self::InsurerCommercial,
        }
    }
}

impl PersonRole {
    /// The first label of the role's page under `localhost`.
    const fn label(self) -> &'static str {
        match self {
            Self::Issuer => "hospital",
            Self::Physician => "doctor",
            Self::Auditor => "auditor",
            Self::InsurerStatutory | Self::InsurerCommercial => "insurer",
        }
    }
}

/// Prints the link.
pub fn run(place: &Place, invite: &Invite) -> anyhow::Result<Outcome> {
    let party = PartyId::new(&invite.party).context("--party takes an organisation's code")?;
    let organisation = Organisation::read(&Keys::new(place.data.join(KEYS)), &party)?;
    let ledger = ledger_of(place)?;
    if invite.server && !Role::from(invite.role).is_insurer() {
        bail!("--server is for insurers: say --role insurer-statutory or --role insurer-commercial");
    }
    let person = Invitee {
        name: invite.name.clone(),
        role: invite.role.into(),
        title: invite.title.clone(),
        unit: invite.unit.clone(),
        server: invite.server,
    };
    let origin = match &invite.desk_origin {
        Some(origin) => origin.trim_end_matches('/').to_owned(),
        None => local(place, invite.role).context("name the desk's page with --desk-origin")?,
    };
    let fragment = organisation.invite(&person, &ledger, system_clock()());
    println!("{origin}/enrol#{fragment}");
    Ok(Outcome::Well)
}

/// The ledger of a data folder, also while its relay runs.
pub fn ledger_of(place: &Place) -> anyhow::Result<LedgerId> {
    let file = place.data.join(GENESIS);
    let genesis = fs::read(&file).with_context(|| {
        format!(
            "there is no ledger in {}: found one with `suishen found`, or start with serve --demo",
            place.data.display()
        )
    })?;
    let genesis: Genesis = cbor::decode(&genesis).context("the genesis object cannot be read")?;
    Ok(genesis.ledger_id())
}

fn local(place: &Place, role: PersonRole) -> Option<String> {
    let url = serve::last_url(&place.data)?;
    let port = url.rsplit(':').next()?.to_owned();
    Some(format!("http://{}.localhost:{port}", role.label()))
}
