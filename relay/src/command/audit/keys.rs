//! The auditor's keys: those that sign, `audit*.pem`, and the quarters', `box*.pem`, in a folder that only the auditor
//! reads; changing them; and the entry by which the auditor says that it looks.

use super::{pin::Pin, source::Source};
use crate::{
    client::Client,
    command::{invite::ledger_of, serve},
    config::Place,
    desk::ORGANISATIONS,
    http::ledger::{ValuesAnswer, ValuesAsked},
    keys::Keys,
    node::KEYS,
    random::SystemRandom,
};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use suishen_core::{
    audit::BoxKeys,
    cbor,
    consent::AuditorLook,
    contract::{AuditorKeys, Key, RotateKeys, Rotated, SignedTransaction, Transaction},
    id::LedgerId,
    proof::{
        bundle::first_epoch,
        checkpoint::{SignedCheckpoint, VerifiedCheckpoint},
        log::{ProvenEntry, ProvenValue},
    },
    sm::{PublicKey, SecretKey},
};

/// The auditor's folder, within the data folder's keys.
const AUDITOR: &str = "auditor";
/// Most keys that are read from a folder.
const MOST: usize = 256;
/// How long a relay, or the published copy, may take to show a new entry.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait before looking again.
const AGAIN: Duration = Duration::from_millis(100);

/// Options of `suishen audit rotate`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Once a quarter. The new key is written beside the old ones before the ledger names it. Keep the old ones for as long as
their quarters may be audited, and destroy them then: nothing else opens what was sealed to them.")]
pub struct Rotate {
    /// The auditor's folder of keys [default: keys/auditor in the data folder]
    #[arg(long, env = "SUISHEN_KEYS", value_name = "FOLDER")]
    pub keys: Option<PathBuf>,
    /// Which key: what boxes are sealed to, or what signs
    #[arg(long, env = "SUISHEN_WHICH", default_value = "box")]
    pub which: Which,
    /// The relay [default: where the relay of the data folder serves]
    #[arg(long, env = "SUISHEN_RELAY", value_name = "URL")]
    pub relay: Option<String>,
    /// The ledger's id, where it must be this one [default: the one remembered beside the keys, if any]
    #[arg(long, env = "SUISHEN_LEDGER", value_name = "ID", value_parser = super::pin::ledger)]
    pub ledger: Option<LedgerId>,
}

/// Which of the auditor's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// What boxes are sealed to.
    Box,
    /// What signs.
    Audit,
}

impl Which {
    const fn stem(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::Audit => "audit",
        }
    }
}

/// The keys in a folder whose files' names begin so.
fn all(folder: &Path, which: Which) -> anyhow::Result<Vec<SecretKey>> {
    let keys = Keys::new(folder.to_owned());
    let listed = std::fs::read_dir(folder)
        .with_context(|| format!("could not read the auditor's keys in {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in listed {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let own =
            stem == which.stem() || stem.strip_prefix(which.stem()).is_some_and(|rest| rest.starts_with('-'));
        if own && path.extension().is_some_and(|extension| extension == "pem") {
            found.push(keys.read(stem)?);
        }
        if found.len() > MOST {
            bail!("there are more than {MOST} keys in {}: move the oldest away", folder.display());
        }
    }
    Ok(found)
}

/// The quarters' keys in a folder.
pub fn boxes(folder: &Path) -> anyhow::Result<BoxKeys> {
    let keys = all(folder, Which::Box)?;
    if keys.is_empty() {
        bail!(
            "there is no box*.pem in {}: name the auditor's folder of keys with --keys, in a demo DATA/keys/auditor",
            folder.display()
        );
    }
    Ok(keys.into_iter().collect())
}

/// The key that signs in the auditor's name.
pub fn signing(folder: &Path, audit: &PublicKey) -> anyhow::Result<SecretKey> {
    let own = all(folder, Which::Audit)?.into_iter().find(|key| key.public() == *audit);
    own.with_context(|| {
        format!("no audit*.pem in {} is the auditor's key on this ledger: name the folder that has it with --keys", folder.display())
    })
}

/// The relay that was named, or the one of the data folder.
pub async fn reach(place: &Place, relay: Option<&str>) -> anyhow::Result<Client> {
    if let Some(url) = relay {
        return Ok(Client::connect(url).await?);
    }
    let why = "opening boxes and changing keys are entries on the ledger: start the relay, or name one with --relay";
    let url = serve::last_url(&place.data).context(why)?;
    let client = Client::connect(&url).await.context(why)?;
    if client.ledger() != ledger_of(place)? {
        bail!("another relay serves at {url} now: name this one with --relay");
    }
    Ok(client)
}

/// The auditor's public keys, proven under the relay's newest checkpoint, and its size.
pub async fn on_ledger(client: &Client) -> anyhow::Result<(AuditorKeys, u64)> {
    let mut answer = client.value(&Key::Auditor).await?;
    let value = answer.values.pop().context("the relay knows no auditor")?.value;
    let verified = checkpoint(client, &answer.note)?;
    let proven = ProvenValue { value, proof: answer.proof };
    let keys: AuditorKeys = proven
        .verify(&Key::Auditor, verified.checkpoint())
        .context("the relay does not prove the auditor's keys")?;
    Ok((keys, verified.checkpoint().size))
}

/// A checkpoint that somebody shows, where the members cosigned it.
fn checkpoint(client: &Client, note: &str) -> anyhow::Result<VerifiedCheckpoint> {
    let signed = SignedCheckpoint::parse(note).context("the checkpoint that is shown cannot be read")?;
    signed
        .verify(&client.ledger(), &first_epoch(client.genesis()))
        .context("the checkpoint that is shown does not hold")
}

/// Brings a transaction to the ledger and sees it there: its number, proven. That the relay says it stands is its word.
async fn brought(client: &Client, signed: &SignedTransaction) -> anyhow::Result<u64> {
    let number = client.submit(signed).await?.number;
    let asked = ValuesAsked { entries: Some(vec![number]), ..ValuesAsked::default() };
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let answer: ValuesAnswer = cbor::decode(&client.post("/v1/ledger/values", &asked).await?)?;
        let verified = checkpoint(client, &answer.note)?;
        let mut shown = answer.entries.into_iter().flatten().map(ProvenEntry::from);
        if let Some(shown) = shown.find(|shown| shown.number == number) {
            let entry = shown.verify(verified.checkpoint());
            if entry.is_ok_and(|entry| entry.signed == *signed) {
                return Ok(number);
            }
            break;
        }
        tokio::time::sleep(AGAIN).await;
    }
    bail!(
        "the relay says that this is entry {number}, and does not prove it: nothing was opened or changed; try again, or \
         tell the members and go to another relay with --relay"
    )
}

