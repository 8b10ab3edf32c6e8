//! Certificates as a specification, and against the `openssl` program both ways.

use super::*;
use crate::cbor;
use crate::id::{InboxId, PartyId};
use crate::sm::SecretKey;
use crate::sm::seeded::Seeded;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const NOW: u64 = 1_780_000_000;
const YEARS: Validity = Validity { not_before: NOW - 1000, not_after: NOW + 10 * 365 * 86_400 };
pub(crate) const DAYS: Validity =
    Validity { not_before: NOW - 1000, not_after: NOW - 1000 + LONGEST_PERSON_VALIDITY };

pub(crate) fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).unwrap()
}

fn party(code: &str) -> PartyId {
    PartyId::new(code).unwrap()
}

pub(crate) fn serial(n: u64) -> Serial {
    Serial::generate(&mut Seeded::new(n))
}

pub(crate) fn hospital() -> Subject {
    Subject::organisation(party("12330100470038456X"), "安澜市人民医院")
}

fn doctor() -> Subject {
    Subject {
        unit: Some("心内科".into()),
        name: Some("李静".into()),
        title: Some("主任医师".into()),
        ..hospital()
    }
}

pub(crate) fn root() -> Certificate {
    self_sign(Subject::organisation(party("SUISHEN"), "随身联盟"), &key(1), &serial(1), YEARS).unwrap()
}

pub(crate) fn organisation(subject: Subject, n: u8) -> Certificate {
    let request =
        Request { kind: Kind::Organisation, subject, key: key(n).public(), role: None, inbox: None };
    issue(&root(), &key(1), &request, &serial(n.into()), YEARS).unwrap()
}

fn person(kind: Kind) -> Request {
    let inbox = (kind == Kind::PersonSeal).then(|| InboxId::from_bytes([9; 32]));
    Request { kind, subject: doctor(), key: key(3).public(), role: Some(Role::Physician), inbox }
}

fn certified(request: &Request) -> Result<Certificate, CertificateError> {
    issue(&organisation(hospital(), 2), &key(2), request, &serial(3), DAYS)
}

pub(crate) fn chain() -> Chain {
    Chain::new(vec![certified(&person(Kind::PersonSign)).unwrap(), organisation(hospital(), 2)]).unwrap()
}

#[test]
fn a_doctor_is_known_by_name_department_title_and_organisation() {
    let chain = cbor::decode::<Chain>(&cbor::encode(&chain())).unwrap();
    let leaf = chain.verify(&root(), NOW).unwrap();
    assert_eq!(leaf.subject(), &doctor());
    assert_eq!((leaf.kind(), leaf.role()), (Kind::PersonSign, Some(Role::Physician)));
    assert_eq!(leaf.key(), &key(3).public());
    assert_eq!(leaf.validity(), DAYS);
    assert_eq!(leaf.serial(), &serial(3));
}

#[test]
fn a_certificate_to_seal_to_carries_the_inbox_and_one_to_sign_may_not() {
    assert_eq!(certified(&person(Kind::PersonSeal)).unwrap().inbox(), Some(&InboxId::from_bytes([9; 32])));
    let request = Request { inbox: Some(InboxId::from_bytes([9; 32])), ..person(Kind::PersonSign) };
    assert!(matches!(certified(&request), Err(CertificateError::Form(_))));
}

#[test]
fn a_person_holds_only_under_its_own_organisation() {
    let foreign = Subject::organisation(party("91330100MA27XXXX1"), "别家医院");
    let signed_by_a_foreign_hospital =
        issue(&organisation(foreign.clone(), 4), &key(4), &person(Kind::PersonSign), &serial(3), DAYS);
    assert_eq!(signed_by_a_foreign_hospital, Err(CertificateError::NotAllowed));
    let mut renamed = person(Kind::PersonSign);
    renamed.subject.organisation = "别家医院".into();
    assert_eq!(certified(&renamed), Err(CertificateError::NotAllowed));
    // Both certificates good by themselves, but of two organisations.
    let mixed =
        Chain::new(vec![certified(&person(Kind::PersonSign)).unwrap(), organisation(foreign, 4)]).unwrap();
    assert_eq!(mixed.verify(&root(), NOW), Err(CertificateError::NotAllowed));
}

#[test]
fn a_person_certifies_nobody_and_an_organisation_no_organisation() {
    let leaf = certified(&person(Kind::PersonSign)).unwrap();
    assert_eq!(
        issue(&leaf, &key(3), &person(Kind::PersonSign), &serial(5), DAYS),
        Err(CertificateError::NotAllowed)
    );
    let request =
        Request { kind: Kind::Organisation, role: None, subject: hospital(), ..person(Kind::PersonSign) };
    assert_eq!(certified(&request), Err(CertificateError::NotAllowed));
    assert_eq!(
        issue(&root(), &key(1), &person(Kind::PersonSign), &serial(5), DAYS),
        Err(CertificateError::NotAllowed)
    );
}

#[test]
fn another_organisations_key_under_the_same_name_is_refused() {
    let impostor = organisation(hospital(), 7);
    let leaf = certified(&person(Kind::PersonSign)).unwrap();
    assert_eq!(leaf.verify_issued_by(&impostor), Err(CertificateError::Issuer));
    let forged = issue(&organisation(hospital(), 2), &key(7), &person(Kind::PersonSign), &serial(3), DAYS);
    assert_eq!(forged, Err(CertificateError::Signature));
}

