//! The doctor's desk: accept, wait for the patient's yes, check the payload, redeem, open (PROTOCOL §6).
//!
//! **What a desk must still have after a crash is stored before it is used**: the offer key before the acceptance, the
//! redemption's key before the redemption. A redemption whose answer was lost is asked for again and gets the same.

use super::person::{Pass, Person, keep, kept, root};
use crate::engine::Engine;
use crate::gates;
use crate::http::Call;
use crate::ledger::{Ledger, LedgerError};
use crate::platform::BrowserRandom;
use crate::store::Store;
use crate::worker::tell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use suishen_bridge::{
    Action, Event, Fault, OfferState, OfferView, Purpose, ReadRecord, Reading, Step, Topic,
};
use suishen_core::cbor;
use suishen_core::consent::{
    AuditorUse, DeskIdentity, Facts, Judged, Message, Payload, PayloadFault, Presence, Receipt, RecordKey,
};
use suishen_core::contract::{
    AcceptGrant, Acceptance, GrantLeaf, Key, RedeemGrant, SignedTransaction, Status, Terms, Transaction,
};
use suishen_core::fhir::{ReportView, Series};
use suishen_core::gate::RELEASE_WITHIN;
use suishen_core::id::GrantId;
use suishen_core::identity::Role;
use suishen_core::qr::ConsentOffer;
use suishen_core::report::{FHIR_MEDIA_TYPE, open_part};
use suishen_core::sm::{Key32, SecretKey, Signed};

const OFFER: &str = "offer/";

/// A grant as this desk holds it.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Held {
    #[n(0)]
    grant: GrantId,
    #[n(1)]
    offer_key: SecretKey,
    #[n(2)]
    pass: Pass,
    /// Patient's half: from the code ("works without my phone"), or from the drop box after the tap.
    #[n(3)]
    half: Option<Key32>,
    #[n(4)]
    payload: Option<minicbor::bytes::ByteVec>,
    /// The redemption's private key and entry bytes, by use.
    #[n(5)]
    redemptions: Vec<Redemption>,
    /// The patient's name, once read.
    #[n(6)]
    patient: Option<String>,
    #[n(7)]
    presented: bool,
    #[n(8)]
    fault: Option<String>,
}

#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Redemption {
    #[n(0)]
    number: u32,
    #[n(1)]
    secret: SecretKey,
    #[n(2)]
    transaction: SignedTransaction,
    /// Entry number and time, once it stands.
    #[n(3)]
    stands: Option<(u64, u64)>,
    /// Whether its content was opened here.
    #[cbor(n(4), default)]
    opened: bool,
}

/// What is open on the screen: content lives here and nowhere else, until it is closed or locked.
#[derive(Debug, Default)]
pub struct Open {
    readings: RefCell<BTreeMap<GrantId, Opened>>,
}

#[derive(Clone, Debug)]
struct Opened {
    reading: Reading,
    files: BTreeMap<(u32, u32), (String, String, Vec<u8>)>,
}

impl Held {
    async fn save(&self, store: &Store) -> Result<(), Fault> {
        keep(store, &format!("{OFFER}{}", self.grant), self).await
    }

    /// The redemption to go on with: not sent, not answered, or its content not opened while gates still release.
    fn unfinished(&self, now: u64) -> Option<usize> {
        let goes_on = |r: &Redemption| r.stands.is_none_or(|(_, at)| !r.opened && now < at + RELEASE_WITHIN);
        self.redemptions.iter().position(goes_on)
    }

    async fn load(store: &Store, share: &str) -> Result<Self, Fault> {
        let mut found = kept::<Self>(store, &format!("{OFFER}{share}")).await?;
        found.pop().map(|(_, held)| held).ok_or_else(|| Fault::new("no-offer", Action::AskPatient))
    }
}

/// A grant's terms and leaf, proven.
async fn ledger_view(ledger: &Ledger, store: &Store, grant: GrantId) -> Result<(Terms, GrantLeaf), Fault> {
    let gone = || Fault::new("no-grant", Action::AskPatient);
    let terms = ledger.terms(store, grant).await?.ok_or_else(gone)?;
    let leaf = ledger.value(store, &Key::Grant(grant)).await?.value.ok_or_else(gone)?;
    let leaf = cbor::decode(&leaf).map_err(|_| Fault::new("ledger-unsound", Action::Retry))?;
    Ok((terms, leaf))
}

