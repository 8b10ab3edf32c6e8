//! The mailbox: a relay holds the wallet's ciphertext for the devices that are off.

use super::{Trouble, content, door, link};
use crate::engine::Engine;
use crate::patient::care;
use crate::platform::sleep;
use futures::channel::oneshot;
use futures::future::select;
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use suishen_bridge::peer::{Relay, Speech};
use suishen_bridge::{Fault, SyncState};
use suishen_core::sync::{LINK_FRAME, Link, Refused};

/// How long to wait after a link broke: longer each time, in milliseconds.
const WAITS: [i32; 6] = [500, 1000, 2000, 5000, 15_000, 30_000];

/// How often the ledger is asked, where it doesn't answer, whether it is ahead of the mailbox.
const LOOKS: u32 = 3;

impl super::Session {
    /// Keeps the mailbox and this wallet the same from now on. Before it is protected nothing leaves this browser.
    pub(in super::super) fn follow_mailbox(&self, engine: &Rc<Engine>) {
        let ready = self.with(|vault| vault.is_protected()).unwrap_or(false);
        if ready && !self.devices.following.replace(true) {
            let engine = engine.clone();
            wasm_bindgen_futures::spawn_local(async move {
                follow(&engine).await;
                engine.patient.devices.following.set(false);
            });
        }
    }
}

async fn follow(engine: &Rc<Engine>) {
    let broken = Cell::new(0);
    while engine.patient.is_at_work() {
        let name = host(&engine.origin());
        let mark = |state| engine.patient.devices.mark(&name, true, state);
        mark(SyncState::Busy { done: 0, total: 0 });
        let trouble = match relay(engine).await {
            Ok(relay) => once(engine, &relay, &mark, &broken).await,
            Err(trouble) => trouble,
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
        *engine.patient.devices.waiting.borrow_mut() = Some(waiting);
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
    link::run(engine, stream, Link::new(true, LINK_FRAME), async |told| {
        match told {
            link::Told::At(tally) => {
                if engine.patient.with(|vault| vault.is_removed())? {
                    return Ok(false);
                }
                // What was kept back may just have come.
                let _ = engine.patient.look_again_at_holder(engine).await;
                let done = tally.given + tally.taken;
                mark(SyncState::Busy { done, total: done + tally.left });
            }
            link::Told::Level => {
                // A device that was added and then interrupted writes its first event now.
                engine.patient.enter(engine).await?;
                engine.patient.settle(engine).await?;
                for _ in 0..LOOKS {
                    // A ledger that can't be asked now is asked again, and then with the next change.
                    if engine.patient.look_at_holder(engine).await.is_ok() {
                        break;
                    }
                    sleep(1000).await;
                }
                broken.set(0);
                // Contents that the mailbox doesn't take, or doesn't have, hold nothing else up.
                match content::exchange(engine, relay).await {
                    Ok(()) => mark(SyncState::Level { since: engine.patient.note_level(engine).await? }),
                    Err(Trouble::Away) => return Err(Trouble::Away),
                    Err(trouble) => mark(SyncState::Refused(trouble.into())),
                }
            }
        }
        Ok(true)
    })
    .await
}

/// The first relay that answers.
pub async fn relay(engine: &Engine) -> Result<Relay, Trouble> {
    let ledger = engine.ledger().await?;
    ledger.first_peer().await.map_err(|error| Trouble::Here(Fault::from(error)))
}

fn host(origin: &str) -> String {
    origin.split_once("://").map_or(origin, |(_, host)| host).to_owned()
}
