//! A vault as a specification: one device, two devices, restored, tampered with.

use super::*;
use crate::id::{BlobAddress, Commitment, GrantId, LedgerId};
use crate::identity::{Entropy, Language, tests as people};
use crate::sm::seeded::Seeded;
use crate::sm::{Key32, SecretKey, Signed};
use proptest::prelude::*;

mod care;
mod devices;
mod histories;
mod members;
mod removals;
mod shares;

pub(super) const NOW: u64 = 1_780_000_000;
const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);
pub(super) const PRF: [u8; 32] = [5; 32];

pub(super) fn record(n: u8) -> Commitment {
    Commitment::from_bytes([n; 32])
}

pub(super) fn added(n: u8) -> Body {
    Body::RecordAdded(Box::new(RecordAdded {
        claim_keys: None,
        record: record(n),
        manifest: vec![n; 300],
        salt: [n; 32],
        holder_salts: vec![Key32::from_bytes([n; 32])],
        parts: Vec::new(),
        tags: Vec::new(),
        groups: None,
        chain: people::chain(),
        source: Source::Ticket,
    }))
}

fn created(seed: u64) -> (Vault, Vec<StoredEvent>) {
    Vault::create(LEDGER, "手机", NOW, &mut Seeded::new(seed))
}

pub(super) fn protected(seed: u64) -> (Vault, Vec<StoredEvent>) {
    let (mut vault, events) = created(seed);
    vault.add_passkey(vec![1], [2; 32], &PRF, &mut Seeded::new(seed + 1000));
    (vault, events)
}

/// The same wallet on another device, by the phrase.
fn second(first: &Vault, entropy: &Entropy, events: &[StoredEvent], seed: u64) -> (Vault, StoredEvent) {
    let random = &mut Seeded::new(seed);
    let locked = Locked::from_bytes(&first.to_bytes()).unwrap();
    let mut vault = Vault::restore(entropy, LEDGER, locked.epochs, random).unwrap();
    assert!(vault.load(events, Origin::Elsewhere).refused.is_empty());
    let joined = vault.rejoin(entropy, "平板", NOW, random).unwrap();
    (vault, joined)
}

// ---- one device ------------------------------------------------------------------------------------------

#[test]
fn a_new_vault_is_epoch_zero_with_one_device_and_a_holder_ready_to_be_opened() {
    let (mut vault, events) = created(1);
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].epoch().unwrap().claimed().unwrap().number, 0);
    assert!(events[1].epoch().is_none());
    let holder = vault.holder();
    let index = vault.index();
    assert_eq!(
        index.devices().map(|d| (d.name.as_deref(), d.certificate.role)).collect::<Vec<_>>(),
        [(Some("手机"), DeviceRole::Manage)]
    );
    let open = index.holder().unwrap().clone();
    let crate::contract::Transaction::OpenHolder(open) = open.claimed().unwrap() else {
        panic!("not OpenHolder")
    };
    assert_eq!(crate::id::HolderId::of(&open.root), holder);
    assert_eq!(vault.holder_manage().unwrap().public(), open.manage);
    vault.add_passkey(vec![1], [2; 32], &PRF, &mut Seeded::new(2));
    assert_eq!(vault.authority().unwrap().public(), open.authority);
}

#[test]
fn what_was_appended_is_there_after_locking_and_opening() {
    let random = &mut Seeded::new(3);
    let (mut vault, mut events) = protected(1);
    events.push(vault.append(added(1), NOW, random).unwrap());
    events.push(vault.append(Body::Tagged(record(1), "复查".into()), NOW, random).unwrap());
    let before = vault.index().clone();
    let stored = vault.lock().to_bytes();
    let unlock = Unlock::Passkey { credential: &[1], prf: &PRF };
    let mut vault = Locked::from_bytes(&stored).unwrap().open(unlock).unwrap();
    assert_eq!(vault.append(added(2), NOW, random), Err(VaultError::Incomplete));
    assert_eq!(vault.load(&events, Origin::OwnStore), LoadReport { taken: 5, ..LoadReport::default() });
    assert_eq!(*vault.index(), before);
    assert!(vault.append(added(2), NOW, random).is_ok());
    assert_eq!(vault.index().records().count(), 2);
}

