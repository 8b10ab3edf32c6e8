//! What a claim discloses, and each half-truth that is refused, with the sentence that the person sees.

use super::claim::{Missing, Proposal, Shown, Why, proposal};
use super::*;
use crate::contract::{CertificateDer, Party, Role, Slot};
use crate::fhir::Json;
use crate::id::{GrantId, LedgerId, PartyId, TagId};
use crate::sm::{Key32, SecretKey, seeded::Seeded};

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

/// The tags of a bundle whose first entry is the invoice.
fn tags(secret: u8, fhir: &[u8]) -> [ClaimTag; 2] {
    let json = Json::parse(fhir).unwrap();
    let invoice = json.pointer("/entry/0/resource").unwrap();
    ClaimTag::both(&Key32::from_bytes([secret; 32]), &hospital(), invoice, &key(4), &ledger()).unwrap()
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
    proposal(&made.openings, slot).unwrap()
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
        let shown = Shown::read(&opened, slot).unwrap();
        assert_eq!(shown.invoice.number.as_str(), "0038217745 33060226");
        assert_eq!(
            (shown.invoice.status, shown.invoice.total.to_string().as_str()),
            ("balanced", "31290.30 CNY")
        );
        assert_eq!(shown.invoice.shares[0].1.to_string(), "19862.44 CNY");
        assert_eq!(shown.invoice.adds_up(), Some(true));
        let payable = if slot == Slot::Statutory { "31290.30 CNY" } else { "9927.86 CNY" };
        assert_eq!(shown.invoice.payable(slot).to_string(), payable);
        assert_eq!(shown.tag.slot(), Ok(slot));
    }
    let wrong = changed("19862.44", "19862.45");
    let made = try_make(&wrong, &tags(9, &wrong), 1).unwrap();
    let opened = made.manifest.open_groups(&made.openings).unwrap();
    assert_eq!(claim::Invoice::in_report(&opened.json).unwrap().unwrap().adds_up(), Some(false));
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
    assert_eq!(Shown::read(&opened, Slot::Commercial), Err(ReportError::Tag));
    let other =
        made.manifest.open_groups(&proposed(&made, Slot::Statutory).openings(&made.openings)).unwrap();
    assert_eq!(Shown::read(&other, Slot::Commercial), Err(ReportError::Tag));
}

#[test]
fn the_patient_may_hide_more_but_never_the_invoices_own_group() {
    let made = made();
    let proposal = proposed(&made, Slot::Commercial);
    let chosen = proposal.chosen(&made.openings, &std::collections::BTreeSet::new());
    let opened = made.manifest.open_groups(&chosen).unwrap();
    let shown = Shown::read(&opened, Slot::Commercial).unwrap();
    assert_eq!(shown.invoice.total.to_string(), "31290.30 CNY");
    assert_eq!(opened.withheld + chosen.len() - 1, made.openings.len() - 2, "of groups that are no tags");
    assert!(!opened.json.to_text().contains("林秀兰\"}]"));
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
    assert_eq!(proposal(&laboratory.openings, Slot::Commercial), Err(ReportError::NoInvoice));
}

// ---- tags --------------------------------------------------------------------------------------------------

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
    let proof = tag.prove(GrantId::from_bytes([1; 32]), key(3).public(), &ledger());
    let proof = proof.verify(&voucher.tag, &ledger()).unwrap();
    assert_eq!((proof.grant, proof.grantee), (GrantId::from_bytes([1; 32]), key(3).public()));
}

