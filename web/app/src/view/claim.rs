//! Claims in words: sums as people write them, and a line for how one goes.

use suishen_bridge::{ClaimAlarm, ClaimGap, ClaimPiece, ClaimPieceKind, ClaimState, Payer};

use crate::words::{Words, figure};

/// The code of the currency that is written as ¥.
pub const YUAN: &str = "CNY";

/// `31290.30 CNY` as ¥31,290.30; another currency keeps its code.
pub fn sum(text: &str) -> String {
    let (amount, currency) = text.split_once(' ').unwrap_or((text, ""));
    let (whole, rest) = amount.split_once('.').unwrap_or((amount, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if currency == YUAN { "¥".to_owned() } else { format!("{currency} ") };
    format!("{sign}{grouped}.{rest}")
}

/// The same of what may be a sum or anything else.
pub fn sum_or_text(text: &str) -> String {
    let is_sum = text.split_once(' ').is_some_and(|(amount, currency)| {
        currency == YUAN && amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    if is_sum { sum(text) } else { text.to_owned() }
}

/// A class of insurer's key.
pub const fn payer_key(payer: Payer) -> &'static str {
    match payer {
        Payer::Statutory => "claim-statutory",
        Payer::Commercial => "claim-commercial",
    }
}

/// What a piece is called.
pub fn piece_name(words: &Words, piece: &ClaimPiece) -> String {
    let key = match piece.kind {
        ClaimPieceKind::Invoice => "claim-piece-invoice",
        ClaimPieceKind::Insured => "claim-piece-insured",
        ClaimPieceKind::Hospital => "claim-piece-hospital",
        ClaimPieceKind::Policy => "claim-piece-policy",
        ClaimPieceKind::Numbers => "claim-piece-numbers",
        ClaimPieceKind::Contact => "claim-piece-contact",
        ClaimPieceKind::Visit => "claim-piece-visit",
        ClaimPieceKind::OtherPolicy => "claim-piece-other-policy",
        ClaimPieceKind::Diagnosis | ClaimPieceKind::Line | ClaimPieceKind::Other => {
            return piece.name.clone().unwrap_or_else(|| words.say("claim-piece-other"));
        }
    };
    words.say(key)
}

/// What is missing, as a key.
pub const fn gap_key(gap: ClaimGap) -> &'static str {
    match gap {
        ClaimGap::Tag => "claim-gap-tag",
        ClaimGap::Lines => "claim-gap-lines",
        ClaimGap::Diagnosis => "claim-gap-diagnosis",
        ClaimGap::Policy => "claim-gap-policy",
        ClaimGap::WhichPolicy => "claim-gap-which",
        ClaimGap::Discharge => "claim-gap-discharge",
        ClaimGap::Fees => "claim-gap-fees",
        ClaimGap::FeesDiffer => "claim-gap-fees-differ",
        ClaimGap::StatutoryFirst => "claim-gap-statutory-first",
    }
}

/// The whole text that the patient agrees to: who, what, why, how long, how to take back.
pub fn consent(
    words: &Words,
    payer: Payer,
    (shown, hidden): (usize, usize),
    along: &[String],
    (duration, reads): (u64, u32),
) -> String {
    words.with(
        if along.is_empty() { "claim-consent" } else { "claim-consent-along" },
        &[
            ("along", words.list(along).into()),
            ("payer", words.say(payer_key(payer)).into()),
            ("shown", figure(shown as u64)),
            ("hidden", figure(hidden as u64)),
            ("length", words.length(duration).into()),
            ("reads", figure(reads)),
        ],
    )
}

/// How a claim goes, as one line, and whether somebody should look at it. `over` where nobody else settles the invoice.
pub fn line(words: &Words, state: &ClaimState, now: u64, over: bool) -> (String, bool) {
    let with = |key: &str, text: &str| words.with(key, &[("text", text.into())]);
    let when = |time: u64| words.when(time, now);
    match state {
        ClaimState::Shared => (words.say("claim-shared"), false),
        ClaimState::Asked => (words.say("claim-asked"), true),
        ClaimState::Agreed => (words.say("claim-agreed"), false),
        ClaimState::Leaving => (words.say("claim-leaving"), false),
        ClaimState::Read(at) => (words.with("claim-read", &[("when", when(*at).into())]), false),
        ClaimState::Settled { at, told: None } => {
            (words.with("claim-settled-untold", &[("when", when(*at).into())]), false)
        }
        ClaimState::Settled { at, told: Some(told) } => {
            let (paid, when) = (sum(&told.paid), when(*at));
            let about = [("paid", paid.into()), ("when", when.into()), ("why", told.reason.as_str().into())];
            (words.with(if told.whole { "claim-settled" } else { "claim-settled-partly" }, &about), false)
        }
        ClaimState::Refused(why) => {
            (with(if over { "claim-refused-over" } else { "claim-refused" }, why), false)
        }
        ClaimState::Reversed { at, words: why } => {
            let about = [("when", when(*at).into()), ("why", why.as_deref().unwrap_or_default().into())];
            (words.with(if why.is_some() { "claim-reversed" } else { "claim-reversed-untold" }, &about), true)
        }
        ClaimState::Over => (words.say("claim-over"), false),
        ClaimState::Alarm(alarm) => (
            words.say(match alarm {
                ClaimAlarm::Auditor => "claim-alarm-auditor",
                ClaimAlarm::Other => "claim-alarm-other",
                ClaimAlarm::Contradicts => "claim-alarm-contradicts",
            }),
            true,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_grouped_by_thousands() {
        for (text, shown) in [
            ("31290.30 CNY", "¥31,290.30"),
            ("0.00 CNY", "¥0.00"),
            ("480.00 CNY", "¥480.00"),
            ("1000000.05 HKD", "HKD 1,000,000.05"),
        ] {
            assert_eq!(sum(text), shown);
        }
    }
}