#[test]
fn kinds_of_small_events_look_alike() {
    let random = &mut Seeded::new(3);
    let (mut vault, _) = protected(1);
    let bodies = [
        Body::Hidden(record(1)),
        Body::Tagged(record(1), "复查".into()),
        Body::PhraseWritten,
        Body::LastLooked(NOW),
    ];
    let sizes: Vec<_> = bodies.map(|body| vault.append(body, NOW, random).unwrap().bytes.len()).into();
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "{sizes:?}");
}

#[test]
fn an_unprotected_vault_shares_nothing() {
    let (vault, _) = created(1);
    assert_eq!(vault.authority().err(), Some(VaultError::NotProtected));
    let secrets = grant_secrets();
    let sealed = vault.seal_grant(&GrantId::from_bytes([1; 32]), &secrets, &mut Seeded::new(1));
    assert_eq!(sealed, Err(VaultError::NotProtected));
}

#[test]
fn the_first_slot_replaces_the_platforms_key() {
    let (mut vault, _) = created(1);
    let device = vault.device_key().unwrap().clone();
    vault.set_platform(vec![1, 2, 3]);
    let locked = Locked::from_bytes(&vault.to_bytes()).unwrap();
    assert_eq!((locked.platform(), locked.slots().len()), (Some([1, 2, 3].as_slice()), 0));
    assert!(locked.open(Unlock::DeviceKey(&device)).is_ok());
    vault.add_passkey(vec![1], [2; 32], &PRF, &mut Seeded::new(2));
    assert_eq!(vault.device_key().err(), Some(VaultError::Protected));
    vault.set_platform(vec![1, 2, 3]);
    assert_eq!(Locked::from_bytes(&vault.to_bytes()).unwrap().platform(), None);
}

#[test]
fn a_weak_passphrase_is_refused_and_a_good_one_opens() {
    let (mut vault, _) = created(1);
    let random = &mut Seeded::new(2);
    assert!(matches!(vault.add_passphrase("woaini1314", random), Err(VaultError::Weak { .. })));
    let good = suggest(Language::English, random);
    vault.add_passphrase(&good, random).unwrap();
    let locked = vault.lock();
    assert_eq!(locked.clone().open(Unlock::Passphrase("not this one")).err(), Some(VaultError::WrongSecret));
    assert!(locked.open(Unlock::Passphrase(&good)).is_ok());
}

#[test]
fn a_damaged_store_is_never_taken_for_a_wrong_passphrase() {
    let (vault, _) = protected(1);
    let stored = vault.lock().to_bytes();
    for bit in 0..stored.len() * 8 {
        let mut changed = stored.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = Locked::from_bytes(&changed).err();
        assert!(matches!(error, Some(VaultError::Damaged | VaultError::Newer)), "bit {bit}: {error:?}");
    }
    let wrong = Unlock::Passkey { credential: &[1], prf: &[6; 32] };
    assert_eq!(Locked::from_bytes(&stored).unwrap().open(wrong).err(), Some(VaultError::WrongSecret));
}

#[test]
fn the_phrase_leaves_the_device_once_three_words_are_right() {
    let random = &mut Seeded::new(3);
    let (mut vault, mut events) = protected(1);
    let words = vault.entropy().unwrap().words(Language::Chinese);
    let wrong = [(1, words[0]), (2, words[1]), (3, words[0])];
    assert_eq!(vault.confirm_phrase(&wrong, NOW, random).err(), Some(VaultError::Words));
    let right = [(1, words[0]), (9, words[8]), (24, words[23])];
    events.push(vault.confirm_phrase(&right, NOW, random).unwrap());
    assert!(vault.entropy().is_none() && vault.index().phrase_written());
    let unlock = Unlock::Passkey { credential: &[1], prf: &PRF };
    let mut vault = Locked::from_bytes(&vault.to_bytes()).unwrap().open(unlock).unwrap();
    assert!(vault.entropy().is_none());
    vault.load(&events, Origin::OwnStore);
    assert_eq!(vault.confirm_phrase(&right, NOW, random).err(), Some(VaultError::PhraseGone));
}

#[test]
fn what_concerns_this_device_only_opens_under_its_own_name() {
    let (vault, _) = created(1);
    let sealed = vault.seal_local("pending/1", b"share", &mut Seeded::new(2));
    assert_eq!(vault.open_local("pending/1", &sealed).unwrap().as_slice(), b"share");
    assert!(vault.open_local("pending/2", &sealed).is_err());
    assert!(created(9).0.open_local("pending/1", &sealed).is_err());
}

