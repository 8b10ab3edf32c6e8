//! One engine a worker: lock, storage, ledger, and the role's own part. Requests come here first.

use crate::ledger::Ledger;
use crate::platform::WalletLock;
use crate::store::{OWN, Store};
use crate::worker::{Answer, tell};
use crate::{desk, patient};
use futures::future::LocalBoxFuture;
use futures::lock::{Mutex, OwnedMutexGuard};
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use suishen_bridge::{self as bridge, Action, Event, Fault, LedgerState, Request, Response, Topic};

/// Everything behind the worker's message loop. Another person's wallet that is kept beside the owner's has an engine of its
/// own, whose lock, ledger and settings are the owner's: whatever is under way for one wallet never meets the other's store.
#[derive(Debug)]
pub struct Engine {
    part: Part,
    owner: Option<Rc<Self>>,
    /// The wallet, of another person's: known once it has been joined.
    wallet: OnceCell<String>,
    /// Wallets of others.
    pub care: patient::Care,
    settings: RefCell<Settings>,
    lock: RefCell<Option<WalletLock>>,
    /// Held until the page has said who it is, and while the lock is asked for: what comes meanwhile waits.
    asking: Arc<Mutex<()>>,
    unmet: RefCell<Option<OwnedMutexGuard<()>>>,
    store: OnceCell<Rc<Store>>,
    ledger: OnceCell<Ledger>,
    /// The patient's wallet.
    pub patient: patient::Session,
    /// A desk.
    pub desk: desk::Session,
}

/// A role's own part. An engine is built for one of them, whose bundle has no code of the other's.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Answers its requests, for the wallet that is open.
    pub answer: fn(Rc<Engine>, u32, Asked) -> Later<Answer>,
    /// Follows the ledger.
    pub refresh: fn(Rc<Engine>) -> Later<Result<(), Fault>>,
}

/// A request with the file that came with it.
type Asked = (Request, Option<Vec<u8>>);
type Later<T> = LocalBoxFuture<'static, T>;

/// What the page said at the start.
#[derive(Clone, Debug, Default)]
struct Settings {
    relays: Vec<String>,
    language: String,
}

impl Engine {
    /// An engine that has not met its page.
    pub fn new(part: Part) -> Self {
        let asking = Arc::new(Mutex::new(()));
        Self {
            part,
            owner: None,
            wallet: OnceCell::new(),
            care: patient::Care::default(),
            settings: RefCell::default(),
            lock: RefCell::default(),
            unmet: RefCell::new(asking.try_lock_owned()),
            asking,
            store: OnceCell::new(),
            ledger: OnceCell::new(),
            patient: patient::Session::default(),
            desk: desk::Session::default(),
        }
    }

