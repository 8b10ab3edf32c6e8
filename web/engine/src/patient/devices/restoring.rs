//! A new browser and the recovery phrase: everything back from a mailbox.

use super::{Trouble, content, door, mailbox};
use crate::engine::Engine;
use crate::patient::{Session, fault};
use crate::peers::{Peers, Stream};
use crate::platform::{BrowserRandom, device_name};
use crate::worker::tell;
use std::rc::Rc;
use suishen_bridge::peer::{Relay, Speech};
use suishen_bridge::{Action, Event, Fault, Step};
use suishen_core::id::LedgerId;
use suishen_core::identity::Entropy;
use suishen_core::sm::{SecretKey, Signed};
use suishen_core::sync::{Act, Knock, LINK_FRAME, Link, Welcome};
use suishen_core::vault::{DeviceCertificate, DeviceRole, Origin, StoredEvent, Vault};

impl Session {
    /// Brings the wallet of a phrase back from the first mailbox that has it; contents follow. What another mailbox has beyond
    /// that comes when the wallet follows them all.
    pub(in crate::patient) async fn restore_from_mailbox(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        entropy: &Entropy,
    ) -> Result<(), Fault> {
        let ledger = engine.fresh_ledger().await?;
        let now = ledger.now().unwrap_or_default();
        let peers = self.devices.peers(engine).await?;
        let mut found = Err(Fault::new("mailbox-empty", Action::Retry));
        for relay in mailbox::places(engine, &ledger.id).await? {
            let opened = open(&peers, &relay, entropy, (ledger.id, now)).await;
            match opened {
                Ok(Some(stream)) => {
                    found = Ok((relay, stream));
                    break;
                }
                Ok(None) => {}
                // That one which was reached doesn't have it says less than that one wasn't.
                Err(trouble) => found = Err(trouble.into()),
            }
        }
        let (relay, mut stream) = found?;
        let events = all(&mut stream, task).await?;
        let epochs = events.iter().filter_map(StoredEvent::epoch).collect();
        let mut vault = Vault::restore(entropy, ledger.id, epochs, &mut BrowserRandom).map_err(fault)?;
        let report = vault.load(&events, Origin::Elsewhere);
        let own = vault.rejoin(entropy, &device_name(&engine.language()), now, &mut BrowserRandom);
        let held = report.storable(events);
        let held = held.chain(vault.read_late()).chain([own.map_err(fault)?]).collect();
        self.adopt(engine.store().await?, vault, held, Vec::new()).await?;
        let engine = engine.clone();
        wasm_bindgen_futures::spawn_local(async move {
            // What doesn't come now comes when the wallet is locked again and follows the mailbox.
            let _ = content::exchange(&engine, &relay).await;
        });
        Ok(())
    }
}

/// The mailbox's door, opened by the phrase; none where it doesn't know the wallet.
async fn open(
    peers: &Peers,
    relay: &Relay,
    entropy: &Entropy,
    ledger: (LedgerId, u64),
) -> Result<Option<Stream>, Trouble> {
    let mut stream = peers.open(relay, None, Speech::Sync).await?;
    stream.send(knock(entropy, ledger, (peers.id(), &relay.peer)).to_bytes()).await?;
    match door::welcome(&mut stream).await? {
        Welcome::Open(_) => Ok(Some(stream)),
        Welcome::Unknown(_) => Ok(None),
        Welcome::Refused(refused) => Err(Trouble::Refused(refused)),
    }
}

/// The phrase itself knocks: a certificate by the vault's root for a key of this connection, which writes nothing.
fn knock(entropy: &Entropy, (ledger, now): (LedgerId, u64), ids: (&[u8], &[u8])) -> Knock {
    let keys = entropy.keys();
    let vault = keys.public().vault();
    let [sign, seal] = core::array::from_fn(|_| SecretKey::generate(&mut BrowserRandom));
    let certificate = DeviceCertificate {
        vault,
        sign: sign.public(),
        seal: seal.public(),
        role: DeviceRole::View,
        // Of no epoch: it isn't known yet how many there are.
        epoch: u32::MAX,
        time: now,
    };
    let pass = vec![Signed::new(&certificate, &keys.vault_root, &ledger)];
    Knock::new(vault, pass, ids, &sign, &ledger)
}

/// All events that the mailbox holds.
async fn all(stream: &mut Stream, task: u32) -> Result<Vec<StoredEvent>, Trouble> {
    let mut link = Link::new(true, LINK_FRAME);
    let mut acts = link.start([], &mut BrowserRandom)?;
    let mut events = Vec::new();
    loop {
        for act in acts {
            match act {
                Act::Send(frame) => stream.send(frame).await?,
                Act::Store(more) => {
                    events.extend(more);
                    let (done, tally) = (events.len() as u64, link.tally());
                    tell(&Event::Progress { task, step: Step::Checking, done, total: done + tally.left });
                }
                Act::Level | Act::Finished => return Ok(events),
                Act::Refused(refused) => return Err(Trouble::Refused(refused)),
                Act::Load(_) | Act::Compare => {}
            }
        }
        let frame = stream.next().await.ok_or(Trouble::Away)?;
        acts = link.take(&frame)?;
    }
}
