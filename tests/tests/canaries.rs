//! Canaries: words and keys that only the patient may have, looked for wherever they must not be: on the wire, in the
//! relay's log at its most talkative, in its files and in its memory, in the log and the files of an insurer's server that
//! was shown some of it, and in the browser once the wallet is locked.
//!
//! Each place is first shown to be readable: what is public is found there.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::Context as _;
use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use suishen_core::contract::Role;
use suishen_core::identity::Entropy;
use suishen_core::qr::{Scanned, scan};
use suishen_relay::client::Client;
use suishen_tests::{ClaimsServer, PASSPHRASE, Person, Relay, Result, Scene, Window, sample};

/// A word in the report, and a patient's name, that occur nowhere else in the world.
const WORD: &str = "金丝雀七三一";
const NAME: &str = "岑金雀";
/// Which words the record's word stands in place of, in each report.
const SAMPLES: [(&str, &str); 3] =
    [("laboratory", "低密度脂蛋白"), ("invoice", "左膝骨关节炎"), ("discharge", "左膝骨关节炎")];
const INSURER: &str = "91520100ANLAN00051";

/// What is looked for.
struct Canary {
    name: String,
    forms: Vec<Vec<u8>>,
}

/// A text.
fn words(name: &str, text: &str) -> Canary {
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let percent = text.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect();
    let escaped = text.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect();
    Canary { name: name.into(), forms: vec![text.as_bytes().to_vec(), utf16, percent, escaped] }
}

/// Bytes, in whatever way they could be written.
fn secret(name: &str, bytes: &[u8]) -> Canary {
    let list = format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    let texts = [
        list.replace(' ', ""),
        list,
        HEXLOWER.encode(bytes),
        HEXUPPER.encode(bytes),
        BASE32_NOPAD.encode(bytes),
    ];
    let mut forms: Vec<Vec<u8>> = texts.map(String::into_bytes).into();
    forms.push(bytes.to_vec());
    for before in 0..3 {
        // As it would stand within something longer: without what depends on the neighbours.
        let within = [&[0; 2][..before], bytes].concat();
        for text in [BASE64.encode(&within), BASE64URL_NOPAD.encode(&within)] {
            forms.push(
                text.trim_end_matches('=').as_bytes()[4..]
                    .split_last_chunk::<2>()
                    .map_or(&[][..], |(a, _)| a)
                    .to_vec(),
            );
        }
    }
    forms.retain(|form| form.len() > 8);
    Canary { name: name.into(), forms }
}

fn holds(hay: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(hay, needle).is_some()
}

/// Which of these occur here.
fn found(place: &str, hay: &[u8], canaries: &[Canary]) -> Vec<String> {
    let here = |canary: &&Canary| canary.forms.iter().any(|form| holds(hay, form));
    canaries.iter().filter(here).map(|canary| format!("{} in {place}", canary.name)).collect()
}

/// Everything that a process could write into a core file: its memory, as far as it was written to.
fn memory(process: u32) -> Result<Vec<u8>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mut memory = std::fs::File::open(format!("/proc/{process}/mem"))?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').context("a line of a map begins with a range")?;
        let (from, to) = range.split_once('-').context("a range has two ends")?;
        let (from, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        memory.seek(SeekFrom::Start(from))?;
        // Guard pages and what was given back in the meantime can't be read.
        memory.by_ref().take(to - from).read_to_end(&mut all).ok();
    }
    Ok(all)
}

fn files(dir: &Path, all: &mut Vec<u8>) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, all)?;
        } else {
            all.extend(std::fs::read(path)?);
        }
    }
    Ok(())
}