/// Accepts an offer and says who is at the desk.
pub async fn accept(engine: &Engine, offer: ConsentOffer) -> Result<OfferView, Fault> {
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let person = Person::load(store).await?.ok_or_else(|| Fault::new("not-enrolled", Action::Nothing))?;
    let (terms, _) = ledger_view(ledger, store, offer.grant).await?;
    // A repeat after a crash goes on with the keys that were stored.
    let held = if let Ok(held) = Held::load(store, &offer.grant.to_hex()).await {
        held
    } else {
        let held = Held {
            grant: offer.grant,
            offer_key: offer.offer_key.clone(),
            pass: person.pass(ledger, Role::Physician).await?,
            half: offer.half.clone(),
            payload: None,
            redemptions: Vec::new(),
            patient: None,
            presented: false,
            fault: None,
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
    follow(engine, offer.grant).await
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

async fn drop_in(ledger: &Ledger, grant: GrantId, message: &Message, key: &SecretKey) -> Result<(), Fault> {
    let call = Call::send("POST", format!("/v1/drop/{grant}"), cbor::encode(message));
    ledger.signed(call, key).await?;
    Ok(())
}

/// Looks into the drop box and says where the offer stands.
async fn follow(engine: &Engine, grant: GrantId) -> Result<OfferView, Fault> {
    let store = engine.store().await?;
    let ledger = engine.ledger().await?;
    let mut held = Held::load(store, &grant.to_hex()).await?;
    let (terms, leaf) = ledger_view(ledger, store, grant).await?;
    if held.half.is_none() || held.payload.is_none() {
        let messages = ledger.drop_box(grant, &held.pass.grantee).await?;
        for message in messages {
            match message {
                Message::Payload(payload) => held.payload = Some(payload.into()),
                Message::Half(boxed) => {
                    let half = Message::open_half(&boxed, &held.pass.box_key, &grant, &ledger.id);
                    held.half = half.ok();
                }
                Message::Desk(_) | Message::Receipt(_) => {}
            }
        }
        held.save(store).await?;
    }
    view(ledger, store, &held, &terms, &leaf).await
}

/// The payload, judged against the ledger. None while the patient's yes is awaited.
async fn judged(
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
        return Err(Fault::new("split-view", Action::Nothing));
    }
    Ok(Some((payload, judged)))
}

/// What the person at the desk is told of a payload that doesn't hold.
fn refused(fault: PayloadFault) -> Fault {
    let code = match fault {
        PayloadFault::Checkpoint | PayloadFault::Old | PayloadFault::Holder | PayloadFault::Anchor(_) => {
            "payload-holder"
        }
        PayloadFault::Binding | PayloadFault::Records => "payload-consent",
        PayloadFault::Cancelled(_) => "payload-cancelled",
        PayloadFault::AuditorBox => "payload-auditor",
        PayloadFault::Manifest(_) | PayloadFault::Parts(_) => "payload",
    };
    Fault::new(code, Action::AskPatient).with_detail(fault.to_string())
}

async fn view(
    ledger: &Ledger,
    store: &Store,
    held: &Held,
    terms: &Terms,
    leaf: &GrantLeaf,
) -> Result<OfferView, Fault> {
    let now = ledger.now().unwrap_or(u64::MAX);
    let mut purpose = None;
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
        records: u32::try_from(terms.grant.records).unwrap_or(u32::MAX),
        purpose,
        until: terms.end(),
        reads: u32::try_from(terms.grant.uses).unwrap_or(u32::MAX),
        reads_left: u32::try_from(terms.grant.uses.saturating_sub(leaf.uses)).unwrap_or(0),
    })
}

/// All offers of this desk.
pub async fn offers(engine: &Engine, open: &Open) -> Result<Vec<OfferView>, Fault> {
    let store = engine.store().await?;
    let mut list = Vec::new();
    for (_, held) in kept::<Held>(store, OFFER).await? {
        let mut shown = follow(engine, held.grant).await?;
        if open.readings.borrow().contains_key(&held.grant) && shown.state != OfferState::Revoked {
            shown.state = OfferState::Reading;
        }
        list.push(shown);
    }
    list.sort_by_key(|offer| core::cmp::Reverse(offer.until));
    Ok(list)
}

