//! Places for streams: how many there may be of a peer, at the door, and inside of a vault and of one of its devices.
//!
//! Those at the door have shown nothing yet, so they have places of their own: when these are taken, whoever has waited there
//! longest goes. A device's newest streams are the ones that it uses, so the oldest one gives way.

use libp2p::PeerId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use suishen_core::{id::VaultId, sm::PublicKey, vault::StoredEvent};
use tokio::sync::{Notify, Semaphore, broadcast};

/// Streams that one peer may have open, whatever they are for.
const OF_PEER: usize = 16;
/// Streams that may stand at the door, and that may work for a new mailbox.
const AT_DOOR: usize = 512;
const AT_WORK: usize = 256;
/// Streams that may be inside in all, of one vault, and of one device in it.
const INSIDE: usize = 8192;
const OF_VAULT: usize = 32;
const OF_DEVICE: usize = 4;
/// Sessions that one vault may have at a time: each has the set of all its events in memory. More than one device has streams.
const SESSIONS: usize = OF_DEVICE + 2;
/// News that a slow link may be behind; one that is further compares anew.
const BEHIND: usize = 16;

/// New events of a vault, and by which stream they came.
#[derive(Clone)]
pub struct News {
    /// The number of its [`Inside`].
    pub from: u64,
    /// What is new.
    pub events: Arc<Vec<StoredEvent>>,
}

/// Who has a place.
#[derive(Default)]
pub struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    last: u64,
    peers: BTreeMap<PeerId, usize>,
    outside: [BTreeMap<u64, Arc<Notify>>; 2],
    inside: usize,
    vaults: BTreeMap<VaultId, Room>,
}

/// A vault with open streams.
struct Room {
    news: broadcast::Sender<News>,
    sessions: Arc<Semaphore>,
    /// Oldest first.
    streams: Vec<Stream>,
}

/// One of a device's.
struct Stream {
    number: u64,
    device: PublicKey,
    gone: Arc<Notify>,
}

/// Where a stream stands before it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// It has to prove who it is.
    Door,
    /// It works for a new mailbox.
    Work,
}

impl Places {
    /// A place for one more stream of a peer.
    pub fn of_peer(self: &Arc<Self>, peer: PeerId) -> Option<OfPeer> {
        let mut taken = self.taken();
        let count = taken.peers.entry(peer).or_default();
        (*count < OF_PEER).then(|| {
            *count += 1;
            OfPeer { places: self.clone(), peer }
        })
    }

    /// A place before the door, which somebody else may have to leave for it.
    pub fn outside(self: &Arc<Self>, at: At) -> Outside {
        let mut taken = self.taken();
        taken.last += 1;
        let (number, gone) = (taken.last, Arc::new(Notify::new()));
        let most = if at == At::Door { AT_DOOR } else { AT_WORK };
        let all = &mut taken.outside[at as usize];
        all.insert(number, gone.clone());
        if all.len() > most
            && let Some((_, oldest)) = all.pop_first()
        {
            oldest.notify_one();
        }
        Outside { places: self.clone(), at, number, gone }
    }

    /// A place inside for a stream of a device; none when the vault's, or all, are taken.
    pub fn inside(self: &Arc<Self>, vault: VaultId, device: PublicKey) -> Option<Inside> {
        let mut guard = self.taken();
        let taken = &mut *guard;
        let room = taken.vaults.entry(vault).or_insert_with(Room::new);
        let mut own = (0..room.streams.len()).filter(|at| room.streams[*at].device == device);
        match (own.next(), own.count() + 1 >= OF_DEVICE) {
            (Some(oldest), true) => {
                room.streams.remove(oldest).gone.notify_one();
                taken.inside -= 1;
            }
            _ if room.streams.len() >= OF_VAULT || taken.inside >= INSIDE => {
                taken.tidy(&vault);
                return None;
            }
            _ => {}
        }
        taken.inside += 1;
        taken.last += 1;
        let (number, gone) = (taken.last, Arc::new(Notify::new()));
        room.streams.push(Stream { number, device, gone: gone.clone() });
        let (news, sessions) = (room.news.clone(), room.sessions.clone());
        Some(Inside { places: self.clone(), vault, number, gone, news, sessions })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn new() -> Self {
        let (news, sessions) = (broadcast::channel(BEHIND).0, Arc::new(Semaphore::new(SESSIONS)));
        Self { news, sessions, streams: Vec::new() }
    }
}

impl Taken {
    /// Forgets a vault without streams.
    fn tidy(&mut self, vault: &VaultId) {
        if self.vaults.get(vault).is_some_and(|room| room.streams.is_empty()) {
            self.vaults.remove(vault);
        }
    }
}

/// One of a peer's streams, until it is dropped.
pub struct OfPeer {
    places: Arc<Places>,
    peer: PeerId,
}

impl Drop for OfPeer {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(count) = taken.peers.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                taken.peers.remove(&self.peer);
            }
        }
    }
}

