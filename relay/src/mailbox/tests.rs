//! Who comes in, what is kept, what it may cost; and that a restart forgets nothing.

use super::*;
use crate::random::SystemRandom;
use std::fs;
use suishen_core::{
    sm::SecretKey,
    sync::{ContentFrame, ContentRefused, Outline, Presence, Work},
    vault::{Body, DeviceRole, Epoch, NewDevice, Vault},
};
use tempfile::TempDir;

const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);
const PHONE: &[u8] = b"the phone's peer id";
const MAILBOX: &[u8] = b"the mailbox's peer id";
const DAY: u64 = 86_400;

const LIMITS: MailboxLimits = MailboxLimits {
    events: 100_000,
    content: 10_000,
    largest: 6000,
    room: 1 << 20,
    keep: 730 * DAY,
    bits: 6,
};

/// A relay's mailboxes.
struct Relay {
    folder: TempDir,
    mailboxes: Mailboxes,
}

impl Relay {
    fn new() -> Self {
        Self::with(LIMITS)
    }

    fn with(limits: MailboxLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = Mailboxes::open(&folder.path().join("mailbox"), LEDGER, limits).unwrap();
        Self { folder, mailboxes }
    }

    /// A relay with the mailbox of a new wallet.
    fn of_a_wallet() -> (Self, Vault) {
        let (relay, (vault, events)) = (Self::new(), wallet());
        assert_eq!(relay.begin(&vault), Welcome::Open(None));
        relay.mailboxes.store(vault.id(), events).unwrap();
        (relay, vault)
    }

    fn restart(self) -> Self {
        let Self { folder, mailboxes } = self;
        drop(mailboxes);
        let mailboxes = Mailboxes::open(&folder.path().join("mailbox"), LEDGER, LIMITS).unwrap();
        Self { folder, mailboxes }
    }

    fn knock(&self, knock: &Knock) -> Welcome {
        self.mailboxes.knock(knock, PHONE, MAILBOX, DAY).unwrap()
    }

    fn comes(&self, vault: &Vault) -> Welcome {
        self.knock(&Knock::of(vault, (PHONE, MAILBOX)))
    }

    fn found(&self, knock: &Knock, found: &Found) -> Welcome {
        self.mailboxes.found(knock, found, (PHONE, MAILBOX), DAY).unwrap()
    }

    fn begin(&self, vault: &Vault) -> Welcome {
        self.found(&Knock::of(vault, (PHONE, MAILBOX)), &founding(vault))
    }

    fn file(&self, vault: &Vault, address: &BlobAddress) -> PathBuf {
        self.folder.path().join("mailbox").join(vault.id().to_hex()).join(address.to_hex())
    }

    fn put(&self, vault: &Vault, address: &BlobAddress, size: usize) -> Put {
        self.mailboxes.put(vault.id(), address, size as u64, DAY).unwrap()
    }

    /// Sends content in pieces of 1000 bytes, from where it is asked for.
    fn send(&self, vault: &Vault, bytes: &[u8]) -> Taken {
        let mut taking = match self.put(vault, &BlobAddress::of(bytes), bytes.len()) {
            Put::Taking(taking) => taking,
            Put::Kept => return Taken::Kept,
            Put::Refused(why) => return Taken::Refused(why),
        };
        let from = usize::try_from(taking.from()).unwrap();
        let pieces = bytes[from..].chunks(1000);
        pieces.map(|piece| give(&mut taking, piece)).last().unwrap()
    }
}

fn give(taking: &mut Taking, piece: &[u8]) -> Taken {
    taking.take(&ContentFrame::piece(piece).to_bytes()).unwrap().unwrap()
}

fn refused(why: Refused) -> Welcome {
    Welcome::Refused(why)
}

fn wallet() -> (Vault, Vec<StoredEvent>) {
    Vault::create(LEDGER, "phone", 1, &mut SystemRandom)
}

fn founding(vault: &Vault) -> Found {
    let mut work = Work::new(vault.id(), MAILBOX, LIMITS.bits).unwrap();
    Found { epochs: vault.epochs(), work: work.search(1 << 16).unwrap() }
}

