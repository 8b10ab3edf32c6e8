//! One engine a worker: lock, storage, ledger, and the role's own part. Requests come here first.

use crate::ledger::Ledger;
use crate::platform::WalletLock;
use crate::store::Store;
use crate::worker::{Answer, tell};
use crate::{desk, patient};
use futures::lock::{Mutex, OwnedMutexGuard};
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use suishen_bridge::{self as bridge, Action, Event, Fault, LedgerState, Request, Response, Topic};

/// Everything behind the worker's message loop.
#[derive(Debug)]
pub struct Engine {
    settings: RefCell<Settings>,
    lock: RefCell<Option<WalletLock>>,
    /// Held until the page has said who it is, and while the lock is asked for: what comes meanwhile waits.
    asking: Arc<Mutex<()>>,
    unmet: RefCell<Option<OwnedMutexGuard<()>>>,
    store: OnceCell<Store>,
    ledger: OnceCell<Ledger>,
    /// The patient's wallet.
    pub patient: patient::Session,
    /// A desk.
    pub desk: desk::Session,
}

/// What the page said at the start.
#[derive(Clone, Debug, Default)]
struct Settings {
    relays: Vec<String>,
    language: String,
}

impl Engine {
    /// An engine that has not met its page.
    pub fn new() -> Self {
        let asking = Arc::new(Mutex::new(()));
        Self {
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
                    self.patient.refresh(self).await?;
                    // The desk's lists follow the ledger.
                    tell(&Event::Changed(Topic::Desk));
                }
                tell(&Event::Changed(Topic::Ledger));
                refreshed.map(|()| (Response::Ledger(self.ledger_state()), None))
            }
            Request::Patient(request) => {
                let (response, file) = self.patient.answer(self, task, request, bytes).await?;
                Ok((Response::Patient(response), file))
            }
            Request::Desk(request) => {
                let (response, file) = self.desk.answer(self, task, request, bytes).await?;
                Ok((Response::Desk(response), file))
            }
        }
    }

    /// Whether this tab may use the wallet.
    pub async fn holds_lock(&self) -> bool {
        drop(self.asking.lock().await);
        self.lock.borrow().is_some()
    }

    async fn take_lock(self: &Rc<Self>, steal: bool) {
        let engine = Rc::downgrade(self);
        let lost = move || {
            if let Some(engine) = engine.upgrade() {
                *engine.lock.borrow_mut() = None;
                engine.patient.lock();
                engine.desk.lock();
                tell(&Event::TakenOver);
            }
        };
        if let Some(lock) = WalletLock::take(steal, lost).await {
            *self.lock.borrow_mut() = Some(lock);
        }
    }

    /// Storage, once this tab holds the lock.
    pub async fn store(&self) -> Result<&Store, Fault> {
        if !self.holds_lock().await {
            return Err(Fault::new("elsewhere", Action::Nothing));
        }
        if self.store.get().is_none() {
            // Two requests may open at once; the second opening is dropped.
            let _ = self.store.set(Store::open().await?);
        }
        self.store.get().ok_or_else(|| Fault::new("store", Action::Retry))
    }

    /// The ledger: known from before, or met now.
    pub async fn ledger(&self) -> Result<&Ledger, Fault> {
        if self.ledger.get().is_none() {
            let relays = self.settings.borrow().relays.clone();
            let _ = self.ledger.set(Ledger::open(self.store().await?, relays).await?);
        }
        self.ledger.get().ok_or_else(|| Fault::new("offline", Action::Retry))
    }

    /// The ledger, if it was met already.
    pub fn known_ledger(&self) -> Option<&Ledger> {
        self.ledger.get()
    }

    /// The ledger with a time told within the last minutes and a fresh checkpoint.
    pub async fn fresh_ledger(&self) -> Result<&Ledger, Fault> {
        let ledger = self.ledger().await?;
        ledger.refresh(self.store().await?).await?;
        Ok(ledger)
    }

    /// BCP 47 language of the page.
    pub fn language(&self) -> String {
        self.settings.borrow().language.clone()
    }

    /// The page's own origin first: where links lead.
    pub fn origin(&self) -> String {
        self.settings.borrow().relays.first().cloned().unwrap_or_default()
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
