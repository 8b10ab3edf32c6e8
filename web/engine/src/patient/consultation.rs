//! A live consultation on the phone: a code, the name of who asks, the patient's answer, contents from here. The rules are
//! `suishen_core::consent::Consultation`'s.

use super::devices::{Trouble, content};
use super::share::Giving;
use super::shares::{purpose_of, title_of};
use super::{Session, fault};
use crate::engine::Engine;
use crate::ledger::Ledger;
use crate::links::Page;
use crate::peers::Stream;
use crate::platform::{BrowserRandom, sleep};
use crate::worker::tell;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::rc::{Rc, Weak};
use suishen_bridge::{
    self as bridge, Action, ConsultAsk, ConsultWants, Event, Fault, PatientResponse, ShareChoice,
};
use suishen_core::consent::{Call, ConsultAnswer, Consultation, Greeting};
use suishen_core::id::{BlobAddress, GrantId};
use suishen_core::identity::Certificate;
use suishen_core::qr::live_url;
use suishen_core::sm::{Key32, PublicKey};
use suishen_core::sync::{ContentFrame, ContentRefused, Request};
use wasm_bindgen_futures::spawn_local;

/// How often, in milliseconds, a wallet that serves somebody looks whether it can still be reached.
const LOOKS: i32 = 3000;

/// Codes that are shown, who asks, and what is served.
#[derive(Debug, Default)]
pub struct Consultations {
    /// The code that is shown now, by its secret.
    secret: RefCell<Option<Key32>>,
    asking: RefCell<Option<Asking>>,
    served: RefCell<BTreeMap<GrantId, Served>>,
    /// Somebody sees to it that those who are served reach this wallet.
    stays: Cell<bool>,
}

/// Somebody waits for the patient's answer.
#[derive(Debug)]
struct Asking {
    call: Call,
    consultation: Consultation,
    secret: Key32,
    answer: oneshot::Sender<Option<(GrantId, ConsultAnswer)>>,
}

/// What a grant's person fetches from here while the wallet is open.
#[derive(Clone, Debug)]
struct Served {
    person: PublicKey,
    secret: Key32,
    contents: BTreeSet<BlobAddress>,
    /// The ledger's time when it ends.
    end: u64,
}

impl Asking {
    fn is_of(&self, person: &str) -> bool {
        person_of(&self.call) == person
    }
}

/// The key id of the one who calls.
fn person_of(call: &Call) -> String {
    call.chain.leaf().key().key_id().to_string()
}

fn gone() -> Fault {
    Fault::new("consult-gone", Action::Retry)
}

impl Consultations {
    /// Takes up what this person asks.
    fn asked_by(&self, person: &str) -> Option<Asking> {
        self.asking.borrow_mut().take_if(|asking| asking.is_of(person))
    }

    /// Forgets everybody: the wallet is locked.
    pub(super) fn leave(&self) {
        self.secret.take();
        self.asking.take();
        self.served.take();
    }
}

impl Session {
    /// Awaits a doctor; the link that the desk scans.
    pub(super) async fn await_doctor(&self, engine: &Rc<Engine>) -> Result<String, Fault> {
        if !self.with(|vault| vault.is_protected())? {
            return Err(Fault::new("protect", Action::Protect));
        }
        self.with(|vault| vault.authority().map(drop))?.map_err(fault)?;
        let code = self.devices.code(engine, Page::Desk, live_url).await?;
        *self.consultations.secret.borrow_mut() = Some(code.secret);
        Ok(code.link)
    }

    /// No doctor is awaited any longer; whoever asks hears a no.
    pub(super) fn stop_awaiting(&self) -> PatientResponse {
        self.consultations.secret.take();
        self.consultations.asking.take();
        PatientResponse::Done
    }

