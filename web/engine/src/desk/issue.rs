//! The hospital's desk: a report is signed, sealed, stored, anchored, and handed over as a ticket or straight to a known
//! patient (PROTOCOL §4).

use super::person::{Pass, Person, keep, kept};
use super::void;
use crate::engine::Engine;
use crate::gates;
use crate::http::Call;
use crate::ledger::Ledger;
use crate::links::{Page, origin_of};
use crate::platform::{BrowserRandom, breathe};
use crate::worker::tell;
use std::cell::RefCell;
use suishen_bridge::{
    Action, Attachment, Correction, Event, Fault, IssuedInvoice, IssuedReport, IssuedState, Preview, Step,
};
use suishen_core::cbor;
use suishen_core::contract::{
    Anchor, AnchorReport, CancelTicket, Credential, Destination, SignedTransaction, SupersedeReport,
    Transaction, Voucher,
};
use suishen_core::fhir::ReportView;
use suishen_core::gate::{RecordHalf, split};
use suishen_core::id::{BlobAddress, Commitment, InboxId, TagId};
use suishen_core::identity::Role;
use suishen_core::qr::{IdentityOffer, ticket_url};
use suishen_core::report::{
    FHIR_MEDIA_TYPE, Manifest, NewPart, NewReport, PartCopy, Sensitivity, Ticket, TicketContents, commitment,
    seal_part,
};
use suishen_core::sm::{Digest, Key32, Label, Random as _, SecretKey, Signed, sealed};

/// How long a ticket waits for its patient, in seconds.
const TICKET_TERM: u64 = 7 * 86_400;
const ISSUED: &str = "issued/";
const INBOX: Label = Label::new("inbox");

/// The report being prepared.
#[derive(Debug, Default)]
pub struct Prepared {
    report: RefCell<Option<(Vec<u8>, ReportView)>>,
    files: RefCell<Vec<(Attachment, Vec<u8>)>>,
}

/// What the desk remembers of a report that it issued.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Remembered {
    #[n(0)]
    commitment: Commitment,
    #[n(1)]
    title: String,
    #[n(2)]
    patient: String,
    #[n(3)]
    issued: u64,
    /// Until when the ticket waits; none for a known patient.
    #[n(4)]
    until: Option<u64>,
    /// The ticket's link, so that it can be shown and printed again until it is kept.
    #[n(5)]
    link: Option<String>,
    /// Which version of the report; none where it was noted before there were several: the first.
    #[n(6)]
    version: Option<u32>,
    /// What names an invoice's payer slots.
    #[cbor(n(7), default)]
    vouchers: Vec<Signed<Voucher>>,
}

/// What goes into an inbox for a known patient.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Delivery {
    /// The organisation's word for who delivers.
    #[n(0)]
    credential: Signed<Credential>,
    /// Sealed [`TicketContents`].
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    /// The parts' addresses, which the inbox's key may then fetch.
    #[n(2)]
    blobs: Vec<BlobAddress>,
}

/// Opens what a hospital left in an inbox; the box is bound to that inbox.
pub fn open_delivery(
    boxed: &[u8],
    secret: &SecretKey,
    inbox: &InboxId,
    ledger: &Ledger,
) -> Result<TicketContents, Fault> {
    let plain = sealed::open(secret, &ledger.id, inbox.digest(), INBOX, boxed)
        .map_err(|_| Fault::new("delivery", Action::AskDesk))?;
    cbor::decode(&plain).map_err(|_| Fault::new("delivery", Action::AskDesk))
}

impl Prepared {
    /// Reads a FHIR bundle and shows it.
    pub fn preview(&self, bytes: Vec<u8>) -> Result<Preview, Fault> {
        let view = ReportView::from_json(&bytes)
            .map_err(|error| Fault::new("fhir", Action::Nothing).with_detail(error.to_string()))?;
        *self.report.borrow_mut() = Some((bytes, view));
        self.shown()
    }

    /// Adds a file.
    pub fn attach(&self, name: String, media_type: String, bytes: Vec<u8>) -> Result<Preview, Fault> {
        let shown =
            matches!(media_type.as_str(), "application/pdf" | "image/png" | "image/jpeg" | "image/webp");
        if !shown {
            return Err(Fault::new("attachment-type", Action::Nothing).with_detail(name));
        }
        let size = bytes.len() as u64;
        self.files.borrow_mut().push((Attachment { name, media_type, size }, bytes));
        self.shown()
    }

    /// Drops everything.
    pub fn clear(&self) {
        self.report.take();
        self.files.take();
    }

