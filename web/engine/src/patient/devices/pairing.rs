//! Adding a device: one shows a code, the other scans it, both show six digits, the patient says yes on the old one; on the
//! new one too where that was scanned.

use super::{Code, Trouble, content, door, link, mailbox};
use crate::engine::Engine;
use crate::links::Page;
use crate::patient::{Session, care, fault};
use crate::peers::Stream;
use crate::platform::{BrowserRandom, sleep};
use crate::store::{Change, Table};
use crate::worker::tell;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::pin::pin;
use std::rc::Rc;
use suishen_bridge::peer::{Relay, Speech};
use suishen_bridge::{Action, DeviceRole, Event, Fault, Pairing, Step, Topic};
use suishen_core::cbor;
use suishen_core::qr::{Scanned, new_device_url, pairing_url, scan};
use suishen_core::sm::{Digest, Key32};
use suishen_core::sync::{Ask, LINK_FRAME, Link, Pair, PairReply};
use suishen_core::vault::{Admission, NewDevice, Vault};

/// How this device is called, until it can write its first event.
const NAME: &str = "device-name";

/// How long, in milliseconds, the other side may take over what no person has to think about.
const SOON: i32 = 20_000;
/// How long, in milliseconds, after the other side has everything this one may need to notice.
const GRACE: i32 = 5000;

/// A device is awaited.
#[derive(Debug)]
pub struct Invitation {
    secret: Key32,
    role: DeviceRole,
    /// Of a person who helps.
    person: bool,
    /// The other one's code was scanned and that one dialled: nobody else comes by this secret.
    dialled: bool,
    /// The patient said yes.
    agreed: bool,
    /// The patient's answer to the one that asks.
    answer: Option<oneshot::Sender<bool>>,
    /// The one that was admitted, and who waits for it to have everything.
    admitted: Option<(Vec<u8>, oneshot::Sender<()>)>,
    waiting: Option<oneshot::Receiver<()>>,
}

impl Invitation {
    fn new(secret: Key32, role: DeviceRole, person: bool, dialled: bool) -> Self {
        Self { secret, role, person, dialled, agreed: false, answer: None, admitted: None, waiting: None }
    }
}

/// This device shows its code.
#[derive(Debug)]
pub struct Joining {
    secret: Key32,
    /// Who has scanned it.
    met: Option<oneshot::Sender<(Stream, Vec<u8>, Digest)>>,
    /// What the patient says here to the digits.
    same: Option<oneshot::Sender<bool>>,
}