/// All that an origin keeps in the browser: databases, storage, caches' addresses, the page's address, the page.
const KEPT: &str = r"
const done = arguments[0];
const all = [];
const put = (value) => {
    if (value instanceof ArrayBuffer) value = new Uint8Array(value);
    if (ArrayBuffer.isView(value)) { all.push(bytes(value)); return; }
    if (value && typeof value === 'object' && !(value instanceof CryptoKey)) {
        for (const [key, part] of Object.entries(value)) { put(key); put(part); }
        return;
    }
    all.push(bytes(new TextEncoder().encode(String(value))));
};
const bytes = (view) => { let text = ''; for (const byte of view) text += String.fromCharCode(byte); return text; };
(async () => {
    for (const { name } of await indexedDB.databases()) {
        const base = await new Promise((ok, no) => {
            const open = indexedDB.open(name);
            open.onsuccess = () => ok(open.result);
            open.onerror = no;
        });
        for (const table of base.objectStoreNames) {
            const store = base.transaction(table).objectStore(table);
            const ask = (request) => new Promise((ok, no) => { request.onsuccess = () => ok(request.result); request.onerror = no; });
            put(table);
            (await ask(store.getAllKeys())).forEach(put);
            (await ask(store.getAll())).forEach(put);
        }
        base.close();
    }
    for (const storage of [localStorage, sessionStorage]) put({ ...storage });
    for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys()) put(request.url);
    put(location.href);
    put(JSON.stringify(history.state));
    put(document.documentElement.outerHTML);
    done(btoa(all.join('\n')));
})().catch((error) => done('error: ' + error));
";

async fn kept(person: &Person) -> Result<Vec<u8>> {
    let all = person.browser().execute_async(KEPT, Vec::new()).await?;
    let text = all.json().as_str().context("no text")?.to_owned();
    BASE64.decode(text.as_bytes()).with_context(|| text)
}

/// The reports with the words in them, and their tickets.
async fn issued(relay: &Relay) -> Result<(Vec<u8>, Vec<String>)> {
    let folder = tempfile::tempdir()?;
    let (mut reports, mut tickets) = (Vec::new(), Vec::new());
    for (name, words) in SAMPLES {
        let report = sample(&format!("{name}/report.json"), &[("林秀兰", NAME), (words, WORD)])?;
        std::fs::create_dir(folder.path().join(name))?;
        std::fs::write(folder.path().join(name).join("report.json"), &report)?;
        tickets.push(relay.issues_from(&folder.path().join(name)).await?);
        reports.extend(report);
    }
    Ok((reports, tickets))
}

/// A claim with the discharge summary, which the insurer's own server settles: the server, and the claim's code.
async fn claims(phone: &Person, relay: &Relay) -> Result<(ClaimsServer, String)> {
    let insurer = ClaimsServer::starts(relay, INSURER, Role::InsurerCommercial).await?;
    phone.goes_to("patient", "/").await?;
    phone.unlocks().await?;
    phone.taps("住院收费票据").await?;
    phone.begins_a_claim().await?;
    phone.taps("出院小结").await?;
    let claim = phone.shows_the_claim().await?;
    let (said, agreed) = tokio::join!(insurer.settles(&claim), phone.agrees_to_the_claim());
    agreed?;
    let said = said?;
    assert!(said.contains("along with it") && said.contains("settled 9927.86"), "{said}");
    phone.sees("赔付 ¥9,927.86，全部赔了").await?;
    Ok((insurer, claim))
}

/// The doctor asks in the room and reads from the phone: the live code.
async fn consults(phone: &Person, doctor: &Person) -> Result<String> {
    phone.goes_to("patient", "/").await?;
    phone.unlocks().await?;
    phone.taps("出示").await?;
    phone.taps("请医生当面问").await?;
    let live = phone.copies_the_link().await?;
    doctor.accepts(&live).await?;
    doctor.taps("请患者同意").await?;
    phone.sees("让这位医生看吗？").await?;
    phone.taps("同意").await?;
    doctor.taps("打开病历").await?;
    doctor.sees(WORD).await?;
    doctor.taps("看完了，关闭").await?;
    Ok(live)
}

