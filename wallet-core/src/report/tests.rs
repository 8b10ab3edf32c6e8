//! Reports as a specification: cut into groups and put together again, parts, tickets; and each change that is refused.

use super::*;
use crate::{
    fhir::{Json, ReportView},
    id::{LedgerId, PartyId},
    sm::{Digest, Key32, SecretKey, Signed, seeded::Seeded},
};
use std::collections::{BTreeMap, BTreeSet};

const LABORATORY: &[u8] = include_bytes!("../../../samples/laboratory/report.json");
const DISCHARGE: &[u8] = include_bytes!("../../../samples/discharge/report.json");
const INVOICE: &[u8] = include_bytes!("../../../samples/invoice/report.json");
const IMAGING: &[u8] = include_bytes!("../../../samples/imaging/report.json");

fn ledger() -> LedgerId {
    LedgerId::from_bytes([7; 32])
}

fn issuer() -> SecretKey {
    SecretKey::from_bytes(&[3; 32]).unwrap()
}

fn made(fhir: &[u8]) -> Made {
    let random = &mut Seeded::new(1);
    let new = NewReport {
        issuer: PartyId::new("91330000ANLAN01").unwrap(),
        issued_at: 1_794_000_000,
        version: 1,
        replaces: None,
        sensitivity: Sensitivity::Ordinary,
        credential: vec![1, 2, 3],
        fhir: Some(fhir),
        attachments: vec![NewPart::of("report.pdf", "application/pdf", b"%PDF-1.4", random)],
    };
    Manifest::make(new, random).unwrap()
}

/// JSON with its members in order of name: what stays the same when groups are put together again.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let map: BTreeMap<_, _> = members.iter().map(|(n, v)| (n.clone(), sorted(v))).collect();
            Json::Object(map.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn index_of(made: &Made, name: &str) -> usize {
    describe(&made.openings).iter().position(|(_, title)| title.as_deref() == Some(name)).unwrap()
}

#[test]
fn all_groups_together_are_the_report_as_it_was_issued() {
    for fhir in [LABORATORY, DISCHARGE, IMAGING, INVOICE] {
        let made = made(fhir);
        let opened = made.manifest.open_groups(&made.openings).unwrap();
        assert_eq!(sorted(&opened.json), sorted(&Json::parse(fhir).unwrap()));
        assert_eq!(opened.withheld, 0);
        assert_eq!(opened.view().unwrap(), ReportView::from_json(fhir).unwrap());
    }
}

#[test]
fn a_lone_resource_is_cut_and_put_together_too() {
    let json = br#"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"conclusion":"ok",
        "result":[{"display":"y"}],"presentedForm":[{"url":"a.pdf"},{"url":"b.pdf"}]}"#;
    let made = made(json);
    let opened = made.manifest.open_groups(&made.openings).unwrap();
    assert_eq!(sorted(&opened.json), sorted(&Json::parse(json).unwrap()));
}

#[test]
fn digests_are_sorted_and_a_power_of_two_whatever_there_is() {
    let made = made(IMAGING);
    assert!(made.manifest.groups.len().is_power_of_two());
    assert!(made.manifest.groups.len() > made.openings.len());
    assert!(made.manifest.groups.windows(2).all(|p| p[0] < p[1]));
}

#[test]
fn what_is_held_back_counts_as_withheld_and_never_as_absent() {
    let made = made(LABORATORY);
    let keep: BTreeSet<usize> = describe(&made.openings)
        .iter()
        .enumerate()
        .filter(|(_, (kind, _))| !kind.held_back())
        .map(|(i, _)| i)
        .collect();
    let opened = made.manifest.open_groups(&select(&made.openings, &keep)).unwrap();
    // The patient's and the visit's numbers.
    assert_eq!(opened.withheld, 2);
    let text = opened.json.to_text();
    assert!(!text.contains("A2004817") && !text.contains("M20261112-0371"));
    assert_eq!(opened.view().unwrap().rows.len(), 12);
}

