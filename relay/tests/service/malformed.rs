//! Whatever is sent to whatever operation: the answer is a problem that says what was wrong, in the asker's
//! language, and the relay goes on. The operations are those of the served OpenAPI document, so that a new one is
//! attacked from its first day.

use crate::{
    grants::{redemption, share},
    raw::{Answer, exchange},
    relay::{Relay, fresh},
};
use serde_json::Value;
use suishen_core::{
    cbor,
    gate::Released,
    id::{BlobAddress, LedgerId},
    identity::request::{Message, sign},
    sm::{Digest, SecretKey, Signed},
};
use suishen_relay::{command::fsck, http::gate::Ask, random::SystemRandom};

const ID: &str = "abababababababababababababababababababababababababababababababab";
/// Largest body but for blobs.
const LIMIT: usize = 1 << 20;
/// Values that no path takes: percent-encoded badly, out of range, too long, leading elsewhere.
const PATHS: [&str; 14] = [
    "%",
    "%zz",
    "%2",
    "%00",
    "%ff%fe",
    "..",
    "%2e%2e",
    "%2f..%2fledger.redb",
    "-1",
    "18446744073709551616",
    "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB",
    "%E5%AE%89%E6%BE%9C",
    "a;b=c",
    "'%20OR%201=1",
];
const NUMBERS: [&str; 9] = ["", "x", "-1", "+1", "1.5", "18446744073709551616", "%ff", "%", "1%00"];
const RANGES: [&str; 12] = [
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=5-4",
    "bytes=-0",
    "bytes=0-1,5-6",
    "items=0-1",
    "bytes=18446744073709551615-",
    "bytes=18446744073709551616-18446744073709551617",
    "bytes=900000-",
];

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    parameters: Vec<(String, String)>,
    takes: Option<String>,
    signed: bool,
    statuses: Vec<u16>,
}

/// The operations that the relay says it has.
async fn operations(relay: &Relay) -> Vec<Operation> {
    let document = reqwest::get(format!("{}/v1/openapi.json", relay.base)).await.unwrap();
    let document: Value = document.json().await.unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let content = operation["requestBody"]["content"].as_object();
            all.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                parameters: parameters.map(|p| (text(&p["in"]), text(&p["name"]))).collect(),
                takes: content.map(|content| content.keys().next().unwrap().clone()),
                signed: !operation["security"].is_null(),
                statuses: operation["responses"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|s| s.parse().unwrap())
                    .collect(),
            });
        }
    }
    all
}

impl Operation {
    fn named(&self, place: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(at, _)| at == place).map(|(_, name)| name.as_str())
    }

    /// The path with values that could stand there.
    fn plain_path(&self) -> String {
        self.named("path").fold(self.path.clone(), |path, name| fill(&path, name, plain(name)))
    }

    fn plain_query(&self) -> String {
        self.named("query").map(|name| format!("{name}=1")).collect::<Vec<_>>().join("&")
    }

    fn attack(&self, what: impl Into<String>) -> Attack<'_> {
        Attack {
            operation: self,
            what: what.into(),
            method: self.method.clone(),
            path: self.plain_path(),
            query: self.plain_query(),
            headers: Vec::new(),
            body: Vec::new(),
            must: Must::Refuse,
            signer: None,
        }
    }
}

fn plain(name: &str) -> &'static str {
    match name {
        "key" => "00",
        "path" => "9/999",
        "prefix" | "index" => "0",
        _ => ID,
    }
}

fn fill(path: &str, name: &str, value: &str) -> String {
    path.replace(&format!("{{{name}}}"), value)
}

/// What the answer to an attack has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    /// A problem below 500.
    Refuse,
    /// Anything below 500; a problem from 400 on.
    Bear,
    /// It isn't HTTP, or beyond what the HTTP layer reads: a bare answer from 400 on, or none.
    Drop,
}

struct Attack<'a> {
    operation: &'a Operation,
    what: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    must: Must,
    signer: Option<SecretKey>,
}