#[tokio::test]
async fn no_canary_is_on_the_wire_in_the_relay_or_in_the_browser_once_it_is_locked() -> Result<()> {
    Scene::play("canaries", 2, async |scene| {
        scene.relay.tells_everything().await?;
        let between = scene.between().await?;
        // Another process than the relay issues them.
        let (reports, tickets) = issued(&scene.relay).await?;
        let [ticket, bill, summary] = &tickets[..] else { anyhow::bail!("three are issued") };
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_first(ticket).await?;
        phone.sees(WORD).await?;
        for ticket in [summary, bill] {
            phone.keeps_at("patient", ticket).await?;
        }
        phone.goes_to("patient", "/protect").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        let paper = phone.reads_the_words().await?.join(" ");
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        let link = phone.shows_this_visit().await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        doctor.enrols("doctor").await?;
        doctor.accepts(&link).await?;
        phone.consents().await?;
        doctor.taps("打开病历").await?;
        doctor.sees(WORD).await?;
        doctor.sees("这次阅读已记入账本").await?;

        doctor.taps("看完了，关闭").await?;
        let live = consults(&phone, &doctor).await?;

        let (insurer, claim) = claims(&phone, &scene.relay).await?;

        let entropy = Entropy::from_text(&paper)?;
        let (Scanned::Ticket { ticket: scanned, .. }, Scanned::Consent { offer, .. }) =
            (scan(ticket)?, scan(&link)?)
        else {
            anyhow::bail!("not what was shown");
        };
        let Scanned::Consent { offer: claimed, .. } = scan(&claim)? else { anyhow::bail!("not a claim") };
        let code = |link: &str| link.rsplit_once('#').map(|(_, code)| code.to_owned()).context("a fragment");
        let keys = entropy.keys();
        let ticket_code = BASE64URL_NOPAD.decode(code(ticket)?.as_bytes())?;
        let seed =
            ticket_code.strip_suffix(scanned.commitment().as_bytes()).context("seed and commitment")?;
        assert_eq!(seed.len(), 32);
        let canaries = [
            words("the record's word", WORD),
            words("the patient's name", NAME),
            words("the passphrase", PASSPHRASE),
            words("the paper's words", &paper),
            words("the paper's words in a list", &paper.replace(' ', ",")),
            words("the paper's words in lines", &paper.replace(' ', "\n")),
            words("the paper's words together", &paper.replace(' ', "")),
            secret("the paper's secret", entropy.as_bytes()),
            secret("the recovery key", &*keys.encryption.to_bytes()),
            secret("the vault's root", &*keys.vault_root.to_bytes()),
            secret("the holder's root", &*keys.holder_root.to_bytes()),
            secret("the ticket's seed", seed),
            secret("the consent code's secret", &*offer.offer_key.to_bytes()),
            secret("the claim code's secret", &*claimed.offer_key.to_bytes()),
            words("the ticket's code", &code(ticket)?),
            words("the invoice's code", &code(bill)?),
            words("the consent's code", &code(&link)?),
            words("the live code", &code(&live)?),
            words("the claim's code", &code(&claim)?),
        ];

        // Reading anew locks it; what the page kept in memory is gone with the page.
        phone.goes_to("patient", "/").await?;
        phone.sees("输入密码").await?;
        let locked = kept(&phone).await?;
        let (wire, log) = (between.has_passed(), std::fs::read(scene.relay.log())?);
        let memory = memory(scene.relay.process_id()?)?;
        let (mut stored, mut insurers) = (Vec::new(), Vec::new());
        files(&scene.relay.data(), &mut stored)?;
        files(&insurer.data(), &mut insurers)?;
        let (sockets, insurers_wire) = (between.was_said_by_socket(), insurer.between.has_passed());
        let insurers_log = std::fs::read(insurer.log())?;

        // The ledger's first entry lies in the browser's database as it came.
        let genesis = scene.relay.get("/v1/ledger/genesis").await?.body;
        let (grant, name) = (offer.grant.as_bytes().as_slice(), offer.grant.to_string());
        let (claimed, ledger) =
            (claimed.grant.to_string(), Client::connect(&scene.relay.origin("")).await?.ledger());
        let places = [
            ("the locked browser", &locked, genesis.as_slice()),
            ("the wire", &wire, name.as_bytes()),
            ("what browsers said by socket", &sockets, b"/noise".as_slice()),
            ("the relay's log", &log, b"/v1/transactions"),
            ("the relay's memory", &memory, grant),
            ("the relay's files", &stored, grant),
            ("the insurer's wire", &insurers_wire, claimed.as_bytes()),
            ("the insurer's log", &insurers_log, b"\"level\":\"TRACE\""),
            ("the insurer's files", &insurers, ledger.as_bytes()),
        ];
        let mut leaks = Vec::new();
        for (place, bytes, public) in places {
            assert!(holds(bytes, public), "{place} was not read: what is public is not there");
            leaks.extend(found(place, bytes, &canaries));
        }
        assert!(leaks.is_empty(), "{leaks:#?}");
        // The search itself finds a canary where there is one.
        assert_eq!(found("the reports", &reports, &canaries).len(), 2);
        Ok(())
    })
    .await
}