/// Redeems one use and opens the records.
pub async fn read(engine: &Engine, task: u32, open: &Open, share: &str) -> Result<Reading, Fault> {
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let person = Person::load(store).await?.ok_or_else(|| Fault::new("not-enrolled", Action::Nothing))?;
    let mut held = Held::load(store, share).await?;
    let (terms, leaf) = ledger_view(ledger, store, held.grant).await?;
    let (payload, judged) = judged(ledger, store, &held, &terms)
        .await?
        .ok_or_else(|| Fault::new("waiting", Action::AskPatient))?;
    let half = held.half.clone().ok_or_else(|| Fault::new("waiting", Action::AskPatient))?;
    let redemption = redeem(ledger, store, &person, &mut held, &terms, &leaf).await?;

    tell(&Event::Progress { task, step: Step::Checking, done: 0, total: 0 });
    let gathered = gates::release(
        ledger,
        held.grant.digest(),
        redemption.number,
        &held.pass.grantee,
        &redemption.secret,
        terms.grant.shares,
    )
    .await?;
    let mut opened = Vec::new();
    let mut files = BTreeMap::new();
    let total = payload.records.iter().flat_map(|r| &r.parts).map(|p| p.size).sum();
    let mut done = 0;
    for (record, facts) in payload.records.iter().zip(&judged.records) {
        let gate = gathered
            .halves
            .half(record.number)
            .map_err(|e| Fault::new("gate-share", Action::Retry).with_detail(e.to_string()))?;
        let key = RecordKey::new(&half, &gate, &held.grant, record.number);
        let mut shown = None;
        let mut listed = Vec::new();
        for wrapped in &record.parts {
            tell(&Event::Progress { task, step: Step::Fetching, done, total });
            let unsound = |_| Fault::new("content", Action::AskPatient);
            let copy = key.open(wrapped).map_err(|_| Fault::new("content", Action::AskPatient))?;
            let blob =
                ledger.get_blob(&copy.address, &held.pass.grantee).await.map_err(|error| match error {
                    LedgerError::Unsound(_) => Fault::new("content", Action::Retry),
                    other => other.into(),
                })?;
            let plain = open_part(&facts.manifest, &copy, &blob).map_err(unsound)?;
            let entry = facts.manifest.part(copy.part).map_err(unsound)?;
            if entry.media_type == FHIR_MEDIA_TYPE {
                let view = ReportView::from_json(&plain)
                    .map_err(|e| Fault::new("fhir", Action::AskPatient).with_detail(e.to_string()))?;
                shown = Some((view, 0));
            } else {
                listed.push((copy.part, entry.name.clone(), entry.media_type.clone(), entry.size));
                files.insert(
                    (record.number, copy.part),
                    (entry.name.clone(), entry.media_type.clone(), plain),
                );
            }
            done += wrapped.size;
        }
        if shown.is_none() {
            let unsound = || Fault::new("content", Action::AskPatient);
            let groups = key.open_groups(record).map_err(|_| unsound())?;
            let part = facts.manifest.open_groups(&groups).map_err(|_| unsound())?;
            let view =
                part.view().map_err(|e| Fault::new("fhir", Action::AskPatient).with_detail(e.to_string()))?;
            shown = Some((view, part.withheld));
        }
        let Some((view, groups)) = shown else { continue };
        let parts = facts.manifest.parts.len().saturating_sub(record.parts.len() + usize::from(groups > 0));
        opened.push(ReadRecord {
            number: record.number,
            view,
            withheld: u32::try_from(groups + parts).unwrap_or(u32::MAX),
            files: listed,
            issuer: record.chain.leaf().subject().organisation.clone(),
            sound: true,
            corrected: facts.anchor.replaced_by.is_some(),
        });
    }
    held.patient = opened.iter().find_map(|r| r.view.patient.as_ref()?.name.clone());
    held.save(store).await?;
    receipt(ledger, &held, &redemption, &terms, &payload).await?;
    if let Some(read) = held.redemptions.iter_mut().find(|r| r.number == redemption.number) {
        read.opened = true;
    }
    held.save(store).await?;
    let (terms, leaf) = ledger_view(ledger, store, held.grant).await?;
    let mut offer = view(ledger, store, &held, &terms, &leaf).await?;
    offer.state = OfferState::Reading;
    offer.purpose = purpose_of(&payload.consent.purpose);
    let views: Vec<ReportView> = opened.iter().map(|r| r.view.clone()).collect();
    let (entry, at) = redemption.stands.unwrap_or_default();
    let reading =
        Reading { offer, records: opened, series: series(&views), at, entry, consent: payload.consent.text };
    open.readings.borrow_mut().insert(held.grant, Opened { reading: reading.clone(), files });
    tell(&Event::Changed(Topic::Desk));
    Ok(reading)
}

