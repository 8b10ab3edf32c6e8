//! Decisions as an insurer feels them: batches to its own server's `/v1/claims/batch`, until the answer says that each stands
//! on the ledger and the patient was told. The claims come the whole way before: issued by the hospital, shared by played
//! patients, taken, agreed to, redeemed, opened.

use crate::{
    busy::Stretch,
    due::{Rate, Round, milliseconds, send},
    prepared::{HOSPITAL, INSURER},
    program::Program,
    settlements::{WANTED, WITHIN},
};
use anyhow::{Context as _, Result, ensure};
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use suishen_core::{
    contract::{Role, Slot},
    id::{LedgerId, PartyId},
    identity::request::{Message, sign_registered},
    sm::{Digest, Random as _, SecretKey, edge},
};
use suishen_relay::{
    claims::{
        clients::Clients,
        patient::{Made, Patient},
    },
    client::Client,
    desk::{Invitee, Organisation},
    issuing::CommandDesk,
    keys::Keys,
    node::KEYS,
    random::SystemRandom,
};
use tokio::time::sleep;

const INVOICE: &str = include_str!("../../../samples/invoice/report.json");
/// The number in it, of which each patient's invoice has another.
const NUMBER: &str = "0038217745";
/// What the sample leaves to commercial insurance.
const PAID: &str = "9927.86";
const ORIGIN: &str = "http://patient.localhost:8080";
/// Decisions in a batch.
const TOGETHER: u32 = 20;
/// For how long it is sent.
const FOR: u32 = 10;
/// Decisions before, which are not measured.
const WARM_UP: u32 = 100;
/// Rates that are tried until one holds, in this order, and others after it until one doesn't.
const TRIED: [u32; 2] = [300, 400];
const SLOWER: [u32; 4] = [150, 100, 50, 25];
const TRIED_FOR: u32 = 2;
/// Played patients who do something at a time.
const AT_ONCE: usize = 16;
/// Links in a batch.
const TAKEN: usize = 100;
/// How long all claims may take until they are open.
const OPENS: Duration = Duration::from_mins(10);

/// Who asks the server.
struct Caller {
    base: String,
    key: SecretKey,
    ledger: LedgerId,
    http: reqwest::Client,
}

impl Caller {
    async fn call(&self, method: Method, target: &str, body: Vec<u8>) -> Result<Value> {
        let info: Value = self.http.get(format!("{}/v1/info", self.base)).send().await?.json().await?;
        let now = info["now"].as_u64().context("no time")?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let once = HEXLOWER.encode(&SystemRandom.bytes::<16>());
        let signs = (method == Method::POST).then_some(once.as_str());
        let content = Digest::of(&body);
        let message = Message { method: method.as_str(), path, query, content, once: signs };
        let signed = sign_registered(&message, &self.key, &self.ledger, now, &mut SystemRandom);
        let answer = self
            .http
            .request(method, format!("{}{target}", self.base))
            .header("content-type", "application/json")
            .header("idempotency-key", once)
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .body(body)
            .send()
            .await?;
        let (status, told): (_, Value) = (answer.status(), answer.json().await?);
        ensure!(status.is_success(), "{target}: {told}");
        Ok(told)
    }

    async fn batch(&self, items: &[Value]) -> Result<Vec<Value>> {
        let body = serde_json::to_vec(&json!({ "items": items }))?;
        let told = self.call(Method::POST, "/v1/claims/batch", body).await?;
        Ok(told["results"].as_array().context("no results")?.clone())
    }

    /// How many claims are in this state.
    async fn count(&self, state: &str) -> Result<usize> {
        let (mut count, mut target) = (0, format!("/v1/claims?limit=200&state={state}"));
        loop {
            let page = self.call(Method::GET, &target, Vec::new()).await?;
            count += page["claims"].as_array().map_or(0, Vec::len);
            let Some(next) = page["next"].as_str() else { return Ok(count) };
            target = format!("/v1/claims?limit=200&state={state}&cursor={next}");
        }
    }
}

/// Serves a demo and an insurer's server, plays patients, decides.
pub async fn measure(folder: &Path) -> Result<Value> {
    let (ledger, insurer) = (tempfile::tempdir_in(folder)?, tempfile::tempdir_in(folder)?);
    let relay = Program::relay(ledger.path()).await?;
    let client = Arc::new(Client::connect(&relay.base).await?);
    let (server, caller) = serve(&relay, &client, ledger.path(), insurer.path()).await?;
    let count = WARM_UP + WANTED * FOR + TRIED.iter().map(|rate| rate * TRIED_FOR).sum::<u32>();
    let ids = open(&client, ledger.path(), &caller, usize::try_from(count)?).await?;
    let mut rest = ids.as_slice();
    let together = |per_second| Rate { per_second, together: TOGETHER };
    decide(&caller, take(&mut rest, WARM_UP)?, together(WARM_UP)).await?;
    let stretch = Stretch::begin(&[relay.id(), server.id()]);
    let wanted = decide(&caller, take(&mut rest, WANTED * FOR)?, together(WANTED)).await?;
    let computed = stretch.end();
    let rates: &[u32] = if wanted.holds(WITHIN) { &TRIED } else { &SLOWER };
    let mut highest = Some(wanted.clone()).filter(|round| round.holds(WITHIN));
    for rate in rates.iter().copied().map(together) {
        let round = decide(&caller, take(&mut rest, rate.per_second * TRIED_FOR)?, rate).await?;
        let (held, holds) = (highest.is_some(), round.holds(WITHIN));
        if holds {
            highest = Some(round);
        }
        // Upwards until one fails, downwards until one holds.
        if held != holds {
            break;
        }
    }
    let highest = highest.as_ref();
    Ok(json!({
        "rate": WANTED, "seconds": FOR, "together": TOGETHER,
        "median_ms": milliseconds(wanted.percentile(50)), "p99_ms": milliseconds(wanted.percentile(99)),
        "lasted_s": wanted.lasted.as_secs_f64(),
        "decided_per_s": f64::from(WANTED * FOR) / wanted.lasted.as_secs_f64(),
        "highest_rate": highest.map_or(0, |round| round.rate.per_second),
        "highest_p99_ms": highest.map(|round| milliseconds(round.percentile(99))),
        "cores_ours": computed.map(|it| it.ours), "cores_others": computed.map(|it| it.others),
    }))
}