    fn shown(&self) -> Result<Preview, Fault> {
        let report = self.report.borrow();
        let (_, view) = report.as_ref().ok_or_else(|| Fault::new("no-report", Action::Nothing))?;
        let attachments = self.files.borrow().iter().map(|(a, _)| a.clone()).collect();
        Ok(Preview { view: view.clone(), attachments })
    }
}

/// Everything that one issue makes before it is sent.
struct Sealed {
    contents: TicketContents,
    blobs: Vec<(BlobAddress, Vec<u8>)>,
    commitment: Commitment,
    vouchers: Vec<Signed<Voucher>>,
}

/// How a report is issued.
#[derive(Debug)]
pub struct Way {
    /// Of a class that is never in a bulk choice.
    pub sensitive: bool,
    /// A known patient's wallet; a ticket otherwise.
    pub identity: Option<IdentityOffer>,
    /// What it stands in place of.
    pub corrects: Option<Correction>,
}

/// What a new version replaces.
struct Earlier {
    commitment: Commitment,
    version: u32,
    why: String,
    vouchers: Vec<Signed<Voucher>>,
}

/// Finds what is to be corrected; its ticket, if it still waits, is made void first.
async fn earlier(engine: &Engine, correction: &Correction) -> Result<Earlier, Fault> {
    let (store, ledger) = (engine.store().await?, engine.ledger().await?);
    let unknown = || Fault::new("request", Action::Nothing);
    let found = kept::<(Remembered, Pass)>(store, &format!("{ISSUED}{}", correction.report)).await?.pop();
    let (_, (remembered, _)) = found.ok_or_else(unknown)?;
    let anchor = ledger.anchor(store, remembered.commitment).await?;
    let state = view(&remembered, anchor.as_ref(), None, ledger.now().unwrap_or_default()).state;
    if matches!(state, IssuedState::Waiting(_)) {
        cancel(engine, &correction.report, correction.why.code().to_owned()).await?;
    }
    Ok(Earlier {
        commitment: remembered.commitment,
        version: remembered.version.unwrap_or(1),
        why: correction.why.code().to_owned(),
        vouchers: remembered.vouchers,
    })
}

/// Signs, seals, stores and anchors the prepared report.
pub async fn issue(engine: &Engine, task: u32, prepared: &Prepared, way: Way) -> Result<IssuedReport, Fault> {
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let person = Person::here(store).await?;
    let pass = person.pass(ledger, Role::Issuer).await?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let preview = prepared.shown()?;
    let earlier = match &way.corrects {
        Some(correction) => Some(earlier(engine, correction).await?),
        None => None,
    };
    let version = earlier.as_ref().map_or(1, |earlier| earlier.version + 1);
    let report = NewReport {
        issuer: person.chain.leaf().subject().party.clone(),
        issued_at: now,
        version,
        replaces: earlier.as_ref().map(|earlier| earlier.commitment),
        sensitivity: if way.sensitive { Sensitivity::Other } else { Sensitivity::Ordinary },
        credential: pass.credential.to_bytes(),
        fhir: None,
        attachments: Vec::new(),
    };
    let mut sealed = seal(prepared, &person, &pass, ledger, report).await?;
    if let Some(old) = earlier.as_ref().filter(|old| names(&old.vouchers) != names(&sealed.vouchers))
        && void::standing(ledger, store, &old.vouchers).await?.is_some_and(|old| old.void.is_none())
    {
        // Under another number it would be settled beside the old one.
        return Err(Fault::new("correct-renumbered", Action::Nothing));
    }
    if void::standing(ledger, store, &sealed.vouchers).await?.is_some_and(|invoice| invoice.void.is_some()) {
        return Err(Fault::new("issue-void", Action::Nothing));
    }

    let (destination, halves) = match &way.identity {
        None => ticket(&mut sealed, &pass, ledger, now)?,
        Some(offer) => {
            let salt: [u8; 32] = BrowserRandom.bytes();
            sealed.contents.holder_salt = Some(salt);
            (Destination::Holder(offer.holder.again(&salt)), None)
        }
    };
    upload(ledger, task, &sealed.blobs, &pass).await?;
    let (commitment, credential) = (sealed.commitment, pass.credential.clone());
    let body = match &earlier {
        None => Transaction::AnchorReport(AnchorReport { commitment, credential, destination }),
        Some(Earlier { commitment: replaces, why, .. }) => Transaction::SupersedeReport(SupersedeReport {
            commitment,
            credential,
            destination,
            replaces: *replaces,
            why: why.clone(),
        }),
    };
    let anchor = SignedTransaction::new(&body, &pass.grantee, &ledger.id);
    tell(&Event::Progress { task, step: Step::Anchoring, done: 0, total: 0 });
    let receipt = ledger.submit(&anchor).await?;

    let mut remembered = Remembered {
        commitment: sealed.commitment,
        title: preview.view.title.clone(),
        patient: preview.view.patient.as_ref().and_then(|p| p.name.clone()).unwrap_or_default(),
        issued: receipt.now,
        until: None,
        link: None,
        version: Some(version),
        vouchers: sealed.vouchers.clone(),
    };
    if let Some((ticket, deposits)) = halves {
        gates::deposit(ledger, &deposits, &pass.grantee).await?;
        remembered.until = Some(now + TICKET_TERM);
        let origin = origin_of(&engine.origin(), Page::Wallet);
        let link = ticket_url(&origin, &ticket).map_err(|e| Fault::new(e.sentence(), Action::Nothing))?;
        remembered.link = Some(link.to_string());
    } else if let Some(offer) = &way.identity {
        deliver(ledger, &sealed, offer, &pass).await?;
    }
    keep(store, &format!("{ISSUED}{}", sealed.commitment), &(&remembered, &pass)).await?;
    prepared.clear();
    let invoice = void::standing(ledger, store, &remembered.vouchers).await?;
    Ok(view(&remembered, None, invoice, now))
}

