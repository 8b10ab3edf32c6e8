//! The peer that is on every machine: `openssl speed`, one core, lines for machines (`-mr`).

use std::process::Command;

use crate::machine;
use crate::steps::output;

/// Rounds of a second each, whose best counts.
const ROUNDS: usize = 3;

/// Which openssl this is.
pub fn version() -> Option<String> {
    machine::program("openssl")?;
    let version = output(Command::new("openssl").arg("version"))?;
    Some(version.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

/// Nanoseconds of one SM2 signature and of one verification.
pub fn sm2() -> Option<(f64, f64)> {
    let rates = best(&["sm2"], |line| {
        let mut fields = line.strip_prefix("+F7:")?.rsplit(':');
        let (verify, sign) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((sign, verify))
    });
    rates.map(|(sign, verify): (f64, f64)| (1e9 / sign, 1e9 / verify))
}

/// Nanoseconds that a digest or cipher takes over so many bytes; none where openssl doesn't have it.
pub fn over(algorithm: &str, bytes: usize) -> Option<f64> {
    let rates = best(&["-bytes", &bytes.to_string(), "-evp", algorithm], |line| {
        let rate = line.strip_prefix("+F:")?.rsplit(':').next()?.parse().ok()?;
        Some((rate, rate))
    });
    #[allow(clippy::cast_precision_loss)] // a megabyte
    rates.map(|(rate, _): (f64, f64)| bytes as f64 / rate * 1e9)
}

/// The highest rates that the line with the figures named.
fn best(arguments: &[&str], read: impl Fn(&str) -> Option<(f64, f64)>) -> Option<(f64, f64)> {
    machine::program("openssl")?;
    (0..ROUNDS).try_fold((0_f64, 0_f64), |best, _| {
        let text = output(Command::new("openssl").args(["speed", "-mr", "-seconds", "1"]).args(arguments))?;
        let (one, two) = text.lines().find_map(&read)?;
        Some((best.0.max(one), best.1.max(two)))
    })
}
