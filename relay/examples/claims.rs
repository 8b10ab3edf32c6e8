//! A client of an insurer's server: takes a patient's claim, waits until it is open, settles what may be paid.
//!
//!     cargo run --example claims -- URL KEY.pem LINK
//!
//! In the sandbox LINK may be `sandbox`: then a patient is played.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{error::Error, time::Duration};
use suishen_core::{
    id::LedgerId,
    identity::request::{Message, sign_registered},
    sm::{Digest, Random as _, SecretKey, edge},
};
use suishen_relay::random::SystemRandom;

struct Insurer {
    url: String,
    key: SecretKey,
    http: Client,
}

impl Insurer {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Box<dyn Error>> {
        let info: Value = self.http.get(format!("{}/v1/info", self.url)).send().await?.json().await?;
        let ledger = info["ledger"].as_str().and_then(LedgerId::from_hex).ok_or("no ledger")?;
        let now = info["now"].as_u64().ok_or("no time")?;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let content = Digest::of(body.as_bytes());
        // New for each thing to be done; a real client stores it beside what it does, and sends it again after a crash.
        let once = data_encoding::HEXLOWER.encode(&SystemRandom.bytes::<16>());
        let signs = (method == Method::POST).then_some(once.as_str());
        let message = Message { method: method.as_str(), path, query: "", content, once: signs };
        let signed = sign_registered(&message, &self.key, &ledger, now, &mut SystemRandom);
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json").header("idempotency-key", once);
        let request = request.header("content-digest", signed.content_digest).header("accept-language", "en");
        let request =
            request.header("signature-input", signed.signature_input).header("signature", signed.signature);
        let answer = request.body(body).send().await?;
        let refused = !answer.status().is_success();
        let told: Value = answer.json().await?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        if refused { Err(format!("{}. {}", text("detail"), text("action")).into()) } else { Ok(told) }
    }

    /// The claim, once it is in none of these states.
    async fn after(&self, path: &str, states: &[&str]) -> Result<Value, Box<dyn Error>> {
        loop {
            let claim = self.call(Method::GET, path, None).await?;
            if !states.iter().any(|state| claim["state"] == *state) {
                return Ok(claim);
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

#[tokio::main]
async fn main() {
    if let Err(error) = settle().await {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

async fn settle() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, link] = arguments.as_slice() else { return Err("give URL, KEY.pem and LINK".into()) };
    let key = edge::secret_key_from_pem(&std::fs::read_to_string(key)?)?;
    let insurer = Insurer { url: url.clone(), key, http: Client::new() };
    let link = match link.as_str() {
        "sandbox" => insurer.call(Method::POST, "/v1/sandbox/claims", None).await?["link"].clone(),
        link => json!(link),
    };
    let claim = insurer.call(Method::POST, "/v1/claims", Some(json!({ "link": link }))).await?;
    let path = format!("/v1/claims/{}", claim["id"].as_str().ok_or("no id")?);
    let claim = insurer.after(&path, &["received", "waiting"]).await?;
    for paper in claim["papers"].as_array().into_iter().flatten() {
        println!(
            "along with it: {}, withheld ({})",
            paper["title"].as_str().unwrap_or("-"),
            paper["withheld"]
        );
    }
    let nothing =
        || format!("the claim came to nothing: {}", claim["closed"]["detail"].as_str().unwrap_or("-"));
    let paid = claim["invoice"]["payable"].as_str().ok_or_else(nothing)?;
    insurer.call(Method::POST, &format!("{path}/decision"), Some(json!({ "paid": paid }))).await?;
    let settled = insurer.after(&path, &["deciding"]).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let decision = &settled["decision"];
    println!("{} {} {}", text(&settled["state"]), text(&decision["paid"]), decision["entry"]);
    Ok(())
}