/// What a look is to be about.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The auditor's keys.
    pub folder: &'a Path,
    /// Why.
    pub why: &'a str,
    /// From this entry on.
    pub from: u64,
    /// To the one before this; all of the ledger where none is said.
    pub to: Option<u64>,
}

/// Writes on the ledger that the auditor looks: the entry's number, and which entries it says are looked at.
pub async fn log_look(client: &Client, asked: &Asked<'_>) -> anyhow::Result<(u64, Range<u64>)> {
    let (on_ledger, size) = on_ledger(client).await?;
    let audit = signing(asked.folder, &on_ledger.audit)?;
    let to = asked.to.unwrap_or(size);
    let range = asked.from..to;
    if range.is_empty() || range.start >= size {
        bail!("there is no entry from --from {} on: the ledger has {size}", range.start);
    }
    let look = AuditorLook { why: asked.why.to_owned(), from: range.start, to: range.end };
    let body = look
        .log(&audit.public(), &on_ledger.box_key()?, &client.ledger(), &mut SystemRandom)
        .context("--why takes 1 to 240 bytes, some 80 Chinese characters")?;
    let signed = SignedTransaction::new(&Transaction::LogAudit(body), &audit, &client.ledger());
    Ok((brought(client, &signed).await?, range))
}

/// Waits until a source's checkpoint, verified, speaks of an entry.
pub fn wait_for(client: &Client, source: &Source, entry: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let verified = checkpoint(client, &source.note()?)?;
        if verified.checkpoint().size > entry {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            bail!(
                "the published copy does not get entry {entry}, which the relay has: read the relay itself with --relay URL"
            );
        }
        std::thread::sleep(AGAIN);
    }
}

/// Changes a key, and prints which ones may go.
pub fn rotate(place: &Place, rotate: &Rotate) -> anyhow::Result<()> {
    let folder = rotate.keys.clone().unwrap_or_else(|| place.data.join(KEYS).join(AUDITOR));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reach(place, rotate.relay.as_deref()).await?;
        let pin = Pin::of_rotating(rotate, &folder)?;
        pin.check(&client.ledger())?;
        let (on_ledger, _) = on_ledger(&client).await?;
        let certified = certified(place, &folder, &on_ledger)?;
        let sequence = on_ledger.sequence + 1;
        // Written before the ledger names it: a key that is lost afterwards would close a quarter for good.
        let name = format!("{}-{sequence}", rotate.which.stem());
        let key = Keys::new(folder.clone()).read_or_make(&name)?;
        let which = if rotate.which == Which::Box { Rotated::AuditorBox } else { Rotated::Audit };
        let body = RotateKeys { party: on_ledger.party.clone(), sequence, which, key: key.public() };
        let signed = SignedTransaction::new(&Transaction::RotateKeys(body), &certified, &client.ledger());
        let entry = brought(&client, &signed).await?;
        changed(&client, rotate.which, (sequence, &key.public())).await?;
        pin.remember(&client.ledger())?;
        println!("changed    {}, entry {entry}", folder.join(name).with_extension("pem").display());
        if rotate.which == Which::Box {
            println!("           boxes are sealed to it from now on; for a day the one before holds too");
        }
        Ok(())
    })
}

/// Waits until the ledger is proven to name the new key, or a later one.
async fn changed(client: &Client, which: Which, (sequence, key): (u64, &PublicKey)) -> anyhow::Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let (now, _) = on_ledger(client).await?;
        let named = match which {
            Which::Box => now.boxes.iter().any(|quarter| quarter.key == *key),
            Which::Audit => now.audit == *key || now.sequence > sequence,
        };
        if named && now.sequence >= sequence {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
    bail!(
        "the ledger does not name the new key yet: look again with `suishen audit` before the old one is put away"
    )
}

/// The organisation's own key, beside the auditor's or in the data folder.
fn certified(place: &Place, folder: &Path, on_ledger: &AuditorKeys) -> anyhow::Result<SecretKey> {
    let beside = Keys::new(folder.to_owned());
    if folder.join("certified.pem").exists() {
        return Ok(beside.read("certified")?);
    }
    let own = Keys::new(place.data.join(KEYS)).folder(ORGANISATIONS).folder(on_ledger.party.as_str());
    own.read("certified").with_context(|| {
        format!(
            "the certified key of {} signs this: put it beside the auditor's keys as certified.pem",
            on_ledger.party
        )
    })
}