/// A further device, and the event that certifies it.
fn device(of: &mut Vault, role: DeviceRole) -> (Vault, StoredEvent) {
    let new = NewDevice::generate(&mut SystemRandom);
    let (admission, event) = of.admit(&new.request(), role, 2, &mut SystemRandom).unwrap();
    (Vault::join(new, &admission, LEDGER, &mut SystemRandom).unwrap(), event)
}

fn some_event(vault: &mut Vault, number: u64) -> StoredEvent {
    vault.append(Body::LastLooked(number), number, &mut SystemRandom).unwrap()
}

#[test]
fn a_wallet_begins_a_mailbox_and_comes_again() {
    let (relay, (vault, events)) = (Relay::new(), wallet());
    assert_eq!(relay.comes(&vault), Welcome::Unknown(LIMITS.bits));
    assert_eq!(relay.begin(&vault), Welcome::Open(None));
    assert_eq!(
        relay.mailboxes.addresses(vault.id()).unwrap(),
        [events[0].address],
        "the epoch is one of the set"
    );
    assert_eq!(relay.comes(&vault), Welcome::Open(None));
    assert_eq!(relay.begin(&vault), Welcome::Open(None), "begun twice is begun once");
    let new = relay.mailboxes.store(vault.id(), events.clone()).unwrap();
    assert_eq!(new, events[1..]);
    assert!(relay.mailboxes.store(vault.id(), events.clone()).unwrap().is_empty());
    let mut all: Vec<_> = events.iter().map(|event| event.address).collect();
    all.sort_unstable();
    assert_eq!(relay.mailboxes.addresses(vault.id()).unwrap(), all);
    let absent = BlobAddress::of(b"absent");
    let loaded = relay.mailboxes.load(vault.id(), vec![events[1].address, absent]).unwrap();
    assert_eq!(loaded, Loaded { events: vec![events[1].bytes.clone()], rest: Vec::new() });
    let counts = relay.mailboxes.counts().unwrap();
    assert_eq!((counts.vaults, counts.events), (1, events.len() as u64));
}

#[test]
fn malicious_stranger_cannot_begin_a_mailbox_for_nothing() {
    let (relay, (vault, _)) = (Relay::new(), wallet());
    let knock = Knock::of(&vault, (PHONE, MAILBOX));
    let good = founding(&vault);
    let lazy = (0..100).find(|n| !work_holds(vault.id(), MAILBOX, *n, LIMITS.bits)).unwrap();
    assert_eq!(relay.found(&knock, &Found { work: lazy, ..good.clone() }), refused(Refused::Work));
    let elsewhere = Work::new(vault.id(), b"another", LIMITS.bits).unwrap().search(1 << 16);
    let elsewhere = elsewhere.filter(|n| !work_holds(vault.id(), MAILBOX, *n, LIMITS.bits));
    if let Some(work) = elsewhere {
        assert_eq!(relay.found(&knock, &Found { work, ..good.clone() }), refused(Refused::Work));
    }
    let none = Found { epochs: Vec::new(), ..good.clone() };
    assert_eq!(relay.found(&knock, &none), refused(Refused::Epochs));
    let other = wallet().0;
    let mut mixed = good.clone();
    mixed.epochs.extend(other.epochs());
    assert_eq!(relay.found(&knock, &mixed), refused(Refused::Epochs), "an epoch of another vault");
    let mut theirs = Knock::of(&other, (PHONE, MAILBOX));
    theirs.vault = *vault.id();
    assert_eq!(relay.found(&theirs, &good), refused(Refused::Proof));
    assert_eq!(relay.mailboxes.counts().unwrap(), Counts::default());
    assert_eq!(relay.found(&knock, &good), Welcome::Open(None));
}

