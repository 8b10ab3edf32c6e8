//! Every encoder against `formats.cddl`: an object that the file doesn't describe does not leave this crate, and no rule
//! of the file is about nothing.

mod objects;

use cddl::ast::CDDL;
use cddl::parser::cddl_from_str;
use cddl::validator::{Validator as _, cbor::CBORValidator, cbor_value::decode_cbor};
use objects::{Object, all, with_canaries};
use std::collections::{BTreeMap, BTreeSet};

const FORMATS: &str = include_str!("../../formats.cddl");

/// Rules that name a kind of number or text within others and are no object of their own.
const WORDS: [&str; 2] = ["time", "seconds"];

/// Lists of arrays: the validator doesn't look at what stands behind the arrays.
const LENIENT: [&str; 3] = ["credentials", "device-pass", "signed-transaction"];

/// The file, read once.
struct Formats(CDDL<'static>);

impl Formats {
    fn read() -> Self {
        Self(cddl_from_str(FORMATS, true).unwrap())
    }

    /// Why CBOR bytes aren't what a rule of the file says.
    fn check(&mut self, rule: &str, bytes: &[u8]) -> Result<(), String> {
        // The validator asks for what the first rule says.
        let at = self.0.rules.iter().position(|found| found.name() == rule);
        self.0.rules.swap(0, at.unwrap_or_else(|| panic!("no rule {rule}")));
        let value = decode_cbor(bytes).map_err(|error| format!("{rule}: {error}"))?;
        let valid = CBORValidator::new(&self.0, value, None).validate();
        // It tells every alternative that failed, with all bytes.
        valid.map_err(|error| format!("{rule}: {}", error.to_string().chars().take(300).collect::<String>()))
    }
}

/// Objects by rule, each once.
fn by_rule() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut found = BTreeMap::<_, Vec<Vec<u8>>>::new();
    for Object { rule, bytes, .. } in all() {
        let known = found.entry(rule).or_default();
        if !known.contains(&bytes) {
            known.push(bytes);
        }
    }
    found
}

/// The names of the file's rules.
fn rules() -> BTreeSet<&'static str> {
    let name = |line: &'static str| {
        let (name, _) = line.split_once('=')?;
        let name = name.trim_end();
        let named = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        named.then_some(name)
    };
    FORMATS.lines().filter_map(name).collect()
}

/// The same with one more key or element, where it is a map or an array of less than 23.
fn with_one_more(bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = bytes.split_first()?;
    let more: &[u8] = match head {
        0x80..=0x96 => &[0x00],
        0xa0..=0xb6 => &[0x18, 99, 0x00],
        _ => return None,
    };
    Some([&[head + 1], rest, more].concat())
}

#[test]
fn every_object_is_what_its_rule_says_and_has_no_field_more() {
    let mut formats = Formats::read();
    let (mut wrong, mut lenient) = (Vec::new(), Vec::new());
    for (rule, objects) in by_rule() {
        wrong.extend(objects.iter().filter_map(|object| formats.check(rule, object).err()));
        if let Some(more) = with_one_more(&objects[0])
            && formats.check(rule, &more).is_ok()
        {
            lenient.push(rule);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(lenient, LENIENT);
}

#[test]
fn every_rule_is_an_objects_or_a_word_in_others() {
    let held: BTreeSet<&str> = by_rule().into_keys().collect();
    let words = BTreeSet::from(WORDS);
    assert!(held.is_disjoint(&words));
    let named: BTreeSet<&str> = held.union(&words).copied().collect();
    assert_eq!(
        rules().difference(&named).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "rules without an object"
    );
    assert_eq!(named.difference(&rules()).collect::<Vec<_>>(), Vec::<&&str>::new(), "objects without a rule");
}

#[test]
fn the_file_tells_good_from_bad() {
    let mut formats = Formats::read();
    let bad: [(&str, &[u8]); 6] = [
        ("digest", &[0x41, 0]),
        ("share", &[0x82, 1, 2]),
        ("role", &[6]),
        ("party-id", &[0x61, b'a']),
        ("transaction", &[0x82, 16, 0xa0]),
        ("cancellation", &[0xa2, 0, 0x60, 1, 0x60]),
    ];
    for (rule, bytes) in bad {
        assert!(formats.check(rule, bytes).is_err(), "{rule}");
    }
    assert_eq!(formats.check("cancellation", &[0xa2, 0, 0x60, 1, 1]), Ok(()));
}

/// The ways in which bytes could be printed.
fn printed(bytes: &[u8]) -> Vec<String> {
    // Enough of them to be no chance.
    let start = &bytes[..bytes.len().min(12)];
    let list = |numbers: String| numbers.trim_matches(['[', ']']).to_owned();
    let mut forms = vec![
        list(format!("{start:?}")),
        list(format!("{start:02x?}")),
        list(format!("{start:#?}")).split_whitespace().collect::<Vec<_>>().join(" "),
        data_encoding::HEXLOWER.encode(start),
        data_encoding::HEXUPPER.encode(start),
        data_encoding::BASE64URL_NOPAD.encode(start),
        data_encoding::BASE32_NOPAD.encode(&bytes[..bytes.len().min(10)]),
    ];
    forms.extend(String::from_utf8(bytes.to_vec()));
    forms
}

#[test]
fn no_object_shows_a_key_a_salt_or_a_patients_words_when_it_is_printed() {
    let (objects, canaries) = with_canaries();
    let mut seen = Vec::new();
    for (name, bytes) in &canaries {
        let forms = printed(bytes);
        for Object { rule, shown, .. } in &objects {
            let one_line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            if forms.iter().any(|form| shown.contains(form) || one_line.contains(form)) {
                seen.push(format!("{rule} shows {name}: {}", shown.chars().take(300).collect::<String>()));
            }
        }
    }
    seen.sort();
    seen.dedup();
    assert!(seen.is_empty(), "{}", seen.join("\n"));
    // What is searched for lies in some object, but for keys that no object holds.
    let held = |bytes: &Vec<u8>| objects.iter().any(|o| o.bytes.windows(bytes.len()).any(|w| w == bytes));
    let absent: Vec<_> = canaries.iter().filter(|(_, bytes)| !held(bytes)).map(|(name, _)| *name).collect();
    assert_eq!(absent, ["the person's key", "what opens a use"]);
    // And what is public is found.
    let grant = objects.iter().find(|o| o.rule == "grant-id").unwrap();
    let forms = printed(&grant.bytes[2..]);
    assert!(objects.iter().any(|o| forms.iter().any(|form| o.shown.contains(form))));
}
