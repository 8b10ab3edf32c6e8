//! The national cryptography: native beside openssl, and as wasm beside sm-crypto-v2.

use anyhow::Result;
use serde_json::Value;

use super::figure::{Figure, Table, Target, Unit};
use super::{criterion, node, openssl};
use crate::npm;
use crate::place::Place;
use crate::steps::Steps;

const PACKAGE: &str = "suishen-core";
const BENCH: &str = "crypto";
/// The works of `wallet-core/benches/works`, by what they are called there.
const WORKS: [(&str, &str); 8] = [
    ("sm2-sign", "SM2 sign"),
    ("sm2-verify", "SM2 verify"),
    ("sm3-1MiB", "SM3, 1 MiB"),
    ("sm4-gcm-64KiB", "SM4-GCM with its key derived, 64 KiB"),
    ("stream-encrypt-1MiB", "stream encrypted, 1 MiB"),
    ("stream-decrypt-1MiB", "stream decrypted, 1 MiB"),
    ("box-seal", "box sealed, 256 bytes"),
    ("box-open", "box opened, 256 bytes"),
];
const CHUNK: usize = 1 << 16;
const FILE: usize = 1 << 20;
/// No slower than what others would use instead.
const AS_FAST: Target = Target::Ratio(1.0);

/// Both tables; the second only with node and npm.
pub fn measure(place: &Place, steps: &mut Steps) -> Result<Vec<Table>> {
    steps.step("crypto: native build", || criterion::build(place, PACKAGE, BENCH))?;
    let script = steps.step("crypto: wasm build and npm", || node::provide(place))?;
    steps.step("crypto: native", || criterion::run(place, PACKAGE, BENCH))?;
    let peer = steps.step("crypto: openssl", || Ok(OpenSsl::measure()))?;
    let mut tables = vec![native(place, &peer)?];
    if let Some(script) = script {
        let times = steps.step("crypto: wasm and sm-crypto-v2", || node::run(&script))?;
        tables.push(wasm(&times));
    }
    Ok(tables)
}

/// What openssl takes for the works that it can do too.
struct OpenSsl {
    version: Option<String>,
    sm2: Option<(f64, f64)>,
    sm3: Option<f64>,
    /// The mode's name, and nanoseconds a chunk.
    sm4: Option<(&'static str, f64)>,
}

impl OpenSsl {
    fn measure() -> Self {
        // Before 3.1 it has no GCM for SM4: then counter mode, which is GCM without the tag.
        let sm4 =
            ["sm4-gcm", "sm4-ctr"].into_iter().find_map(|mode| Some((mode, openssl::over(mode, CHUNK)?)));
        Self { version: openssl::version(), sm2: openssl::sm2(), sm3: openssl::over("sm3", FILE), sm4 }
    }

    fn takes(&self, work: &str) -> Option<(String, f64)> {
        #[allow(clippy::cast_precision_loss)] // sixteen
        let chunks = (FILE / CHUNK) as f64;
        match work {
            "sm2-sign" => self.sm2.map(|(sign, _)| ("openssl sm2".into(), sign)),
            "sm2-verify" => self.sm2.map(|(_, verify)| ("openssl sm2".into(), verify)),
            "sm3-1MiB" => self.sm3.map(|time| ("openssl sm3".into(), time)),
            "sm4-gcm-64KiB" => self.sm4.map(|(mode, time)| (format!("openssl {mode}"), time)),
            _ if work.starts_with("stream") => {
                self.sm4.map(|(mode, time)| (format!("openssl {mode}"), time * chunks))
            }
            _ => None,
        }
    }

    fn notes(&self) -> Vec<String> {
        let version = self.version.as_deref().unwrap_or("no openssl on this machine");
        let mut notes = vec![format!(
            "processor time of one core; medians by criterion; peer: {version}, best of three seconds"
        )];
        if self.sm4.is_some_and(|(mode, _)| mode == "sm4-ctr") {
            notes.push(
                "this openssl has no SM4-GCM: its counter mode encrypts without computing a tag".into(),
            );
        }
        notes
    }
}

fn native(place: &Place, peer: &OpenSsl) -> Result<Table> {
    let figure = |(work, name): (&str, &str)| {
        let value = criterion::median(place, work)?;
        let peer = peer.takes(work);
        let target = if peer.is_some() { AS_FAST } else { Target::None };
        Ok(Figure { name: name.into(), value, unit: Unit::Nanoseconds, peer, target })
    };
    let figures = WORKS.into_iter().map(figure).collect::<Result<_>>()?;
    Ok(Table { title: "crypto, native", notes: peer.notes(), figures })
}

fn wasm(times: &Value) -> Table {
    let figure = |(work, name): (&str, &str)| {
        let (value, peer) = (times[work]["wasm"].as_f64()?, times[work]["peer"].as_f64()?);
        let peer = Some(("sm-crypto-v2".to_owned(), peer));
        Some(Figure { name: name.into(), value, unit: Unit::Nanoseconds, peer, target: AS_FAST })
    };
    let notes = vec![format!(
        "processor time, medians in one node process, in turns; peer: {} of npm",
        npm::SM_CRYPTO.label()
    )];
    Table { title: "crypto, wasm", notes, figures: WORKS.into_iter().filter_map(figure).collect() }
}
