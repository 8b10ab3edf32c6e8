//! Codes as a specification: ours there and back, others known by their form, and no text without an answer.

use super::*;
use crate::{
    id::{Commitment, GrantId, HolderCommitment, InboxId},
    sm::{Digest, Key32, SecretKey, seeded::Seeded},
};
use proptest::prelude::*;

const HOST: &str = "https://relay-1.health.anlan.example:8443";

fn ticket() -> Ticket {
    Ticket::generate(Commitment::from_bytes([1; 32]), &mut Seeded::new(1))
}

fn offer(half: bool) -> ConsentOffer {
    ConsentOffer {
        grant: GrantId::from_bytes([2; 32]),
        offer_key: SecretKey::from_bytes(&[3; 32]).unwrap(),
        half: half.then(|| Key32::from_bytes([4; 32])),
        checkpoint: Some(Digest::from_bytes([5; 32])),
        relays: Relays::new(vec!["https://relay-2.anlan.example".into()]),
    }
}

fn identity() -> IdentityOffer {
    IdentityOffer {
        holder: HolderCommitment::from_bytes([6; 32]),
        encryption_key: SecretKey::from_bytes(&[7; 32]).unwrap().public(),
        inbox: InboxId::from_bytes([8; 32]),
        relays: None,
    }
}

fn pairing() -> PeerOffer {
    PeerOffer { peer: vec![9; 38], secret: Key32::from_bytes([1; 32]), relays: None }
}

#[test]
fn what_was_shown_is_what_is_scanned() {
    let url = ticket_url(HOST, &ticket()).unwrap();
    assert_eq!(scan(&url), Ok(Scanned::Ticket { origin: HOST.into(), ticket: ticket() }));
    for half in [false, true] {
        let url = consent_url(HOST, &offer(half)).unwrap();
        assert_eq!(scan(&url), Ok(Scanned::Consent { origin: HOST.into(), offer: Box::new(offer(half)) }));
    }
    let url = pairing_url(HOST, &pairing()).unwrap();
    assert_eq!(scan(&url), Ok(Scanned::Pairing { origin: HOST.into(), offer: Box::new(pairing()) }));
    let url = new_device_url(HOST, &pairing()).unwrap();
    assert_eq!(scan(&url), Ok(Scanned::NewDevice { origin: HOST.into(), offer: Box::new(pairing()) }));
    let url = live_url(HOST, &pairing()).unwrap();
    assert_eq!(scan(&url), Ok(Scanned::Live { origin: HOST.into(), offer: Box::new(pairing()) }));
    let url = identity_url(HOST, &identity()).unwrap();
    let scanned = scan(&format!("\u{feff} {}\r\n", *url));
    assert_eq!(scanned, Ok(Scanned::Identity { origin: HOST.into(), identity: Box::new(identity()) }));
}

#[test]
fn every_code_fits_version_15_at_level_m() {
    let host = format!("https://{}.anlan.example", "a".repeat(60));
    for url in [
        ticket_url(&host, &ticket()),
        consent_url(&host, &offer(true)),
        identity_url(&host, &identity()),
        pairing_url(&host, &pairing()),
        new_device_url(&host, &pairing()),
        live_url(&host, &pairing()),
    ] {
        assert!(url.unwrap().len() <= MAX_URL);
    }
    let long = format!("https://{}.example", vec!["a".repeat(60); 4].join("."));
    let relays = Relays::new(vec![long.clone(); 2]);
    let too_long = consent_url(&long, &ConsentOffer { relays, ..offer(true) });
    assert!(matches!(too_long, Err(QrError::DoesNotFit(_))));
}

#[test]
fn nothing_secret_stands_outside_the_fragment() {
    for url in [
        ticket_url(HOST, &ticket()),
        consent_url(HOST, &offer(true)),
        identity_url(HOST, &identity()),
        pairing_url(HOST, &pairing()),
        new_device_url(HOST, &pairing()),
        live_url(HOST, &pairing()),
    ] {
        let url = url.unwrap();
        let (before, _) = url.split_once('#').unwrap();
        assert_eq!(before.len(), HOST.len() + 2, "{before}");
    }
}

#[test]
fn a_messenger_s_query_is_no_harm() {
    let url = ticket_url(HOST, &ticket()).unwrap().replace("/t#", "/t?from=groupmessage#");
    assert!(matches!(scan(&url), Ok(Scanned::Ticket { .. })));
}

#[test]
fn a_cut_code_is_called_damaged_and_not_unknown() {
    let url = ticket_url(HOST, &ticket()).unwrap();
    assert_eq!(scan(&url[..url.len() - 1]), Err(QrError::Damaged));
    let url = consent_url(HOST, &offer(true)).unwrap();
    assert_eq!(scan(&url[..url.len() - 4]), Err(QrError::Damaged));
    let mut bytes = cbor::encode(&offer(false));
    bytes.push(0);
    let padded = format!("{HOST}/c#{}", BASE64URL_NOPAD.encode(&bytes));
    assert_eq!(scan(&padded), Err(QrError::Damaged));
}