impl Attack<'_> {
    fn must(mut self, must: Must) -> Self {
        self.must = must;
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.headers.push(("content-length", self.body.len().to_string().into_bytes()));
        self
    }

    /// The same with a signature that holds, by a key that has no rights.
    fn signed(mut self) -> Self {
        self.signer = Some(fresh());
        self
    }

    fn bytes(&self, ledger: &LedgerId, now: u64, language: &str) -> Vec<u8> {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let mut bytes = format!(
            "{} {}{mark}{} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n",
            self.method, self.path, self.query
        )
        .into_bytes();
        let mut add = |name: &str, value: &[u8]| {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        if let Some(key) = &self.signer {
            let content = Digest::of(&self.body);
            let message =
                Message { method: &self.method, path: &self.path, query: &self.query, content, once: None };
            let fields = sign(&message, key, ledger, now, &mut SystemRandom);
            add("content-digest", fields.content_digest.as_bytes());
            add("signature-input", fields.signature_input.as_bytes());
            add("signature", fields.signature.as_bytes());
        }
        if !self.headers.iter().any(|(name, _)| *name == "accept-language") {
            add("accept-language", language.as_bytes());
        }
        for (name, value) in &self.headers {
            add(name, value);
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }

    /// What is wrong with the answer.
    fn check(&self, answer: Option<&Answer>, english: bool) -> Result<(), String> {
        let verdict = match (answer, self.must) {
            (None, Must::Drop) => Ok(()),
            (None, _) => Err("closed without an answer".into()),
            (Some(answer), _) if answer.status >= 500 => Err("that is the relay's fault".into()),
            (Some(answer), Must::Bear) if answer.status < 400 => Ok(()),
            (Some(answer), _) if answer.status < 400 => Err("it was taken".into()),
            (Some(_), Must::Drop) => Ok(()),
            (Some(answer), _) => self.check_problem(answer, english),
        };
        let Operation { method, path, .. } = self.operation;
        let status = answer.map_or(0, |answer| answer.status);
        verdict.map_err(|why| format!("{method} {path} with {}: {status}: {why}", self.what))
    }

    fn check_problem(&self, answer: &Answer, english: bool) -> Result<(), String> {
        let unless = |good: bool, why: &str| if good { Ok(()) } else { Err(why.to_owned()) };
        unless(answer.header("content-type") == "application/problem+json", "not a problem")?;
        unless(answer.header("content-security-policy").starts_with("default-src 'none'"), "no policy")?;
        let problem: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        unless(problem["status"] == answer.status, "another status inside")?;
        let code = problem["code"].as_str().unwrap_or_default();
        unless(problem["type"] == format!("urn:suishen:problem:{code}"), "another type")?;
        for field in ["title", "detail", "action"] {
            let sentence = problem[field].as_str().unwrap_or_default();
            unless(!sentence.is_empty() && sentence.is_ascii() == english, sentence)?;
        }
        let anywhere = [405, 431].contains(&answer.status);
        unless(anywhere || self.operation.statuses.contains(&answer.status), "not in the document")
    }
}

/// The same bytes in each run.
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }
}

fn bodies(noise: &mut Noise) -> Vec<(String, Vec<u8>)> {
    let whole = cbor::encode(&Ask { object: Digest::of(b"x"), use_number: 1 });
    let mut all = vec![
        ("no body".to_owned(), Vec::new()),
        ("a body cut short".to_owned(), whole[..whole.len() - 3].to_vec()),
        ("a byte too much".to_owned(), [&whole[..], &[0]].concat()),
        ("JSON cut short".to_owned(), br#"{"object": "00"#.to_vec()),
        ("arrays in arrays".to_owned(), vec![0x81; 100_000]),
        ("maps in maps".to_owned(), [0xa1, 0x00].repeat(50_000)),
        ("a tag on a tag".to_owned(), vec![0xc1; 100_000]),
        ("bytes without an end".to_owned(), [&[0x5f], &[0x41, 0x00].repeat(1000)[..]].concat()),
    ];
    for (what, head) in [("bytes", 0x5b_u8), ("text", 0x7b), ("an array", 0x9b), ("a map", 0xbb)] {
        for length in [u64::MAX, 1 << 40, 1 << 31] {
            let body = [&[head], &length.to_be_bytes()[..], &[0; 16]].concat();
            all.push((format!("{what} that would have {length} items"), body.clone()));
            let inside = [&[0xa2, 0x00], &body[..]].concat();
            all.push((format!("a map with {what} that would have {length} items"), inside));
        }
    }
    for length in [1, 7, 33, 400, 5000] {
        all.push((format!("{length} random bytes"), noise.bytes(length)));
    }
    all
}

fn in_the_body<'a>(operation: &'a Operation, noise: &mut Noise, all: &mut Vec<Attack<'a>>) {
    let Some(kind) = &operation.takes else { return };
    let signatures: &[bool] = if operation.signed { &[false, true] } else { &[false] };
    for signed in signatures {
        let mut add = |attack: Attack<'a>| all.push(if *signed { attack.signed() } else { attack });
        for (what, body) in bodies(noise) {
            add(operation.attack(what).header("content-type", kind.as_str()).body(body));
        }
        for other in
            ["", "text/plain", "application/json", "application/cbor-seq", "multipart/form-data; boundary=x"]
        {
            add(operation.attack(format!("content type {other:?}")).header("content-type", other).body("{}"));
        }
        // A blob may be larger; there the address is wrong.
        let large = operation.attack("a body above the limit").header("content-type", kind.as_str());
        add(large.body(vec![0x41; LIMIT + 1]));
    }
    for (name, value) in [("content-length", "-1"), ("content-length", "1e3"), ("transfer-encoding", "zip")] {
        let attack = operation.attack(format!("{name}: {value}")).must(Must::Drop);
        all.push(attack.header("content-type", kind.as_str()).header(name, value));
    }
    let mut torn = operation.attack("a chunk that is none").header("content-type", kind.as_str());
    torn = torn.header("transfer-encoding", "chunked");
    torn.body = b"zz\r\nnothing\r\n".to_vec();
    all.push(torn);
}

