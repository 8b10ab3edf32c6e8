//! What a claim discloses, and each half-truth that is refused, with the sentence that the person sees.

use super::claim::{Invoice, Missing, Proposal, Shown, Why, policy_name, proposal, supporting};
use super::*;
use crate::contract::{CertificateDer, Party, Role, Slot, TagProof};
use crate::fhir::Json;
use crate::id::{GrantId, LedgerId, PartyId, TagId};
use crate::sm::{Key32, SecretKey, Signed, seeded::Seeded};

const INVOICE: &[u8] = include_bytes!("../../../samples/invoice/report.json");
const LABORATORY: &[u8] = include_bytes!("../../../samples/laboratory/report.json");

fn ledger() -> LedgerId {
    LedgerId::from_bytes([7; 32])
}

fn hospital() -> PartyId {
    PartyId::new("91330000ANLAN01").unwrap()
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).unwrap()
}

fn grant() -> GrantId {
    GrantId::from_bytes([1; 32])
}

/// The tags of an invoice and their keys.
fn pairs(secret: u8, fhir: &[u8]) -> [(ClaimTag, ClaimKey); 2] {
    let number = InvoiceNumber::in_report(fhir).unwrap().unwrap();
    ClaimTag::both(&Key32::from_bytes([secret; 32]), &hospital(), &number, &key(4), &ledger())
}

fn tags(secret: u8, fhir: &[u8]) -> [ClaimTag; 2] {
    pairs(secret, fhir).map(|(tag, _)| tag)
}

/// The wallet's word for the sample's tag of this slot under [`grant`].
fn proof(slot: Slot) -> Signed<TagProof> {
    pairs(9, INVOICE)[slot as usize].1.prove(grant(), &ledger())
}

/// What an insurer of this class reads, with the wallet's word.
fn read(opened: &Opened, slot: Slot) -> Result<Shown, ReportError> {
    Shown::read(opened, Some(&proof(slot)), slot, (&grant(), &ledger()))
}

fn try_make(fhir: &[u8], tags: &[ClaimTag], seed: u64) -> Result<Made, ReportError> {
    let new = NewReport {
        issuer: hospital(),
        issued_at: 1_794_000_000,
        version: 1,
        replaces: None,
        sensitivity: Sensitivity::Ordinary,
        credential: vec![1],
        fhir: Some(fhir),
        attachments: Vec::new(),
    };
    Manifest::make_claimable(new, tags, &mut Seeded::new(seed))
}

fn made() -> Made {
    try_make(INVOICE, &tags(9, INVOICE), 1).unwrap()
}

fn proposed(made: &Made, slot: Slot) -> Proposal {
    proposal(&made.openings, slot, None).unwrap()
}

/// The sample with something replaced, which must be there.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let text = core::str::from_utf8(INVOICE).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_claim_needs_the_invoice_its_lines_the_diagnosis_and_one_policy_and_nothing_else() {
    let made = made();
    let proposal = proposed(&made, Slot::Commercial);
    let count = |why| proposal.groups.iter().filter(|(_, found)| *found == why).count();
    for (why, expected) in [
        (Why::Head, 1),
        (Why::Invoice, 1),
        (Why::Line, 9),
        (Why::Diagnosis, 1),
        (Why::Insured, 1),
        (Why::Policy, 1),
        (Why::Hospital, 1),
        (Why::Tag, 1),
    ] {
        assert_eq!(count(why), expected, "{why:?}");
    }
    assert_eq!(proposal.missing, []);
    let opened = made.manifest.open_groups(&proposal.openings(&made.openings)).unwrap();
    assert_eq!(opened.withheld, proposal.hidden.len());
    let text = opened.json.to_text();
    for shown in [
        "0038217745",
        "31290.30",
        "balanced",
        "左膝骨关节炎",
        "林秀兰",
        "KN-2026-0087315",
        "手术费",
        "18640.00",
    ] {
        assert!(text.contains(shown), "{shown}");
    }
    // Numbers of patient and visit, telephone, the visit, other diagnoses, the other insurance.
    for hidden in ["A2004817", "330600", "138****", "Z2026083317", "骨科", "高血压", "33060019580300482"]
    {
        assert!(!text.contains(hidden), "{hidden}");
    }
    let statutory =
        made.manifest.open_groups(&proposed(&made, Slot::Statutory).openings(&made.openings)).unwrap();
    let text = statutory.json.to_text();
    assert!(text.contains("33060019580300482") && !text.contains("KN-2026-0087315"));
}

