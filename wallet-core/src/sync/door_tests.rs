//! Who can't get in by a knock, whatever he has heard and holds; and what work is.

use super::*;
use crate::sm::PublicKey;
use crate::vault::DeviceRole;

const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);
const PHONE: &[u8] = b"the phone's peer id";
const MAILBOX: &[u8] = b"the mailbox's peer id";

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).unwrap()
}

fn vault(root: u8) -> VaultId {
    VaultId::of(&key(root).public())
}

fn certificate(root: u8, sign: PublicKey) -> Signed<DeviceCertificate> {
    let certificate = DeviceCertificate {
        vault: vault(root),
        sign,
        seal: key(90).public(),
        role: DeviceRole::Share,
        epoch: 0,
        time: 1,
    };
    Signed::new(&certificate, &key(root), &LEDGER)
}

/// Device 10 of vault 1 knocks.
fn knock() -> Knock {
    let pass = vec![certificate(1, key(10).public())];
    Knock::new(vault(1), pass, (PHONE, MAILBOX), &key(10), &LEDGER)
}

fn verdict(knock: &Knock) -> Result<PublicKey, Refused> {
    knock.verify(&LEDGER, PHONE, MAILBOX).map(|certificate| certificate.sign)
}

#[test]
fn a_device_proves_its_key_on_this_connection() {
    let read = Knock::from_bytes(&knock().to_bytes()).unwrap();
    assert_eq!(verdict(&read), Ok(key(10).public()));
}

#[test]
fn malicious_peer_cannot_use_a_proof_of_another_connection() {
    let heard = knock();
    assert_eq!(heard.verify(&LEDGER, b"mallory", MAILBOX), Err(Refused::Proof), "from another peer");
    assert_eq!(heard.verify(&LEDGER, PHONE, b"a wallet"), Err(Refused::Proof), "to another peer");
    assert_eq!(heard.verify(&LEDGER, MAILBOX, PHONE), Err(Refused::Proof), "held up to its own maker");
    assert_eq!(heard.verify(&LedgerId::from_bytes([8; 32]), PHONE, MAILBOX), Err(Refused::Proof));
    let same = Knock::new(vault(1), heard.pass, (PHONE, PHONE), &key(10), &LEDGER);
    assert_eq!(same.verify(&LEDGER, PHONE, PHONE), Err(Refused::Form), "a connection to itself");
}

#[test]
fn malicious_peer_cannot_borrow_a_certificate_whose_key_it_lacks() {
    let pass = vec![certificate(1, key(10).public())];
    let knock = Knock::new(vault(1), pass, (PHONE, MAILBOX), &key(11), &LEDGER);
    assert_eq!(verdict(&knock), Err(Refused::Proof));
}

#[test]
fn malicious_device_cannot_enter_another_vault_with_its_own_certificate() {
    let pass = vec![certificate(2, key(10).public())];
    let elsewhere = Knock::new(vault(1), pass.clone(), (PHONE, MAILBOX), &key(10), &LEDGER);
    assert_eq!(verdict(&elsewhere), Err(Refused::Device));
    let mut renamed = Knock::new(vault(2), pass, (PHONE, MAILBOX), &key(10), &LEDGER);
    renamed.vault = vault(1);
    assert_eq!(verdict(&renamed), Err(Refused::Proof), "the vault is part of what was signed");
}

#[test]
fn a_pass_has_bounds_and_every_changed_byte_of_a_knock_is_refused() {
    let pass = |n: usize| vec![certificate(1, key(10).public()); n];
    for (n, verdict) in [(0, Err(Refused::Form)), (8, Ok(())), (9, Err(Refused::Form))] {
        let knock = Knock::new(vault(1), pass(n), (PHONE, MAILBOX), &key(10), &LEDGER);
        assert_eq!(knock.verify(&LEDGER, PHONE, MAILBOX).map(drop), verdict, "{n}");
    }
    let knock = knock();
    let (bytes, pass) = (knock.to_bytes(), knock.pass[0].to_bytes());
    let start = bytes.windows(pass.len()).position(|window| window == pass).unwrap();
    // What the certificate says is the roster's to judge.
    for i in (0..bytes.len()).filter(|i| !(start..start + pass.len()).contains(i)) {
        let mut changed = bytes.clone();
        changed[i] ^= 1;
        let verdict = Knock::from_bytes(&changed).and_then(|knock| verdict(&knock));
        assert!(verdict.is_err(), "byte {i}");
    }
    assert_eq!(Knock::from_bytes(&vec![0; MOST_AT_DOOR + 1]), Err(Refused::Form));
}

#[test]
fn answers_read_back() {
    let open = Welcome::Open(Some(Box::new(knock())));
    for answer in [Welcome::Open(None), open, Welcome::Unknown(18), Welcome::Refused(Refused::Full)] {
        assert_eq!(Welcome::from_bytes(&answer.to_bytes()), Ok(answer));
    }
    let reasons = [
        Refused::Form,
        Refused::Proof,
        Refused::Device,
        Refused::Work,
        Refused::Epochs,
        Refused::Full,
        Refused::Busy,
    ];
    for (number, reason) in (0..).zip(reasons) {
        assert_eq!(Welcome::Refused(reason).to_bytes(), [0x82, 2, 0x81, number], "a number never changes");
    }
}

#[test]
fn work_is_found_in_slices_and_holds_for_one_vault_at_one_mailbox() {
    let mut work = Work::new(&vault(1), MAILBOX, 8).unwrap();
    let found = (0..1000).find_map(|_| work.search(16)).unwrap();
    assert!(work_holds(&vault(1), MAILBOX, found, 8));
    let first = (0..=found).find(|n| work_holds(&vault(1), MAILBOX, *n, 8));
    assert_eq!(first, Some(found), "no number is left out");
    let others = [(vault(2), MAILBOX), (vault(1), PHONE)];
    assert!(others.iter().all(|(vault, peer)| !work_holds(vault, peer, found, 8)));
    assert!(
        Work::new(&vault(1), MAILBOX, MOST_WORK_BITS + 1).is_none(),
        "a battery is not a mailbox's to waste"
    );
}

#[test]
fn zero_bits_are_counted_from_the_first_byte() {
    let digest = |bytes: &[u8]| {
        let mut all = [0xff; 32];
        all[..bytes.len()].copy_from_slice(bytes);
        Digest::from_bytes(all)
    };
    let expected = [(&[0x80][..], 0), (&[0x7f], 1), (&[0, 0x20], 10), (&[0, 0, 0x3f], 18), (&[0; 32], 256)];
    for (bytes, count) in expected {
        assert_eq!(zeros(&digest(bytes)), count, "{bytes:?}");
    }
}