#[test]
fn one_value_travels_with_unit_range_status_date_and_its_report() {
    let made = made(LABORATORY);
    let ldl = index_of(&made, "低密度脂蛋白");
    let shown = select(&made.openings, &BTreeSet::from([ldl]));
    let opened = made.manifest.open_groups(&shown).unwrap();
    let view = opened.view().unwrap();
    assert_eq!((view.rows.len(), view.rows[0].value.text()), (1, Some("4.05")));
    assert_eq!(view.title, "血脂与肝功能");
    assert!(view.rows[0].range.is_some() && view.rows[0].unit.is_some());
    assert_eq!(opened.withheld, made.openings.len() - shown.len());
    // The names of the other results went with them.
    assert!(!opened.json.to_text().contains("白蛋白"));
}

#[test]
fn the_groups_of_a_document_are_named_by_its_sections() {
    let made = made(DISCHARGE);
    let groups = describe(&made.openings);
    assert!(groups.contains(&(GroupKind::Section, Some("出院医嘱".to_owned()))));
    assert_eq!(groups.iter().filter(|(kind, _)| *kind == GroupKind::Numbers).count(), 2);
    assert_eq!(groups[0].0, GroupKind::Head);
}

#[test]
fn a_changed_value_path_or_salt_refuses_the_whole() {
    let made = made(LABORATORY);
    let ldl = index_of(&made, "低密度脂蛋白");
    let change = |edit: fn(&mut GroupOpening)| {
        let mut openings = made.openings.clone();
        edit(&mut openings[ldl]);
        made.manifest.open_groups(&openings)
    };
    assert_eq!(change(|o| o.elements[3].1 = "\"2.05\"".into()), Err(ReportError::UnknownGroup));
    assert_eq!(change(|o| o.elements[3].0 = "/entry/9/x".into()), Err(ReportError::UnknownGroup));
    assert_eq!(change(|o| o.salt = Salt16::from_bytes([0; 16])), Err(ReportError::UnknownGroup));
    assert_eq!(
        change(|o| {
            o.elements.pop();
        }),
        Err(ReportError::UnknownGroup)
    );
}

#[test]
fn a_group_shown_twice_refuses_the_whole() {
    let made = made(LABORATORY);
    let mut openings = made.openings.clone();
    openings.push(openings[1].clone());
    assert!(matches!(made.manifest.open_groups(&openings), Err(ReportError::SamePlace(_))));
}

#[test]
fn without_its_head_nothing_is_shown() {
    let made = made(LABORATORY);
    assert_eq!(made.manifest.open_groups(&made.openings[1..]), Err(ReportError::NoHead));
    assert_eq!(made.manifest.open_groups(&[]), Err(ReportError::NoHead));
}

#[test]
fn a_cut_out_piece_without_its_entry_refuses_the_whole() {
    let made = made(LABORATORY);
    let numbers = describe(&made.openings).iter().position(|(k, _)| *k == GroupKind::Numbers).unwrap();
    let openings = [made.openings[0].clone(), made.openings[numbers].clone()];
    assert!(matches!(made.manifest.open_groups(&openings), Err(ReportError::Torn(_))));
}

/// A manifest as a dishonest or careless issuer could sign it.
fn crafted(groups: &[&[(&str, &str)]]) -> (Manifest, Vec<GroupOpening>) {
    let own = |e: &&[(&str, &str)]| e.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
    let openings: Vec<GroupOpening> =
        groups.iter().map(|e| GroupOpening { salt: Salt16::from_bytes([9; 16]), elements: own(e) }).collect();
    let mut manifest = made(LABORATORY).manifest;
    manifest.groups = openings.iter().map(GroupOpening::digest).collect();
    manifest.groups.sort();
    (manifest, openings)
}

#[test]
fn one_place_claimed_by_two_groups_refuses_the_whole() {
    let head: &[(&str, &str)] = &[("#groups", "3"), ("/resourceType", "\"Bundle\"")];
    for (a, b) in [("/a", "/a"), ("/a", "/a/b"), ("/a/b", "/a"), ("/a/0", "/a/b"), ("/resourceType", "/z")] {
        let (manifest, openings) = crafted(&[head, &[(a, "1")], &[(b, "{}")]]);
        assert!(matches!(manifest.open_groups(&openings), Err(ReportError::SamePlace(_))), "{a} {b}");
    }
}

