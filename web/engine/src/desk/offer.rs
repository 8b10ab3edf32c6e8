//! Offers at the doctor's desk: accept, wait for the patient's yes, check the payload (PROTOCOL §6).
//!
//! **What a desk must still have after a crash is stored before it is used**: the offer key before the acceptance, the
//! redemption's key before the redemption. A redemption whose answer was lost is asked for again and gets the same.

use super::person::{Pass, Person, keep, kept, root};
use super::read::Open;
use super::settle::{self, Said, Saying};
use crate::engine::Engine;
use crate::http::Call;
use crate::ledger::{Ledger, LedgerError};
use crate::platform::BrowserRandom;
use crate::store::Store;
use suishen_bridge::{Action, Fault, OfferState, OfferView, Purpose};
use suishen_core::cbor;
use suishen_core::consent::{DeskIdentity, Facts, Judged, Message, Payload, PayloadFault, Presence};
use suishen_core::contract::{
    AcceptGrant, Acceptance, GrantLeaf, Key, SignedTransaction, Status, Terms, Transaction,
};
use suishen_core::gate::RELEASE_WITHIN;
use suishen_core::id::GrantId;
use suishen_core::qr::{ConsentOffer, PeerOffer};
use suishen_core::sm::{Key32, SecretKey, Signed};

const OFFER: &str = "offer/";
/// What keeps all offers from being followed.
const OF_ALL: [&str; 4] = ["offline", "elsewhere", "ledger-forked", "ledger-rewound"];

/// A grant as this desk holds it.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Held {
    /// Which.
    #[n(0)]
    pub grant: GrantId,
    /// The code's secret.
    #[n(1)]
    pub offer_key: SecretKey,
    /// The keys and the credential that accepted.
    #[n(2)]
    pub pass: Pass,
    /// Patient's half: from the code ("works without my phone"), or from the drop box after the tap.
    #[n(3)]
    pub half: Option<Key32>,
    /// The payload as it lay in the drop box.
    #[n(4)]
    pub payload: Option<minicbor::bytes::ByteVec>,
    /// The redemption's private key and entry bytes, by use.
    #[n(5)]
    pub redemptions: Vec<Redemption>,
    /// The patient's name, once read.
    #[n(6)]
    pub patient: Option<String>,
    /// The person's certificate is before the patient.
    #[n(7)]
    pub presented: bool,
    /// Where the phone is whose patient was asked directly; contents come from there.
    #[n(8)]
    pub line: Option<PeerOffer>,
    /// At an insurer's: the decision that is on its way to the ledger.
    #[n(9)]
    pub saying: Option<Saying>,
    /// What was decided last.
    #[n(10)]
    pub said: Option<Said>,
    /// What the patient is still to be told.
    #[cbor(n(11), default)]
    pub untold: Vec<Message>,
    /// Decisions that were not included in time. They are still looked for: a member could let one stand.
    #[cbor(n(12), default)]
    pub given_up: Vec<Saying>,
    /// At an insurer's, the invoice's number, once read.
    #[n(13)]
    pub invoice: Option<String>,
}

/// One use of it.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Redemption {
    /// Which use, from 1.
    #[n(0)]
    pub number: u32,
    /// Gates seal their shares to it.
    #[n(1)]
    pub secret: SecretKey,
    /// As it is sent, and sent again.
    #[n(2)]
    pub transaction: SignedTransaction,
    /// Entry number and time, once it stands.
    #[n(3)]
    pub stands: Option<(u64, u64)>,
    /// Whether its content was opened here.
    #[cbor(n(4), default)]
    pub opened: bool,
}

impl Held {
    /// Stores it.
    pub async fn save(&self, store: &Store) -> Result<(), Fault> {
        keep(store, &format!("{OFFER}{}", self.grant), self).await
    }

    /// As the list shows it where it can't be followed.
    fn unreadable(&self, fault: Fault) -> OfferView {
        OfferView {
            share: self.grant.to_hex(),
            state: OfferState::Refused(fault),
            patient: self.patient.clone(),
            invoice: self.invoice.clone(),
            records: 0,
            purpose: None,
            until: 0,
            reads: 0,
            reads_left: 0,
        }
    }

    /// What it was read for, also once it is over: what was opened had been judged before.
    fn read_for(&self) -> Option<Purpose> {
        let opened = self.redemptions.iter().any(|read| read.opened);
        let (half, payload) = (self.half.as_ref().filter(|_| opened)?, self.payload.as_ref()?);
        purpose_of(&Payload::open(half, &self.grant, payload).ok()?.consent.purpose)
    }

    /// Whether something that was decided isn't done yet.
    pub fn is_under_way(&self) -> bool {
        self.saying.is_some() || !self.given_up.is_empty() || !self.untold.is_empty()
    }