#[test]
fn malicious_stranger_cannot_come_in() {
    let (relay, vault) = Relay::of_a_wallet();
    let heard = Knock::of(&vault, (PHONE, MAILBOX));
    let judged = |knock: &Knock, by: &[u8], to: &[u8]| relay.mailboxes.knock(knock, by, to, DAY).unwrap();
    assert_eq!(judged(&heard, b"mallory", MAILBOX), refused(Refused::Proof), "from another peer");
    assert_eq!(judged(&heard, MAILBOX, PHONE), refused(Refused::Proof), "swapped");
    let stranger = wallet().0;
    let key = SecretKey::generate(&mut SystemRandom);
    let borrowed = Knock::new(*vault.id(), vault.pass(), (PHONE, MAILBOX), &key, &LEDGER);
    assert_eq!(relay.knock(&borrowed), refused(Refused::Proof), "somebody else's certificate");
    let presence = Presence { vault: *vault.id(), by: PHONE.into(), to: MAILBOX.into() };
    let other =
        Knock { vault: *vault.id(), pass: stranger.pass(), proof: stranger.sign_as_device(&presence) };
    assert_eq!(relay.knock(&other), refused(Refused::Device), "another vault's certificate");
    let own = stranger.pass()[0].claimed().unwrap();
    let forged = DeviceCertificate { vault: *vault.id(), sign: key.public(), ..own };
    let forged = [vec![Signed::new(&forged, &key, &LEDGER)], vault.pass()].concat();
    let forged = Knock::new(*vault.id(), forged, (PHONE, MAILBOX), &key, &LEDGER);
    assert_eq!(relay.knock(&forged), refused(Refused::Device), "a certificate of its own making");
    assert!(!relay.mailboxes.admits(vault.id(), &stranger.pass()).unwrap());
}

#[test]
fn devices_come_in_with_their_pass_before_any_event_of_theirs_is_here() {
    let (relay, mut phone) = Relay::of_a_wallet();
    for role in [DeviceRole::Manage, DeviceRole::View] {
        let (other, _) = device(&mut phone, role);
        assert_eq!(relay.comes(&other), Welcome::Open(None));
    }
}

#[test]
fn malicious_removed_device_cannot_come_in_again() {
    let (relay, mut phone) = Relay::of_a_wallet();
    let (tablet, certified) = device(&mut phone, DeviceRole::Manage);
    relay.mailboxes.store(phone.id(), vec![certified]).unwrap();
    assert_eq!(relay.comes(&tablet), Welcome::Open(None));
    let before = relay.mailboxes.addresses(phone.id()).unwrap().len();
    let removal = phone.remove_device(&tablet.device(), 3, &mut SystemRandom).unwrap();
    let new = relay.mailboxes.store(phone.id(), removal.clone()).unwrap();
    assert_eq!(new.len(), removal.len());
    assert!(new.iter().any(|event| event.epoch().is_some()), "the caller is told to look at open links");
    assert!(!relay.mailboxes.admits(phone.id(), &tablet.pass()).unwrap());
    assert_eq!(relay.comes(&tablet), refused(Refused::Device));
    assert_eq!(relay.begin(&tablet), refused(Refused::Device), "nor with the epochs of before");
    assert_eq!(relay.comes(&phone), Welcome::Open(None));
    let relay = relay.restart();
    assert_eq!(relay.comes(&tablet), refused(Refused::Device), "after a restart");
    assert_eq!(relay.comes(&phone), Welcome::Open(None));
    assert_eq!(relay.mailboxes.addresses(phone.id()).unwrap().len(), before + removal.len());
}

#[test]
fn malicious_device_without_the_role_cannot_remove_others() {
    let (relay, phone) = Relay::of_a_wallet();
    let (mut stranger, _) = wallet();
    let (other, _) = device(&mut stranger, DeviceRole::View);
    let foreign = stranger.remove_device(&other.device(), 3, &mut SystemRandom).unwrap();
    let epoch = foreign.iter().find(|event| event.epoch().is_some()).unwrap().clone();
    // Signed by nobody of this vault.
    let claimed = epoch.epoch().unwrap().claimed().unwrap();
    let root = phone.epochs()[0].claimed().unwrap().root;
    let key = SecretKey::generate(&mut SystemRandom);
    let previous = phone.epochs().iter().map(Signed::id).collect();
    let forged = Epoch { root, previous, removed: vec![phone.device()], ..claimed };
    let forged = StoredEvent::of_epoch(&Signed::new(&forged, &key, &LEDGER));
    let opaque = StoredEvent::from_bytes(vec![0x82, 1, 2]);
    let new = relay.mailboxes.store(phone.id(), vec![epoch, forged.clone(), opaque.clone()]).unwrap();
    assert_eq!(new, [opaque], "what holds is kept, what doesn't is left out");
    assert!(relay.mailboxes.load(phone.id(), vec![forged.address]).unwrap().events.is_empty());
    assert_eq!(relay.comes(&phone), Welcome::Open(None));
    let relay = relay.restart();
    assert_eq!(relay.comes(&phone), Welcome::Open(None));
}