async fn seal(
    prepared: &Prepared,
    person: &Person,
    pass: &Pass,
    ledger: &Ledger,
    report: NewReport<'_>,
) -> Result<Sealed, Fault> {
    let bad = |e: suishen_core::report::ReportError| {
        Fault::new("report", Action::Nothing).with_detail(e.to_string())
    };
    let (fhir, _) =
        prepared.report.borrow().clone().ok_or_else(|| Fault::new("no-report", Action::Nothing))?;
    let files = prepared.files.borrow().clone();
    let attachments: Vec<NewPart> =
        files.iter().map(|(a, b)| NewPart::of(&a.name, &a.media_type, b, &mut BrowserRandom)).collect();
    let new = NewReport { fhir: Some(&fhir), attachments, ..report };
    let (tags, claim_keys): (Vec<_>, Vec<_>) = person.tags(ledger, &fhir).await?.into_iter().unzip();
    let made = Manifest::make_claimable(new, &tags, &mut BrowserRandom).map_err(bad)?;
    let manifest = Signed::new(&made.manifest, &pass.grantee, &ledger.id);
    let mut parts: Vec<PartCopy> = Vec::new();
    let mut blobs = Vec::new();
    for (number, (entry, salt)) in (0u32..).zip(made.manifest.parts.iter().zip(&made.salts)) {
        let file = files.iter().find(|(a, _)| a.name == entry.name).map(|(_, bytes)| bytes.as_slice());
        let plain =
            if entry.media_type == FHIR_MEDIA_TYPE { fhir.as_slice() } else { file.unwrap_or_default() };
        let (copy, blob) = seal_part(number, *salt, plain, &mut BrowserRandom);
        blobs.push((copy.address, blob));
        parts.push(copy);
        breathe().await;
    }
    let salt: [u8; 32] = BrowserRandom.bytes();
    let bytes = manifest.to_bytes();
    let commitment = commitment(&salt, &bytes);
    let chain = person.chain.certificates().map(|c| c.to_der().to_vec().into()).collect();
    let openings = made.openings;
    let vouchers = tags.iter().map(|tag| tag.voucher().clone()).collect();
    let contents =
        TicketContents { manifest: bytes, salt, parts, openings, chain, holder_salt: None, claim_keys };
    Ok(Sealed { contents, blobs, commitment, vouchers })
}

/// The payer slots that vouchers name.
fn names(vouchers: &[Signed<Voucher>]) -> Vec<TagId> {
    vouchers.iter().filter_map(|voucher| Some(TagId::of(&voucher.claimed().ok()?))).collect()
}

type Halves = Option<(Ticket, Vec<suishen_core::gate::Deposit>)>;

fn ticket(
    sealed: &mut Sealed,
    pass: &Pass,
    ledger: &Ledger,
    now: u64,
) -> Result<(Destination, Halves), Fault> {
    let ticket = Ticket::generate(sealed.commitment, &mut BrowserRandom);
    let half = Key32::generate(&mut BrowserRandom);
    let key = ticket.content_key(&half);
    let (address, blob) = sealed.contents.seal(&pass.grantee, &ledger.id, &key, &mut BrowserRandom);
    sealed.blobs.insert(0, (address, blob));
    let blobs = sealed.blobs.iter().map(|(address, _)| *address).collect();
    let (gates, needed) = ledger.gates();
    let object: &Digest = sealed.commitment.digest();
    let split = split(object, &[RecordHalf { half, blobs }], needed, gates, &mut BrowserRandom)
        .map_err(|_| Fault::new("gates", Action::Nothing))?;
    let destination = Destination::Ticket(ticket.key().public(), now + TICKET_TERM, split.digest);
    Ok((destination, Some((ticket, split.deposits))))
}

