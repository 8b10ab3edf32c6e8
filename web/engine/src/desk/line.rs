//! A live consultation at the desk: it dials the phone whose code was scanned, asks, and fetches contents from there.

use super::offer::{self, Held};
use super::person::Person;
use super::read::Open;
use crate::engine::Engine;
use crate::ledger::Ledger;
use crate::peers::{Network, NotThere, Stream};
use crate::platform::sleep;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use suishen_bridge::peer::Speech;
use suishen_bridge::{Action, ConsultWants, Fault, OfferView};
use suishen_core::consent::{ConsultAnswer, Consultation, Greeting, Wants};
use suishen_core::id::{BlobAddress, GrantId};
use suishen_core::qr::{PeerOffer, Scanned, scan};
use suishen_core::sync::{ContentFrame, Received, Receiving};

/// How often a broken line is tried again, and how long it waits before, in milliseconds.
const WAITS: [i32; 6] = [200, 500, 1000, 2000, 4000, 8000];

/// The phone serves this grant no longer: it was locked, or the patient took it back.
const OVER: &str = "line-over";

/// How long a line may be silent, in milliseconds.
const SILENCE: i32 = 15_000;

/// Lines to patients' phones.
#[derive(Debug, Default)]
pub struct Lines {
    network: Network,
    open: RefCell<BTreeMap<GrantId, Stream>>,
    /// Ends the wait for a patient's answer.
    asking: RefCell<Option<oneshot::Sender<()>>>,
}

/// What is fetched: a grant's content, and who fetches it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Who is at the desk.
    pub person: &'a Person,
    /// The grant.
    pub held: &'a Held,
    /// The content.
    pub address: BlobAddress,
    /// Its bytes.
    pub size: u64,
}

fn gone() -> Fault {
    Fault::new("line-gone", Action::AskPatient)
}

fn old() -> Fault {
    Fault::new("line-old", Action::AskPatient)
}

impl From<NotThere> for Fault {
    fn from(NotThere: NotThere) -> Self {
        gone()
    }
}

impl Lines {
    /// Asks the patient whose code was scanned, and accepts what the patient gives.
    pub async fn ask(
        &self,
        engine: &Engine,
        desk: &Open,
        text: &str,
        wants: ConsultWants,
    ) -> Result<OfferView, Fault> {
        let Ok(Scanned::Live { offer: code, .. }) = scan(text) else {
            return Err(Fault::new("not-a-consent", Action::AskPatient));
        };
        let store = engine.store().await?;
        let ledger = engine.fresh_ledger().await?;
        let person = Person::here(store).await?;
        let (mut stream, consultation) = self.dial(ledger, &code).await?;
        let wants = Wants {
            purpose: wants.purpose.code().to_owned(),
            months: wants.months,
            duration: wants.duration,
        };
        let call = consultation.call(person.key(), person.chains(), wants, ledger.note());
        stream.send(call.to_bytes()).await?;
        let (asking, hung_up) = oneshot::channel();
        *self.asking.borrow_mut() = Some(asking);
        let answer = match select(pin!(stream.next()), hung_up).await {
            Either::Left((answer, _)) => answer.ok_or_else(gone)?,
            Either::Right(_) => return Err(Fault::new("line-hung-up", Action::Nothing)),
        };
        match ConsultAnswer::from_bytes(&answer).map_err(|_| old())? {
            ConsultAnswer::Yes(grant, offer) => {
                let offer = person.open_consultation(&consultation, &grant, &offer).map_err(|_| old())?;
                let shown = offer::accept(engine, desk, offer, Some(*code)).await?;
                self.open.borrow_mut().insert(grant, stream);
                Ok(shown)
            }
            ConsultAnswer::No => Err(Fault::new("line-declined", Action::AskPatient)),
            ConsultAnswer::Busy => Err(Fault::new("line-busy", Action::Retry)),
            ConsultAnswer::GoOn => Err(old()),
        }
    }

    /// Asks no longer.
    pub fn hang_up(&self) {
        self.asking.take();
    }

    /// Ends everything.
    pub fn close_all(&self) {
        self.hang_up();
        self.open.take();
        self.network.end();
    }

    /// A content from the phone that gave it; after a break it goes on where it was.
    pub async fn fetch(&self, wanted: &Wanted<'_>, progress: impl Fn(u64)) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        for wait in WAITS {
            let held = self.open.borrow_mut().remove(&wanted.held.grant);
            let line = match held {
                Some(stream) => Ok(stream),
                None => self.again(wanted).await,
            };
            match line {
                Ok(mut stream) => {
                    if let Ok(whole) = receive(&mut stream, wanted, &mut bytes, &progress).await {
                        self.open.borrow_mut().insert(wanted.held.grant, stream);
                        let wrong = || Fault::new("content", Action::AskPatient);
                        return if whole { Ok(bytes) } else { Err(wrong()) };
                    }
                }
                Err(fault) if fault.code == OVER => return Err(fault),
                Err(_) => {}
            }
            sleep(wait).await;
        }
        Err(gone())
    }

    /// A new stream to the same phone, by the same person.
    async fn again(&self, wanted: &Wanted<'_>) -> Result<Stream, Fault> {
        let code = wanted.held.line.as_ref().ok_or_else(gone)?;
        let (mut stream, consultation) = self.dial(wanted.ledger, code).await?;
        let caller = consultation.caller(wanted.person.key());
        stream.send(Greeting::Again(wanted.held.grant, caller).to_bytes()).await?;
        match ConsultAnswer::from_bytes(&stream.next_within(SILENCE).await.ok_or(NotThere)?) {
            Ok(ConsultAnswer::GoOn) => Ok(stream),
            Ok(ConsultAnswer::No) => Err(Fault::new(OVER, Action::AskPatient)),
            _ => Err(gone()),
        }
    }

    async fn dial(&self, ledger: &Ledger, code: &PeerOffer) -> Result<(Stream, Consultation), Fault> {
        let relay = ledger.first_peer().await?;
        // Nobody dials a desk.
        let peers = self.network.peers(drop).await?;
        let stream = peers.open(&relay, Some(&code.peer), Speech::Consult).await?;
        Ok((stream, Consultation::new(ledger.id, &code.secret, (&code.peer, peers.id()))))
    }
}

/// Takes the rest of a content; whether it is whole. On an error what came is in `bytes`.
async fn receive(
    stream: &mut Stream,
    wanted: &Wanted<'_>,
    bytes: &mut Vec<u8>,
    progress: &impl Fn(u64),
) -> Result<bool, NotThere> {
    let mut receiving = Receiving::get(wanted.address, wanted.size);
    receiving.held(bytes);
    stream.send(ContentFrame::Get(wanted.address, receiving.taken()).to_bytes()).await?;
    loop {
        let frame = stream.next_within(SILENCE).await.ok_or(NotThere)?;
        match receiving.take(&frame) {
            Ok(Received::Begun(_)) => {}
            Ok(Received::Piece(piece)) => {
                bytes.extend(piece);
                progress(bytes.len() as u64);
            }
            Ok(Received::Whole(last)) => {
                bytes.extend(last);
                return Ok(true);
            }
            Ok(Received::Wrong | Received::Missing) => {
                bytes.clear();
                return Ok(false);
            }
            Err(_) => return Err(NotThere),
        }
    }
}
