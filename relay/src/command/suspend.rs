//! `suishen suspend`: an organisation on the ledger, by the members' vote; or one of its people, at the relay that
//! signs their credentials. Both for good: the contract takes no suspended organisation back, and a person comes back
//! by a new invitation, with new keys.

use super::{Outcome, invite::ledger_of, moment, serve};
use crate::{
    client::Client,
    config::Place,
    desk::Organisation,
    founding,
    http::desk::{EnrolledPerson, Suspend as Request},
    keys::Keys,
    node::KEYS,
};
use anyhow::{Context as _, bail};
use axum::http::Method;
use clap::Args;
use suishen_core::{
    cbor,
    contract::{SignedTransaction, SuspendParty, Transaction},
    id::PartyId,
    sm::PublicKey,
};

/// Options of `suishen suspend`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
An organisation: its desks issue, accept, redeem and open nothing more, and wallets show what it issued since
--from as doubtful. A person: no more credentials, those out end within a day; comes back by `suishen invite`.
A suspended organisation can't be taken back: it registers anew, under another code.

  suishen suspend --party CODE --why 'licence withdrawn'
  suishen suspend --party CODE --people
  suishen suspend --party CODE --person KEY")]
pub struct Suspend {
    /// The organisation's code
    #[arg(long, env = "SUISHEN_PARTY", value_name = "CODE")]
    pub party: String,
    /// Why, for everybody to read on the ledger
    #[arg(long, env = "SUISHEN_WHY", value_name = "TEXT", conflicts_with_all = ["person", "people"])]
    pub why: Option<String>,
    /// From when on, in Unix seconds: earlier than now where what was issued since is doubtful [default: now]
    #[arg(long, env = "SUISHEN_FROM", value_name = "SECONDS", requires = "why")]
    pub from: Option<u64>,
    /// One person instead, by the key that --people prints
    #[arg(long, env = "SUISHEN_PERSON", value_name = "KEY", conflicts_with = "people")]
    pub person: Option<String>,
    /// Print the organisation's enrolled people
    #[arg(long, env = "SUISHEN_PEOPLE")]
    pub people: bool,
    /// The relay [default: where the relay of the data folder serves]
    #[arg(long, env = "SUISHEN_RELAY", value_name = "URL")]
    pub relay: Option<String>,
}

/// Suspends, or lists people.
pub fn run(place: &Place, suspend: &Suspend) -> anyhow::Result<Outcome> {
    let party = founding::party(&suspend.party)?;
    let keys = Keys::new(place.data.join(KEYS));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reach(place, suspend.relay.as_deref()).await?;
        match suspend {
            Suspend { people: true, .. } => people(&client, &keys, &party).await,
            Suspend { person: Some(person), .. } => one_person(&client, &keys, &party, person).await,
            Suspend { why: Some(why), from, .. } => organisation(&client, &keys, party, why, *from).await,
            _ => bail!(
                "say --why for the organisation, --person for one of its people, or --people to list them"
            ),
        }
    })?;
    Ok(Outcome::Well)
}

async fn reach(place: &Place, relay: Option<&str>) -> anyhow::Result<Client> {
    if let Some(url) = relay {
        return Ok(Client::connect(url).await?);
    }
    let url = serve::last_url(&place.data).context("name the relay with --relay")?;
    let client = Client::connect(&url).await.context("start the relay, or name another with --relay")?;
    if client.ledger() != ledger_of(place)? {
        bail!("another relay serves at {url} now: name this one with --relay");
    }
    Ok(client)
}

/// With one member its vote is enough.
async fn organisation(
    client: &Client,
    keys: &Keys,
    party: PartyId,
    why: &str,
    from: Option<u64>,
) -> anyhow::Result<()> {
    let vote = keys.folder("member").read("vote")?;
    let from = match from {
        Some(from) => from,
        None => client.info().await?.now,
    };
    let body = SuspendParty { party, from, why: why.to_owned() };
    let signed = SignedTransaction::new(&Transaction::SuspendParty(body), &vote, &client.ledger());
    let standing = client.submit(&signed).await?;
    println!("suspended from {} on, entry {}", moment::utc(from), standing.number);
    Ok(())
}

async fn people(client: &Client, keys: &Keys, party: &PartyId) -> anyhow::Result<()> {
    let organisation = Organisation::read(keys, party)?;
    let now = client.info().await?.now;
    let path = format!("/v1/desk/people/{}", party.as_str());
    let answer = client.signed(Method::GET, &path, Vec::new(), &organisation.certified, now).await?;
    for EnrolledPerson { person, name, since, suspended } in cbor::decode::<Vec<EnrolledPerson>>(&answer)? {
        let state = suspended.map_or_else(String::new, |at| format!("  suspended {}", moment::utc(at)));
        let key = data_encoding::HEXLOWER.encode(person.as_bytes());
        println!("{key}  since {}  {}{state}", moment::utc(since), name.unwrap_or_default());
    }
    Ok(())
}

async fn one_person(client: &Client, keys: &Keys, party: &PartyId, person: &str) -> anyhow::Result<()> {
    let organisation = Organisation::read(keys, party)?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(person.as_bytes()).ok();
    let key = bytes.and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
    let person = key.context("--person takes a key of 130 hex digits, as --people prints it")?;
    let now = client.info().await?.now;
    let body = cbor::encode(&Request { party: party.clone(), person });
    client.signed(Method::POST, "/v1/desk/suspend", body, &organisation.certified, now).await?;
    println!("suspended: no more credentials for this person");
    Ok(())
}