/// Makes the next redemption, or goes on with one whose content was never opened.
async fn redeem(
    ledger: &Ledger,
    store: &Store,
    person: &Person,
    held: &mut Held,
    terms: &Terms,
    leaf: &GrantLeaf,
) -> Result<Redemption, Fault> {
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let index = match held.unfinished(now) {
        Some(index) if held.redemptions[index].stands.is_some() => return Ok(held.redemptions[index].clone()),
        Some(index) => index,
        None => {
            if !held.pass.lasts(now) {
                let (grantee, box_key) = (held.pass.grantee.clone(), held.pass.box_key.clone());
                held.pass = person.renew(ledger, Role::Physician, grantee, box_key).await?;
            }
            let number = u32::try_from(leaf.uses + 1).map_err(|_| Fault::new("request", Action::Nothing))?;
            let redemption = new_redemption(ledger, store, person, held, terms, number).await?;
            held.redemptions.push(redemption);
            held.save(store).await?;
            held.redemptions.len() - 1
        }
    };
    match ledger.submit(&held.redemptions[index].transaction).await {
        Ok(receipt) => {
            held.redemptions[index].stands = Some((receipt.number, receipt.now));
            held.save(store).await?;
            Ok(held.redemptions[index].clone())
        }
        Err(error) => {
            // Refused for good: it will never stand, so the next try is a new one.
            if matches!(&error, LedgerError::Call(crate::http::CallError::Refused { .. })) {
                held.redemptions.remove(index);
                held.save(store).await?;
            }
            Err(error.into())
        }
    }
}

async fn new_redemption(
    ledger: &Ledger,
    store: &Store,
    person: &Person,
    held: &Held,
    terms: &Terms,
    number: u32,
) -> Result<Redemption, Fault> {
    let records: Vec<u32> = (0..).take(usize::try_from(terms.grant.records).unwrap_or(0)).collect();
    let presence = Presence { grant: held.grant, grantee: held.pass.grantee.public() };
    let told = AuditorUse {
        grant: held.grant,
        number,
        certificate: person.chain.leaf().to_der().to_vec(),
        presence: Signed::new(&presence, person.key(), &ledger.id),
        records: records.clone(),
    };
    let auditor = ledger.auditor(store).await?;
    let seed = Key32::generate(&mut BrowserRandom);
    let auditor_box = told
        .seal(&seed, &auditor.box_key, &ledger.id)
        .map_err(|_| Fault::new("certificate-too-long", Action::Nothing))?;
    let secret = SecretKey::generate(&mut BrowserRandom);
    let body = RedeemGrant {
        grant: held.grant,
        credential: held.pass.credential.clone(),
        use_number: number.into(),
        records: records.into_iter().map(u64::from).collect(),
        epk: secret.public(),
        auditor_box,
    };
    let transaction = SignedTransaction::new(&Transaction::RedeemGrant(body), &held.pass.grantee, &ledger.id);
    Ok(Redemption { number, secret, transaction, stands: None, opened: false })
}

/// Tells the patient what was opened. Its absence shows as "key released, no receipt".
async fn receipt(
    ledger: &Ledger,
    held: &Held,
    redemption: &Redemption,
    terms: &Terms,
    payload: &Payload,
) -> Result<(), Fault> {
    let receipt = Receipt {
        grant: held.grant,
        number: redemption.number,
        records: payload.records.iter().map(|r| r.number).collect(),
        checkpoint: ledger.note(),
    };
    let message = receipt.seal(&held.pass.grantee, &terms.grant.reply, &ledger.id, &mut BrowserRandom);
    drop_in(ledger, held.grant, &message, &held.pass.grantee).await
}

impl Open {
    /// A reading that is still open.
    pub fn reading(&self, share: &str) -> Result<Reading, Fault> {
        self.find(share).map(|opened| opened.reading)
    }

    /// A file of it.
    pub fn file(&self, share: &str, record: u32, part: u32) -> Result<(String, String, Vec<u8>), Fault> {
        let missing = || Fault::new("no-file", Action::Nothing);
        self.find(share)?.files.remove(&(record, part)).ok_or_else(missing)
    }

    fn find(&self, share: &str) -> Result<Opened, Fault> {
        let grant = GrantId::from_hex(share).ok_or_else(|| Fault::new("request", Action::Nothing))?;
        let found = self.readings.borrow().get(&grant).cloned();
        found.ok_or_else(|| Fault::new("closed", Action::Nothing))
    }

    /// Lets the content of one reading go.
    pub fn close(&self, share: &str) {
        if let Some(grant) = GrantId::from_hex(share) {
            self.readings.borrow_mut().remove(&grant);
        }
    }

    /// Lets everything go.
    pub fn close_all(&self) {
        self.readings.borrow_mut().clear();
    }
}

/// Values with a history over several reports.
pub fn series(views: &[ReportView]) -> Vec<Series> {
    let rows = views.iter().enumerate().flat_map(|(i, v)| (0..v.rows.len()).map(move |row| (i, row)));
    let mut found: Vec<Series> = Vec::new();
    for (report, row) in rows {
        if let Some(series) = Series::of(views, report, row)
            && series.points.len() > 1
            && !found.iter().any(|s| s.name == series.name && s.unit == series.unit)
        {
            found.push(series);
        }
    }
    found
}

fn purpose_of(code: &str) -> Option<Purpose> {
    Purpose::ALL.into_iter().find(|purpose| purpose.code() == code)
}