#[test]
fn a_code_of_ours_must_come_over_https() {
    let at = |origin: &str| scan(&ticket_url(HOST, &ticket()).unwrap().replace(HOST, origin));
    assert_eq!(at("http://relay.anlan.example"), Err(QrError::NotHttps));
    assert_eq!(at("https://user@relay.anlan.example"), Err(QrError::NotHttps));
    assert!(at("http://patient.localhost:8080").is_ok());
    assert!(at("http://localhost:8080").is_ok());
    assert_eq!(at("http://localhost.evil.example"), Err(QrError::NotHttps));
    assert!(at("HTTPS://RELAY.ANLAN.EXAMPLE").is_ok());
}

#[test]
fn each_foreign_code_is_known_by_its_form() {
    let cases = [
        ("shc:/56762909524320603460292437404460", Foreign::SmartHealthCard),
        ("shlink:/eyJ1cmwiOiJodHRwczovL2V4", Foreign::SmartHealthLink),
        (
            "https://viewer.example/#shlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnL3gifQ",
            Foreign::SmartHealthLink,
        ),
        ("HC1:6BFOXN%TS3DH0YOJ58S S-W5HDC", Foreign::EuHealthCertificate),
        ("3301000000000000ABCDEF012345", Foreign::InsurancePayment),
        (&"0123456789abcdef".repeat(4), Foreign::HealthCard),
        (&format!("{}:1", "0123456789ABCDEF".repeat(4)), Foreign::HealthCard),
        ("01,10,033001900104,12345678,100.00,20261112,12345678901234567890,A1B2,", Foreign::TaxInvoice),
        ("https://pjcy.mof.gov.cn/x?a=1", Foreign::MedicalBill),
        ("01,11,33060124,0012345678,a1b2c3,20261112,212.50", Foreign::MedicalBill),
        ("wxp://f2f0abcdef", Foreign::Payment),
        ("https://qr.alipay.com/abc", Foreign::Payment),
        ("https://qr.alipay.com@evil.example/abc", Foreign::WebLink),
        ("134567890123456789", Foreign::Payment),
        ("281234567890123456", Foreign::Payment),
        ("81234567890123456789", Foreign::DrugTrace),
        ("11010519491231002X", Foreign::IdNumber),
        ("L202611120371", Foreign::SlipNumber),
        ("https://www.example.org/t#section", Foreign::WebLink),
        ("https://www.example.org/", Foreign::WebLink),
        ("你好", Foreign::Unknown),
        ("BEGIN:VCARD", Foreign::Unknown),
    ];
    for (text, kind) in cases {
        assert_eq!(scan(text), Ok(Scanned::Foreign(kind)), "{text}");
    }
}

#[test]
fn each_kind_and_fault_has_a_sentence_of_its_own() {
    let mut keys: Vec<&str> = Foreign::ALL.iter().map(|f| f.sentence()).collect();
    let faults = [
        QrError::Empty,
        QrError::TooLong,
        QrError::Damaged,
        QrError::NotHttps,
        QrError::DoesNotFit(0),
        QrError::Origin,
    ];
    keys.extend(faults.iter().map(|f| f.sentence()));
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn empty_and_endless_texts_are_refused() {
    assert_eq!(scan(" \r\n"), Err(QrError::Empty));
    assert_eq!(scan(&"9".repeat(10_000)), Err(QrError::TooLong));
}

#[test]
fn a_url_is_made_for_an_origin_only() {
    for origin in
        ["relay.example", "https://", "https://a/b", "https://a b", "https://a:0", "https://a:08", "ftp://a"]
    {
        assert_eq!(ticket_url(origin, &ticket()), Err(QrError::Origin), "{origin}");
    }
}

#[test]
fn offers_print_no_secret() {
    let printed = format!("{:?}", offer(true));
    assert!(!printed.contains("[3, 3") && !printed.contains("0303") && !printed.contains("0404"));
    assert!(printed.contains("redacted"));
}

proptest! {
    #[test]
    fn any_text_is_something(text in "\\PC{0,80}") {
        let _ = scan(&text);
    }

    #[test]
    fn any_link_like_text_is_something(
        scheme in "(https|http|shlink|shc|wxp|HTTPS)", host in "[a-z.@:0-9-]{0,20}", path in "[tci/?=]{0,4}", fragment in "[A-Za-z0-9_-]{0,120}"
    ) {
        let _ = scan(&format!("{scheme}://{host}/{path}#{fragment}"));
    }
}