#[test]
fn epochs_may_come_in_any_order_and_a_restart_judges_the_same() {
    let (relay, mut phone) = Relay::of_a_wallet();
    let mut gone = Vec::new();
    let mut events = Vec::new();
    for _ in 0..3 {
        let (tablet, certified) = device(&mut phone, DeviceRole::Share);
        events.push(certified);
        events.extend(phone.remove_device(&tablet.device(), 3, &mut SystemRandom).unwrap());
        gone.push(tablet);
    }
    // The newest first: it waits for the others.
    for event in events.into_iter().rev() {
        assert_eq!(relay.mailboxes.store(phone.id(), vec![event]).unwrap().len(), 1);
    }
    let out = |relay: &Relay| gone.iter().all(|tablet| relay.comes(tablet) == refused(Refused::Device));
    assert!(out(&relay));
    let relay = relay.restart();
    assert!(out(&relay));
    assert_eq!(relay.comes(&phone), Welcome::Open(None));
}

#[test]
fn malicious_vault_whose_epochs_are_being_verified_holds_up_no_other_vault() {
    let (relay, vault) = Relay::of_a_wallet();
    let (mut other, events) = wallet();
    assert_eq!(relay.begin(&other), Welcome::Open(None));
    relay.mailboxes.store(other.id(), events).unwrap();
    let (tablet, certified) = device(&mut other, DeviceRole::Share);
    let removal = other.remove_device(&tablet.device(), 3, &mut SystemRandom).unwrap();
    let mailboxes = relay.mailboxes.clone();
    let id = *vault.id();
    let done = relay.mailboxes.0.rosters.alone(&id, || {
        let (done, doing) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let relay = Relay { folder: tempfile::tempdir().unwrap(), mailboxes };
            assert_eq!(relay.comes(&other), Welcome::Open(None));
            relay.mailboxes.store(other.id(), [vec![certified], removal].concat()).unwrap();
            assert_eq!(relay.comes(&tablet), refused(Refused::Device));
            assert_eq!(relay.begin(&wallet().0), Welcome::Open(None));
            // Who belongs to the busy one is known all the same.
            assert_eq!(relay.comes(&vault), Welcome::Open(None));
            done.send(()).unwrap();
        });
        doing.recv_timeout(std::time::Duration::from_mins(1))
    });
    assert_eq!(done, Ok(()));
}

#[test]
fn malicious_epochs_that_wait_for_nothing_are_left_out_and_those_that_hold_still_count() {
    let (relay, mut phone) = Relay::of_a_wallet();
    let (tablet, certified) = device(&mut phone, DeviceRole::Manage);
    let claimed = phone.epochs()[0].claimed().unwrap();
    let waiting = (0..100_u8).map(|n| {
        let previous = vec![suishen_core::sm::Digest::of(&[n])];
        let pass = phone.pass();
        phone.sign_as_device(&Epoch { number: 1, previous, pass, ..claimed.clone() })
    });
    let waiting: Vec<_> = waiting.map(|epoch| StoredEvent::of_epoch(&epoch)).collect();
    assert_eq!(relay.mailboxes.store(phone.id(), waiting.clone()).unwrap().len(), 64);
    assert!(relay.mailboxes.store(phone.id(), waiting).unwrap().is_empty());
    relay.mailboxes.store(phone.id(), vec![certified]).unwrap();
    let removal = phone.remove_device(&tablet.device(), 3, &mut SystemRandom).unwrap();
    relay.mailboxes.store(phone.id(), removal).unwrap();
    assert_eq!(relay.comes(&tablet), refused(Refused::Device));
    let relay = relay.restart();
    assert_eq!(relay.comes(&tablet), refused(Refused::Device));
    assert_eq!(relay.comes(&phone), Welcome::Open(None));
}