    /// An engine for another person's wallet beside this one.
    pub fn beside(owner: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { owner: Some(owner.clone()), ..Self::new(owner.part) })
    }

    /// Says which wallet of another person's this is.
    pub fn is_of(&self, wallet: String) {
        let _ = self.wallet.set(wallet);
    }

    /// Which wallet of another person's this is; none for the owner's.
    pub fn wallet(&self) -> Option<&String> {
        self.wallet.get()
    }

    /// The engine of this browser's owner: this one, or the one that it is beside.
    pub fn owner(self: &Rc<Self>) -> Rc<Self> {
        self.owner.as_ref().unwrap_or(self).clone()
    }

    /// The same, borrowed.
    pub fn own(&self) -> &Self {
        self.owner.as_deref().unwrap_or(self)
    }

    /// Whether this is another person's wallet.
    pub const fn is_beside(&self) -> bool {
        self.owner.is_some()
    }

    /// The engine of the wallet that is open.
    fn opened(self: &Rc<Self>) -> Rc<Self> {
        self.care.opened().unwrap_or_else(|| self.clone())
    }

    /// Locks the owner's wallet and with it all others.
    pub fn lock(&self) {
        let owner = self.own();
        owner.care.lock();
        owner.patient.lock();
        owner.desk.lock();
    }

    /// Answers one request.
    pub async fn answer(self: &Rc<Self>, task: u32, request: Request, bytes: Option<Vec<u8>>) -> Answer {
        match request {
            Request::Start { relays, language } => {
                *self.settings.borrow_mut() = Settings { relays, language };
                let met = self.unmet.take();
                self.take_lock(false).await;
                drop(met);
                Ok((Response::Started { release: env!("CARGO_PKG_VERSION").to_owned() }, None))
            }
            Request::UseHere => {
                let asking = self.asking.lock().await;
                self.take_lock(true).await;
                drop(asking);
                tell(&Event::Changed(Topic::Wallet));
                Ok((Response::Done, None))
            }
            Request::Ledger => Ok((Response::Ledger(self.ledger_state()), None)),
            Request::Refresh => {
                let refreshed = match self.ledger().await {
                    Ok(ledger) => ledger.refresh(self.store().await?).await.map_err(Fault::from),
                    Err(fault) => Err(fault),
                };
                if refreshed.is_ok() {
                    (self.part.refresh)(self.opened()).await?;
                    // The desk's lists follow the ledger.
                    tell(&Event::Changed(Topic::Desk));
                }
                tell(&Event::Changed(Topic::Ledger));
                refreshed.map(|()| (Response::Ledger(self.ledger_state()), None))
            }
            Request::Patient(_) | Request::Desk(_) => {
                (self.part.answer)(self.opened(), task, (request, bytes)).await
            }
        }
    }

    /// Whether this tab may use the wallet.
    pub async fn holds_lock(&self) -> bool {
        let owner = self.own();
        drop(owner.asking.lock().await);
        owner.lock.borrow().is_some()
    }

    async fn take_lock(self: &Rc<Self>, steal: bool) {
        let engine = Rc::downgrade(self);
        let lost = move || {
            if let Some(engine) = engine.upgrade() {
                *engine.lock.borrow_mut() = None;
                engine.lock();
                tell(&Event::TakenOver);
            }
        };
        if let Some(lock) = WalletLock::take(steal, lost).await {
            *self.lock.borrow_mut() = Some(lock);
        }
    }

    /// The wallet's storage, once this tab holds the lock.
    pub async fn store(&self) -> Result<&Store, Fault> {
        if !self.holds_lock().await {
            return Err(Fault::new("elsewhere", Action::Nothing));
        }
        let own = match &self.owner {
            Some(owner) => Some(owner.open_store(OWN, None).await?.clone()),
            None => None,
        };
        let name = match (&self.owner, self.wallet()) {
            (None, _) => OWN.to_owned(),
            (Some(_), Some(wallet)) => patient::database(wallet),
            (Some(_), None) => return Err(Fault::new("no-wallet", Action::Nothing)),
        };
        self.open_store(&name, own).await.map(|store| &**store)
    }

    async fn open_store(&self, name: &str, own: Option<Rc<Store>>) -> Result<&Rc<Store>, Fault> {
        if self.store.get().is_none() {
            // Two requests may open at once; the second opening is dropped.
            let _ = self.store.set(Rc::new(Store::open(name, own).await?));
        }
        self.store.get().ok_or_else(|| Fault::new("store", Action::Retry))
    }

    /// The ledger: known from before, or met now.
    pub async fn ledger(&self) -> Result<&Ledger, Fault> {
        let owner = self.own();
        if owner.ledger.get().is_none() {
            let relays = owner.settings.borrow().relays.clone();
            let _ = owner.ledger.set(Ledger::open(owner.store().await?, relays).await?);
        }
        owner.ledger.get().ok_or_else(|| Fault::new("offline", Action::Retry))
    }

    /// The ledger, if it was met already.
    pub fn known_ledger(&self) -> Option<&Ledger> {
        self.own().ledger.get()
    }

    /// The ledger with a time told within the last minutes and a fresh checkpoint.
    pub async fn fresh_ledger(&self) -> Result<&Ledger, Fault> {
        let ledger = self.ledger().await?;
        ledger.refresh(self.own().store().await?).await?;
        Ok(ledger)
    }

    /// BCP 47 language of the page.
    pub fn language(&self) -> String {
        self.own().settings.borrow().language.clone()
    }

    /// The page's own origin first: where links lead.
    pub fn origin(&self) -> String {
        self.own().settings.borrow().relays.first().cloned().unwrap_or_default()
    }

    fn ledger_state(&self) -> bridge::Ledger {
        match self.ledger.get() {
            None => bridge::Ledger {
                state: LedgerState::Unknown,
                now: None,
                size: 0,
                checked: None,
                clock_off: 0,
            },
            Some(ledger) => {
                let seen = ledger.seen();
                bridge::Ledger {
                    state: ledger.state(),
                    now: ledger.now(),
                    size: seen.map_or(0, |(size, _)| size),
                    checked: seen.map(|(_, time)| time),
                    clock_off: ledger.clock_off(),
                }
            }
        }
    }
}
