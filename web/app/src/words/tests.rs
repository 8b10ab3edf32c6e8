//! Both files say the same things, in the words that LOOK allows.

use std::collections::BTreeSet;

use fluent_bundle::FluentResource;

use super::*;

const NOW: u64 = 1_794_463_331;

fn keys(language: Language) -> BTreeSet<String> {
    let resource = FluentResource::try_new(language.source().to_owned())
        .unwrap_or_else(|(_, errors)| panic!("{} doesn't parse: {errors:?}", language.tag()));
    let keys: Vec<_> = resource
        .entries()
        .filter_map(|entry| match entry {
            fluent_syntax::ast::Entry::Message(message) => Some(message.id.name.to_owned()),
            _ => None,
        })
        .collect();
    let unique: BTreeSet<_> = keys.iter().cloned().collect();
    assert_eq!(unique.len(), keys.len(), "{} says something twice", language.tag());
    unique
}

fn lines(language: Language) -> impl Iterator<Item = &'static str> {
    language.source().lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn both_languages_have_exactly_the_same_keys() {
    let (chinese, english) = (keys(Language::Chinese), keys(Language::English));
    assert_eq!(chinese.difference(&english).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in English");
    assert_eq!(english.difference(&chinese).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in Chinese");
}

#[test]
fn no_screen_uses_the_words_that_people_should_not_need() {
    for word in ["区块链", "哈希", "私钥", "授权", "节点", "公钥", "加密学"] {
        assert!(!lines(Language::Chinese).any(|line| line.contains(word)), "{word}");
    }
    for word in ["blockchain", "hash", "grant", "redeem", "private key", "node"] {
        let found = lines(Language::English).find(|line| {
            line.split_once('=')
                .map_or(*line, |(_, text)| text)
                .to_lowercase()
                .split(|c: char| !c.is_alphabetic() && c != ' ')
                .any(|run| format!(" {run} ").contains(&format!(" {word}")))
        });
        assert_eq!(found, None, "{word}");
    }
}

#[test]
fn chinese_is_spaced_and_punctuated_as_the_style_asks() {
    for line in lines(Language::Chinese) {
        let text: Vec<char> = line.split_once('=').map_or(line, |(_, text)| text).chars().collect();
        for pair in text.windows(2) {
            let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            assert!(!(han(pair[0]) && pair[1].is_ascii_digit()), "no space before a figure: {line}");
            assert!(!(pair[0].is_ascii_digit() && han(pair[1])), "no space after a figure: {line}");
            assert!(
                !(han(pair[0]) && matches!(pair[1], ',' | ';' | ':' | '?' | '!')),
                "half-width mark: {line}"
            );
        }
    }
}

#[test]
fn every_key_that_the_code_names_is_there() {
    let known = keys(Language::Chinese);
    let mut missing = Vec::new();
    for (file, source) in sources() {
        for call in [".say(\"", ".with(\"", ".count(\""] {
            for rest in source.split(call).skip(1) {
                let key = rest.split('"').next().unwrap_or_default();
                if !key.is_empty() && !key.contains('{') && !known.contains(key) {
                    missing.push(format!("{file}: {key}"));
                }
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_icon_is_drawn_somewhere() {
    let (drawn, sources) = (include_str!("../../assets/icons.svg"), sources());
    let names = drawn.split("<symbol id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let idle = |name: &&str| !sources.iter().any(|(_, source)| source.contains(&format!("\"{name}\"")));
    assert_eq!(names.filter(idle).collect::<Vec<_>>(), Vec::<&str>::new());
}

fn sources() -> Vec<(String, String)> {
    sources_in(std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src")))
}

fn sources_in(folder: std::path::PathBuf) -> Vec<(String, String)> {
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the source folder is readable") {
            let path = entry.expect("an entry of the source folder is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
                files.push((
                    path.display().to_string(),
                    std::fs::read_to_string(&path).expect("a source file is text"),
                ));
            }
        }
    }
    assert!(files.len() > 3, "the source folder holds the program");
    files
}

#[test]
fn times_read_as_people_say_them() {
    let chinese = Words::new(Language::Chinese, 480);
    assert_eq!(chinese.when(NOW - 900, NOW), "今天 13:47");
    assert_eq!(chinese.when(NOW + 86_400 - 1020, NOW), "明天 13:45");
    assert_eq!(chinese.date(NOW, NOW), "11 月 12 日");
    assert_eq!(chinese.date(NOW - 400 * 86_400, NOW), "2025 年 10 月 8 日");
    let english = Words::new(Language::English, 480);
    assert_eq!(english.when(NOW - 900, NOW), "today 13:47");
    assert_eq!(english.date(NOW, NOW), "12 Nov");
}

#[test]
fn lengths_are_said_in_their_largest_unit() {
    let chinese = Words::new(Language::Chinese, 480);
    assert_eq!(chinese.length(900), "15 分钟");
    assert_eq!(chinese.length(86_400), "24 小时");
    assert_eq!(chinese.length(30 * 86_400), "30 天");
    assert_eq!(chinese.left(522), "8 分 42 秒");
    assert_eq!(chinese.left(23 * 3600 + 43 * 60), "23 小时 43 分");
    let english = Words::new(Language::English, 480);
    assert_eq!(english.length(3600), "1 hour");
    assert_eq!(english.length(86_400), "24 hours");
}

#[test]
fn a_name_from_outside_stays_text() {
    let chinese = Words::new(Language::Chinese, 480);
    let said = chinese.with("revoke-title", &[("who", "<script>{ $n }".into())]);
    assert!(said.contains("<script>{ $n }"));
}

#[test]
fn every_rejection_of_contract_and_gate_has_its_sentence() {
    let known = keys(Language::Chinese);
    let numbers = suishen_core::contract::Rejection::ALL
        .iter()
        .map(suishen_core::contract::Rejection::number)
        .chain(suishen_core::gate::GateRefusal::ALL.iter().map(suishen_core::gate::GateRefusal::number));
    let missing: Vec<_> = numbers.map(|n| format!("reject-{n}")).filter(|key| !known.contains(key)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_kind_of_foreign_code_is_explained() {
    let known = keys(Language::Chinese);
    for kind in suishen_core::qr::Foreign::ALL {
        let key = kind.sentence().replacen("scan-", "foreign-", 1);
        assert!(known.contains(&key), "{key}");
    }
}

#[test]
fn every_fault_that_engine_and_interface_name_has_its_sentence() {
    let known = keys(Language::Chinese);
    let engine = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src");
    let mut missing = Vec::new();
    for (file, source) in sources().into_iter().chain(sources_in(engine)) {
        let into = source.split("for Fault {").skip(1).flat_map(|rest| rest.split("Self::new(\"").skip(1));
        for rest in source.split("Fault::new(\"").skip(1).chain(into) {
            let key = format!("fault-{}", rest.split('"').next().unwrap_or_default());
            if !known.contains(&key) {
                missing.push(format!("{file}: {key}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