#[test]
fn what_an_insurer_was_shown_is_an_invoice_that_adds_up_and_its_own_tag() {
    let made = made();
    for slot in Slot::ALL {
        let opened = made.manifest.open_groups(&proposed(&made, slot).openings(&made.openings)).unwrap();
        let shown = read(&opened, slot).unwrap();
        assert_eq!(shown.invoice.number.as_str(), "0038217745 33060226");
        assert_eq!(
            (shown.invoice.status, shown.invoice.total.to_string().as_str()),
            ("balanced", "31290.30 CNY")
        );
        assert_eq!(shown.invoice.shares[0].1.to_string(), "19862.44 CNY");
        assert_eq!(shown.invoice.adds_up(), Some(true));
        let payable = if slot == Slot::Statutory { "19862.44 CNY" } else { "9927.86 CNY" };
        assert_eq!(shown.invoice.payable(slot).unwrap().to_string(), payable);
        assert_eq!(shown.tag.slot(), Ok(slot));
    }
}

fn invoice(fhir: &[u8]) -> Result<Invoice, ReportError> {
    Ok(Invoice::in_report(&Json::parse(fhir).unwrap())?.unwrap())
}

#[test]
fn where_the_shares_do_not_say_it_nobody_knows_what_is_payable() {
    for (from, to, adds_up) in [
        ("19862.44", "19862.45", Some(false)),
        // Another spelling of the fund's share: the rest doesn't make up the total.
        ("\"医保统筹基金支付\"", "\"统筹基金支付\"", Some(false)),
    ] {
        let invoice = invoice(&changed(from, to)).unwrap();
        assert_eq!(invoice.adds_up(), adds_up, "{to}");
        assert_eq!(Slot::ALL.map(|slot| invoice.payable(slot)), [None, None], "{to}");
    }
    for odd in ["1.986244e4", "19862.444", "-0"] {
        let error = invoice(&changed("19862.44", odd)).unwrap_err();
        assert_eq!(error, ReportError::Invoice("amount of each share"), "{odd}");
    }
    let twice = invoice(&changed("个人账户支付", "医保统筹基金支付")).unwrap_err();
    assert_eq!(twice, ReportError::Invoice("name of its own for each share"));
    let silent = String::from_utf8(INVOICE.to_vec()).unwrap().replace("totalPriceComponent", "x");
    let silent = invoice(silent.as_bytes()).unwrap();
    assert_eq!((silent.adds_up(), silent.payable(Slot::Commercial)), (None, None));
}

#[test]
fn the_other_insurers_tag_goes_along_in_no_way() {
    let made = made();
    let proposal = proposed(&made, Slot::Commercial);
    let all = (0..made.openings.len()).collect();
    let chosen = proposal.chosen(&made.openings, &all);
    let opened = made.manifest.open_groups(&chosen).unwrap();
    assert_eq!((opened.withheld, opened.tags.len()), (0, 1));
    // Who would send it all the same isn't listened to.
    let opened = made.manifest.open_groups(&made.openings).unwrap();
    assert_eq!(read(&opened, Slot::Commercial), Err(ReportError::Tag));
    let other =
        made.manifest.open_groups(&proposed(&made, Slot::Statutory).openings(&made.openings)).unwrap();
    assert_eq!(read(&other, Slot::Commercial), Err(ReportError::Tag));
}

#[test]
fn the_patient_may_hide_more_but_never_the_invoices_own_group() {
    let made = made();
    let proposal = proposed(&made, Slot::Commercial);
    let chosen = proposal.chosen(&made.openings, &std::collections::BTreeSet::new());
    let opened = made.manifest.open_groups(&chosen).unwrap();
    let shown = read(&opened, Slot::Commercial).unwrap();
    assert_eq!(shown.invoice.total.to_string(), "31290.30 CNY");
    assert_eq!(opened.withheld + chosen.len() - 1, made.openings.len() - 2, "of groups that are no tags");
    let text = opened.json.to_text();
    assert!(text.contains("林秀兰"), "whose it is");
    assert!(!text.contains("手术费") && !text.contains("左膝骨关节炎"));
}

