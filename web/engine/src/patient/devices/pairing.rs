//! Adding a device: the old one shows a code, the new one scans it, both show six digits, the patient says yes.

use super::{Trouble, content, door, link, mailbox};
use crate::engine::Engine;
use crate::links::{Page, origin_of};
use crate::patient::{Session, care, fault};
use crate::peers::Stream;
use crate::platform::BrowserRandom;
use crate::store::{Change, Table};
use crate::worker::tell;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::pin::pin;
use std::rc::Rc;
use suishen_bridge::peer::{Relay, Speech};
use suishen_bridge::{Action, DeviceRole, Event, Fault, Pairing, Step, Topic};
use suishen_core::cbor;
use suishen_core::qr::{PeerOffer, Scanned, pairing_url, scan};
use suishen_core::sm::Key32;
use suishen_core::sync::{Ask, LINK_FRAME, Link, Pair, PairReply};
use suishen_core::vault::{Admission, NewDevice, Vault};

/// How this device is called, until it can write its first event.
const NAME: &str = "device-name";

/// A device is awaited.
#[derive(Debug)]
pub struct Invitation {
    secret: Key32,
    role: DeviceRole,
    /// Of a person who helps.
    person: bool,
    /// The patient said yes.
    agreed: bool,
    /// The patient's answer to the one that asks.
    answer: Option<oneshot::Sender<bool>>,
    /// The one that was admitted, and who waits for it to have everything.
    admitted: Option<(Vec<u8>, oneshot::Sender<()>)>,
    waiting: Option<oneshot::Receiver<()>>,
}

fn gone() -> Fault {
    Fault::new("pairing-gone", Action::ScanAgain)
}

fn ended() -> Fault {
    Fault::new("pairing-ended", Action::Retry)
}

const fn role_of(role: DeviceRole) -> suishen_core::vault::DeviceRole {
    match role {
        DeviceRole::View => suishen_core::vault::DeviceRole::View,
        DeviceRole::Share => suishen_core::vault::DeviceRole::Share,
        DeviceRole::Manage => suishen_core::vault::DeviceRole::Manage,
    }
}

impl Session {
    /// Awaits a device; the link that it scans.
    pub(in crate::patient) async fn invite(
        &self,
        engine: &Rc<Engine>,
        role: DeviceRole,
        person: bool,
    ) -> Result<String, Fault> {
        if !self.with(|vault| vault.is_protected())? {
            return Err(Fault::new("protect", Action::Protect));
        }
        if self.with(|vault| vault.role())? < suishen_core::vault::DeviceRole::Manage {
            return Err(Fault::new("role", Action::Nothing));
        }
        let peers = self.devices.reachable(engine).await?;
        let secret = Key32::generate(&mut BrowserRandom);
        let offer = PeerOffer { peer: peers.id().to_vec(), secret: secret.clone(), relays: None };
        let invitation =
            Invitation { secret, role, person, agreed: false, answer: None, admitted: None, waiting: None };
        *self.devices.invitation.borrow_mut() = Some(invitation);
        let link = pairing_url(&origin_of(&engine.origin(), Page::Wallet), &offer);
        Ok(link.map_err(|e| Fault::new(e.sentence(), Action::Nothing))?.to_string())
    }

    /// The patient's answer. After a yes it takes until the new device has everything.
    pub(in crate::patient) async fn answer_device(&self, admit: bool) -> Result<(), Fault> {
        let (answer, waiting) = {
            let mut invitation = self.devices.invitation.borrow_mut();
            let invitation = invitation.as_mut().ok_or_else(ended)?;
            let answer = invitation.answer.take().ok_or_else(ended)?;
            invitation.agreed = admit;
            (answer, invitation.waiting.take())
        };
        answer.send(admit).map_err(|_| ended())?;
        if !admit {
            self.devices.invitation.take();
            return Ok(());
        }
        waiting.ok_or_else(ended)?.await.map_err(|_| ended())
    }

    /// No device is awaited any longer.
    pub(in crate::patient) fn stop_inviting(&self) {
        let mut invitation = self.devices.invitation.borrow_mut();
        // One that was let in goes on taking what it needs.
        if invitation.as_ref().is_some_and(|open| !open.agreed) {
            invitation.take();
        }
    }