fn in_the_target<'a>(operation: &'a Operation, all: &mut Vec<Attack<'a>>) {
    let signed = |attack: Attack<'a>| if operation.signed { attack.signed() } else { attack };
    for name in operation.named("path") {
        for value in PATHS {
            let path = fill(&operation.path, name, value);
            let path = operation.named("path").fold(path, |path, name| fill(&path, name, plain(name)));
            let mut attack =
                operation.attack(format!("{name} = {value}")).header("content-type", "application/cbor");
            attack.path.clone_from(&path);
            let mut second = operation
                .attack(format!("{name} = {value}, signed"))
                .header("content-type", "application/cbor");
            second.path = path;
            all.extend([attack, signed(second)]);
        }
        let mut long = operation.attack(format!("{name} of 10,000 digits"));
        long.path = fill(&operation.path, name, &"1".repeat(10_000));
        let mut longer = operation.attack(format!("{name} of 20,000 digits"));
        longer.path = fill(&operation.path, name, &"1".repeat(20_000));
        let mut longest = operation.attack(format!("{name} of 100,000 digits")).must(Must::Drop);
        longest.path = fill(&operation.path, name, &"1".repeat(100_000));
        all.extend([long, longer, longest]);
    }
    for name in operation.named("query") {
        for value in NUMBERS {
            let mut attack = operation.attack(format!("{name}={value}"));
            let others =
                operation.named("query").filter(|other| *other != name).map(|other| format!("{other}=1"));
            attack.query = others.chain([format!("{name}={value}")]).collect::<Vec<_>>().join("&");
            all.push(signed(attack));
        }
        let mut twice = operation.attack(format!("{name} twice"));
        twice.query = format!("{}&{name}=1", operation.plain_query());
        let mut more = operation.attack("a parameter that nobody knows");
        more.query = format!("{}&other=1", operation.plain_query());
        let mut largest =
            operation.attack(format!("{name} and all others as large as can be")).must(Must::Bear);
        largest.query =
            operation.named("query").map(|n| format!("{n}={}", u64::MAX)).collect::<Vec<_>>().join("&");
        all.extend([signed(twice), signed(more), signed(largest)]);
    }
}

fn in_the_headers<'a>(operation: &'a Operation, noise: &mut Noise, all: &mut Vec<Attack<'a>>) {
    let visible = |bytes: Vec<u8>| bytes.into_iter().map(|b| 0x80 | b).collect::<Vec<u8>>();
    let kind = "application/cbor";
    let attack = |what: &str| operation.attack(what).header("content-type", kind);
    all.push(attack("a header field of 20 KB").header("x-padding", vec![b'x'; 20_000]));
    all.push(attack("a header field of 1 MB").header("x-padding", vec![b'x'; 1_000_000]).must(Must::Drop));
    all.push((0..150).fold(attack("150 header fields").must(Must::Drop), |a, _| a.header("x-more", "1")));
    all.push(attack("a field name that is none").header("x padding\u{0}", "1").must(Must::Drop));
    for origin in [b"null".to_vec(), b"https://evil.example".to_vec(), visible(noise.bytes(40))] {
        all.push(attack("another page's origin").header("origin", origin));
    }
    for range in RANGES {
        all.push(attack(&format!("range {range:?}")).header("range", range).must(Must::Bear));
    }
    let mut brew = attack("a method that nobody knows").body("");
    brew.method = "BREW".into();
    all.push(brew);
    for (name, value) in [
        ("if-none-match", visible(noise.bytes(50))),
        ("range", visible(noise.bytes(50))),
        ("content-type", visible(noise.bytes(50))),
        ("x-forwarded-for", visible(noise.bytes(50))),
        ("expect", b"100-continue, more".to_vec()),
        ("upgrade", b"websocket".to_vec()),
    ] {
        all.push(operation.attack(format!("noise in {name}")).header(name, value).must(Must::Bear));
    }
    if operation.signed {
        for value in [visible(noise.bytes(200)), vec![b'('; 8000], b"suishen=::".to_vec()] {
            let fields = ["content-digest", "signature-input", "signature"];
            all.push(
                fields.iter().fold(attack("noise for a signature"), |a, name| a.header(name, value.clone())),
            );
        }
        let twice = attack("two signatures").signed().header("signature", "suishen=:AAAA:");
        all.push(twice);
    }
}