    /// A credential that lasts, for the same keys.
    pub async fn renew(&mut self, ledger: &Ledger, person: &Person) -> Result<(), Fault> {
        let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
        if !self.pass.lasts(now) {
            let (grantee, box_key) = (self.pass.grantee.clone(), self.pass.box_key.clone());
            self.pass = person.renew(ledger, person.role(), grantee, box_key).await?;
        }
        Ok(())
    }

    /// The redemption to go on with: not sent, not answered, or its content not opened while gates still release.
    pub fn unfinished(&self, now: u64) -> Option<usize> {
        let goes_on = |r: &Redemption| r.stands.is_none_or(|(_, at)| !r.opened && now < at + RELEASE_WITHIN);
        self.redemptions.iter().position(goes_on)
    }

    /// All of this desk's.
    pub async fn all(store: &Store) -> Result<Vec<Self>, Fault> {
        Ok(kept::<Self>(store, OFFER).await?.into_iter().map(|(_, held)| held).collect())
    }

    /// Reads it back.
    pub async fn load(store: &Store, share: &str) -> Result<Self, Fault> {
        let mut found = kept::<Self>(store, &format!("{OFFER}{share}")).await?;
        found.pop().map(|(_, held)| held).ok_or_else(|| Fault::new("no-offer", Action::AskPatient))
    }
}

/// A grant's terms and leaf, proven.
pub async fn ledger_view(
    ledger: &Ledger,
    store: &Store,
    grant: GrantId,
) -> Result<(Terms, GrantLeaf), Fault> {
    let gone = || Fault::new("no-grant", Action::AskPatient);
    let terms = ledger.terms(store, grant).await?.ok_or_else(gone)?;
    let leaf = ledger.value(store, &Key::Grant(grant)).await?.value.ok_or_else(gone)?;
    let leaf = cbor::decode(&leaf).map_err(|_| Fault::new("ledger-unsound", Action::Retry))?;
    Ok((terms, leaf))
}

/// Accepts an offer and says who is at the desk; `line` where the patient was asked directly.
pub async fn accept(
    engine: &Engine,
    open: &Open,
    offer: ConsentOffer,
    line: Option<PeerOffer>,
) -> Result<OfferView, Fault> {
    let turn = open.turn(&offer.grant);
    let _turn = turn.lock().await;
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let person = Person::here(store).await?;
    let (terms, _) = ledger_view(ledger, store, offer.grant).await?;
    if terms.grant.role != person.role() {
        return Err(Fault::new("offer-role", Action::AskPatient));
    }
    // A repeat after a crash goes on with the keys that were stored.
    let held = if let Ok(held) = Held::load(store, &offer.grant.to_hex()).await {
        held
    } else {
        let held = Held {
            grant: offer.grant,
            offer_key: offer.offer_key.clone(),
            pass: person.pass(ledger, person.role()).await?,
            half: offer.half.clone(),
            payload: None,
            redemptions: Vec::new(),
            patient: None,
            presented: false,
            line,
            saying: None,
            said: None,
            untold: Vec::new(),
            given_up: Vec::new(),
            invoice: None,
        };
        held.save(store).await?;
        held
    };
    let acceptance = Acceptance {
        grant: held.grant,
        grantee: held.pass.grantee.public(),
        box_key: held.pass.box_key.public(),
    };
    let body = AcceptGrant {
        grant: held.grant,
        credential: held.pass.credential.clone(),
        acceptance: Signed::new(&acceptance, &held.offer_key, &ledger.id),
    };
    let signed = SignedTransaction::new(&Transaction::AcceptGrant(body), &held.pass.grantee, &ledger.id);
    ledger.submit(&signed).await?;
    present(ledger, store, &person, held, &terms).await?;
    follow(engine, offer.grant, true).await
}

/// Puts the person's certificate before the patient.
async fn present(
    ledger: &Ledger,
    store: &Store,
    person: &Person,
    mut held: Held,
    terms: &Terms,
) -> Result<(), Fault> {
    if held.presented {
        return Ok(());
    }
    let presence = Presence { grant: held.grant, grantee: held.pass.grantee.public() };
    let identity = DeskIdentity {
        chain: person.chain.clone(),
        presence: Signed::new(&presence, person.key(), &ledger.id),
        checkpoint: ledger.note(),
    };
    let message = identity.seal(&terms.grant.reply, &held.grant, &ledger.id, &mut BrowserRandom);
    drop_in(ledger, held.grant, &message, &held.pass.grantee).await?;
    held.presented = true;
    held.save(store).await
}

pub async fn drop_in(
    ledger: &Ledger,
    grant: GrantId,
    message: &Message,
    key: &SecretKey,
) -> Result<(), LedgerError> {
    let call = Call::send("POST", format!("/v1/drop/{grant}"), cbor::encode(message));
    ledger.signed(call, key).await?;
    Ok(())
}