#[test]
fn what_an_invoice_lacks_for_a_claim_is_said_before_anything_is_sent() {
    let bare = try_make(INVOICE, &[], 1).unwrap();
    assert_eq!(proposed(&bare, Slot::Commercial).missing, [Missing::Tag]);
    let other = changed("EHCPOL", "PUBLICPOL");
    let other = try_make(&other, &tags(9, &other), 1).unwrap();
    assert_eq!(proposed(&other, Slot::Commercial).missing, [Missing::Policy]);
    let other = changed("encounter-diagnosis", "problem-list-item");
    let other = try_make(&other, &tags(9, &other), 1).unwrap();
    assert_eq!(proposed(&other, Slot::Commercial).missing, [Missing::Diagnosis]);
    let laboratory = try_make(LABORATORY, &[], 1).unwrap();
    assert_eq!(proposal(&laboratory.openings, Slot::Commercial, None), Err(ReportError::NoInvoice));
}

/// The sample with another entry behind the others.
fn with_entry(resource: &str) -> Vec<u8> {
    let text = core::str::from_utf8(INVOICE).unwrap();
    let end = text.rfind(']').unwrap();
    format!("{}, {{ \"resource\": {resource} }} {}", &text[..end].trim_end(), &text[end..]).into_bytes()
}

fn shown_text(made: &Made, proposal: &Proposal) -> String {
    made.manifest.open_groups(&proposal.openings(&made.openings)).unwrap().json.to_text()
}

#[test]
fn of_several_policies_the_patient_picks_one_and_an_insurer_sees_no_others() {
    for kind in [
        r#""type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EHCPOL" }] }"#,
        // Uncoded: it may be anybody's.
        r#""type": { "text": "补充医疗" }"#,
        r#""order": 1"#,
    ] {
        let other = format!(
            r#"{{ "resourceType": "Coverage", "status": "active", "subscriberId": "PA-77", "payor": [{{ "display": "平安" }}], {kind} }}"#
        );
        let fhir = with_entry(&other);
        let made = try_make(&fhir, &tags(9, &fhir), 1).unwrap();
        let open = proposed(&made, Slot::Commercial);
        assert_eq!((open.missing.as_slice(), open.policies.len()), (&[Missing::WhichPolicy][..], 2));
        let text = shown_text(&made, &open);
        assert!(!text.contains("PA-77") && !text.contains("KN-2026-0087315"));
        let [first, second] = open.policies[..] else { panic!("two policies") };
        let names = [first, second].map(|place| policy_name(&made.openings[place]).unwrap());
        assert_eq!(names[0], "康宁健康保险 百万医疗险（2026 版）");
        assert_eq!(names[1], if kind.contains("补充医疗") { "平安 补充医疗" } else { "平安" });
        for (picked, shown, hidden) in
            [(first, "KN-2026-0087315", "PA-77"), (second, "PA-77", "KN-2026-0087315")]
        {
            let picked = proposal(&made.openings, Slot::Commercial, Some(picked)).unwrap();
            assert_eq!(picked.missing, []);
            let text = shown_text(&made, &picked);
            assert!(text.contains(shown) && !text.contains(hidden));
        }
        let elsewhere = proposal(&made.openings, Slot::Commercial, Some(0)).unwrap();
        assert_eq!(elsewhere.missing, [Missing::WhichPolicy], "what isn't a policy can't be picked");
    }
}