#[test]
fn an_unknown_modifier_refuses_the_whole() {
    let head: &[(&str, &str)] = &[("#groups", "2"), ("/resourceType", "\"Observation\"")];
    for (path, text) in [
        ("/modifierExtension", "[{\"url\":\"urn:not\"}]"),
        ("/component", "[{\"modifierExtension\":[{\"url\":\"urn:not\"}]}]"),
        ("/modifierExtension/0", "{\"url\":\"urn:not\"}"),
        ("/implicitRules", "\"urn:rules\""),
    ] {
        let (manifest, openings) = crafted(&[head, &[(path, text)]]);
        assert!(matches!(manifest.open_groups(&openings), Err(ReportError::Modifier(_))), "{path}");
    }
}

#[test]
fn paths_have_one_spelling_and_an_end() {
    let head: &[(&str, &str)] = &[("#groups", "2"), ("/resourceType", "\"Bundle\"")];
    let long = "/a".repeat(9);
    for path in ["", "a", "/", "/a//b", "/entry/01", "/entry/99999999999", "/1x", "#other", long.as_str()] {
        let (manifest, openings) = crafted(&[head, &[(path, "1")]]);
        assert!(matches!(manifest.open_groups(&openings), Err(ReportError::BadPath(_))), "{path}");
    }
}