#[test]
fn a_chain_holds_from_its_first_to_its_last_second_and_under_its_own_root() {
    let (chain, root) = (chain(), root());
    assert!(chain.verify(&root, DAYS.not_before).is_ok());
    assert!(chain.verify(&root, DAYS.not_after).is_ok());
    let not_before = DAYS.not_before;
    assert_eq!(chain.verify(&root, not_before - 1), Err(CertificateError::NotYetValid { not_before }));
    let not_after = DAYS.not_after;
    assert_eq!(chain.verify(&root, not_after + 1), Err(CertificateError::Expired { not_after }));
    let other =
        self_sign(Subject::organisation(party("SUISHEN"), "随身联盟"), &key(8), &serial(1), YEARS).unwrap();
    assert_eq!(chain.verify(&other, NOW), Err(CertificateError::Issuer));
    assert!(chain.verify(chain.organisation(), NOW).is_err());
}

#[test]
fn a_person_is_certified_for_ninety_days_at_most() {
    let longer = Validity { not_after: DAYS.not_after + 1, ..DAYS };
    let long = issue(&organisation(hospital(), 2), &key(2), &person(Kind::PersonSign), &serial(3), longer);
    assert!(matches!(long, Err(CertificateError::Form(_))));
}

#[test]
fn names_that_a_screen_would_not_show_are_refused() {
    for name in ["", " 李静", "李\u{202e}静", "李\n静", "\u{200b}", &"李".repeat(101)] {
        let mut request = person(Kind::PersonSign);
        request.subject.name = Some(name.into());
        assert!(matches!(certified(&request), Err(CertificateError::Form(_))), "{name:?}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let organisation = organisation(hospital(), 2);
    let der = certified(&person(Kind::PersonSign)).unwrap().to_der().to_vec();
    for bit in 0..der.len() * 8 {
        let mut changed = der.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let verdict = Certificate::from_der(&changed).and_then(|c| c.verify_issued_by(&organisation));
        assert!(verdict.is_err(), "bit {bit}");
    }
    for len in 0..der.len() {
        assert!(Certificate::from_der(&der[..len]).is_err(), "{len} bytes");
    }
    assert!(Certificate::from_der(&[&der[..], &[0]].concat()).is_err());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Certificate::from_der(&bytes).is_err());
    }

    #[test]
    fn a_certificate_with_bytes_replaced_never_panics(at in 0usize..800, with in proptest::collection::vec(any::<u8>(), 1..6)) {
        let mut der = root().to_der().to_vec();
        let at = at % der.len();
        let end = (at + with.len()).min(der.len());
        der.splice(at..end, with);
        if let Ok(certificate) = Certificate::from_der(&der) {
            let _ = certificate.verify_root();
        }
    }
}

// ---- openssl ---------------------------------------------------------------------------------------------

/// A folder of its own, gone when the test is over.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("suishen-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }

    fn openssl(&self, line: &str) -> Output {
        Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(&self.0)
            .output()
            .expect("the openssl program is needed for this test")
    }

    pub(crate) fn run(&self, line: &str) -> String {
        let output = self.openssl(line);
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(Path::new(&self.0));
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[test]
fn openssl_reads_and_verifies_what_we_issue() {
    let folder = Folder::new("certificate-out");
    let chain = chain();
    folder.write("root.pem", pem("CERTIFICATE", root().to_der()));
    folder.write("organisation.pem", pem("CERTIFICATE", chain.organisation().to_der()));
    folder.write("leaf.pem", pem("CERTIFICATE", chain.leaf().to_der()));
    let text = folder.run("x509 -in leaf.pem -noout -text -nameopt utf8,sep_comma_plus");
    for expected in ["SM2-with-SM3", "ASN1 OID: SM2", "李静", "主任医师", "心内科", "12330100470038456X"]
        .into_iter()
        .chain([
            "CA:FALSE",
            "Digital Signature, Non Repudiation",
            "2.25.81323294834588388598330063311712313254",
        ])
    {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    // The program applies -vfyopt to one certificate only: each link by itself.
    for (above, below) in [("root", "organisation"), ("organisation", "leaf")] {
        let verify = format!(
            "verify -attime {NOW} -x509_strict -partial_chain -vfyopt distid:1234567812345678 -trusted {above}.pem {below}.pem"
        );
        assert!(folder.run(&verify).contains(&format!("{below}.pem: OK")));
        assert!(!folder.openssl(&verify.replace("12345678 ", "12345679 ")).status.success());
    }
}

/// The profile in openssl's configuration, so that another program's root is read as ours is.
const PROFILE: &str = "
[req]
distinguished_name = name
prompt = no
utf8 = yes
string_mask = utf8only
[name]
organizationIdentifier = SUISHEN
O = 随身联盟
[root]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
2.25.81323294834588388598330063311712313254 = DER:04:03:a1:00:00
";

#[test]
fn we_read_and_verify_what_openssl_signs() {
    let folder = Folder::new("certificate-in");
    folder.write("profile.cnf", PROFILE);
    folder.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out key.pem");
    folder.run(
        "req -new -x509 -sm3 -sigopt distid:1234567812345678 -key key.pem -config profile.cnf -extensions root -days 3650 -outform DER -out root.der",
    );
    let root = Certificate::from_der(&std::fs::read(folder.0.join("root.der")).unwrap()).unwrap();
    root.verify_root().unwrap();
    assert_eq!(root.subject(), &Subject::organisation(party("SUISHEN"), "随身联盟"));
    assert_eq!(root.kind(), Kind::Root);
}