#[tokio::test]
async fn every_operation_answers_every_malformed_request_with_a_problem() {
    let relay = Relay::start_with(|serve| serve.limits.requests_per_address = 0).await;
    let client = relay.client().await;
    let mut noise = Noise(0x5eed_2026);
    let operations = operations(&relay).await;
    assert!(operations.len() > 25);
    let mut attacks = Vec::new();
    for operation in &operations {
        in_the_body(operation, &mut noise, &mut attacks);
        in_the_target(operation, &mut attacks);
        in_the_headers(operation, &mut noise, &mut attacks);
    }
    let mut wrong = Vec::new();
    for attack in &attacks {
        for (language, english) in [("zh-CN", false), ("en", true)] {
            let now = client.info().await.unwrap().now;
            let answer = exchange(&relay.base, &attack.bytes(&client.ledger(), now, language)).await;
            wrong.extend(attack.check(answer.as_ref(), english).err());
        }
    }
    assert!(wrong.is_empty(), "of {} attacks:\n{}", attacks.len(), wrong.join("\n"));

    // All is as it was: a whole consent goes through, and the ledger proves whole.
    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    let epk = fresh();
    client.submit(&redemption(&shared, &client, 1, epk.public())).await.unwrap();
    let _: Signed<Released> = shared.release(&client, 1, now).await.unwrap();
    let dir = relay.stop().await;
    let report = fsck::examine(dir.path()).unwrap();
    assert_eq!((report.findings, report.database), (vec![], true));
}

#[tokio::test]
async fn no_range_of_a_blob_breaks_the_relay() {
    let relay = Relay::start().await;
    let (client, owner) = (relay.client().await, fresh());
    let now = client.info().await.unwrap().now;
    let address = BlobAddress::of(&[7; 5000]);
    client.put_blob(&address, vec![7; 5000], &owner, now).await.unwrap();
    let operations = operations(&relay).await;
    let get = operations.iter().find(|o| o.path.starts_with("/v1/blobs/") && o.method == "GET").unwrap();
    for range in RANGES {
        let mut attack = get.attack(format!("range {range:?}")).header("range", range);
        attack.path = format!("/v1/blobs/{address}");
        attack.signer = Some(owner.clone());
        let answer = exchange(&relay.base, &attack.bytes(&client.ledger(), now, "en")).await.unwrap();
        attack.check(Some(&answer), true).unwrap();
        assert_eq!(answer.status, 416, "{range}");
    }
    assert_eq!(client.get_blob(&address, &owner, now).await.unwrap().len(), 5000);
}

#[tokio::test]
async fn what_is_no_http_and_what_never_ends_holds_nobody_up() {
    let relay = Relay::start_with(|serve| serve.limits.body_seconds = 1).await;
    let client = relay.client().await;
    let mut noise = Noise(0xbad_5eed);
    for length in [1, 100, 10_000] {
        let sent = [&noise.bytes(length)[..], b"\r\n\r\n"].concat();
        assert!(exchange(&relay.base, &sent).await.is_none_or(|answer| (400..500).contains(&answer.status)));
    }
    for operation in operations(&relay).await.iter().filter(|operation| operation.takes.is_some()) {
        let mut stalled = operation.attack("a body that stalls").signed();
        stalled = stalled.header("content-type", operation.takes.clone().unwrap());
        stalled = stalled.header("content-length", "1000");
        let now = client.info().await.unwrap().now;
        let answer = exchange(&relay.base, &stalled.bytes(&client.ledger(), now, "en")).await.unwrap();
        stalled.check(Some(&answer), true).unwrap();
        assert!([408, 422].contains(&answer.status), "{} {}", operation.path, answer.status);
    }
    client.info().await.unwrap();
}