/// The old device, as the new one has met it.
struct Met {
    stream: Stream,
    peer: Vec<u8>,
    pair: Pair,
    /// What its nonce will be.
    promise: Digest,
    /// The patient compares here too.
    same: Option<oneshot::Receiver<bool>>,
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
        self.may_admit()?;
        let code = self.devices.code(engine, Page::Wallet, pairing_url).await?;
        *self.devices.invitation.borrow_mut() = Some(Invitation::new(code.secret, role, person, false));
        Ok(code.link)
    }

    fn may_admit(&self) -> Result<(), Fault> {
        if !self.with(|vault| vault.is_protected())? {
            return Err(Fault::new("protect", Action::Protect));
        }
        if self.with(|vault| vault.role())? < suishen_core::vault::DeviceRole::Manage {
            return Err(Fault::new("role", Action::Nothing));
        }
        Ok(())
    }

    /// Takes in the device whose code was scanned; it then asks as one does that has scanned this one's.
    pub(in crate::patient) async fn admit_scanned(
        &self,
        engine: &Rc<Engine>,
        text: &str,
        role: DeviceRole,
        person: bool,
    ) -> Result<(), Fault> {
        self.may_admit()?;
        let damaged = || Fault::new("scan-damaged", Action::Retry);
        let Ok(Scanned::NewDevice { offer, .. }) = scan(text) else { return Err(damaged()) };
        let ledger = self.with(|vault| *vault.ledger())?;
        let relay = mailbox::relay(engine).await?;
        // The new device will dial this one for all that there is.
        let peers = self.devices.reachable(engine).await?;
        let mut stream = peers.open(&relay, Some(&offer.peer), Speech::Pair).await.map_err(|_| gone())?;
        let pair = Pair::new(ledger, offer.secret.clone(), (peers.id(), &offer.peer));
        let nonce = Pair::nonce(&mut BrowserRandom);
        stream.send(pair.hello_of_old(&nonce)).await.map_err(|_| gone())?;
        let invitation = Invitation::new(offer.secret.clone(), role, person, true);
        *self.devices.invitation.borrow_mut() = Some(invitation);
        let engine = engine.clone();
        wasm_bindgen_futures::spawn_local(async move {
            if asked(&engine, stream, &offer.peer, &pair, &nonce).await.is_err() {
                engine.patient.devices.never_asked(&offer.secret);
            }
        });
        Ok(())
    }

    /// On the new device: whether both show the same digits.
    pub(in crate::patient) fn answer_owner(&self, same: bool) -> Result<(), Fault> {
        let answer = self.devices.joining.borrow_mut().as_mut().and_then(|joining| joining.same.take());
        answer.ok_or_else(ended)?.send(same).map_err(|_| ended())
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

    /// Dials the wallet whose code was scanned.
    async fn meet(&self, engine: &Rc<Engine>, text: &str) -> Result<Met, Fault> {
        let damaged = || Fault::new("scan-damaged", Action::Retry);
        let Ok(Scanned::Pairing { offer, .. }) = scan(text) else { return Err(damaged()) };
        let ledger = engine.fresh_ledger().await?;
        let relay = mailbox::relay(engine).await?;
        let peers = self.devices.peers(engine).await?;
        let mut stream = peers.open(&relay, Some(&offer.peer), Speech::Pair).await.map_err(|_| gone())?;
        let pair = Pair::new(ledger.id, offer.secret.clone(), (&offer.peer, peers.id()));
        stream.send(pair.hello_of_new()).await.map_err(|_| gone())?;
        let PairReply::Promise(promise) = prompt(&mut stream).await? else { return Err(ended()) };
        Ok(Met { stream, peer: offer.peer.clone(), pair, promise, same: None })
    }

    /// Shows this device's code and waits for the wallet that scans it.
    async fn be_met(&self, engine: &Rc<Engine>) -> Result<Met, Fault> {
        let ledger = engine.fresh_ledger().await?;
        let Code { peers, secret, link } = self.devices.code(engine, Page::Wallet, new_device_url).await?;
        let (met, meets) = oneshot::channel();
        let (same, answered) = oneshot::channel();
        let joining = Joining { secret: secret.clone(), met: Some(met), same: Some(same) };
        *self.devices.joining.borrow_mut() = Some(joining);
        tell(&Event::Pairing(Pairing::Show { link }));
        let (stream, peer, promise) = meets.await.map_err(|_| ended())?;
        let pair = Pair::new(ledger.id, secret, (&peer, peers.id()));
        Ok(Met { stream, peer, pair, promise, same: Some(answered) })
    }

    /// Becomes a device of the wallet whose code was scanned, or that scans this device's; of another person's, which the
    /// owner calls `whose`, beside the owner's own.
    pub(in crate::patient) async fn join(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        text: Option<&str>,
        name: &str,
        whose: &str,
    ) -> Result<(), Fault> {
        let Met { mut stream, peer, pair, promise, same } = match text {
            Some(text) => self.meet(engine, text).await?,
            None => self.be_met(engine).await?,
        };
        let device = NewDevice::generate(&mut BrowserRandom);
        let ask = pair.ask(device.request(), name);
        stream.send(ask.to_bytes()).await.map_err(|_| gone())?;
        let PairReply::Nonce(nonce) = prompt(&mut stream).await? else { return Err(ended()) };
        if pair.promise(&nonce) != promise {
            return Err(ended());
        }
        tell(&Event::Pairing(Pairing::Compare { code: pair.code(&ask, &nonce), asks: same.is_some() }));
        let admitted = admitted(&mut stream, same).await;
        self.devices.joined(&pair);
        let admission = Admission::from_bytes(&admitted?).map_err(fault)?;
        let ledger = engine.ledger().await?.id;
        let mut vault = Vault::join(device, &admission, ledger, &mut BrowserRandom).map_err(fault)?;
        if engine.is_beside() {
            care::take(engine, &mut vault, whose).await?;
        }
        // With the name goes what is left to do, should this be interrupted.
        let text = zeroize::Zeroizing::new(cbor::encode(&name.to_owned()));
        let named =
            Change::Put(Table::Pending, NAME.to_owned(), vault.seal_local(NAME, &text, &mut BrowserRandom));
        self.adopt(engine.store().await?, vault, Vec::new(), vec![named]).await?;
        let relay = mailbox::relay(engine).await?;
        let brought = self.bring(engine, task, &relay, &peer).await;
        if self.pending::<String>(engine, NAME).await?.is_some() {
            // Nothing came, so nothing is here: as it was before.
            engine.store().await?.erase().await?;
            self.lock();
            tell(&Event::Changed(Topic::Wallet));
            return Err(brought.into());
        }
        let engine = engine.clone();
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
                tell(&Event::Progress { task, step: Step::Checking, done, total: done + tally.left });
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

/// A reply that comes by itself.
async fn prompt(stream: &mut Stream) -> Result<PairReply, Fault> {
    read(&stream.next_within(SOON).await.ok_or_else(ended)?)
}

/// A reply that waits for the patient.
async fn reply(stream: &mut Stream) -> Result<PairReply, Fault> {
    read(&stream.next().await.ok_or_else(ended)?)
}

fn read(frame: &[u8]) -> Result<PairReply, Fault> {
    PairReply::read(frame).map_err(|_| Fault::new("pairing-old", Action::Retry))
}

/// The admission, once the patient has said yes on the old device, and here too where that is asked.
async fn admitted(stream: &mut Stream, same: Option<oneshot::Receiver<bool>>) -> Result<Vec<u8>, Fault> {
    let said = match same {
        None => reply(stream).await?,
        Some(same) => match select(same, pin!(reply(stream))).await {
            Either::Left((Ok(true), replied)) => replied.await?,
            Either::Left(_) => return Err(ended()),
            Either::Right((replied, same)) => {
                let replied = replied?;
                let goes_on = matches!(replied, PairReply::Admitted(_)) && same.await == Ok(true);
                if goes_on { replied } else { PairReply::No }
            }
        },
    };
    match said {
        PairReply::Admitted(admission) => Ok(admission),
        PairReply::Nonce(_) | PairReply::Promise(_) | PairReply::No => Err(ended()),
    }
}

/// A device that has scanned the code says so; or this one waits for its wallet, and that has scanned it.
pub async fn answer(engine: &Rc<Engine>, mut stream: Stream, peer: &[u8]) -> Result<(), Trouble> {
    let session = &engine.patient;
    let peers = session.devices.peers(engine).await?;
    let hello = stream.next_within(SOON).await.ok_or(Trouble::Away)?;
    let ledger = engine.ledger().await?.id;
    if let Some(joining) = session.devices.joining.borrow_mut().as_mut() {
        let pair = Pair::new(ledger, joining.secret.clone(), (peer, peers.id()));
        let promise = pair.promise_of_old(&hello).ok_or(Trouble::Away)?;
        // One at a time: the patient compares one number.
        let met = joining.met.take().ok_or(Trouble::Away)?;
        return met.send((stream, peer.to_vec(), promise)).map_err(|_| Trouble::Away);
    }
    let pair = {
        let invitation = session.devices.invitation.borrow();
        let open = invitation.as_ref().filter(|open| !open.dialled);
        open.map(|open| Pair::new(ledger, open.secret.clone(), (peers.id(), peer)))
    };
    let pair = pair.filter(|pair| pair.is_hello_of_new(&hello)).ok_or(Trouble::Away)?;
    let nonce = Pair::nonce(&mut BrowserRandom);
    stream.send(PairReply::Promise(pair.promise(&nonce)).to_bytes()).await?;
    asked(engine, stream, peer, &pair, &nonce).await
}

/// A new device asks to be admitted, after the promise.
async fn asked(
    engine: &Rc<Engine>,
    mut stream: Stream,
    peer: &[u8],
    pair: &Pair,
    nonce: &[u8; 32],
) -> Result<(), Trouble> {
    let session = &engine.patient;
    let frame = stream.next_within(SOON).await.ok_or(Trouble::Away)?;
    let ask = pair.hear(&frame).map_err(|_| Trouble::Away)?;
    let (sender, answered) = oneshot::channel();
    let (level, waiting) = oneshot::channel();
    let role = {
        let mut invitation = session.devices.invitation.borrow_mut();
        // One at a time: the patient compares one number.
        let open = invitation.as_mut().filter(|open| pair.is_by(&open.secret));
        let open = open.filter(|open| open.answer.is_none() && open.admitted.is_none());
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
    stream.send(PairReply::Nonce(*nonce).to_bytes()).await?;
    tell(&Event::Pairing(Pairing::Asked { name: ask.name.clone(), code: pair.code(&ask, nonce) }));
    let admitted = match select(answered, pin!(stream.next())).await {
        Either::Left((Ok(admitted), _)) => admitted,
        // It went away, or says something where it has nothing to say.
        Either::Left((Err(_), _)) | Either::Right(_) => {
            session.devices.gives_up(peer, Pairing::Ended);
            return Err(Trouble::Away);
        }
    };
    if !admitted {
        stream.send(PairReply::No.to_bytes()).await?;
        return Ok(());
    }
    let let_in = let_in(engine, &mut stream, peer, &ask, may).await;
    if let_in.is_err() {
        // Whoever waits for the yes to come to something hears that it doesn't.
        session.devices.gives_up(peer, Pairing::Ended);
        stream.send(PairReply::No.to_bytes()).await?;
    }
    let_in
}

async fn let_in(
    engine: &Engine,
    stream: &mut Stream,
    peer: &[u8],
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
    // The other side closes when it has everything, or gives up.
    let _ = stream.next().await;
    sleep(GRACE).await;
    session.devices.gives_up(peer, Pairing::Unfinished);
    Ok(())
}

impl super::Devices {
    /// Ends the invitation that this peer answered; one that was made since stands.
    fn gives_up(&self, peer: &[u8], how: Pairing) {
        let mut invitation = self.invitation.borrow_mut();
        let asked = invitation.as_ref().and_then(|open| open.admitted.as_ref());
        if asked.is_some_and(|(asked, _)| asked == peer) {
            invitation.take();
            tell(&Event::Pairing(how));
        }
    }

    /// The one whose code was scanned went away before it asked.
    fn never_asked(&self, secret: &Key32) {
        let mut invitation = self.invitation.borrow_mut();
        if invitation.as_ref().is_some_and(|open| open.secret == *secret && open.admitted.is_none()) {
            invitation.take();
            tell(&Event::Pairing(Pairing::Ended));
        }
    }

    /// The code of this pairing was for once; one that is shown since stands.
    fn joined(&self, pair: &Pair) {
        self.joining.borrow_mut().take_if(|joining| pair.is_by(&joining.secret));
    }

    /// This device's code is shown no longer.
    pub(super) fn stop_joining(&self) {
        self.joining.take();
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