#[test]
fn debug_prints_no_secret() {
    let (mut vault, _) = protected(1);
    let entropy = vault.entropy().unwrap();
    let keys = EpochKeys::generate(&mut Seeded::new(4));
    let text = format!(
        "{vault:?} {:?} {keys:?} {:?} {:?}",
        vault.slots().to_vec(),
        grant_secrets(),
        Unlock::Passphrase("hunter2")
    );
    assert!(!text.contains("hunter2"));
    for secret in
        [keys.read.as_bytes().as_slice(), keys.act.as_ref().unwrap().as_bytes(), entropy.as_bytes(), &PRF]
    {
        assert!(!text.contains(&data_encoding::HEXLOWER.encode(secret)));
        assert!(!text.contains(&format!("{secret:?}")));
    }
    let record = format!("RecordAdded(RecordAdded({:?} [redacted]))", record(1));
    assert_eq!(format!("{:?}", added(1)), record);
    assert_eq!(format!("{vault:?}"), format!("Vault({}, [redacted])", vault.id()));
    assert_eq!(
        format!("{keys:?}"),
        "EpochKeys { read: Key32([redacted]), act: Some(Key32([redacted])), manage: Some(Key32([redacted])) }"
    );
    assert_eq!(
        format!("{:?}", BackupReader::new(&entropy)),
        "BackupReader(BackupSummary { events: 0, blobs: 0 }, [redacted])"
    );
    let _ = vault.index();
}

// ---- events that must not count --------------------------------------------------------------------------

fn grant_secrets() -> GrantSecrets {
    let key = |n| SecretKey::from_bytes(&[n; 32]).unwrap();
    GrantSecrets { grant: key(1), offer: key(2), reply: key(3), half: Key32::from_bytes([4; 32]) }
}

fn refusal(vault: &mut Vault, event: &StoredEvent) -> Option<EventError> {
    vault.load([event], Origin::Elsewhere).refused.first().map(|(_, error)| *error)
}

#[test]
fn changed_misplaced_and_foreign_events_are_refused_by_name() {
    let random = &mut Seeded::new(3);
    let (mut vault, events) = created(1);
    let event = vault.append(added(1), NOW, random).unwrap();
    for at in (0..event.bytes.len()).step_by(7) {
        let mut bytes = event.bytes.clone();
        bytes[at] ^= 1;
        let before = vault.load([], Origin::Elsewhere).waiting;
        let report = vault.load([&StoredEvent::from_bytes(bytes)], Origin::Elsewhere);
        // Another number of an epoch may be right one day; anything else is refused.
        let waits = report.waiting == before + 1;
        let refused = matches!(report.refused[..], [(_, EventError::Form | EventError::Open)]);
        assert!(refused || (at == 0 || at == 1) && waits, "byte {at}: {report:?}");
    }
    let moved = StoredEvent { address: BlobAddress::from_bytes([1; 32]), ..event };
    assert_eq!(refusal(&mut vault, &moved), Some(EventError::Form));
    let (mut other, _) = created(2);
    assert_eq!(refusal(&mut other, &events[1]), Some(EventError::Open));
}

/// An event as whoever has the read key could make it.
fn forge(vault: &Vault, read: &Key32, key: &SecretKey, event: &Event) -> StoredEvent {
    let signed = Signed::new(event, key, &LEDGER);
    StoredEvent::seal(&signed, event.epoch, read, vault.id(), &mut Seeded::new(77))
}

/// A vault and its read key, known from seed 1 as [`created`] draws it.
fn with_read_key() -> (Vault, Vec<StoredEvent>, Key32) {
    let (vault, events) = created(1);
    let entropy = vault.entropy().unwrap();
    let locked = Locked::from_bytes(&vault.to_bytes()).unwrap();
    let epoch = locked.epochs[0].claimed().unwrap();
    let keys = epoch.open(&entropy.keys().encryption, &LEDGER).unwrap();
    (vault, events, keys.read)
}

