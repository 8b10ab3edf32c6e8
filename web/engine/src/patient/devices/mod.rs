//! Several devices of one wallet: this one's links to the mailbox and to other devices, who belongs to the wallet, and how
//! one is added or removed. The rules are `suishen_core::sync`'s and the vault's; here are streams and storage.

pub(super) mod content;
mod door;
mod link;
mod mailbox;
mod members;
mod pairing;
mod restoring;

pub use members::role_of;

use super::{Session, consultation};
use crate::engine::Engine;
use crate::ledger::Ledger;
use crate::links::{Page, origin_of};
use crate::peers::{Incoming, Network, NotThere, Peers};
use crate::platform::{BrowserRandom, phone_clock, sleep};
use crate::store::{Change, Table};
use crate::worker::tell;
use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::channel::oneshot;
use futures::lock::Mutex;
use minicbor::{Decode, Encode};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};
use suishen_bridge::peer::Speech;
use suishen_bridge::{
    self as bridge, Action, Counterpart, Event, Fault, PatientRequest, PatientResponse, SyncState, Topic,
};
use suishen_core::cbor;
use suishen_core::id::BlobAddress;
use suishen_core::qr::{PeerOffer, QrError};
use suishen_core::sm::Key32;
use suishen_core::sync::{ContentError, ContentRefused, Gathering, Refused, SyncError};
use suishen_core::vault::{Origin, StoredEvent};
use zeroize::Zeroizing;

/// How often a relay is asked to let others in here.
const TRIES: u32 = 5;

/// When each mailbox last had all that this device has.
const LEVEL: &str = "mailbox-level";

/// The mailbox no longer lets this device in.
const REMOVED: &str = "device-removed";

/// What this worker knows of other copies while it runs.
#[derive(Debug, Default)]
pub struct Devices {
    network: Network,
    /// Each open link is told of new events, but for those that came by itself.
    links: RefCell<Vec<(u64, UnboundedSender<Vec<StoredEvent>>)>>,
    /// Links that were ever opened.
    opened: Cell<u64>,
    counterparts: RefCell<BTreeMap<String, Counterpart>>,
    /// The mailboxes that are being followed, by origin.
    following: RefCell<BTreeSet<String>>,
    /// Ends the wait before one of them is tried again.
    waiting: RefCell<BTreeMap<String, oneshot::Sender<()>>>,
    /// What is to be done once a copy is level is being done.
    looking: Cell<bool>,
    /// Who notes how far a mailbox is: one at a time.
    noting: Mutex<()>,
    /// Contents that are missing here and are coming, from all copies that are there.
    gathering: RefCell<Gathering>,
    /// Has contents exchanged with a mailbox, by origin.
    contents: RefCell<BTreeMap<String, UnboundedSender<()>>>,
    /// Contents that each is known to have.
    delivered: RefCell<BTreeMap<String, BTreeSet<BlobAddress>>>,
    invitation: RefCell<Option<pairing::Invitation>>,
    /// The ledger's holder is ahead of all that is known here, and when that was last looked at.
    kept_back: Cell<bool>,
    looked: Cell<Option<u64>>,
    /// This device shows its code to the wallet that is to take it in.
    joining: RefCell<Option<pairing::Joining>>,
}

/// How far a mailbox had this device's events, and when.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(map)]
struct Level {
    /// Ledger time.
    #[n(0)]
    time: u64,
    /// Events then.
    #[n(1)]
    events: u64,
}

/// Where this wallet waits, as somebody may scan it.
pub(super) struct Code {
    /// The network's worker.
    pub peers: Rc<Peers>,
    /// Who says it has seen the code.
    pub secret: Key32,
    /// The link. Secret.
    pub link: String,
}

/// Why a link ended.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The other side, or the network, isn't there.
    Away,
    /// The other side said no.
    Refused(Refused),
    /// The other side broke the rules.
    Broken(String),
    /// This side can't go on.
    Here(Fault),
}

impl From<NotThere> for Trouble {
    fn from(NotThere: NotThere) -> Self {
        Self::Away
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Here(fault)
    }
}

impl From<crate::store::StoreError> for Trouble {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Here(error.into())
    }
}

