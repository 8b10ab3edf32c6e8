//! How hard a passphrase is to guess, and one that is hard enough (PROTOCOL §3: a copied database is attacked
//! offline without limit).
//!
//! The estimate is what a guesser who knows people would need: words count as one choice among a list,
//! dates, runs and repeats as next to nothing. It errs on the low side for what it recognises and knows no
//! one's name; it never leaves the device.

use crate::identity::{Language, word_list};
use crate::sm::Random;
use zeroize::Zeroizing;

/// Bits at which a passphrase is accepted. At 64 MiB and three passes a guess costs some 50 ms of a core.
pub const ENOUGH_BITS: u32 = 50;

/// Words of a suggested passphrase: 66 bits; in Chinese characters 88.
const fn suggested_words(language: Language) -> usize {
    match language {
        Language::English => 6,
        Language::Chinese => 8,
    }
}

/// What people type first, in either language's keyboards.
const COMMON: [&str; 40] = [
    "password",
    "passwort",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "1q2w3e4r",
    "letmein",
    "welcome",
    "admin",
    "iloveyou",
    "woaini",
    "5201314",
    "1314",
    "520",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "shadow",
    "master",
    "abc123",
    "a123456",
    "woaiwojia",
    "caonima",
    "mima",
    "nihao",
    "zhongguo",
    "china",
    "beijing",
    "suishen",
    "iphone",
    "huawei",
    "xiaomi",
    "wechat",
    "weixin",
    "alipay",
    "taobao",
];

/// Estimated bits, rounded down.
pub fn strength(passphrase: &str) -> u32 {
    let lower = Zeroizing::new(passphrase.to_lowercase().chars().collect::<Vec<_>>());
    let original: Zeroizing<Vec<char>> = Zeroizing::new(passphrase.chars().collect());
    let (mut tenths, mut at, mut before) = (0, 0, Vec::new());
    while at < lower.len() {
        let rest = &lower[at..];
        let (length, mut cost) = piece(rest);
        // Said before: next to nothing.
        if before.contains(&&rest[..length]) {
            cost = cost.min(10);
        }
        if length > 1 && original.get(at).is_some_and(|c| c.is_uppercase()) {
            cost += 10;
        }
        before.push(&rest[..length]);
        tenths += cost;
        at += length;
    }
    tenths / 10
}

/// The next piece of a passphrase as a guesser would take it: characters and tenths of bits.
fn piece(rest: &[char]) -> (usize, u32) {
    let run = run(rest);
    if run >= 3 {
        return (run, 60);
    }
    if let Some(length) = COMMON.iter().filter_map(|word| prefix(rest, word)).max() {
        return (length, 60);
    }
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    if (4..=8).contains(&digits) && looks_like_a_date(&rest[..digits]) {
        return (digits, 140);
    }
    let english = word_list(Language::English);
    if let Some(length) =
        english.iter().filter_map(|word| prefix(rest, word)).filter(|length| *length >= 3).max()
    {
        return (length, 110);
    }
    let cost = match rest[0] {
        '0'..='9' => 33,
        'a'..='z' => 40,
        c if c.is_ascii() => 45,
        c if c.is_alphabetic() => 80,
        _ => 60,
    };
    (1, cost)
}

fn prefix(rest: &[char], word: &str) -> Option<usize> {
    let length = word.chars().count();
    let matches = rest.len() >= length && word.chars().zip(rest).all(|(a, b)| a == *b);
    matches.then_some(length)
}

/// How many characters from here are alike, or go up or down by one.
fn run(rest: &[char]) -> usize {
    let steps = rest.windows(2).map(|pair| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0])));
    let mut steps = steps.peekable();
    let Some(first) = steps.peek().copied().filter(|step| step.abs() <= 1) else { return 1 };
    1 + steps.take_while(|step| *step == first).count()
}

fn looks_like_a_date(digits: &[char]) -> bool {
    let number = |range: core::ops::Range<usize>| {
        digits.get(range).and_then(|d| d.iter().collect::<String>().parse::<u32>().ok())
    };
    let year = |at| number(at..at + 4).is_some_and(|y| (1900..=2099).contains(&y));
    let month_day = |at: usize| {
        number(at..at + 2).is_some_and(|m| (1..=12).contains(&m))
            && number(at + 2..at + 4).is_some_and(|d| (1..=31).contains(&d))
    };
    match digits.len() {
        4 => year(0) || month_day(0),
        6 => month_day(2) || year(0),
        8 => (year(0) && month_day(4)) || (month_day(0) && year(4)),
        _ => false,
    }
}

/// A passphrase of words drawn evenly from the recovery phrase's list: at least 66 bits.
pub fn suggest(language: Language, random: &mut dyn Random) -> Zeroizing<String> {
    let list = word_list(language);
    let mut text = Zeroizing::new(String::with_capacity(64));
    for i in 0..suggested_words(language) {
        let mut bytes = Zeroizing::new([0; 2]);
        random.fill(bytes.as_mut());
        if i > 0 && language == Language::English {
            text.push('-');
        }
        // 2048 divides 65536: every word is as likely.
        text.push_str(list[usize::from(u16::from_be_bytes(*bytes)) % list.len()]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm::seeded::Seeded;

    #[test]
    fn what_people_type_first_is_not_enough() {
        for text in [
            "",
            "123456",
            "1234567890",
            "password",
            "Password1",
            "woaini1314",
            "5201314",
            "19880214",
            "aaaaaaaaaaaaaaaa",
            "qwertyuiop123",
            "iloveyou520",
            "zhongguo2024",
            "abcdefghijklmnop",
            "Suishen2026!",
            "passwordpassword",
            "13800138000",
        ] {
            assert!(strength(text) < ENOUGH_BITS, "{text}: {}", strength(text));
        }
    }

    #[test]
    fn what_a_stranger_would_need_years_for_is_enough() {
        for text in [
            "tF7#kq9!Wz2$xLp",
            "correct horse battery staple glass",
            "我的小猫每天早上六点叫醒我",
            "xkvjq-wpzrm-htbny",
        ] {
            assert!(strength(text) >= ENOUGH_BITS, "{text}: {}", strength(text));
        }
    }

    #[test]
    fn every_suggestion_is_enough_and_none_comes_twice() {
        let random = &mut Seeded::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let english = suggest(Language::English, random);
            assert_eq!(english.split('-').count(), 6);
            assert!(strength(&english) >= ENOUGH_BITS, "{}", *english);
            assert!(seen.insert(english.to_string()));
        }
        assert!(strength(&suggest(Language::Chinese, random)) >= ENOUGH_BITS);
    }
}