#[test]
fn the_read_key_alone_writes_nothing() {
    let (mut vault, _, read) = with_read_key();
    let stranger = SecretKey::from_bytes(&[9; 32]).unwrap();
    let device = vault.index().devices().next().unwrap().certificate.sign;
    let mut event = Event {
        device,
        sequence: 2,
        previous: None,
        seen: vec![],
        epoch: 0,
        time: NOW,
        body: Body::PhraseWritten,
    };
    // In the device's name, by another key.
    let forged = forge(&vault, &read, &stranger, &event);
    assert_eq!(refusal(&mut vault, &forged), Some(EventError::Signature));
    // In its own name, never admitted.
    event.device = stranger.public();
    event.sequence = 0;
    let forged = forge(&vault, &read, &stranger, &event);
    assert_eq!(refusal(&mut vault, &forged), Some(EventError::Device));
    // Admitted by itself.
    let certificate = DeviceCertificate {
        vault: *vault.id(),
        sign: stranger.public(),
        seal: stranger.public(),
        role: DeviceRole::Manage,
        epoch: 0,
        time: NOW,
    };
    event.body = Body::DeviceAdmitted(Signed::new(&certificate, &stranger, &LEDGER), String::new());
    let forged = forge(&vault, &read, &stranger, &event);
    assert_eq!(refusal(&mut vault, &forged), Some(EventError::Device));
    assert!(!vault.index().phrase_written());
}

#[test]
fn a_device_that_may_only_look_changes_nothing_else_and_is_named() {
    let (mut vault, _, read) = with_read_key();
    let (viewer, root) =
        (SecretKey::from_bytes(&[9; 32]).unwrap(), vault.entropy().unwrap().keys().vault_root);
    let certificate = DeviceCertificate {
        vault: *vault.id(),
        sign: viewer.public(),
        seal: viewer.public(),
        role: DeviceRole::View,
        epoch: 0,
        time: NOW,
    };
    let body = Body::DeviceAdmitted(Signed::new(&certificate, &root, &LEDGER), String::new());
    let mut event = Event {
        device: viewer.public(),
        sequence: 0,
        previous: None,
        seen: vec![],
        epoch: 0,
        time: NOW,
        body,
    };
    let first = forge(&vault, &read, &viewer, &event);
    for body in [Body::LastLooked(NOW), added(1)] {
        event.previous = Some(Signed::new(&event, &viewer, &LEDGER).id());
        event.sequence += 1;
        event.body = body;
        let forged = forge(&vault, &read, &viewer, &event);
        assert_eq!(vault.load([&first, &forged], Origin::Elsewhere).refused, []);
    }
    let index = vault.index();
    assert_eq!((index.last_looked(), index.records().count()), (Some(NOW), 0));
    assert_eq!(index.alarms().collect::<Vec<_>>(), [&Alarm::Overstepped(viewer.public())]);
}

#[test]
fn an_event_waits_for_those_that_it_names() {
    let random = &mut Seeded::new(3);
    let (mut vault, mut events) = created(1);
    let entropy = vault.entropy().unwrap();
    events.push(vault.append(added(1), NOW, random).unwrap());
    events.push(vault.append(Body::Hidden(record(1)), NOW, random).unwrap());
    let epochs = Locked::from_bytes(&vault.to_bytes()).unwrap().epochs;
    let mut restored = Vault::restore(&entropy, LEDGER, epochs, random).unwrap();
    assert_eq!(
        restored.load(&events[3..], Origin::Elsewhere),
        LoadReport { taken: 2, waiting: 2, ..LoadReport::default() }
    );
    assert_eq!(restored.index().records().count(), 0);
    assert_eq!(restored.load(&events[..3], Origin::Elsewhere).waiting, 0);
    assert_eq!(*restored.index(), *vault.index());
}

#[test]
fn an_old_copy_that_comes_back_to_life_is_noticed() {
    let random = &mut Seeded::new(3);
    let (mut vault, events) = protected(1);
    let unlock = Unlock::Passkey { credential: &[1], prf: &PRF };
    let mut copy = Locked::from_bytes(&vault.to_bytes()).unwrap().open(unlock).unwrap();
    copy.load(&events, Origin::OwnStore);
    let other = copy.append(added(2), NOW, random).unwrap();
    vault.append(added(1), NOW, random).unwrap();
    assert_eq!(vault.index().alarms().count(), 0);
    vault.load([&other], Origin::Elsewhere);
    assert!(matches!(vault.index().alarms().next(), Some(Alarm::Forked(_))));
    assert_eq!(vault.index().records().count(), 2);
}

// ---- several devices -------------------------------------------------------------------------------------