    /// Becomes a device of the wallet whose code was scanned; of another person's, which the owner calls `whose`, beside the
    /// owner's own.
    pub(in crate::patient) async fn join(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        text: &str,
        name: &str,
        whose: &str,
    ) -> Result<(), Fault> {
        let damaged = || Fault::new("scan-damaged", Action::Retry);
        let Ok(Scanned::Pairing { offer, .. }) = scan(text) else { return Err(damaged()) };
        let ledger = engine.fresh_ledger().await?;
        let relay = mailbox::relay(engine).await?;
        let peers = self.devices.peers(engine).await?;
        let mut stream = peers.open(&relay, Some(&offer.peer), Speech::Pair).await.map_err(|_| gone())?;
        let pair = Pair::new(ledger.id, offer.secret.clone(), (&offer.peer, peers.id()));
        let device = NewDevice::generate(&mut BrowserRandom);
        let ask = pair.ask(device.request(), name);
        stream.send(ask.to_bytes()).await.map_err(|_| gone())?;
        let PairReply::Nonce(nonce) = reply(&mut stream).await? else { return Err(ended()) };
        tell(&Event::Pairing(Pairing::Compare { code: pair.code(&ask, &nonce) }));
        let PairReply::Admitted(admission) = reply(&mut stream).await? else { return Err(ended()) };
        let admission = Admission::from_bytes(&admission).map_err(fault)?;
        let mut vault = Vault::join(device, &admission, ledger.id, &mut BrowserRandom).map_err(fault)?;
        if engine.is_beside() {
            care::take(engine, &mut vault, whose).await?;
        }
        // With the name goes what is left to do, should this be interrupted.
        let text = zeroize::Zeroizing::new(cbor::encode(&name.to_owned()));
        let named =
            Change::Put(Table::Pending, NAME.to_owned(), vault.seal_local(NAME, &text, &mut BrowserRandom));
        self.adopt(engine.store().await?, vault, Vec::new(), vec![named]).await?;
        let brought = self.bring(engine, task, &relay, &offer.peer).await;
        if self.pending::<String>(engine, NAME).await?.is_some() {
            // Nothing came, so nothing is here: as it was before.
            engine.store().await?.erase().await?;
            self.lock();
            tell(&Event::Changed(Topic::Wallet));
            return Err(brought.into());
        }
        let (engine, peer) = (engine.clone(), offer.peer.clone());
        wasm_bindgen_futures::spawn_local(async move {
            // What doesn't come from there comes from the mailbox.
            let _ = content::fetch(&engine, &relay, &peer).await;
        });
        Ok(())
    }

    /// Brings the events from the device that admitted this one, and writes its own first.
    async fn bring(&self, engine: &Rc<Engine>, task: u32, relay: &Relay, peer: &[u8]) -> Trouble {
        let opened = async {
            let peers = self.devices.peers(engine).await?;
            let mut stream = peers.open(relay, Some(peer), Speech::Sync).await?;
            door::at_device(engine, &mut stream, (peers.id(), peer)).await?;
            Ok::<_, Trouble>(stream)
        };
        let stream = match opened.await {
            Ok(stream) => stream,
            Err(trouble) => return trouble,
        };
        link::run(engine, stream, Link::new(true, LINK_FRAME), async |told| match told {
            link::Told::At(tally) => {
                let done = tally.taken;
                tell(&Event::Progress { task, step: Step::Fetching, done, total: done + tally.left });
                Ok(true)
            }
            // Once to have all, once more when the other side has this device's first event.
            link::Told::Level => Ok(self.enter(engine).await?),
        })
        .await
    }

    /// Writes this device's first event; whether there was one to write.
    pub(super) async fn enter(&self, engine: &Engine) -> Result<bool, Fault> {
        let Some(name) = self.pending::<String>(engine, NAME).await? else { return Ok(false) };
        let now = engine.ledger().await?.now().unwrap_or_default();
        let event = self.with(|vault| vault.enter(&name, now, &mut BrowserRandom))?.map_err(fault)?;
        let change = Change::Put(Table::Events, event.address.to_hex(), event.bytes.clone());
        let done = Change::Delete(Table::Pending, NAME.to_owned());
        engine.store().await?.write(vec![change, done]).await?;
        self.devices.news(&[event]);
        Ok(true)
    }
}

async fn reply(stream: &mut Stream) -> Result<PairReply, Fault> {
    let frame = stream.next().await.ok_or_else(ended)?;
    PairReply::read(&frame).map_err(|_| Fault::new("pairing-old", Action::Retry))
}

