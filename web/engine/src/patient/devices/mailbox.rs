//! Mailboxes: a relay holds the wallet's ciphertext for the devices that are off, and so do the further places that it names,
//! where the devices go on meeting when it is gone.

use super::{Trouble, content, door, link};
use crate::engine::Engine;
use crate::http::{self, Call};
use crate::patient::care;
use crate::platform::sleep;
use crate::store::Table;
use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::channel::oneshot;
use futures::future::{Either, select};
use minicbor::{Decode, Encode};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::pin::pin;
use std::rc::Rc;
use suishen_bridge::peer::{Relay, Speech};
use suishen_bridge::{Fault, SyncState};
use suishen_core::cbor;
use suishen_core::id::LedgerId;
use suishen_core::order;
use suishen_core::sync::{LINK_FRAME, Link, Refused};

/// How long to wait after a link broke: longer each time, in milliseconds.
const WAITS: [i32; 6] = [500, 1000, 2000, 5000, 15_000, 30_000];

/// How often the ledger is asked, where it doesn't answer, whether it is ahead of the mailbox.
const LOOKS: u32 = 3;

/// Where further mailboxes are, as this wallet's relay said when it could last be asked.
const FURTHER: &str = "further-mailboxes";
/// Longest answer of a mailbox that says what it is, in bytes.
const MOST_INFO: usize = 4096;
/// Of those no more are followed.
const MOST_FURTHER: usize = 4;

/// What a mailbox says of itself at `/v1/mailbox`.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct MailboxInfo {
    #[n(0)]
    ledger: LedgerId,
    #[cbor(n(1), with = "minicbor::bytes")]
    peer: Vec<u8>,
    #[n(2)]
    others: Vec<String>,
}

impl super::Session {
    /// Keeps the mailboxes and this wallet the same from now on. Before it is protected nothing leaves this browser.
    pub(in super::super) fn follow_mailboxes(&self, engine: &Rc<Engine>) {
        if self.with(|vault| vault.is_protected()).unwrap_or(false) {
            let engine = engine.clone();
            wasm_bindgen_futures::spawn_local(async move {
                let further = further(&engine).await.unwrap_or_default();
                all(&engine, further).for_each(|origin| follow_one(&engine, origin));
            });
        }
    }
}

/// Follows a mailbox, where that isn't done already.
fn follow_one(engine: &Rc<Engine>, origin: String) {
    if engine.patient.devices.following.borrow_mut().insert(origin.clone()) {
        let engine = engine.clone();
        wasm_bindgen_futures::spawn_local(async move {
            follow(&engine, &origin).await;
            engine.patient.devices.following.borrow_mut().remove(&origin);
        });
    }
}

async fn further(engine: &Engine) -> Result<Vec<String>, Fault> {
    let bytes = engine.store().await?.get(Table::Plain, FURTHER).await?;
    Ok(bytes.and_then(|bytes| cbor::decode(&bytes).ok()).unwrap_or_default())
}

/// The hosts of all mailboxes that are followed, as [`host`] writes them.
pub async fn named(engine: &Engine) -> Result<BTreeSet<String>, Fault> {
    Ok(order::set(all(engine, further(engine).await?).map(|origin| host(&origin))))
}

/// The relay's own mailbox, then these.
fn all(engine: &Engine, further: Vec<String>) -> impl Iterator<Item = String> {
    std::iter::once(engine.origin()).chain(further)
}

/// What the mailbox at an origin says of itself, where it is this ledger's.
async fn info(origin: &str, ledger: &LedgerId) -> Result<MailboxInfo, Trouble> {
    let answer = http::send_for(origin, &Call::get("/v1/mailbox"), MOST_INFO).await;
    let answer = answer.map_err(|_| Trouble::Away)?;
    let info: MailboxInfo =
        cbor::decode(&answer).map_err(|_| Trouble::Broken("no mailbox answers there".to_owned()))?;
    if info.ledger != *ledger {
        return Err(Trouble::Broken("the mailbox is another ledger's".to_owned()));
    }
    Ok(info)
}

/// The mailboxes that there are for a wallet which isn't here yet: the relay's own, then those that it names.
pub async fn places(engine: &Engine, ledger: &LedgerId) -> Result<Vec<Relay>, Trouble> {
    let own = info(&engine.origin(), ledger).await?;
    let mut places = vec![Relay { origin: engine.origin(), peer: own.peer }];
    for origin in own.others.into_iter().take(MOST_FURTHER) {
        if let Ok(info) = info(&origin, ledger).await {
            places.push(Relay { origin, peer: info.peer });
        }
    }
    Ok(places)
}

/// The mailbox at an origin. The relay's own names the further ones, and they are followed too; what one of those names is not.
async fn met(engine: &Rc<Engine>, origin: &str) -> Result<Relay, Trouble> {
    let ledger = engine.patient.with(|vault| *vault.ledger())?;
    let info = info(origin, &ledger).await?;
    if origin == engine.origin() {
        let named: Vec<String> = info.others.into_iter().take(MOST_FURTHER).collect();
        if named != further(engine).await? {
            engine.store().await?.put(Table::Plain, FURTHER, cbor::encode(&named)).await?;
        }
        for other in named {
            follow_one(engine, other);
        }
    }
    Ok(Relay { origin: origin.to_owned(), peer: info.peer })
}