/// A stream that is not in yet, until it is dropped.
pub struct Outside {
    places: Arc<Places>,
    at: At,
    number: u64,
    gone: Arc<Notify>,
}

impl Outside {
    /// Until somebody else needs the place.
    pub async fn gone(&self) {
        self.gone.notified().await;
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.places.taken().outside[self.at as usize].remove(&self.number);
    }
}

/// A stream of a device in its vault, until it is dropped.
pub struct Inside {
    places: Arc<Places>,
    vault: VaultId,
    /// No other has it.
    pub number: u64,
    /// Told to all streams of the vault.
    pub news: broadcast::Sender<News>,
    /// The vault's sessions.
    pub sessions: Arc<Semaphore>,
    gone: Arc<Notify>,
}

impl Inside {
    /// Until the same device has opened so many others that this one must go.
    pub async fn gone(&self) {
        self.gone.notified().await;
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut guard = self.places.taken();
        let taken = &mut *guard;
        let Some(room) = taken.vaults.get_mut(&self.vault) else { return };
        let before = room.streams.len();
        room.streams.retain(|stream| stream.number != self.number);
        // One that had to go has left its place already.
        taken.inside -= before - room.streams.len();
        taken.tidy(&self.vault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use suishen_core::sm::SecretKey;

    fn vault(n: u8) -> VaultId {
        VaultId::from_bytes([n; 32])
    }

    fn device(n: u8) -> PublicKey {
        SecretKey::from_bytes(&[n; 32]).unwrap().public()
    }

    #[test]
    fn malicious_peer_has_so_many_streams_and_no_more() {
        let (places, peer) = (Arc::new(Places::default()), PeerId::random());
        let mut held: Vec<_> = (0..OF_PEER).map(|_| places.of_peer(peer).unwrap()).collect();
        assert!(places.of_peer(peer).is_none());
        assert!(places.of_peer(PeerId::random()).is_some(), "another has its own");
        held.pop();
        held.push(places.of_peer(peer).unwrap());
        assert!(places.of_peer(peer).is_none());
        drop(held);
        assert!(places.taken().peers.is_empty());
    }

    #[test]
    fn malicious_crowd_at_the_door_keeps_nobody_out_and_nobody_who_is_in_waits_for_it() {
        let places = Arc::new(Places::default());
        let inside = places.inside(vault(1), device(1)).unwrap();
        let crowd: Vec<_> = (0..AT_DOOR).map(|_| places.outside(At::Door)).collect();
        assert!(crowd[0].gone().now_or_never().is_none());
        let newest = places.outside(At::Door);
        assert!(crowd[0].gone().now_or_never().is_some(), "the oldest goes");
        assert!(crowd[1].gone().now_or_never().is_none());
        assert!(newest.gone().now_or_never().is_none());
        let working = places.outside(At::Work);
        assert!(crowd[1].gone().now_or_never().is_none(), "work is done elsewhere");
        assert!(places.inside(vault(1), device(2)).is_some());
        drop((crowd, newest, working));
        assert!(places.taken().outside.iter().all(BTreeMap::is_empty));
        assert!(inside.gone().now_or_never().is_none());
    }

    #[test]
    fn a_devices_oldest_stream_gives_way_and_malicious_devices_have_a_vaults_places_and_no_more() {
        let places = Arc::new(Places::default());
        let mut held: Vec<_> = (0..OF_DEVICE).map(|_| places.inside(vault(1), device(1)).unwrap()).collect();
        held.push(places.inside(vault(1), device(1)).unwrap());
        assert!(held[0].gone().now_or_never().is_some());
        assert!(held[1].gone().now_or_never().is_none());
        drop(held.remove(0));
        assert_eq!(places.taken().inside, OF_DEVICE);
        let of_others = (2..).flat_map(|n| [n; OF_DEVICE]).map(|n| places.inside(vault(1), device(n)));
        held.extend(of_others.map_while(|place| place));
        assert_eq!(held.len(), OF_VAULT);
        assert!(places.inside(vault(2), device(1)).is_some(), "another vault has its own");
        assert!(places.inside(vault(1), device(1)).is_some(), "who is in may come again");
        drop(held);
        let taken = places.taken();
        assert!(taken.vaults.is_empty() && taken.inside == 0);
    }
}