/// A device that has scanned the code asks.
pub async fn answer(engine: &Rc<Engine>, mut stream: Stream, peer: &[u8]) -> Result<(), Trouble> {
    let session = &engine.patient;
    let peers = session.devices.peers(engine).await?;
    let frame = stream.next().await.ok_or(Trouble::Away)?;
    let ledger = session.with(|vault| *vault.ledger())?;
    let pair = {
        let invitation = session.devices.invitation.borrow();
        invitation.as_ref().map(|open| Pair::new(ledger, open.secret.clone(), (peers.id(), peer)))
    };
    let ask = pair.as_ref().and_then(|pair| pair.hear(&frame).ok());
    let (Some(pair), Some(ask)) = (pair, ask) else { return Err(Trouble::Away) };
    let (sender, answered) = oneshot::channel();
    let (level, waiting) = oneshot::channel();
    let role = {
        let mut invitation = session.devices.invitation.borrow_mut();
        // One at a time: the patient compares one number.
        let open = invitation.as_mut().filter(|open| open.answer.is_none() && open.admitted.is_none());
        open.map(|open| {
            open.answer = Some(sender);
            open.admitted = Some((peer.to_vec(), level));
            open.waiting = Some(waiting);
            (open.role, open.person)
        })
    };
    let Some(may) = role else {
        stream.send(PairReply::No.to_bytes()).await?;
        return Ok(());
    };
    let nonce = Pair::nonce(&mut BrowserRandom);
    stream.send(PairReply::Nonce(nonce).to_bytes()).await?;
    tell(&Event::Pairing(Pairing::Asked { name: ask.name.clone(), code: pair.code(&ask, &nonce) }));
    let admitted = match select(answered, pin!(stream.next())).await {
        Either::Left((Ok(admitted), _)) => admitted,
        // It went away, or says something where it has nothing to say.
        Either::Left((Err(_), _)) | Either::Right(_) => {
            session.devices.gives_up(peer);
            return Err(Trouble::Away);
        }
    };
    if !admitted {
        stream.send(PairReply::No.to_bytes()).await?;
        return Ok(());
    }
    let let_in = let_in(engine, &mut stream, &ask, may).await;
    if let_in.is_err() {
        // Whoever waits for the yes to come to something hears that it doesn't.
        session.devices.gives_up(peer);
        stream.send(PairReply::No.to_bytes()).await?;
    }
    let_in
}

async fn let_in(
    engine: &Engine,
    stream: &mut Stream,
    ask: &Ask,
    (role, person): (DeviceRole, bool),
) -> Result<(), Trouble> {
    let session = &engine.patient;
    let now = engine.ledger().await?.now().unwrap_or_default();
    let (admission, event) = session
        .with(|vault| vault.admit(&ask.device, role_of(role), now, &mut BrowserRandom))?
        .map_err(fault)?;
    engine.store().await?.put(Table::Events, &event.address.to_hex(), event.bytes.clone()).await?;
    session.devices.news(&[event]);
    if person {
        session.note_person(engine, &ask.device.sign).await?;
    }
    tell(&Event::Changed(Topic::Devices));
    stream.send(PairReply::Admitted(admission.to_bytes()).to_bytes()).await?;
    // The other side closes when it has it.
    let _ = stream.next().await;
    Ok(())
}

impl super::Devices {
    /// Ends the invitation that this peer answered; one that was made since stands.
    fn gives_up(&self, peer: &[u8]) {
        let mut invitation = self.invitation.borrow_mut();
        let asked = invitation.as_ref().and_then(|open| open.admitted.as_ref());
        if asked.is_some_and(|(asked, _)| asked == peer) {
            invitation.take();
            tell(&Event::Pairing(Pairing::Ended));
        }
    }

    /// A device of this wallet has everything: if it was just admitted, the patient hears of it.
    pub(super) fn is_level(&self, peer: &[u8]) {
        let mut invitation = self.invitation.borrow_mut();
        let admitted = invitation.as_ref().and_then(|open| open.admitted.as_ref());
        if admitted.is_some_and(|(admitted, _)| admitted == peer)
            && let Some((_, waiting)) = invitation.take().and_then(|open| open.admitted)
        {
            let _ = waiting.send(());
        }
    }
}