async fn follow(engine: &Rc<Engine>, origin: &str) {
    let broken = Cell::new(0);
    while engine.patient.is_at_work() {
        let name = host(origin);
        let mark = |state| engine.patient.devices.mark(&name, true, state);
        mark(SyncState::Busy { done: 0, total: 0 });
        let trouble = match met(engine, origin).await {
            Ok(relay) => once(engine, &relay, &mark, &broken).await,
            Err(trouble) => trouble,
        };
        // That this device is out only the relay is believed without an epoch that says so.
        let trouble = match trouble {
            Trouble::Refused(refused @ Refused::Device) if origin != engine.origin() => {
                Trouble::Broken(refused.to_string())
            }
            trouble => trouble,
        };
        // This device was removed: nothing new reaches it.
        let removed = matches!(trouble, Trouble::Refused(Refused::Device))
            || engine.patient.with(|vault| vault.is_removed()).unwrap_or(false);
        mark(match trouble {
            Trouble::Away => SyncState::Away { last: None },
            Trouble::Here(fault) if fault.code == "offline" => SyncState::Away { last: None },
            trouble => SyncState::Refused(trouble.into()),
        });
        if removed {
            // Where it was a helper's, nothing is left to open.
            if let Err(fault) = care::taken_back(engine).await {
                mark(SyncState::Refused(fault));
            }
            return;
        }
        let (waiting, woken) = oneshot::channel();
        engine.patient.devices.waiting.borrow_mut().insert(origin.to_owned(), waiting);
        select(pin!(sleep(WAITS[broken.get().min(WAITS.len() - 1)])), woken).await;
        broken.set(broken.get() + 1);
    }
}

/// One link, until it breaks.
async fn once(
    engine: &Rc<Engine>,
    relay: &Relay,
    mark: &impl Fn(SyncState),
    broken: &Cell<usize>,
) -> Trouble {
    let opened = async {
        let peers = engine.patient.devices.peers(engine).await?;
        let mut stream = peers.open(relay, None, Speech::Sync).await?;
        door::at_mailbox(engine, &mut stream, (peers.id(), &relay.peer)).await?;
        Ok::<_, Trouble>(stream)
    };
    let stream = match opened.await {
        Ok(stream) => stream,
        Err(trouble) => return trouble,
    };
    let (call, calls) = unbounded();
    engine.patient.devices.contents.borrow_mut().insert(relay.origin.clone(), call.clone());
    // How many events both have; none while that is being found out.
    let level = Cell::new(None);
    let link = link::run(engine, stream, Link::new(true, LINK_FRAME), async |told| {
        match told {
            link::Told::At(tally) => {
                if engine.patient.with(|vault| vault.is_removed())? {
                    return Ok(false);
                }
                level.set(None);
                // What was kept back may just have come.
                let _ = engine.patient.look_again_at_holder(engine).await;
                let done = tally.given + tally.taken;
                mark(SyncState::Busy { done, total: done + tally.left });
            }
            link::Told::Level => {
                // A device that was added and then interrupted writes its first event now.
                engine.patient.enter(engine).await?;
                look_around(engine);
                broken.set(0);
                engine.patient.devices.gathering.borrow_mut().forgive();
                level.set(Some(engine.store().await?.count(Table::Events).await?));
                let _ = call.unbounded_send(());
            }
        }
        Ok(true)
    });
    let contents = exchange_contents(engine, relay, calls, mark, &level);
    match select(pin!(link), pin!(contents)).await {
        Either::Left((trouble, _)) | Either::Right((trouble, _)) => trouble,
    }
}

/// Exchanges contents beside the link, as often as it is called for.
async fn exchange_contents(
    engine: &Rc<Engine>,
    relay: &Relay,
    mut calls: UnboundedReceiver<()>,
    mark: &impl Fn(SyncState),
    level: &Cell<Option<u64>>,
) -> Trouble {
    while calls.next().await.is_some() {
        // However often it was called for meanwhile.
        while calls.try_recv().is_ok() {}
        let both_had = level.get();
        // Contents that the mailbox doesn't take, or doesn't have, hold nothing else up.
        let exchanged = content::exchange(engine, relay).await;
        // What came to be the same meanwhile is exchanged by the next call.
        match (exchanged, both_had.filter(|_| level.get() == both_had)) {
            (Ok(()), Some(events)) => {
                match engine.patient.note_level(engine, &host(&relay.origin), events).await {
                    Ok(since) => mark(SyncState::Level { since }),
                    Err(fault) => return fault.into(),
                }
            }
            (Ok(()), None) => {}
            (Err(Trouble::Away), _) => return Trouble::Away,
            (Err(trouble), _) => mark(SyncState::Refused(trouble.into())),
        }
    }
    Trouble::Away
}

/// What is to be done when a copy is level, beside the link: that one goes on reading, so that of several devices which settle
/// the same the first one's epoch reaches the others while they wait.
fn look_around(engine: &Rc<Engine>) {
    if engine.patient.devices.looking.replace(true) {
        return;
    }
    let engine = engine.clone();
    wasm_bindgen_futures::spawn_local(async move {
        // What doesn't come to an end now does when a copy is next level.
        let _ = engine.patient.settle(&engine).await;
        for _ in 0..LOOKS {
            // A ledger that can't be asked now is asked again, and then with the next change.
            if engine.patient.bring_holder(&engine).await.is_ok() {
                break;
            }
            sleep(1000).await;
        }
        engine.patient.devices.looking.set(false);
    });
}

/// The first relay that answers, for what needs the ledger too.
pub async fn relay(engine: &Engine) -> Result<Relay, Trouble> {
    let ledger = engine.ledger().await?;
    ledger.first_peer().await.map_err(|error| Trouble::Here(Fault::from(error)))
}

fn host(origin: &str) -> String {
    origin.split_once("://").map_or(origin, |(_, host)| host).to_owned()
}