async fn upload(
    ledger: &Ledger,
    task: u32,
    blobs: &[(BlobAddress, Vec<u8>)],
    pass: &Pass,
) -> Result<(), Fault> {
    let total = blobs.iter().map(|(_, b)| b.len() as u64).sum();
    let mut done = 0;
    for (address, blob) in blobs {
        tell(&Event::Progress { task, step: Step::Sending, done, total });
        ledger.put_blob(address, blob, &pass.grantee).await?;
        done += blob.len() as u64;
    }
    Ok(())
}

async fn deliver(ledger: &Ledger, sealed: &Sealed, offer: &IdentityOffer, pass: &Pass) -> Result<(), Fault> {
    let text = cbor::encode(&sealed.contents);
    let boxed = sealed::seal(
        &offer.encryption_key,
        &ledger.id,
        offer.inbox.digest(),
        INBOX,
        &text,
        &mut BrowserRandom,
    );
    let delivery = Delivery {
        credential: pass.credential.clone(),
        sealed: boxed,
        blobs: sealed.blobs.iter().map(|(address, _)| *address).collect(),
    };
    let path = format!("/v1/inbox/{}", offer.inbox);
    ledger.signed(Call::send("POST", path, cbor::encode(&delivery)), &pass.grantee).await?;
    Ok(())
}

/// What this desk issued, newest first, each as the ledger has it.
pub async fn issued(engine: &Engine) -> Result<Vec<IssuedReport>, Fault> {
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let now = ledger.now().unwrap_or_default();
    let mut list = Vec::new();
    for (_, (remembered, _)) in kept::<(Remembered, Pass)>(store, ISSUED).await? {
        let anchor = ledger.anchor(store, remembered.commitment).await?;
        let invoice = void::standing(ledger, store, &remembered.vouchers).await?;
        list.push(view(&remembered, anchor.as_ref(), invoice, now));
    }
    list.sort_by_key(|report| core::cmp::Reverse(report.issued));
    Ok(list)
}

/// Makes a ticket void.
pub async fn cancel(engine: &Engine, report: &str, why: String) -> Result<(), Fault> {
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let person = Person::here(store).await?;
    let commitment = Commitment::from_hex(report).ok_or_else(|| Fault::new("request", Action::Nothing))?;
    let pass = person.pass(ledger, Role::Issuer).await?;
    let body = CancelTicket { commitment, credential: pass.credential.clone(), why };
    let signed = SignedTransaction::new(&Transaction::CancelTicket(body), &pass.grantee, &ledger.id);
    ledger.submit(&signed).await?;
    Ok(())
}

/// Makes an invoice void that this desk issued.
pub async fn void(engine: &Engine, report: &str, on_paper: bool, words: &str) -> Result<(), Fault> {
    let store = engine.store().await?;
    let found = kept::<(Remembered, Pass)>(store, &format!("{ISSUED}{report}")).await?.pop();
    let (_, (remembered, _)) = found.ok_or_else(|| Fault::new("request", Action::Nothing))?;
    void::void(engine, &remembered.vouchers, on_paper, words).await
}

fn view(
    remembered: &Remembered,
    anchor: Option<&Anchor>,
    invoice: Option<IssuedInvoice>,
    now: u64,
) -> IssuedReport {
    let cancelled = anchor.and_then(|a| a.cancellation.as_ref()).map(|c| c.at);
    let bound = anchor.and_then(|a| a.binding.as_ref()).map(|b| b.at);
    let replaced = anchor.is_some_and(|a| a.replaced_by.is_some());
    let state = match (cancelled, bound, remembered.until) {
        _ if replaced => IssuedState::Corrected,
        (Some(at), ..) => IssuedState::Cancelled(at),
        (_, Some(at), _) => IssuedState::Kept(at),
        (.., None) => IssuedState::Delivered,
        (.., Some(until)) if now >= until => IssuedState::Expired,
        (.., Some(until)) => IssuedState::Waiting(until),
    };
    let waiting = matches!(state, IssuedState::Waiting(_));
    IssuedReport {
        report: remembered.commitment.to_hex(),
        title: remembered.title.clone(),
        patient: remembered.patient.clone(),
        issued: remembered.issued,
        state,
        link: remembered.link.clone().filter(|_| waiting),
        invoice,
    }
}