#[test]
fn a_hospital_issues_no_other_hospitals_tag_and_none_without_an_invoice() {
    let json = Json::parse(INVOICE).unwrap();
    let invoice = json.pointer("/entry/0/resource").unwrap();
    let other = PartyId::new("91OTHER").unwrap();
    let foreign = ClaimTag::both(&Key32::from_bytes([9; 32]), &other, invoice, &key(4), &ledger()).unwrap();
    assert_eq!(try_make(INVOICE, &foreign, 1).err(), Some(ReportError::Tag));
    assert_eq!(try_make(LABORATORY, &tags(9, INVOICE), 1).err(), Some(ReportError::Tag));
    let of_report = |fhir| {
        ClaimTag::of_report(&Key32::from_bytes([9; 32]), &hospital(), fhir, &key(4), &ledger()).unwrap()
    };
    assert_eq!(of_report(INVOICE), tags(9, INVOICE));
    assert_eq!(of_report(LABORATORY), []);
    let unnumbered = Json::parse(br#"{"resourceType":"Invoice"}"#).unwrap();
    let made = ClaimTag::both(&Key32::from_bytes([9; 32]), &hospital(), &unnumbered, &key(4), &ledger());
    assert_eq!(made, Err(ReportError::Invoice("number")));
}

#[test]
fn a_tag_never_prints() {
    let made = made();
    let opened = made.manifest.open_groups(&made.openings).unwrap();
    let secret = opened.tags[0].prove(GrantId::from_bytes([1; 32]), key(3).public(), &ledger());
    let printed = format!("{:?} {:?}", opened.tags, made.openings);
    assert!(printed.contains("redacted") && !printed.contains("0038217745"));
    assert!(!format!("{secret:?}").is_empty());
}

// ---- half-truths -------------------------------------------------------------------------------------------

/// A manifest whose signer cut the groups otherwise: `split` says which elements leave the group they are in.
fn cut_finer(fhir: &[u8], split: impl Fn(&str) -> bool) -> Result<Opened, ReportError> {
    let made = try_make(fhir, &[], 1).unwrap();
    let mut openings = Vec::new();
    for opening in made.openings {
        let (out, rest): (Vec<_>, Vec<_>) = opening.elements.into_iter().partition(|(path, _)| split(path));
        for elements in [rest, out].into_iter().filter(|elements| !elements.is_empty()) {
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
    manifest.groups.sort();
    manifest.open_groups(&openings)
}

#[test]
fn a_value_that_can_be_shown_without_its_unit_status_date_or_subject_is_not_shown() {
    for member in
        ["valueQuantity", "status", "effectiveDateTime", "subject", "interpretation", "referenceRange"]
    {
        let path = format!("/resource/{member}");
        let verdict = cut_finer(LABORATORY, |p| p.ends_with(&path) && p.starts_with("/entry/1"));
        let Err(error @ ReportError::Torn(_)) = verdict else { panic!("{member}: {verdict:?}") };
        let sentence = error.to_string();
        assert!(sentence.starts_with("a piece is shown without the entry that it belongs to"), "{sentence}");
    }
    assert!(cut_finer(LABORATORY, |_| false).is_ok());
}

#[test]
fn a_value_whose_unit_is_a_group_of_its_own_is_not_shown() {
    let mut made = try_make(LABORATORY, &[], 1).unwrap();
    let at = made
        .openings
        .iter()
        .position(|o| o.elements.iter().any(|(p, _)| p.ends_with("/valueQuantity")))
        .unwrap();
    let elements = &mut made.openings[at].elements;
    let value = elements.iter().position(|(p, _)| p.ends_with("/valueQuantity")).unwrap();
    let (path, _) = elements.remove(value);
    elements.push((format!("{path}/value"), "4.05".into()));
    made.manifest.groups = made.openings.iter().map(GroupOpening::digest).collect();
    made.manifest.groups.sort();
    let verdict = made.manifest.open_groups(&made.openings);
    assert_eq!(verdict, Err(ReportError::Torn(format!("{path}/value"))));
}

#[test]
fn an_invoice_that_can_be_shown_without_its_status_number_date_or_total_is_not_shown() {
    for member in ["status", "identifier", "date", "subject", "totalGross", "totalPriceComponent"] {
        let path = format!("/entry/0/resource/{member}");
        let verdict = cut_finer(INVOICE, |p| p == path);
        assert_eq!(verdict, Err(ReportError::Torn(path)), "{member}");
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
    ] {
        let error = try_make(&changed(from, to), &[], 1).unwrap_err();
        assert_eq!(error, ReportError::Invoice(what), "{from}");
        assert!(error.to_string().contains("ask the hospital to correct it"));
    }
    // A hospital whose program signs it all the same.
    let mut made = try_make(INVOICE, &[], 1).unwrap();
    for opening in &mut made.openings {
        opening.elements.retain(|(path, _)| path != "/entry/0/resource/status");
    }
    made.manifest.groups = made.openings.iter().map(GroupOpening::digest).collect();
    made.manifest.groups.sort();
    let verdict = made.manifest.open_groups(&made.openings);
    assert_eq!(verdict, Err(ReportError::Invoice("status")));
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
        let error = Shown::read(&opened, Slot::Commercial).unwrap_err();
        assert!(error.to_string().contains(status));
    }
    let laboratory = try_make(LABORATORY, &[], 1).unwrap();
    let opened = laboratory.manifest.open_groups(&laboratory.openings).unwrap();
    assert_eq!(Shown::read(&opened, Slot::Commercial), Err(ReportError::NoInvoice));
}