#[test]
fn malicious_device_cannot_take_more_than_its_vaults_quota() {
    let (relay, mut vault) = Relay::of_a_wallet();
    let before = (relay.mailboxes.used(), relay.mailboxes.addresses(vault.id()).unwrap());
    let large = StoredEvent::from_bytes(vec![0; 99_900]);
    let small = some_event(&mut vault, 1);
    let both = vec![small.clone(), large];
    assert!(matches!(relay.mailboxes.store(vault.id(), both), Err(MailboxError::Full)));
    let after = (relay.mailboxes.used(), relay.mailboxes.addresses(vault.id()).unwrap());
    assert_eq!(after, before, "all or none");
    assert_eq!(relay.mailboxes.store(vault.id(), vec![small]).unwrap().len(), 1);
    let false_name = StoredEvent { address: BlobAddress::of(b"x"), bytes: b"y".to_vec() };
    assert!(matches!(relay.mailboxes.store(vault.id(), vec![false_name]), Err(MailboxError::Form)));
    let unknown = *wallet().0.id();
    let event = StoredEvent::from_bytes(vec![1]);
    assert!(matches!(relay.mailboxes.store(&unknown, vec![event]), Err(MailboxError::Unknown)));
}

#[test]
fn malicious_device_cannot_have_much_loaded_at_a_time_or_much_counted_as_nothing() {
    let relay = Relay::with(MailboxLimits { events: 1 << 20, room: 8 << 20, ..LIMITS });
    let (vault, _) = wallet();
    relay.begin(&vault);
    let large: Vec<_> = (0..6_u8).map(|n| StoredEvent::from_bytes(vec![n; 100_000])).collect();
    let huge = StoredEvent::from_bytes(vec![9; 300_000]);
    let mut asked = vec![huge.address];
    asked.extend(large.iter().map(|event| event.address));
    relay.mailboxes.store(vault.id(), [large, vec![huge]].concat()).unwrap();
    let mut counts = Vec::new();
    while !asked.is_empty() {
        let loaded = relay.mailboxes.load(vault.id(), asked).unwrap();
        counts.push(loaded.events.len());
        asked = loaded.rest;
    }
    assert_eq!(counts, [1, 2, 2, 2]);
    let used = relay.mailboxes.used();
    let tiny: Vec<_> = (0..10_u8).map(|n| StoredEvent::from_bytes(vec![0x82, n])).collect();
    relay.mailboxes.store(vault.id(), tiny).unwrap();
    assert_eq!(relay.mailboxes.used() - used, 10 << 10);
}

#[test]
fn all_mailboxes_together_have_one_room() {
    let relay = Relay::with(MailboxLimits { room: 20_000, ..LIMITS });
    let (vault, _) = wallet();
    relay.begin(&vault);
    let event = StoredEvent::from_bytes(vec![0; 25_000]);
    assert!(matches!(relay.mailboxes.store(vault.id(), vec![event]), Err(MailboxError::Full)));
    for n in 0..3 {
        relay.send(&vault, &[n; 5000]);
    }
    assert_eq!(relay.send(&vault, &[9; 6000]), Taken::Refused(ContentRefused::Full));
    assert!(relay.mailboxes.used() <= 20_000);
    let full = Relay::with(MailboxLimits { room: 100, ..LIMITS });
    assert_eq!(full.begin(&vault), refused(Refused::Full));
    let (next, _) = wallet();
    assert!(
        matches!(relay.comes(&next), Welcome::Unknown(bits) if bits > LIMITS.bits),
        "it costs more by now"
    );
    let small = StoredEvent::from_bytes(vec![1; 1000]);
    assert_eq!(
        relay.mailboxes.store(vault.id(), vec![small]).unwrap().len(),
        1,
        "changes have the last eighth"
    );
}

#[test]
fn content_comes_and_goes_by_its_address() {
    let (relay, vault) = Relay::of_a_wallet();
    let bytes: Vec<u8> = (0..5000_u32).flat_map(u32::to_be_bytes).take(5500).collect();
    let address = BlobAddress::of(&bytes);
    assert_eq!(relay.mailboxes.lacks(vault.id(), &[address]).unwrap(), [address]);
    assert!(relay.mailboxes.get(vault.id(), &address).unwrap().is_none());
    assert_eq!(relay.send(&vault, &bytes), Taken::Kept);
    assert!(matches!(relay.put(&vault, &address, 5500), Put::Kept));
    let relay = relay.restart();
    assert!(relay.mailboxes.lacks(vault.id(), &[address]).unwrap().is_empty());
    let held = relay.mailboxes.get(vault.id(), &address).unwrap().unwrap();
    assert_eq!((&held.outline, held.piece(0, 5500).unwrap()), (&Outline::of(&bytes), bytes.clone()));
    assert_eq!(held.piece(5000, 5500).unwrap(), bytes[5000..]);
    assert_eq!(held.piece(100, 200).unwrap(), bytes[100..200]);
    let other = wallet().0;
    assert!(relay.mailboxes.get(other.id(), &address).unwrap().is_none(), "each vault its own");
}