#[test]
fn of_patients_and_diagnoses_only_those_that_the_invoice_is_about_are_proposed() {
    let text = |resource: &str| {
        let fhir = with_entry(resource);
        let made = try_make(&fhir, &tags(9, &fhir), 1).unwrap();
        shown_text(&made, &proposed(&made, Slot::Commercial))
    };
    let mother = text(r#"{ "resourceType": "Patient", "id": "m", "name": [{ "text": "林母" }] }"#);
    assert!(mother.contains("林秀兰") && !mother.contains("林母"));
    let condition = |more: &str| {
        text(&format!(
            r#"{{ "resourceType": "Condition", "subject": {{ "display": "林秀兰" }}, "code": {{ "text": "另一诊断" }}{more} }}"#
        ))
    };
    let diagnosis = r#", "category": [{ "coding": [{ "code": "encounter-diagnosis" }] }]"#;
    let refuted = r#", "verificationStatus": { "coding": [{ "code": "refuted" }] }"#;
    assert!(condition(diagnosis).contains("另一诊断"));
    assert!(!condition("").contains("另一诊断"));
    assert!(!condition(&format!("{diagnosis}{refuted}")).contains("另一诊断"));
}

// ---- tags --------------------------------------------------------------------------------------------------

#[test]
fn a_paper_that_explains_a_claim_goes_along_without_numbers_and_narrative() {
    let made = try_make(include_bytes!("../../../samples/discharge/report.json"), &[], 5).unwrap();
    let along = supporting(&made.openings);
    let opened = made.manifest.open_groups(&along).unwrap();
    let text = opened.json.to_text();
    assert!(text.contains("出院诊断") && text.contains("林秀兰"), "what it found, and of whom");
    let all = made.manifest.open_groups(&made.openings).unwrap().json.to_text();
    let number = "病案号";
    assert!(all.contains(number) && !text.contains(number));
    assert!(opened.withheld > 0, "and the insurer sees that something is held back");
}

fn id(tag: &ClaimTag) -> TagId {
    tag.id().unwrap()
}

#[test]
fn issuing_again_makes_no_second_tag() {
    let first = tags(9, INVOICE);
    // Corrected elsewhere, identifiers in another order and width, a new voucher key.
    let again = changed("\"status\": \"balanced\"", "\"status\": \"issued\"");
    let again =
        String::from_utf8(again).unwrap().replace("33060226", "＃3306-0226").replace("a7c3f2", "ffffff");
    let again = tags(9, again.as_bytes());
    assert_eq!(first.each_ref().map(id), again.each_ref().map(id));
    // Other numbers, hospitals' secrets and slots have others.
    let other = tags(9, &changed("0038217745", "0038217746"));
    let secret = tags(8, INVOICE);
    let distinct: std::collections::BTreeSet<_> = first.iter().chain(&other).chain(&secret).map(id).collect();
    assert_eq!(distinct.len(), 6);
}

fn party(vouchers: &[SecretKey]) -> Party {
    Party {
        certificate: CertificateDer(Vec::new()),
        acceptance: key(5).public(),
        vouchers: vouchers.iter().map(SecretKey::public).collect(),
        roles: vec![Role::Issuer],
        sequence: 0,
        since: 0,
        suspension: None,
    }
}

#[test]
fn a_tag_counts_by_a_voucher_key_that_its_hospital_has_or_had() {
    let [tag, _] = tags(9, INVOICE);
    let voucher = tag.check(&party(&[key(6), key(4), key(8)]), &ledger()).unwrap();
    assert_eq!((voucher.issuer, voucher.slot), (hospital(), Slot::Statutory));
    assert_eq!(tag.check(&party(&[key(6)]), &ledger()), Err(ReportError::Tag));
    assert_eq!(tag.check(&party(&[]), &ledger()), Err(ReportError::Tag));
    assert_eq!(tag.check(&party(&[key(4)]), &LedgerId::from_bytes([8; 32])), Err(ReportError::Tag));
}

#[test]
fn a_tag_counts_with_its_own_keys_word_for_this_grant() {
    let made = made();
    let opened =
        made.manifest.open_groups(&proposed(&made, Slot::Commercial).openings(&made.openings)).unwrap();
    let [(_, statutory), (tag, own)] = pairs(9, INVOICE);
    let keys = [statutory.clone(), own.clone()];
    assert_eq!(ClaimKey::of(&tag, &keys), Some(&own));
    assert_eq!(ClaimKey::of(&tag, &keys[..1]), None);
    let read = |proof: Option<&Signed<TagProof>>| {
        Shown::read(&opened, proof, Slot::Commercial, (&grant(), &ledger()))
    };
    assert_eq!(read(Some(&own.prove(grant(), &ledger()))).unwrap().grant, grant());
    for wrong in [
        statutory.prove(grant(), &ledger()),
        own.prove(GrantId::from_bytes([2; 32]), &ledger()),
        own.prove(grant(), &LedgerId::from_bytes([8; 32])),
    ] {
        assert_eq!(read(Some(&wrong)), Err(ReportError::TagProof));
    }
    let error = read(None).unwrap_err();
    assert!(error.to_string().starts_with("the patient did not give the claim tag under this grant"));
}

#[test]
fn a_hospital_issues_no_other_hospitals_tag_and_none_without_an_invoice() {
    let number = InvoiceNumber::in_report(INVOICE).unwrap().unwrap();
    let other = PartyId::new("91OTHER").unwrap();
    let foreign = ClaimTag::both(&Key32::from_bytes([9; 32]), &other, &number, &key(4), &ledger());
    let foreign = foreign.map(|(tag, _)| tag);
    assert_eq!(try_make(INVOICE, &foreign, 1).err(), Some(ReportError::Tag));
    assert_eq!(try_make(LABORATORY, &tags(9, INVOICE), 1).err(), Some(ReportError::Tag));
    assert_eq!(InvoiceNumber::in_report(LABORATORY), Ok(None));
    // Which of an invoice's numbers make it up is said, or there is no tag.
    let unmarked = br#"{"resourceType":"Invoice","identifier":[{"value":"0038217745"}]}"#;
    assert_eq!(InvoiceNumber::in_report(unmarked), Err(ReportError::Invoice("official number")));
}

#[test]
fn a_tags_key_is_in_no_group_and_never_printed() {
    let made = made();
    let everything = crate::cbor::encode(&made.openings);
    for (_, secret) in pairs(9, INVOICE) {
        let bytes = crate::cbor::encode(&secret);
        assert!(!everything.windows(32).any(|window| bytes.ends_with(window)));
        assert!(format!("{secret:?}").contains("redacted"));
    }
    let opened =
        made.manifest.open_groups(&proposed(&made, Slot::Commercial).openings(&made.openings)).unwrap();
    let shown = read(&opened, Slot::Commercial).unwrap();
    let printed = format!("{shown:?} {:?} {:?}", made.openings, shown.invoice.number);
    for value in ["0038217745", "31290", "19862", "林秀兰"] {
        assert!(printed.contains("redacted") && !printed.contains(value), "{value}");
    }
}

// ---- half-truths -------------------------------------------------------------------------------------------

/// A manifest whose signer cut the groups otherwise: `split` says which elements leave the group they are in. The
/// verdict on everything shown, and on what was split off withheld.
fn cut_finer(fhir: &[u8], split: impl Fn(&str) -> bool) -> [Result<Opened, ReportError>; 2] {
    let made = try_make(fhir, &[], 1).unwrap();
    let (mut openings, mut held_back) = (Vec::new(), Vec::new());
    for opening in made.openings {
        let (out, rest): (Vec<_>, Vec<_>) = opening.elements.into_iter().partition(|(path, _)| split(path));
        for (elements, is_out) in [(rest, false), (out, true)].into_iter().filter(|(e, _)| !e.is_empty()) {
            if is_out {
                held_back.push(openings.len());
            }
            openings.push(GroupOpening {
                salt: Salt16::from_bytes([u8::try_from(openings.len()).unwrap(); 16]),
                elements,
            });
        }
    }
    let count = openings.len().to_string();
    openings[0]
        .elements
        .iter_mut()
        .filter(|(path, _)| path == "#groups")
        .for_each(|(_, n)| n.clone_from(&count));
    let mut manifest = made.manifest;
    manifest.groups = openings.iter().map(GroupOpening::digest).collect();
    while manifest.groups.len() < manifest.groups.len().next_power_of_two().max(8) {
        manifest.groups.push(crate::sm::Digest::of(&[u8::try_from(manifest.groups.len()).unwrap()]));
    }
    manifest.groups.sort();
    let whole = manifest.open_groups(&openings);
    for place in held_back.into_iter().rev() {
        openings.remove(place);
    }
    [whole, manifest.open_groups(&openings)]
}

#[test]
fn a_value_that_can_be_shown_without_its_unit_status_date_or_subject_is_not_shown() {
    for member in
        ["valueQuantity", "status", "effectiveDateTime", "subject", "interpretation", "referenceRange"]
    {
        let path = format!("/resource/{member}");
        for verdict in cut_finer(LABORATORY, |p| p.ends_with(&path) && p.starts_with("/entry/1")) {
            let Err(error @ ReportError::Torn(_)) = verdict else { panic!("{member}: {verdict:?}") };
            let sentence = error.to_string();
            assert!(
                sentence.starts_with("a piece is shown without the entry that it belongs to"),
                "{sentence}"
            );
        }
    }
    assert!(cut_finer(LABORATORY, |_| false).iter().all(Result::is_ok));
    // Nor without the list of its members, nor with one beside it that isn't on the list.
    for verdict in cut_finer(LABORATORY, |p| p == "/entry/1/resource#members") {
        assert_eq!(verdict, Err(ReportError::Torn("/entry/1/resource#members".into())));
    }
}

/// Signed again after a change by somebody who signs whatever they like.
fn resigned(mut made: Made, change: impl Fn(&mut GroupOpening)) -> Made {
    made.openings.iter_mut().for_each(change);
    let decoys = made.manifest.groups.len() - made.openings.len();
    let mut groups: Vec<_> = made.openings.iter().map(GroupOpening::digest).collect();
    groups.extend((0..decoys).map(|i| crate::sm::Digest::of(&[u8::try_from(i).unwrap()])));
    groups.sort();
    made.manifest.groups = groups;
    made
}

#[test]
fn an_entry_that_stands_in_one_piece_or_says_its_type_elsewhere_hides_nothing() {
    let verdict = |change: &dyn Fn(&mut GroupOpening)| {
        let made = resigned(try_make(LABORATORY, &[], 1).unwrap(), change);
        made.manifest.open_groups(&made.openings).map(|_| ())
    };
    let of_entry =
        |group: &GroupOpening| group.elements.iter().any(|(p, _)| p == "/entry/4/resource/resourceType");
    let one_piece = |group: &mut GroupOpening| {
        if of_entry(group) {
            let whole = r#"{"resource":{"resourceType":"Observation","status":"final","valueInteger":1}}"#;
            group.elements = vec![("/entry/4".into(), whole.into())];
        }
    };
    assert_eq!(verdict(&one_piece), Err(ReportError::Torn("/entry/4".into())));
    let second_type = |group: &mut GroupOpening| {
        if group.is_head() {
            group.elements.push(("/entry/4/resourceType".into(), "\"Observation\"".into()));
        }
    };
    assert!(matches!(verdict(&second_type), Err(ReportError::Torn(_))));
    assert_eq!(verdict(&|_| ()), Ok(()));
}

#[test]
fn nothing_more_is_hidden_than_the_head_says() {
    for (count, refused) in [("3", true), ("007", true), ("+5", true), ("18446744073709551615", true)] {
        let made = resigned(try_make(LABORATORY, &[], 1).unwrap(), |group| {
            let head = group.elements.iter_mut().find(|(path, _)| path == "#groups");
            if let Some((_, text)) = head {
                *text = count.into();
            }
        });
        let head: Vec<_> = made.openings.iter().filter(|group| group.is_head()).cloned().collect();
        assert_eq!(made.manifest.open_groups(&head).is_err(), refused, "{count}");
    }
}

#[test]
fn a_value_whose_unit_is_a_group_of_its_own_is_not_shown() {
    let path = "/entry/4/resource/valueQuantity";
    let made = resigned(try_make(LABORATORY, &[], 1).unwrap(), |group| {
        if let Some(value) = group.elements.iter().position(|(p, _)| p == path) {
            group.elements[value] = (format!("{path}/value"), "4.05".into());
        }
    });
    let verdict = made.manifest.open_groups(&made.openings);
    assert_eq!(verdict, Err(ReportError::Torn(format!("{path}/value"))));
}

#[test]
fn an_invoice_that_can_be_shown_without_its_status_number_date_or_total_is_not_shown() {
    for member in ["status", "identifier", "date", "subject", "totalGross", "totalPriceComponent"] {
        let path = format!("/entry/0/resource/{member}");
        for verdict in cut_finer(INVOICE, |p| p == path) {
            assert_eq!(verdict, Err(ReportError::Torn(path.clone())), "{member}");
        }
    }
}

#[test]
fn an_invoice_that_lacks_what_goes_with_every_amount_is_neither_issued_nor_shown() {
    for (from, to, what) in [
        ("\"status\": \"balanced\"", "\"x\": \"balanced\"", "status"),
        ("\"status\": \"balanced\"", "\"status\": \"paid\"", "status"),
        ("\"date\": \"2026-09-03T10:12:00+08:00\"", "\"date\": \"\"", "date"),
        (
            "\"totalGross\": { \"value\": 31290.30, \"currency\": \"CNY\" }",
            "\"totalGross\": { \"value\": 31290.30 }",
            "currency beside each amount",
        ),
        ("\"value\": 480.00, \"currency\": \"CNY\"", "\"value\": 480.00", "currency beside each amount"),
        ("\"unit\": \"日\"", "\"x\": \"日\"", "unit beside each quantity"),
        ("\"status\": \"billed\"", "\"x\": \"billed\"", "status of each line"),
        ("\"unit\": \"日\"", "\"unit\": \" \"", "unit beside each quantity"),
        ("\"currency\": \"CNY\"", "\"currency\": \"\"", "currency beside each amount"),
    ] {
        let error = try_make(&changed(from, to), &[], 1).unwrap_err();
        assert_eq!(error, ReportError::Invoice(what), "{from}");
        assert!(error.to_string().contains("ask the hospital to correct it"));
    }
    // A hospital whose program signs it all the same.
    let made = resigned(try_make(INVOICE, &[], 1).unwrap(), |group| {
        group.elements.retain(|(path, _)| path != "/entry/0/resource/status");
        let members = group.elements.iter_mut().find(|(path, _)| path == "/entry/0/resource#members");
        if let Some((_, text)) = members {
            *text = text.replace("\"status\",", "");
        }
    });
    let verdict = made.manifest.open_groups(&made.openings);
    assert_eq!(verdict, Err(ReportError::Invoice("status")));
}

#[test]
fn a_line_whose_charge_item_is_not_there_is_an_amount_of_nothing() {
    let dangling = changed(
        "\"chargeItemReference\": {",
        "\"chargeItemReference\": { \"x\": 1, \"reference\": \"ChargeItem/none\" }, \"y\": {",
    );
    let error = try_make(&dangling, &[], 1).unwrap_err();
    assert_eq!(error, ReportError::Invoice("charge item of each line"));
}

#[test]
fn a_line_without_its_invoice_and_groups_of_two_reports_are_refused() {
    let made = made();
    let proposal = proposed(&made, Slot::Commercial);
    let own = proposal.groups.iter().find(|(_, why)| *why == Why::Invoice).unwrap().0;
    let without: Vec<_> =
        proposal.groups.iter().filter(|(i, _)| *i != own).map(|(i, _)| made.openings[*i].clone()).collect();
    let verdict = made.manifest.open_groups(&without);
    assert_eq!(verdict, Err(ReportError::Torn("/entry/0".into())));

    let other = changed("31290.30", "99999.99");
    let other = try_make(&other, &tags(9, &other), 2).unwrap();
    let mut mixed = proposal.openings(&made.openings);
    let place = mixed.iter().position(|opening| *opening == made.openings[own]).unwrap();
    mixed[place] = other.openings[own].clone();
    let error = made.manifest.open_groups(&mixed).unwrap_err();
    assert_eq!(error, ReportError::UnknownGroup);
    assert!(error.to_string().starts_with("something shown is not in the report that the hospital signed"));
}

#[test]
fn a_modifier_in_a_line_refuses_the_whole() {
    let odd = changed(
        "\"status\": \"billed\",",
        "\"status\": \"billed\", \"modifierExtension\": [{ \"url\": \"urn:not\" }],",
    );
    assert!(matches!(try_make(&odd, &[], 1), Err(ReportError::Fhir(_) | ReportError::Modifier(_))));
}

#[test]
fn an_invoice_that_its_hospital_has_reversed_is_not_settled() {
    for status in ["cancelled", "entered-in-error", "draft"] {
        let fhir = changed("\"status\": \"balanced\"", &format!("\"status\": \"{status}\""));
        let made = try_make(&fhir, &tags(9, &fhir), 1).unwrap();
        let opened =
            made.manifest.open_groups(&proposed(&made, Slot::Commercial).openings(&made.openings)).unwrap();
        let error = read(&opened, Slot::Commercial).unwrap_err();
        assert!(error.to_string().contains(status));
    }
    let laboratory = try_make(LABORATORY, &[], 1).unwrap();
    let opened = laboratory.manifest.open_groups(&laboratory.openings).unwrap();
    assert_eq!(read(&opened, Slot::Commercial), Err(ReportError::NoInvoice));
}