    /// The patient's answer to the one who asks.
    pub(super) async fn answer_doctor(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        person: &str,
        choice: Option<ShareChoice>,
    ) -> Result<PatientResponse, Fault> {
        let Some(choice) = choice else {
            self.consultations.secret.take();
            let asking = self.consultations.asked_by(person).ok_or_else(gone)?;
            let _ = asking.answer.send(None);
            return Ok(PatientResponse::Done);
        };
        // Until the grant stands the desk goes on waiting, and the patient may try again.
        let chain = {
            let asking = self.consultations.asking.borrow();
            let asked = asking.as_ref().filter(|asking| asking.is_of(person));
            asked.map(|asking| asking.call.chain.clone()).ok_or_else(gone)?
        };
        let giving = Giving { choice: &choice, person: Some(&chain), claim: None };
        let grant = self.give(engine, task, &giving).await?;
        if !self.hand_over(engine, &grant, person, choice.duration)? {
            self.revoke(engine, &grant.to_hex()).await?;
            return Err(gone());
        }
        self.consultations.secret.take();
        if !self.consultations.stays.replace(true) {
            spawn_local(stay_reachable(Rc::downgrade(engine)));
        }
        Ok(PatientResponse::Share(Box::new(self.one_share(engine, &grant).await?)))
    }

    /// Sends a grant's offer to the person for whom it was made, sealed; whether that one is still there. Another one may
    /// have come meanwhile, and gets nothing.
    fn hand_over(
        &self,
        engine: &Engine,
        grant: &GrantId,
        person: &str,
        duration: u64,
    ) -> Result<bool, Fault> {
        let offer = self.offer(engine, grant, true)?;
        let contents = self.read(|index| {
            let records = index.grant(grant).map(|grant| grant.issued.records.clone()).unwrap_or_default();
            let parts = records.iter().filter_map(|id| index.record(id)).flat_map(|r| &r.added.parts);
            parts.map(|copy| copy.address).collect()
        })?;
        let Some(Asking { call, consultation, secret, answer }) = self.consultations.asked_by(person) else {
            return Ok(false);
        };
        let now = engine.known_ledger().and_then(Ledger::now).unwrap_or_default();
        let served =
            Served { person: *call.chain.leaf().key(), secret, contents, end: now.saturating_add(duration) };
        self.consultations.served.borrow_mut().insert(*grant, served);
        let yes = consultation.yes(&call, &offer, &mut BrowserRandom);
        Ok(answer.send(Some((*grant, yes))).is_ok())
    }
}

/// A desk has scanned the code, or goes on after a break.
pub async fn answer(engine: &Rc<Engine>, mut stream: Stream, peer: &[u8]) -> Result<(), Trouble> {
    let frame = stream.next().await.ok_or(Trouble::Away)?;
    match Greeting::from_bytes(&frame) {
        Ok(Greeting::Call(call)) => called(engine, stream, peer, *call).await,
        Ok(Greeting::Again(grant, caller)) => {
            let served = engine.patient.consultations.served.borrow().get(&grant).cloned();
            let own = engine.patient.devices.peers(engine).await?;
            let ledger = engine.patient.with(|vault| *vault.ledger())?;
            let same = served.is_some_and(|served| {
                let consultation = Consultation::new(ledger, &served.secret, (own.id(), peer));
                consultation.is(&caller, &served.person).is_ok()
            });
            let answer = if same { ConsultAnswer::GoOn } else { ConsultAnswer::No };
            stream.send(answer.to_bytes()).await?;
            if same { serve(engine, stream, &grant).await } else { Ok(()) }
        }
        Err(error) => Err(Trouble::Broken(error.to_string())),
    }
}

async fn called(engine: &Rc<Engine>, mut stream: Stream, peer: &[u8], call: Call) -> Result<(), Trouble> {
    let session = &engine.patient;
    let (answer, answered) = oneshot::channel();
    let refused = match heard(engine, peer, &call).await {
        Ok((consultation, secret)) => {
            let mut asking = session.consultations.asking.borrow_mut();
            // One at a time: the patient reads one name.
            if asking.is_some() {
                Some(ConsultAnswer::Busy)
            } else {
                tell(&Event::Consultation(bridge::Consultation::Asked(ask_of(&call))));
                *asking = Some(Asking { call, consultation, secret, answer });
                None
            }
        }
        Err(Some(fault)) => {
            tell(&Event::Consultation(bridge::Consultation::Failed(fault)));
            Some(ConsultAnswer::No)
        }
        Err(None) => Some(ConsultAnswer::No),
    };
    if let Some(refused) = refused {
        stream.send(refused.to_bytes()).await?;
        return Ok(());
    }
    let answer = match select(answered, pin!(stream.next())).await {
        Either::Left((answer, _)) => answer.ok().flatten(),
        // It went away, or says something where it has nothing to say.
        Either::Right(_) => {
            session.consultations.asking.take();
            tell(&Event::Consultation(bridge::Consultation::Ended));
            return Err(Trouble::Away);
        }
    };
    let Some((grant, yes)) = answer else {
        stream.send(ConsultAnswer::No.to_bytes()).await?;
        return Ok(());
    };
    stream.send(yes.to_bytes()).await?;
    serve(engine, stream, &grant).await
}