#[test]
fn fhir_with_a_modifier_or_without_a_report_is_not_issued() {
    let random = &mut Seeded::new(1);
    let mut make = |fhir: &'static [u8]| {
        let new = NewReport {
            issuer: PartyId::new("91330000ANLAN01").unwrap(),
            issued_at: 1,
            version: 1,
            replaces: None,
            sensitivity: Sensitivity::Ordinary,
            credential: Vec::new(),
            fhir: Some(fhir),
            attachments: Vec::new(),
        };
        Manifest::make(new, random).map(|_| ())
    };
    assert!(matches!(make(br#"{"resourceType":"Patient"}"#), Err(ReportError::Fhir(_))));
    let negated = br#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
        "modifierExtension":[{"url":"urn:not","valueBoolean":true}]}"#;
    assert!(make(negated).is_err());
}

#[test]
fn names_that_lead_elsewhere_are_no_names_of_parts() {
    let random = &mut Seeded::new(1);
    for name in ["../x.pdf", "a/b.pdf", "", ".hidden", "report.json", "a\u{0}b", "a\\b"] {
        let new = NewReport {
            issuer: PartyId::new("91330000ANLAN01").unwrap(),
            issued_at: 1,
            version: 1,
            replaces: None,
            sensitivity: Sensitivity::Ordinary,
            credential: Vec::new(),
            fhir: Some(LABORATORY),
            attachments: vec![NewPart::of(name, "application/pdf", b"x", random)],
        };
        assert!(matches!(Manifest::make(new, random), Err(ReportError::PartName(_))), "{name}");
    }
}

#[test]
fn a_part_opens_whole_and_unchanged_only() {
    let made = made(LABORATORY);
    let (copy, blob) = seal_part(0, made.salts[0], LABORATORY, &mut Seeded::new(5));
    assert_eq!(open_part(&made.manifest, &copy, &blob).unwrap(), LABORATORY);
    let mut flipped = blob.clone();
    flipped[40] ^= 1;
    assert!(open_part(&made.manifest, &copy, &flipped).is_err());
    assert!(open_part(&made.manifest, &copy, &blob[..blob.len() - 1]).is_err());
    // Another file under the same key, properly sealed: not what was signed.
    let (other, other_blob) = seal_part(0, made.salts[0], DISCHARGE, &mut Seeded::new(6));
    assert!(open_part(&made.manifest, &other, &other_blob).is_err());
    assert!(open_part(&made.manifest, &copy, &other_blob).is_err());
    // Another key than the one committed to.
    let swapped = PartCopy { key: Key32::from_bytes([1; 32]), ..copy.clone() };
    assert_eq!(open_part(&made.manifest, &swapped, &blob), Err(ReportError::WrongCopy(0)));
    let elsewhere = PartCopy { part: 1, ..copy };
    assert!(open_part(&made.manifest, &elsewhere, &blob).is_err());
}

fn contents(made: &Made) -> TicketContents {
    let random = &mut Seeded::new(8);
    let (zero, _) = seal_part(0, made.salts[0], LABORATORY, random);
    let (one, _) = seal_part(1, made.salts[1], b"%PDF-1.4", random);
    TicketContents {
        claim_keys: Vec::new(),
        manifest: Signed::new(&made.manifest, &issuer(), &ledger()).to_bytes(),
        salt: [4; 32],
        parts: vec![zero, one],
        openings: made.openings.clone(),
        chain: vec![vec![0x30, 0].into()],
        holder_salt: None,
    }
}

#[test]
fn a_ticket_leads_to_its_contents_with_both_halves() {
    let made = made(LABORATORY);
    let contents = contents(&made);
    let random = &mut Seeded::new(9);
    let ticket = Ticket::generate(contents.commitment(), random);
    let read = Ticket::from_fragment(&ticket.to_fragment()).unwrap();
    assert_eq!((read.commitment(), ticket.to_fragment().len()), (contents.commitment(), 86));
    assert_eq!(read.key().public(), ticket.key().public());
    let gate_half = Key32::from_bytes([6; 32]);
    let (_, blob) = contents.seal(&issuer(), &ledger(), &ticket.content_key(&gate_half), random);
    let open = |half: [u8; 32], expected, key: &SecretKey, ledger: &LedgerId| {
        let content_key = read.content_key(&Key32::from_bytes(half));
        TicketContents::open(&blob, &content_key, &expected, &key.public(), ledger)
    };
    let name = contents.commitment();
    let (opened, manifest) = open([6; 32], name, &issuer(), &ledger()).unwrap();
    assert_eq!((opened, manifest), (contents, made.manifest));
    assert!(open([5; 32], name, &issuer(), &ledger()).is_err());
    assert!(open([6; 32], name, &SecretKey::from_bytes(&[2; 32]).unwrap(), &ledger()).is_err());
    assert!(open([6; 32], name, &issuer(), &LedgerId::from_bytes([8; 32])).is_err());
    let other = crate::id::Commitment::from_bytes([1; 32]);
    assert_eq!(open([6; 32], other, &issuer(), &ledger()), Err(ReportError::WrongCommitment));
}

#[test]
fn a_fragment_that_was_cut_or_changed_in_length_is_damaged() {
    let ticket = Ticket::generate(crate::id::Commitment::from_bytes([1; 32]), &mut Seeded::new(1));
    let fragment = ticket.to_fragment();
    for bad in ["", "!", &fragment[..85], &fragment[..40], &format!("{}A", *fragment)] {
        assert_eq!(Ticket::from_fragment(bad), Err(TicketError::Damaged), "{bad}");
    }
}

#[test]
fn secrets_do_not_print() {
    let made = made(LABORATORY);
    let ticket = Ticket::generate(crate::id::Commitment::from_bytes([1; 32]), &mut Seeded::new(1));
    let printed = format!("{ticket:?} {:?}", contents(&made));
    assert!(!printed.contains(ticket.to_fragment().as_str()));
    assert!(!printed.contains("林秀兰") && !printed.contains("4.05"));
}

#[test]
fn a_digest_tells_nothing_without_its_salt() {
    let one = GroupOpening { salt: Salt16::from_bytes([1; 16]), elements: vec![("/a".into(), "1".into())] };
    let two = GroupOpening { salt: Salt16::from_bytes([2; 16]), ..one.clone() };
    assert_ne!(one.digest(), two.digest());
    // Fixed once: the format is what other programs compute as well.
    let input =
        [b"suishen/group\0".as_slice(), &[1; 16], &[0x81, 0x82, 0x62, b'/', b'a', 0x61, b'1']].concat();
    assert_eq!(one.digest(), Digest::of(&input));
}

#[test]
fn no_more_groups_and_elements_are_read_than_a_report_has() {
    let group = |count: usize| GroupOpening {
        salt: Salt16::from_bytes([1; 16]),
        elements: vec![(String::new(), String::new()); count],
    };
    let read = |groups: Vec<GroupOpening>| {
        let shown = crate::consent::Disclosure { groups, proof: None };
        crate::cbor::decode::<crate::consent::Disclosure>(&crate::cbor::encode(&shown)).is_ok()
    };
    let (groups, elements) = (super::manifest::MAX_GROUPS, super::disclosure::MAX_ELEMENTS);
    assert!(read(vec![group(1); groups]) && !read(vec![group(0); groups + 1]));
    assert!(read(vec![group(elements - 1), group(1)]) && !read(vec![group(elements), group(1)]));
    assert!(!read(vec![group(elements + 1)]));
}
