//! What a signature speaks for: its device's earlier events, and nobody else's.

use super::*;

/// A wallet, the key that opens its events, and what its device did: records that were added.
struct Story {
    first: Vault,
    read: Key32,
    entropy: Entropy,
    /// Epoch, admission, holder.
    begun: Vec<StoredEvent>,
    added: Vec<StoredEvent>,
}

impl Story {
    fn new(records: u8) -> Self {
        let (mut first, begun, read) = with_read_key();
        let entropy = first.entropy().unwrap();
        let random = &mut Seeded::new(3);
        let added = (1..=records).map(|n| first.append(added(n), NOW, random).unwrap()).collect();
        Self { first, read, entropy, begun, added }
    }

    /// A device that has nothing yet.
    fn empty(&self) -> Vault {
        let epochs = Locked::from_bytes(&self.first.to_bytes()).unwrap().epochs;
        Vault::restore(&self.entropy, LEDGER, epochs, &mut Seeded::new(4)).unwrap()
    }

    /// The same event, signed by somebody else.
    fn forged(&self, event: &StoredEvent) -> StoredEvent {
        let (_, claimed) = event.open(self.first.id(), |_| vec![&self.read]).unwrap();
        forge(&self.first, &self.read, &SecretKey::from_bytes(&[9; 32]).unwrap(), &claimed)
    }

    /// What the device's next event would be.
    fn next(&self, body: Body) -> Event {
        let last = self.added.last().unwrap();
        let (signed, claimed) = last.open(self.first.id(), |_| vec![&self.read]).unwrap();
        Event {
            sequence: claimed.sequence + 1,
            previous: Some(signed.id()),
            seen: Vec::new(),
            body,
            ..claimed
        }
    }
}

fn records(vault: &mut Vault) -> usize {
    vault.index().records().count()
}

#[test]
fn a_devices_signature_speaks_for_what_it_wrote_before() {
    let story = Story::new(4);
    // All but the last are somebody's copies with signatures that don't hold; what they say is the device's all the same.
    let (last, before) = story.added.split_last().unwrap();
    let copies: Vec<_> = before.iter().map(|event| story.forged(event)).collect();
    let all: Vec<_> = story.begun.iter().chain(&copies).chain([last]).cloned().collect();
    let mut vault = story.empty();
    assert_eq!(vault.load(&all), LoadReport { taken: 7, ..LoadReport::default() });
    assert_eq!(records(&mut vault), 4);
    // Alone there is nothing that vouches for them.
    let mut slow = story.empty();
    slow.load(&story.begun);
    for copy in &copies {
        slow.load([copy]);
    }
    assert_eq!(records(&mut slow), 0);
    // They come again, and with them what does.
    slow.load(copies.iter().chain([last]));
    assert_eq!(slow.index(), vault.index());
}

#[test]
fn nothing_is_in_a_devices_name_that_it_does_not_name_itself() {
    let story = Story::new(2);
    let stranger = SecretKey::from_bytes(&[9; 32]).unwrap();
    // After its last event, beside it, and as long a chain as one likes.
    let mut next = story.next(Body::PhraseWritten);
    let mut all: Vec<_> = story.begun.iter().chain(&story.added).cloned().collect();
    for _ in 0..5 {
        all.push(forge(&story.first, &story.read, &stranger, &next));
        next.previous = Some(Signed::new(&next, &stranger, &LEDGER).id());
        next.sequence += 1;
    }
    let mut beside = story.next(Body::Hidden(record(1)));
    (beside.sequence, beside.previous) =
        (beside.sequence - 1, Some(id_of(&story.added[0], &story.first, &story.read)));
    all.push(forge(&story.first, &story.read, &stranger, &beside));
    let mut orders = vec![all.clone(), all.iter().rev().cloned().collect()];
    orders.push(all.iter().cycle().skip(4).take(all.len()).cloned().collect());
    for order in orders {
        let mut vault = story.empty();
        // All at once, one by one, and both.
        vault.load(&order);
        order.iter().for_each(|event| drop(vault.load([event])));
        let report = vault.load(&order[..1]);
        assert_eq!(records(&mut vault), 2);
        assert!(!vault.index().phrase_written() && !vault.index().marks(&record(1)).hidden);
        assert_eq!(vault.index().alarms().count(), 0, "{report:?}");
    }
    let refused = story.empty().load(&all).refused;
    assert!(refused.iter().all(|(_, error)| *error == EventError::Signature));
    assert_eq!(refused.len(), 6, "{refused:?}");
}

#[test]
fn another_device_vouches_for_nobody_but_itself() {
    let story = Story::new(1);
    let all: Vec<_> = story.begun.iter().chain(&story.added).cloned().collect();
    let (mut tablet, joined) = second(&story.first, &story.entropy, &all, 5);
    let hidden = tablet.append(Body::Hidden(record(1)), NOW, &mut Seeded::new(6)).unwrap();
    // The tablet names the phone's event, which comes with a signature that isn't the phone's.
    let copy = story.forged(&story.added[0]);
    let mut vault = story.empty();
    let report = vault.load(story.begun.iter().chain([&copy, &joined, &hidden]));
    assert_eq!(report.refused, [(copy.address, EventError::Signature)]);
    assert_eq!((report.waiting, records(&mut vault)), (2, 0));
    // The true one brings all that waited.
    assert_eq!(vault.load(&story.added).waiting, 0);
    assert!(vault.index().marks(&record(1)).hidden);
}

#[test]
fn a_false_copy_that_came_first_keeps_no_true_one_out() {
    let story = Story::new(2);
    let copy = story.forged(&story.added[1]);
    let mut vault = story.empty();
    vault.load(&story.begun);
    // It waits for the one before; then the true one comes, and both are known to hold.
    assert_eq!(vault.load([&copy]).waiting, 1);
    assert_eq!(vault.load([&story.added[1]]).waiting, 1);
    assert_eq!(vault.load([&copy]).refused, [(copy.address, EventError::Signature)]);
    assert_eq!(vault.load([&story.added[0]]), LoadReport { taken: 1, ..LoadReport::default() });
    assert_eq!(records(&mut vault), 2);
    assert_eq!(vault.load([&copy]).refused, [(copy.address, EventError::Signature)]);
    // One that waits alone is found out when its turn comes.
    let mut other = story.empty();
    other.load(story.begun.iter().chain([&copy]));
    assert_eq!(other.load([&story.added[0]]).refused, [(copy.address, EventError::Signature)]);
    assert_eq!(records(&mut other), 1);
}