/// Whether the call comes from the person whom it names, through the code that is shown now; a fault that the patient must
/// know, or none where it is nobody's business.
async fn heard(
    engine: &Rc<Engine>,
    peer: &[u8],
    call: &Call,
) -> Result<(Consultation, Key32), Option<Fault>> {
    let session = &engine.patient;
    let secret = session.consultations.secret.borrow().clone().ok_or(None)?;
    let ledger = engine.fresh_ledger().await.map_err(Some)?;
    let now = ledger.now().ok_or(None)?;
    let own = session.devices.peers(engine).await.map_err(|_| None)?;
    let root = Certificate::from_der(&ledger.genesis.root.0).map_err(|_| None)?;
    let consultation = Consultation::new(ledger.id, &secret, (own.id(), peer));
    consultation.hear(call, &root, now).map_err(|_| None)?;
    match ledger.agrees_with(&call.checkpoint).await {
        Ok(true) => Ok((consultation, secret)),
        Ok(false) => Err(Some(Fault::new("split-view-here", Action::Nothing))),
        Err(error) => Err(Some(error.into())),
    }
}

fn ask_of(call: &Call) -> ConsultAsk {
    let subject = call.chain.leaf().subject();
    ConsultAsk {
        person: person_of(call),
        name: subject.name.clone().unwrap_or_default(),
        title: title_of(subject),
        organisation: subject.organisation.clone(),
        wants: ConsultWants {
            purpose: purpose_of(&call.wants.purpose),
            months: call.wants.months,
            duration: call.wants.duration,
        },
    }
}

/// While a grant is served, its person can dial this wallet anew: through the same relay once that is back, or through
/// the next that answers.
async fn stay_reachable(engine: Weak<Engine>) {
    while let Some(engine) = engine.upgrade() {
        let consultations = &engine.patient.consultations;
        let now = engine.known_ledger().and_then(Ledger::now).unwrap_or_default();
        consultations.served.borrow_mut().retain(|_, served| now < served.end);
        if consultations.served.borrow().is_empty() {
            consultations.stays.set(false);
            return;
        }
        let reached = engine.patient.devices.peers(&engine).await.is_ok_and(|peers| peers.is_reached());
        if !reached {
            // No relay may be there now; it is looked for again.
            let _ = engine.patient.devices.reachable(&engine).await;
        }
        drop(engine);
        sleep(LOOKS).await;
    }
}

/// Serves a grant's contents, and no others, until it is taken back or the desk goes.
async fn serve(engine: &Rc<Engine>, mut stream: Stream, grant: &GrantId) -> Result<(), Trouble> {
    let session = &engine.patient;
    while let Some(frame) = stream.next().await {
        let lasts = session.read(|index| index.grant(grant).is_some_and(|grant| grant.revoked.is_none()))?;
        let served = session.consultations.served.borrow().get(grant).cloned().filter(|_| lasts);
        let refused = ContentFrame::Refused(ContentRefused::Device);
        let Some(served) = served else {
            session.consultations.served.borrow_mut().remove(grant);
            return Ok(stream.send(refused.to_bytes()).await?);
        };
        match Request::read(&frame)? {
            Request::Get { address, from } if served.contents.contains(&address) => {
                content::send(engine, &mut stream, &address, from).await?;
            }
            Request::Get { .. } | Request::Section { .. } => {
                stream.send(ContentFrame::Missing.to_bytes()).await?;
            }
            Request::Lacks(_) | Request::Put { .. } => stream.send(refused.to_bytes()).await?,
        }
    }
    Ok(())
}