#[test]
fn content_from_before_there_were_outlines_gets_its_own_once() {
    let (relay, vault) = Relay::of_a_wallet();
    let address = BlobAddress::of(b"old");
    assert_eq!(relay.send(&vault, b"old"), Taken::Kept);
    let row = || {
        let read =
            |tx: &redb::ReadTransaction| rows::content(&tx.open_table(rows::CONTENTS)?, vault.id(), &address);
        relay.mailboxes.0.store.read(read).unwrap().unwrap()
    };
    let now = row();
    let before = rows::ContentRow { midstates: None, ..now.clone() };
    relay.mailboxes.0.store.write(|tx| rows::put_content(tx, vault.id(), &address, &before)).unwrap();
    assert_eq!(row(), before);
    assert_eq!(relay.mailboxes.get(vault.id(), &address).unwrap().unwrap().outline, Outline::of(b"old"));
    assert_eq!(row(), now);
    fs::write(relay.file(&vault, &address), b"ol").unwrap();
    assert!(relay.mailboxes.get(vault.id(), &address).unwrap().is_none(), "cut short");
    relay.mailboxes.0.store.write(|tx| rows::put_content(tx, vault.id(), &address, &before)).unwrap();
    fs::write(relay.file(&vault, &address), b"odd").unwrap();
    assert!(relay.mailboxes.get(vault.id(), &address).unwrap().is_none(), "something else");
}

#[test]
fn what_came_before_a_break_or_a_restart_is_not_sent_again() {
    let (relay, vault) = Relay::of_a_wallet();
    let bytes = vec![5; 5000];
    let address = BlobAddress::of(&bytes);
    let Put::Taking(mut taking) = relay.put(&vault, &address, 5000) else { panic!() };
    assert_eq!(give(&mut taking, &bytes[..2000]), Taken::More);
    assert!(matches!(relay.put(&vault, &address, 5000), Put::Refused(ContentRefused::Busy)));
    drop(taking);
    let used = relay.mailboxes.used();
    let relay = relay.restart();
    assert_eq!(relay.mailboxes.used(), used, "counted the same");
    let Put::Taking(taking) = relay.put(&vault, &address, 5000) else { panic!() };
    assert_eq!(taking.from(), 2000);
    drop(taking);
    assert!(relay.mailboxes.get(vault.id(), &address).unwrap().is_none(), "a part is not given out");
    assert_eq!(relay.send(&vault, &bytes), Taken::Kept);
}

#[test]
fn malicious_peer_cannot_leave_other_bytes_under_an_address() {
    let (relay, vault) = Relay::of_a_wallet();
    let used = relay.mailboxes.used();
    let bytes = vec![5; 3000];
    let address = BlobAddress::of(&bytes);
    let Put::Taking(mut taking) = relay.put(&vault, &address, 3000) else { panic!() };
    assert_eq!(give(&mut taking, &[6; 3000]), Taken::Wrong);
    drop(taking);
    assert!(!relay.file(&vault, &address).exists());
    assert_eq!(relay.mailboxes.used(), used);
    // A power cut left a part of the right length and other bytes.
    drop(relay.put(&vault, &address, 3000));
    fs::write(relay.file(&vault, &address), vec![0; 3000]).unwrap();
    let relay = relay.restart();
    assert_eq!(relay.send(&vault, &bytes), Taken::Kept);
    assert_eq!(fs::read(relay.file(&vault, &address)).unwrap(), bytes);
    // A power cut after the last byte, before the row.
    let last = vec![7; 100];
    let address = BlobAddress::of(&last);
    drop(relay.put(&vault, &address, 100));
    fs::write(relay.file(&vault, &address), &last).unwrap();
    let relay = relay.restart();
    assert!(matches!(relay.put(&vault, &address, 100), Put::Kept));
}