fn take<'a>(rest: &mut &'a [Value], count: u32) -> Result<&'a [Value]> {
    let (now, later) = rest.split_at_checked(usize::try_from(count)?).context("no claims are left")?;
    *rest = later;
    Ok(now)
}

/// An insurer's server beside the relay, and a key whose requests it takes.
async fn serve(
    relay: &Program,
    client: &Client,
    ledger: &Path,
    data: &Path,
) -> Result<(Program, Arc<Caller>)> {
    let party = PartyId::new(INSURER).context("an organisation's code")?;
    let organisation = Organisation::read(&Keys::new(ledger.join(KEYS)), &party)?;
    let role = Role::InsurerCommercial;
    let invitee = Invitee { name: "理赔服务器".into(), role, title: None, unit: None, server: true };
    let invite = organisation.invite(&invitee, &client.ledger(), client.info().await?.now);
    let key = SecretKey::generate(&mut SystemRandom);
    let file = data.join("core.pem");
    std::fs::write(&file, edge::public_key_to_pem(&key.public()))?;
    Clients::of(data).add("core", &file)?;
    let arguments = ["claims", "--port", "0", "--relay", &relay.base, "--invite", &invite];
    let server = Program::start(data, "claims/url", &arguments).await?;
    let http = reqwest::Client::new();
    let caller = Caller { base: server.base.clone(), key, ledger: client.ledger(), http };
    Ok((server, Arc::new(caller)))
}

/// Has so many claims opened by the server: their ids.
async fn open(client: &Arc<Client>, data: &Path, caller: &Arc<Caller>, count: usize) -> Result<Vec<Value>> {
    let now = client.info().await?.now;
    let party = PartyId::new(HOSPITAL).context("an organisation's code")?;
    let organisation = Organisation::read(&Keys::new(data.join(KEYS)), &party)?;
    let link = suishen_relay::issuing::invite(&organisation, "方静", client, now);
    let hospital = CommandDesk::enrol(&Keys::new(data.join("hospital")), client, &link, now).await?;
    let patient = Patient::arrive(client).await?;
    let begun = Instant::now();
    let told =
        |what: &str| eprintln!("  {count} claims are {what} after {:.0} s", begun.elapsed().as_secs_f64());
    let made: Vec<Made> = stream::iter(0..count)
        .map(|number| share(client, &hospital, &patient, number))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    told("shared");
    let mut ids = Vec::new();
    for made in made.chunks(TAKEN) {
        let items: Vec<_> = made.iter().map(|made| json!({ "do": "take", "link": made.link })).collect();
        for result in caller.batch(&items).await? {
            ensure!(result["status"] == 202, "not taken: {result}");
            ids.push(result["claim"]["id"].clone());
        }
    }
    told("taken");
    until(caller, "received", 0).await?;
    told("accepted");
    // Whoever the server is shown as; patients who are played look for it once it is there.
    stream::iter(&made)
        .map(|made| async move { made.agree(client).await.map(drop) })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    told("agreed to");
    until(caller, "open", count).await?;
    told("open");
    Ok(ids)
}

/// Waits until so many claims are in this state.
async fn until(caller: &Caller, state: &str, wanted: usize) -> Result<()> {
    let begun = Instant::now();
    loop {
        let count = caller.count(state).await?;
        if count == wanted {
            return Ok(());
        }
        ensure!(begun.elapsed() < OPENS, "{count} claims, not {wanted}, are {state}");
        sleep(Duration::from_secs(1)).await;
    }
}

/// An invoice of its own, shared for the insurer's slot.
async fn share(client: &Client, hospital: &CommandDesk, patient: &Patient, number: usize) -> Result<Made> {
    let fhir = INVOICE.replace(NUMBER, &format!("{number:010}")).into_bytes();
    let invoice = patient.receive(client, hospital, fhir).await?;
    Ok(patient.claim(client, &invoice, Slot::Commercial, ORIGIN).await?)
}

/// Decides in batches, each sent when it is due; all of it must be settled when it is answered.
async fn decide(caller: &Arc<Caller>, ids: &[Value], rate: Rate) -> Result<Round> {
    let size = usize::try_from(rate.together)?;
    let item = |id: &Value| json!({ "do": "decide", "id": id, "paid": PAID });
    let batches: Vec<Vec<Value>> = ids.chunks(size).map(|ids| ids.iter().map(item).collect()).collect();
    let round = send(rate, batches, |items| {
        let caller = caller.clone();
        async move {
            for result in caller.batch(&items).await? {
                ensure!(result["claim"]["state"] == "settled", "not settled: {result}");
            }
            Ok(())
        }
    });
    let round = round.await?;
    round.tell("decisions");
    Ok(round)
}