/// Says where the offer stands; looks into the drop box and goes on with what was decided while nobody else is at it.
async fn follow(engine: &Engine, grant: GrantId, alone: bool) -> Result<OfferView, Fault> {
    let store = engine.store().await?;
    let ledger = engine.ledger().await?;
    let mut held = Held::load(store, &grant.to_hex()).await?;
    let (terms, leaf) = ledger_view(ledger, store, grant).await?;
    if alone && (held.half.is_none() || held.payload.is_none()) {
        let messages = match ledger.drop_box(grant, &held.pass.grantee).await {
            // Emptied a month after the grant's end, or somebody else's who was quicker.
            Err(LedgerError::Call(error)) if [403, 404, 410].into_iter().any(|code| error.is(code)) => {
                Vec::new()
            }
            messages => messages?,
        };
        for message in messages {
            match message {
                Message::Payload(payload) => held.payload = Some(payload.into()),
                Message::Half(boxed) => {
                    let half = Message::open_half(&boxed, &held.pass.box_key, &grant, &ledger.id);
                    held.half = half.ok();
                }
                Message::Desk(_) | Message::Receipt(_) | Message::Answer(_) => {}
            }
        }
        held.save(store).await?;
    }
    if alone && held.is_under_way() {
        // Tried again at each look: what isn't done stays on its way.
        let _ = settle::carry_on(ledger, store, &mut held, &terms).await;
    }
    view(ledger, store, &held, &terms, &leaf).await
}

/// The payload, judged against the ledger. None while the patient's yes is awaited.
pub async fn judged(
    ledger: &Ledger,
    store: &Store,
    held: &Held,
    terms: &Terms,
) -> Result<Option<(Payload, Judged)>, Fault> {
    let (Some(half), Some(payload)) = (&held.half, &held.payload) else { return Ok(None) };
    let unreadable = |_| Fault::new("payload", Action::AskPatient).with_detail("form");
    let payload = Payload::open(half, &held.grant, payload).map_err(unreadable)?;
    let auditor = ledger.auditor(store).await?;
    let root = root(ledger)?;
    let facts = Facts {
        ledger: &ledger.id,
        epoch: &ledger.epoch,
        root: &root,
        grant: &terms.grant,
        issued: terms.issued,
        auditor: &auditor,
    };
    let judged = payload.judge(&facts).map_err(refused)?;
    if !ledger.agrees(&judged.checkpoint).await? {
        ledger.found_split();
        return Err(Fault::new("split-view", Action::Nothing));
    }
    Ok(Some((payload, judged)))
}

/// What the person at the desk is told of a payload that doesn't hold.
fn refused(fault: PayloadFault) -> Fault {
    Fault::new(fault.code(), Action::AskPatient).with_detail(fault.to_string())
}

pub async fn view(
    ledger: &Ledger,
    store: &Store,
    held: &Held,
    terms: &Terms,
    leaf: &GrantLeaf,
) -> Result<OfferView, Fault> {
    let now = ledger.now().unwrap_or(u64::MAX);
    let mut purpose = held.read_for();
    let state = match leaf.status {
        Status::Revoked => OfferState::Revoked,
        _ if now >= terms.end() => OfferState::Expired,
        Status::Exhausted if held.unfinished(now).is_none() => OfferState::Exhausted,
        Status::Offered | Status::Accepted | Status::Exhausted => {
            match judged(ledger, store, held, terms).await {
                Ok(None) => OfferState::Waiting,
                Ok(Some((payload, _))) => {
                    purpose = purpose_of(&payload.consent.purpose);
                    OfferState::Ready
                }
                Err(fault) if fault.code.starts_with("payload") || fault.code == "split-view" => {
                    OfferState::Refused(fault)
                }
                Err(fault) => return Err(fault),
            }
        }
    };
    Ok(OfferView {
        share: held.grant.to_hex(),
        state,
        patient: held.patient.clone(),
        invoice: held.invoice.clone(),
        records: u32::try_from(terms.grant.records).unwrap_or(u32::MAX),
        purpose,
        until: terms.end(),
        reads: u32::try_from(terms.grant.uses).unwrap_or(u32::MAX),
        reads_left: u32::try_from(terms.grant.uses.saturating_sub(leaf.uses)).unwrap_or(0),
    })
}

/// All offers of this desk.
pub async fn offers(engine: &Engine, open: &Open) -> Result<Vec<OfferView>, Fault> {
    let mut list = Vec::new();
    for held in Held::all(engine.store().await?).await? {
        let turn = open.turn(&held.grant);
        let turn = turn.try_lock();
        let mut shown = match follow(engine, held.grant, turn.is_some()).await {
            Ok(shown) => shown,
            Err(fault) if OF_ALL.contains(&fault.code.as_str()) => return Err(fault),
            // One that can't be read keeps no other from being read.
            Err(fault) => held.unreadable(fault),
        };
        if open.holds(&held.grant) && shown.state != OfferState::Revoked {
            shown.state = OfferState::Reading;
        }
        list.push(shown);
    }
    list.sort_by_key(|offer| core::cmp::Reverse(offer.until));
    Ok(list)
}

pub fn purpose_of(code: &str) -> Option<Purpose> {
    Purpose::of(code)
}
