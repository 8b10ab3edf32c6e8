//! The consent sentence, built from a choice: what stands on the screen is what is signed.

use suishen_bridge::{Purpose, ShareSentence};

use crate::words::{Words, figure};

/// A purpose's key.
pub fn purpose_key(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment => "purpose-treatment",
        Purpose::Coordination => "purpose-coordination",
        Purpose::Emergency => "purpose-emergency",
        Purpose::PatientRequest => "purpose-own",
        Purpose::Payment => "purpose-payment",
    }
}

/// Lengths that are offered, seconds: 15 minutes to 30 days.
pub const LENGTHS: [u64; 7] = [900, 3600, 14_400, 86_400, 259_200, 604_800, 2_592_000];

/// Numbers of reads that are offered.
pub const READS: [u32; 5] = [1, 2, 3, 5, 10];

/// "扫码的医生可以看 **3 份病历**，从现在起 **24 小时**内，最多 **2 次**。"
pub fn sentence(words: &Words, records: usize, duration: u64, reads: u32) -> String {
    words.with(
        "share-sentence",
        &[
            ("records", figure(records as u64)),
            ("length", words.length(duration).into()),
            ("reads", figure(reads)),
        ],
    )
}

/// "李文可以看 **3 份病历**，从现在起 **1 小时**内，最多 **2 次**。"
pub fn sentence_for(words: &Words, name: &str, records: usize, duration: u64, reads: u32) -> String {
    words.with(
        "consult-sentence",
        &[
            ("name", name.into()),
            ("records", figure(records as u64)),
            ("length", words.length(duration).into()),
            ("reads", figure(reads)),
        ],
    )
}

/// Who is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader<'a> {
    /// Whoever scans the code; the patient is asked again.
    Asked,
    /// Whoever scans the code, at once.
    Unasked,
    /// A person whose name the patient has before them.
    Named(&'a str),
}

/// The whole text that the person agrees to: who, what, why, how long, how to take back; without stress marks.
pub fn consent(words: &Words, parts: &ShareSentence, purpose: Purpose, reader: Reader<'_>) -> String {
    let (records, duration, reads) = (parts.titles.len(), parts.duration, parts.reads);
    let first = match reader {
        Reader::Named(name) => sentence_for(words, name, records, duration, reads),
        Reader::Asked | Reader::Unasked => sentence(words, records, duration, reads),
    };
    let mut lines = vec![
        first.replace("**", ""),
        words.with("consent-what", &[("titles", words.list(&parts.titles).into())]),
        words.with("consent-why", &[("purpose", words.say(purpose_key(purpose)).into())]),
        words.say("consent-back"),
    ];
    if reader == Reader::Unasked {
        lines.push(words.say("consent-offline"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    #[test]
    fn the_consent_says_what_why_how_long_and_how_to_take_back() {
        let words = Words::new(Language::Chinese, 480);
        let parts = ShareSentence {
            titles: vec!["血脂与肝功能".to_owned(), "处方".to_owned()],
            reads: 2,
            duration: 86_400,
            accept_within: 1800,
            sensitive: 0,
        };
        let text = consent(&words, &parts, Purpose::Treatment, Reader::Asked);
        for part in ["2 份病历", "24 小时", "2 次", "血脂与肝功能、处方", "看病", "不给看了"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("**"));
        let unasked = consent(&words, &parts, Purpose::Treatment, Reader::Unasked);
        assert!(unasked.lines().count() > text.lines().count());
        assert!(consent(&words, &parts, Purpose::Treatment, Reader::Named("李文")).starts_with("李文"));
    }
}