impl From<SyncError> for Trouble {
    fn from(error: SyncError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ContentError> for Trouble {
    fn from(error: ContentError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ContentRefused> for Trouble {
    fn from(refused: ContentRefused) -> Self {
        Self::Broken(refused.to_string())
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Away => Self::new("sync-away", Action::Retry),
            Trouble::Refused(Refused::Device) => Self::new(REMOVED, Action::Nothing),
            Trouble::Refused(refused) => {
                Self::new("sync-refused", Action::Retry).with_detail(refused.to_string())
            }
            Trouble::Broken(detail) => Self::new("sync-refused", Action::Retry).with_detail(detail),
            Trouble::Here(fault) => fault,
        }
    }
}

impl Devices {
    /// The network's worker, started when it is first asked for.
    pub(super) async fn peers(&self, engine: &Rc<Engine>) -> Result<Rc<Peers>, Trouble> {
        let receive = |incoming| wasm_bindgen_futures::spawn_local(receive(Rc::downgrade(engine), incoming));
        Ok(self.network.peers(receive).await?)
    }

    /// Has others reach this wallet through a relay. While the relay is just being reached for something else it may fail once.
    pub(super) async fn reachable(&self, engine: &Rc<Engine>) -> Result<Rc<Peers>, Trouble> {
        let relay = mailbox::relay(engine).await?;
        let peers = self.peers(engine).await?;
        for _ in 0..TRIES {
            if peers.listen(&relay).await.is_ok() {
                return Ok(peers);
            }
            sleep(300).await;
        }
        Err(Trouble::Away)
    }

    /// A code for somebody to scan who then dials this wallet.
    pub(super) async fn code(
        &self,
        engine: &Rc<Engine>,
        page: Page,
        url: fn(&str, &PeerOffer) -> Result<Zeroizing<String>, QrError>,
    ) -> Result<Code, Fault> {
        let peers = self.reachable(engine).await?;
        let secret = Key32::generate(&mut BrowserRandom);
        let offer = PeerOffer { peer: peers.id().to_vec(), secret: secret.clone(), relays: None };
        let link = url(&origin_of(&engine.origin(), page), &offer);
        let link = link.map_err(|e| Fault::new(e.sentence(), Action::Nothing))?.to_string();
        Ok(Code { peers, secret, link })
    }

    /// A link that is to be told of new events from now on, by its number.
    fn follows(&self) -> (u64, UnboundedReceiver<Vec<StoredEvent>>) {
        let (sender, news) = unbounded();
        let number = self.opened.get() + 1;
        self.opened.set(number);
        self.links.borrow_mut().push((number, sender));
        (number, news)
    }

    /// Tells every open link of events that are stored.
    pub(super) fn news(&self, events: &[StoredEvent]) {
        self.news_by(events, 0);
    }

    /// The same of events that came by this link.
    fn news_by(&self, events: &[StoredEvent], by: u64) {
        let tell = |(number, link): &(u64, UnboundedSender<_>)| {
            if *number == by { !link.is_closed() } else { link.unbounded_send(events.to_vec()).is_ok() }
        };
        self.links.borrow_mut().retain(tell);
    }

    /// Tries the mailboxes again at once, where a link to one broke.
    pub(super) fn wake(&self) {
        drop(self.waiting.take());
    }

    /// Asks the mailboxes for contents again, but for one: what that was asked for is for others now.
    fn call_for_contents(&self, but: Option<&str>) {
        let contents = self.contents.borrow();
        for (_, call) in contents.iter().filter(|(origin, _)| Some(origin.as_str()) != but) {
            // One whose link has just broken asks when it is there again.
            let _ = call.unbounded_send(());
        }
    }

    fn mark(&self, name: &str, mailbox: bool, state: SyncState) {
        let known = Counterpart { name: name.to_owned(), mailbox, state };
        let before = self.counterparts.borrow_mut().insert(name.to_owned(), known.clone());
        if before != Some(known) {
            tell(&Event::Changed(Topic::Devices));
        }
    }

    /// Ends all streams: the wallet is locked.
    pub(super) fn leave(&self) {
        self.links.borrow_mut().clear();
        self.counterparts.borrow_mut().clear();
        self.invitation.take();
        self.joining.take();
        self.gathering.take();
        self.kept_back.take();
        self.looked.take();
        self.wake();
        self.network.end();
    }
}

/// Takes what peers open: other devices of this wallet, a new one that has scanned its code, or the one that has scanned
/// this one's.
async fn receive(engine: Weak<Engine>, mut incoming: UnboundedReceiver<Incoming>) {
    while let Some(Incoming { peer, speech, stream }) = incoming.next().await {
        let Some(engine) = engine.upgrade() else { return };
        wasm_bindgen_futures::spawn_local(async move {
            // Whoever it was has gone, or didn't belong.
            let _ = match speech {
                Speech::Sync => link::answer(&engine, stream, &peer).await,
                Speech::Content => content::answer(&engine, stream, &peer).await,
                Speech::Pair => pairing::answer(&engine, stream, &peer).await,
                Speech::Consult => consultation::answer(&engine, stream, &peer).await,
            };
        });
    }
}

impl Session {
    /// Answers what concerns devices.
    pub(super) async fn answer_of_devices(
        &self,
        engine: &Rc<Engine>,
        request: PatientRequest,
    ) -> Result<PatientResponse, Fault> {
        use PatientRequest as R;
        use PatientResponse as A;
        match request {
            R::Sync => return Ok(A::Sync(self.sync(engine).await?)),
            R::Devices => return Ok(A::Devices(self.members()?)),
            R::InviteDevice { role, person } => return Ok(A::Link(self.invite(engine, role, person).await?)),
            R::RemoveDevice { device } => return Ok(A::Shares(self.remove_device(engine, &device).await?)),
            R::SyncNow => {
                self.follow_mailboxes(engine);
                self.devices.wake();
            }
            R::AnswerDevice { admit } => self.answer_device(admit).await?,
            R::StopInviting => self.stop_inviting(),
            R::AdmitDevice { text, role, person } => self.admit_scanned(engine, &text, role, person).await?,
            R::AnswerOwner { same } => self.answer_owner(same)?,
            R::StopJoining => self.devices.stop_joining(),
            _ => {}
        }
        Ok(A::Done)
    }

    /// How it stands with the other copies.
    async fn sync(&self, engine: &Engine) -> Result<bridge::Sync, Fault> {
        let levels = self.levels(engine).await?;
        let events = engine.store().await?.count(Table::Events).await?;
        let mut with: Vec<Counterpart> = self.devices.counterparts.borrow().values().cloned().collect();
        for counterpart in &mut with {
            if let SyncState::Away { last } = &mut counterpart.state {
                let level = levels.get(&counterpart.name).filter(|_| counterpart.mailbox);
                *last = level.map(|level| level.time);
            }
        }
        // What one of them has is in two places.
        let elsewhere = levels.values().map(|level| level.events).max();
        let waiting = events.saturating_sub(elsewhere.unwrap_or(0));
        // Proven by an epoch, or said by the mailbox, which then lets this device in no more.
        let shut_out =
            |one: &Counterpart| matches!(&one.state, SyncState::Refused(fault) if fault.code == REMOVED);
        let removed = self.with(|vault| vault.is_removed())? || with.iter().any(shut_out);
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        Ok(bridge::Sync { with, waiting, removed, kept_back: self.devices.kept_back.get() })
    }

    /// Whether another copy of the wallet is known to exist.
    pub(super) async fn has_copies(&self, engine: &Engine) -> Result<bool, Fault> {
        let devices = self.read(|index| {
            index.backed_up().is_some()
                || index.devices().filter(|d| d.name.is_some() && d.removed.is_none()).count() > 1
        })?;
        Ok(devices || !self.levels(engine).await?.is_empty())
    }

    /// By the mailbox's host, as far as it is still one.
    async fn levels(&self, engine: &Engine) -> Result<BTreeMap<String, Level>, Fault> {
        let bytes = engine.store().await?.get(Table::Plain, LEVEL).await?;
        let mut levels: BTreeMap<String, Level> =
            bytes.and_then(|bytes| cbor::decode(&bytes).ok()).unwrap_or_default();
        let named = mailbox::named(engine).await?;
        levels.retain(|host, _| named.contains(host));
        Ok(levels)
    }

    /// The mailbox at a host has all that this device had, so many events.
    async fn note_level(&self, engine: &Engine, host: &str, events: u64) -> Result<u64, Fault> {
        let told = engine.known_ledger().and_then(Ledger::now);
        // Where no relay says the time, the phone's own clock does for what is only shown.
        let time = told.unwrap_or_else(|| u64::try_from(phone_clock()).unwrap_or_default());
        let store = engine.store().await?;
        let _turn = self.devices.noting.lock().await;
        let mut levels = self.levels(engine).await?;
        if levels.insert(host.to_owned(), Level { time, events }).is_none() {
            // No longer the only copy.
            tell(&Event::Changed(Topic::Wallet));
        }
        store.put(Table::Plain, LEVEL, cbor::encode(&levels)).await?;
        Ok(time)
    }

    /// Takes events that came from another copy: those that hold are stored.
    /// `by` is the link by which they came: all others are told.
    async fn take_events(&self, engine: &Engine, events: Vec<StoredEvent>, by: u64) -> Result<(), Fault> {
        let (report, late) =
            self.with(|vault| (vault.load(&events, Origin::Elsewhere), vault.read_late()))?;
        let held: Vec<StoredEvent> = report.storable(events).chain(late).collect();
        let put =
            |event: &StoredEvent| Change::Put(Table::Events, event.address.to_hex(), event.bytes.clone());
        let changes = held.iter().map(put).collect();
        if report.epochs > 0 {
            self.save_vault(engine, changes).await?;
        } else {
            engine.store().await?.write(changes).await?;
        }
        self.devices.news_by(&held, by);
        Ok(())
    }

    /// Tells the pages that another device changed something.
    fn tell_all() {
        for topic in [Topic::Records, Topic::Shares, Topic::Devices, Topic::Wallet] {
            tell(&Event::Changed(topic));
        }
    }
}

/// The addresses of all events that are stored.
async fn addresses(engine: &Engine) -> Result<Vec<BlobAddress>, Fault> {
    let keys = engine.store().await?.keys(Table::Events).await?;
    Ok(keys.iter().filter_map(|key| BlobAddress::from_hex(key)).collect())
}