#[test]
fn a_clock_that_is_centuries_ahead_wins_nothing() {
    let random = &mut Seeded::new(3);
    let (mut phone, mut events) = created(1);
    let entropy = phone.entropy().unwrap();
    events.push(phone.append(added(1), NOW, random).unwrap());
    let (mut tablet, joined) = second(&phone, &entropy, &events, 5);
    let ahead = NOW + 1_000 * 365 * 86_400;
    let hidden = tablet.append(Body::Hidden(record(1)), ahead, random).unwrap();
    let looked = tablet.append(Body::LastLooked(ahead), ahead, random).unwrap();
    phone.load([&joined, &hidden, &looked], Origin::Elsewhere);
    assert!(phone.index().marks(&record(1)).hidden);
    phone.append(Body::Unhidden(record(1)), NOW, random).unwrap();
    phone.append(Body::LastLooked(NOW), NOW, random).unwrap();
    assert!(!phone.index().marks(&record(1)).hidden);
    assert_eq!(phone.index().last_looked(), Some(NOW));
}

#[test]
fn another_wallets_phrase_restores_nothing() {
    let (vault, _) = created(1);
    let epochs = Locked::from_bytes(&vault.to_bytes()).unwrap().epochs;
    let other = Entropy::from_bytes([1; 32]);
    let restored = Vault::restore(&other, LEDGER, epochs, &mut Seeded::new(1));
    assert_eq!(restored.err(), Some(VaultError::OtherWallet));
    let (mut vault, _) = created(1);
    assert_eq!(vault.rejoin(&other, "x", NOW, &mut Seeded::new(1)), Err(VaultError::OtherWallet));
}

/// What a device does next in a random history.
#[derive(Clone, Debug)]
enum Step {
    Write(bool, u8, u8),
    Sync(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), 0u8..9, 0u8..3).prop_map(|(tablet, kind, n)| Step::Write(tablet, kind, n)),
        1 => any::<bool>().prop_map(Step::Sync),
    ]
}

fn body(kind: u8, n: u8) -> Body {
    let record = record(n);
    match kind {
        0 => added(n),
        1 => Body::Tagged(record, format!("t{n}")),
        2 => Body::Untagged(record, format!("t{n}")),
        3 => Body::Renamed(record, format!("name {n}")),
        4 => Body::Hidden(record),
        5 => Body::Unhidden(record),
        6 => Body::SettingChanged("language".into(), format!("{n}")),
        7 => Body::LastLooked(u64::from(n)),
        _ => Body::ContactAdded(Contact { chain: people::chain(), name: format!("{n}") }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn in_whatever_order_events_come_the_index_is_the_same(
        steps in proptest::collection::vec(step(), 1..24),
        shuffle in any::<u64>(),
    ) {
        let random = &mut Seeded::new(3);
        let (mut phone, mut events) = created(1);
        let entropy = phone.entropy().unwrap();
        let (mut tablet, joined) = second(&phone, &entropy, &events, 5);
        events.push(joined);
        for step in steps {
            match step {
                Step::Write(on_tablet, kind, n) => {
                    let device = if on_tablet { &mut tablet } else { &mut phone };
                    events.push(device.append(body(kind, n), NOW + u64::from(n), random).unwrap());
                }
                Step::Sync(to_tablet) => {
                    let device = if to_tablet { &mut tablet } else { &mut phone };
                    prop_assert!(device.load(&events, Origin::Elsewhere).refused.is_empty());
                }
            }
        }
        let in_order = { phone.load(&events, Origin::Elsewhere); phone.index().clone() };
        let mut shuffled = events.clone();
        let mut order = Seeded::new(shuffle);
        shuffled.sort_by_cached_key(|_| { use crate::sm::Random as _; order.bytes::<8>() });
        let epochs = Locked::from_bytes(&phone.to_bytes()).unwrap().epochs;
        let mut fresh = Vault::restore(&entropy, LEDGER, epochs, random).unwrap();
        for (i, event) in shuffled.iter().enumerate() {
            prop_assert!(fresh.load([event, event], Origin::Elsewhere).refused.is_empty());
            if i % 3 == 0 {
                fresh.index();
            }
        }
        tablet.load(&shuffled, Origin::Elsewhere);
        prop_assert_eq!(fresh.index(), &in_order);
        prop_assert_eq!(tablet.index(), &in_order);
        prop_assert_eq!(in_order.alarms().count(), 0);
    }

    #[test]
    fn random_bytes_are_no_wallet_event_or_backup(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Locked::from_bytes(&bytes).is_err());
        let (mut vault, _) = created(1);
        prop_assert!(refusal(&mut vault, &StoredEvent::from_bytes(bytes.clone())).is_some());
        let mut reader = BackupReader::new(&Entropy::from_bytes([1; 32]));
        let begun = reader.push(&[b"SUISHEN BACKUP\0\x01", &bytes[..]].concat());
        prop_assert!(begun.is_err() || reader.finish().is_err());
    }
}