#[test]
fn malicious_peer_cannot_announce_beyond_its_quota_or_hold_a_room_by_announcing() {
    let (relay, vault) = Relay::of_a_wallet();
    let put = |name: &[u8], size| relay.put(&vault, &BlobAddress::of(name), size);
    assert!(matches!(put(b"a", 6001), Put::Refused(ContentRefused::Large)));
    assert!(matches!(put(b"a", 0), Put::Refused(ContentRefused::Large)));
    let used = relay.mailboxes.used();
    drop(put(b"a", 6000));
    assert!(matches!(put(b"b", 6000), Put::Refused(ContentRefused::Full)), "of the vault's own");
    drop(put(b"a", 3000));
    assert!(matches!(put(b"b", 6000), Put::Taking(_)), "announced anew it takes less");
    assert!(relay.mailboxes.used() - used < 1000, "nothing has come");
    relay.mailboxes.expire(DAY + 7 * DAY).unwrap();
    assert_eq!(relay.mailboxes.used(), used, "what doesn't grow goes");
    assert_eq!(relay.mailboxes.counts().unwrap().content, 0);
}

#[test]
fn a_mailbox_that_nobody_visits_goes_whole() {
    let (relay, vault) = Relay::of_a_wallet();
    let (other, _) = wallet();
    relay.begin(&other);
    relay.send(&vault, &[1; 3000]);
    let visited = 700 * DAY;
    let knock = Knock::of(&other, (PHONE, MAILBOX));
    relay.mailboxes.knock(&knock, PHONE, MAILBOX, visited).unwrap();
    assert_eq!(relay.mailboxes.expire(731 * DAY - 1).unwrap(), 0);
    assert_eq!(relay.mailboxes.expire(731 * DAY).unwrap(), 1);
    assert_eq!(relay.comes(&vault), Welcome::Unknown(LIMITS.bits));
    assert_eq!(relay.comes(&other), Welcome::Open(None));
    assert!(!relay.file(&vault, &BlobAddress::of(b"")).parent().unwrap().exists());
    relay.mailboxes.expire(visited + 730 * DAY).unwrap();
    assert_eq!(relay.mailboxes.used(), 0);
    assert_eq!(relay.begin(&vault), Welcome::Open(None), "it may come again");
}

#[test]
fn files_without_a_row_go_at_the_next_start_and_a_restart_counts_the_same() {
    let (relay, vault) = Relay::of_a_wallet();
    relay.send(&vault, &[1; 3000]);
    let orphan = relay.file(&vault, &BlobAddress::of(b"orphan"));
    fs::write(&orphan, b"orphan").unwrap();
    let (used, counts) = (relay.mailboxes.used(), relay.mailboxes.counts().unwrap());
    let relay = relay.restart();
    assert!(!orphan.exists());
    assert_eq!((relay.mailboxes.used(), relay.mailboxes.counts().unwrap()), (used, counts));
    assert_eq!(relay.comes(&vault), Welcome::Open(None));
}

#[test]
fn what_was_changed_on_the_disk_is_found_and_named() {
    let (relay, vault) = Relay::of_a_wallet();
    let bytes = vec![1; 3000];
    relay.send(&vault, &bytes);
    let address = BlobAddress::of(&bytes);
    let event = relay.mailboxes.addresses(vault.id()).unwrap()[0];
    let path = relay.file(&vault, &address);
    fs::write(&path, vec![2; 3000]).unwrap();
    let Relay { folder, mailboxes } = relay;
    drop(mailboxes);
    let folder = folder.path().join("mailbox");
    let tampered = redb::Database::open(database(&folder)).unwrap();
    let tx = tampered.begin_write().unwrap();
    let key = (vault.id().as_bytes(), event.as_bytes());
    tx.open_table(rows::EVENTS).unwrap().insert(key, b"changed".as_slice()).unwrap();
    tx.commit().unwrap();
    let examined = examine(&tampered, &folder).unwrap();
    let wrong: BTreeSet<_> = examined.wrong.iter().map(|(address, _)| *address).collect();
    assert_eq!(wrong, BTreeSet::from([address, event]));
    assert!(examined.whole >= 1);
    fs::remove_file(&path).unwrap();
    assert_eq!(examine(&tampered, &folder).unwrap().wrong.len(), 2, "missing is wrong too");
}
