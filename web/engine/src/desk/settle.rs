//! An insurer's decisions on claims: settled on the ledger, refused to the patient only, or taken back.
//!
//! **What is said is stored before it is sent, and the ledger alone says what became of it**: a relay that says no may
//! include it all the same. So a decision is given up only once it provably doesn't stand and can't any more, and until
//! then no other is made. The patient is told what provably stands.

mod list;

pub use list::settled;

use super::offer::{Held, drop_in, ledger_view};
use super::person::Person;
use super::read::{Open, OpenClaim};
use crate::engine::Engine;
use crate::ledger::{Ledger, LedgerError, NEXT_CHECKPOINT};
use crate::patient::{decided, grant_of, payer_of};
use crate::platform::{BrowserRandom, sleep};
use crate::store::Store;
use crate::worker::tell;
use suishen_bridge::{Action, DeskClaim, DeskClaimState, Event, Fault, Reading, TakeBack, Topic};
use suishen_core::cbor;
use suishen_core::consent::{
    Answer, AnswerFault, AuditorReversal, AuditorSettlement, Decision, Reversing, Settleable, Standing,
    Stood, Unsettleable, stood, taken_back,
};
use suishen_core::contract::{
    Claim, Key, Party, ReversalReason, Settled, SignedTransaction, Slot, Status, Terms, Transaction, Voucher,
};
use suishen_core::proof::remembered::FRESH;
use suishen_core::report::{Money, ReportError};
use suishen_core::sm::{Key32, Signed};

/// What is on its way to the ledger.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Saying {
    /// The entry.
    #[n(0)]
    transaction: SignedTransaction,
    /// Ledger time from which it can no longer be included.
    #[n(1)]
    until: u64,
    /// What the patient is told of it.
    #[n(2)]
    telling: Telling,
}

/// What the patient is told once the entry has a number.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
enum Telling {
    #[n(0)]
    Settled(#[n(0)] AuditorSettlement, #[n(1)] Key32),
    #[n(1)]
    Reversed(#[n(0)] AuditorReversal, #[n(1)] Key32),
}

/// What was decided last, and stands unless it is a refusal.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Said {
    /// Whole, partly, or refused.
    #[n(0)]
    told: AuditorSettlement,
    /// The number of the entry; a refusal has none.
    #[n(1)]
    entry: Option<u64>,
    /// Names the slot.
    #[n(2)]
    voucher: Signed<Voucher>,
    /// When, ledger time.
    #[n(3)]
    at: u64,
    /// Whether this desk took it back.
    #[n(4)]
    taken_back: bool,
}

fn answer_fault(fault: AnswerFault) -> Fault {
    let code = match fault {
        AnswerFault::Amount => "claim-amount",
        AnswerFault::Reason => "claim-reason",
        _ => "content",
    };
    Fault::new(code, Action::Nothing).with_detail(fault.to_string())
}

/// Why a claim isn't open, for the screen.
fn closed(why: &Unsettleable) -> DeskClaimState {
    DeskClaimState::Closed(code_of(why).to_owned())
}

/// The same as a fault's code.
const fn code_of(why: &Unsettleable) -> &'static str {
    match why {
        Unsettleable::Replaced => "payload-replaced",
        Unsettleable::Cancelled => "claim-cancelled",
        Unsettleable::Suspended => "claim-suspended",
        Unsettleable::Tag => "claim-tag",
        Unsettleable::Settled(_) => "claim-settled",
        Unsettleable::Void => "claim-void",
    }
}

/// What the desk is told of an invoice that can't be claimed.
pub fn unclaimable(error: &ReportError) -> Fault {
    let code = match error {
        ReportError::Tag | ReportError::TagProof => "claim-tag",
        ReportError::NoInvoice => "claim-no-invoice",
        ReportError::NotPayable(_) => "claim-void",
        _ => "claim-half",
    };
    Fault::new(code, Action::AskPatient).with_detail(error.to_string())
}

/// What the ledger says now of the open claim: its slot as it stands, and whether it may be settled. All of it under one
/// checkpoint, which is current.
async fn standing(
    ledger: &Ledger,
    store: &Store,
    claim: &OpenClaim,
) -> Result<(Option<Claim>, Result<Settleable, Unsettleable>), Fault> {
    let gone = || Fault::new("content", Action::AskPatient);
    let unsound = || Fault::new("ledger-unsound", Action::Retry);
    let voucher = claim.shown.tag.voucher().claimed().map_err(|_| gone())?;
    let tag = claim.shown.tag.id().map_err(|_| gone())?;
    let keys = [Key::Anchor(claim.record), Key::Party(voucher.issuer), Key::Claim(tag)];
    let values = ledger.values(store, &keys).await?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let [anchor, hospital, slot] = values.as_slice() else { return Err(unsound()) };
    if !slot.is_current(now) {
        return Err(Fault::new("ledger-old", Action::Retry));
    }
    let hospital = hospital.value.as_ref().ok_or_else(gone)?;
    let hospital = cbor::decode(hospital).map_err(|_| unsound())?;
    let anchor = anchor.value.as_ref().ok_or_else(gone)?;
    let anchor = cbor::decode(anchor).map_err(|_| unsound())?;
    let slot: Option<Claim> =
        slot.value.as_ref().map(|value| cbor::decode(value)).transpose().map_err(|_| unsound())?;
    let verdict = match claim.shown.tag.check(&hospital, &ledger.id) {
        Ok(_) => Standing { anchor: &anchor, claim: slot.as_ref(), hospital: &hospital, now }
            .settleable(&claim.shown.tag),
        Err(_) => Err(Unsettleable::Tag),
    };
    Ok((slot, verdict))
}

/// Nothing is sent for a suspended insurer, whose entry the ledger never takes.
async fn check_own(ledger: &Ledger, store: &Store, person: &Person) -> Result<(), Fault> {
    let unsound = || Fault::new("ledger-unsound", Action::Retry);
    let own = person.chain.leaf().subject().party.clone();
    let own = ledger.value(store, &Key::Party(own)).await?.value.ok_or_else(unsound)?;
    let own: Party = cbor::decode(&own).map_err(|_| unsound())?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    match own.suspension {
        Some(suspension) if suspension.from <= now => Err(Fault::new("own-suspended", Action::Nothing)),
        _ => Ok(()),
    }
}

/// What this desk settled and took back.
fn returned(held: &Held) -> DeskClaimState {
    held.said.as_ref().map_or(DeskClaimState::Open, |said| DeskClaimState::Returned(decided(&said.told)))
}

/// The open claim for the screen.
pub async fn view(
    ledger: &Ledger,
    store: &Store,
    held: &Held,
    claim: &OpenClaim,
) -> Result<DeskClaim, Fault> {
    let (slot, verdict) = standing(ledger, store, claim).await?;
    let said = held.said.as_ref().map(|said| &said.told);
    let refused = said.filter(|told| told.decision() == Decision::Refused);
    let state = match (state_of(held, slot.as_ref()), refused, verdict) {
        (Some(state), ..) => state,
        (None, Some(told), _) => DeskClaimState::Refused(told.reason.clone()),
        (None, None, Err(why)) => closed(&why),
        (None, None, Ok(_)) if held.said.as_ref().is_some_and(|said| said.taken_back) => returned(held),
        (None, None, Ok(_)) if held.said.is_none() && !held.given_up.is_empty() => DeskClaimState::Late,
        (None, None, Ok(_)) => DeskClaimState::Open,
    };
    let invoice = &claim.shown.invoice;
    let slot = claim.shown.tag.slot().map_err(|e| unclaimable(&e))?;
    let payable = invoice.payable(slot);
    let amount = payable.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(DeskClaim {
        payer: payer_of(slot),
        total: invoice.total.to_string(),
        shares: invoice.shares.iter().map(|(name, sum)| (name.clone(), sum.to_string())).collect(),
        payable: payable.map(|sum| sum.to_string()),
        amount: amount.split(' ').next().unwrap_or_default().to_owned(),
        lines: claim.lines.clone(),
        fees: claim.fees.clone(),
        // Its tag is shown to nobody else, so whether it is settled can't be looked up here.
        statutory: invoice
            .payable(Slot::Statutory)
            .filter(|sum| slot == Slot::Commercial && sum.hundredths() > 0)
            .map(|sum| sum.to_string()),
        state,
    })
}

/// How this desk's own decision stands; none where it made none that counts.
fn state_of(held: &Held, slot: Option<&Claim>) -> Option<DeskClaimState> {
    if let Some(Saying { until, telling, .. }) = &held.saying {
        let other = slot.and_then(|slot| slot.settlement.as_ref()).is_some_and(|it| it.grant != held.grant);
        let overtaken = other && matches!(telling, Telling::Settled(..));
        return Some(if overtaken {
            DeskClaimState::Overtaken(*until)
        } else {
            DeskClaimState::Underway(*until)
        });
    }
    let said = held.said.as_ref()?;
    let settlement = slot?.settlement.as_ref()?;
    let own = settlement.grant == held.grant && Some(settlement.entry) == said.entry;
    let told = own.then(|| decided(&said.told))?;
    let flagged = slot.is_some_and(Claim::is_flagged);
    Some(if flagged { DeskClaimState::Flagged(told) } else { DeskClaimState::Settled(told) })
}

/// Settles the claim of an open reading, or refuses it where nothing is paid.
pub async fn settle(
    engine: &Engine,
    open: &Open,
    share: &str,
    amount: &str,
    reason: &str,
) -> Result<Reading, Fault> {
    let (store, ledger) = (engine.store().await?, engine.fresh_ledger().await?);
    let claim = open.claim(share)?;
    let turn = open.turn(&grant_of(share)?);
    let _turn = turn.lock().await;
    let mut held = Held::load(store, share).await?;
    let (terms, leaf) = ledger_view(ledger, store, held.grant).await?;
    bring_in(ledger, store, &mut held, &terms).await?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let paid = Money::parse(amount.trim(), claim.shown.invoice.total.currency());
    let paid = paid.map_err(|_| answer_fault(AnswerFault::Amount))?;
    let told = AuditorSettlement::of(&claim.shown, &claim.record, paid, reason).map_err(answer_fault)?;
    let person = Person::here(store).await?;
    held.renew(ledger, &person).await?;
    let (slot, verdict) = standing(ledger, store, &claim).await?;
    if told.decision() == Decision::Refused {
        if state_of(&held, slot.as_ref()).is_some() {
            return Err(Fault::new("claim-settled", Action::Nothing));
        }
        let voucher = claim.shown.tag.voucher().clone();
        held.said = Some(Said { told: told.clone(), entry: None, voucher, at: now, taken_back: false });
        held.tell(&Answer::Refused(told), &terms, ledger)?;
    } else {
        // No entry of it would stand, so none is left on its way.
        if leaf.status == Status::Revoked || now >= terms.end() {
            return Err(Fault::new("claim-withdrawn", Action::AskPatient));
        }
        let open = verdict.map_err(|why| Fault::new(code_of(&why), Action::Nothing))?;
        check_own(ledger, store, &person).await?;
        let (credential, seed) = (held.pass.credential.clone(), Key32::generate(&mut BrowserRandom));
        let auditor = ledger.auditor_key(store).await?;
        let body = told
            .settle(&claim.shown, &open, credential, &seed, (&auditor, &ledger.id))
            .map_err(answer_fault)?;
        held.saying = Some(Saying::new(&body, &held, ledger, Telling::Settled(told, seed))?);
    }
    held.save(store).await?;
    finish(ledger, store, &mut held, &terms).await?;
    shown(ledger, store, open, share).await
}

/// Takes this desk's settlement back, whether its reading is still open or not.
pub async fn take_back(
    engine: &Engine,
    open: &Open,
    share: &str,
    why: TakeBack,
    words: &str,
) -> Result<Option<Reading>, Fault> {
    let (store, ledger) = (engine.store().await?, engine.fresh_ledger().await?);
    let turn = open.turn(&grant_of(share)?);
    let _turn = turn.lock().await;
    let mut held = Held::load(store, share).await?;
    let (terms, _) = ledger_view(ledger, store, held.grant).await?;
    bring_in(ledger, store, &mut held, &terms).await?;
    // The page offers it for what stands only.
    let Some(Said { told, entry: Some(entry), voucher, taken_back: false, .. }) = held.said.clone() else {
        return Err(Fault::new("request", Action::Nothing));
    };
    let person = Person::here(store).await?;
    check_own(ledger, store, &person).await?;
    held.renew(ledger, &person).await?;
    let reversing = Reversing { tag: told.tag, desk: held.pass.grantee.public() };
    let told = AuditorReversal {
        tag: told.tag,
        settlement: Some(Settled { grant: held.grant, entry }),
        why: reason_of(why),
        words: words.trim().to_owned(),
        certificate: person.chain.leaf().to_der().to_vec(),
        presence: Signed::new(&reversing, person.key(), &ledger.id),
    };
    let auditor = ledger.auditor_key(store).await?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let (credential, seed) = (held.pass.credential.clone(), Key32::generate(&mut BrowserRandom));
    let body = told.reverse(voucher, credential, &seed, now, (&auditor, &ledger.id)).map_err(answer_fault)?;
    held.saying = Some(Saying::new(&body, &held, ledger, Telling::Reversed(told, seed))?);
    held.save(store).await?;
    finish(ledger, store, &mut held, &terms).await?;
    if open.holds(&held.grant) { shown(ledger, store, open, share).await.map(Some) } else { Ok(None) }
}

const fn reason_of(why: TakeBack) -> ReversalReason {
    match why {
        TakeBack::Error => ReversalReason::Error,
        TakeBack::Duplicate => ReversalReason::Duplicate,
        TakeBack::PaidBack => ReversalReason::PaidBack,
    }
}

impl Saying {
    fn new(body: &Transaction, held: &Held, ledger: &Ledger, telling: Telling) -> Result<Self, Fault> {
        let until = match body {
            Transaction::SettleClaim(body) => body.include_before,
            Transaction::ReverseClaim(body) => body.include_before,
            _ => return Err(Fault::new("request", Action::Nothing)),
        };
        let transaction = SignedTransaction::new(body, &held.pass.grantee, &ledger.id);
        Ok(Self { transaction, until, telling })
    }
}

/// Brings what was decided to its end: the entry, then the patient's answer.
pub async fn carry_on(ledger: &Ledger, store: &Store, held: &mut Held, terms: &Terms) -> Result<(), Fault> {
    bring_in(ledger, store, held, terms).await?;
    deliver(ledger, store, held).await
}

/// Brings what was decided to the ledger, or finds that it stands. Nothing new is decided before.
async fn bring_in(ledger: &Ledger, store: &Store, held: &mut Held, terms: &Terms) -> Result<(), Fault> {
    if held.saying.is_none() && held.given_up.is_empty() {
        return Ok(());
    }
    let mut refused = None;
    if let Some(saying) = &held.saying {
        refused = ledger.submit(&saying.transaction).await.err();
    }
    if !adopt(ledger, store, held, terms).await? && held.saying.is_some() && refused.is_none() {
        sleep(NEXT_CHECKPOINT).await;
        adopt(ledger, store, held, terms).await?;
    }
    let Some(saying) = held.saying.clone() else { return Ok(()) };
    if ledger.now().is_none_or(|now| now <= saying.until + FRESH) {
        // It may still be included, whatever was answered.
        let why = || Fault::new("claim-underway", Action::Retry);
        return Err(refused.map_or_else(why, Fault::from));
    }
    // Members who answer for its time could still let it stand: it is looked for as long as the grant is kept.
    held.given_up.push(saying);
    held.saying = None;
    held.save(store).await?;
    tell(&Event::Changed(Topic::Desk));
    // A relay that says no to it now says only that it comes too late.
    Err(Fault::new("claim-late", Action::Retry))
}

/// Takes over what provably stands of what was decided, in the ledger's order; whether there was any.
async fn adopt(ledger: &Ledger, store: &Store, held: &mut Held, terms: &Terms) -> Result<bool, Fault> {
    let damaged = || Fault::new("store-damaged", Action::Nothing);
    let sayings: Vec<Saying> = held.saying.iter().chain(&held.given_up).cloned().collect();
    let bodies = sayings.iter().map(|saying| saying.transaction.claimed().map_err(|_| damaged()));
    let bodies: Vec<Transaction> = bodies.collect::<Result<_, _>>()?;
    let Some(log) = ledger.log_of(store, &held.grant).await? else { return Ok(false) };
    let mut found = false;
    for Stood { which, entry, at } in stood(&log, &bodies) {
        let (Some(saying), Some(body)) = (sayings.get(which), bodies.get(which)) else { continue };
        let answer = match (&saying.telling, body) {
            (Telling::Settled(told, seed), Transaction::SettleClaim(body)) => {
                held.said = Some(Said {
                    told: told.clone(),
                    entry: Some(entry),
                    voucher: body.voucher.clone(),
                    at,
                    taken_back: false,
                });
                Answer::Settled(told.clone(), seed.clone(), entry)
            }
            (Telling::Reversed(told, seed), _) => {
                if let Some(said) = &mut held.said {
                    said.taken_back = true;
                }
                Answer::Reversed(told.clone(), seed.clone())
            }
            (Telling::Settled(..), _) => return Err(damaged()),
        };
        let same = |other: &Saying| other.transaction.id() == saying.transaction.id();
        held.saying = held.saying.take().filter(|saying| !same(saying));
        held.given_up.retain(|saying| !same(saying));
        held.tell(&answer, terms, ledger)?;
        found = true;
    }
    // What another desk of this insurer took back is taken back once.
    let settlement = held.saying.as_ref().and_then(|saying| match &saying.telling {
        Telling::Reversed(told, _) => told.settlement,
        Telling::Settled(..) => None,
    });
    if settlement.is_some_and(|settlement| taken_back(&log, &settlement).is_some()) {
        held.saying = None;
        held.said.iter_mut().for_each(|said| said.taken_back = true);
        found = true;
    }
    if found {
        held.save(store).await?;
        tell(&Event::Changed(Topic::Desk));
    }
    Ok(found)
}

impl Held {
    /// Seals an answer for the patient once, so that the same message is sent again where it got lost.
    fn tell(&mut self, answer: &Answer, terms: &Terms, ledger: &Ledger) -> Result<(), Fault> {
        let (grantee, reply) = (&self.pass.grantee, &terms.grant.reply);
        let message = answer.seal(grantee, reply, &ledger.id, &mut BrowserRandom).map_err(answer_fault)?;
        self.untold.push(message);
        Ok(())
    }
}

/// Tells the patient what is still to be told, in order.
async fn deliver(ledger: &Ledger, store: &Store, held: &mut Held) -> Result<(), Fault> {
    while let Some(message) = held.untold.first() {
        match drop_in(ledger, held.grant, message, &held.pass.grantee).await {
            // The box is gone, a month after the grant's end: nobody looks into it any more.
            Err(LedgerError::Call(error)) if error.is(404) || error.is(410) => {}
            sent => sent?,
        }
        held.untold.remove(0);
        held.save(store).await?;
    }
    Ok(())
}

/// The same of what was decided just now: what is still on its way is no failure, but stands on the screen.
async fn finish(ledger: &Ledger, store: &Store, held: &mut Held, terms: &Terms) -> Result<(), Fault> {
    let done = bring_in(ledger, store, held, terms).await;
    if done.is_err() && held.saying.is_none() {
        return done;
    }
    // What the patient couldn't be told is told at the next look.
    let _ = deliver(ledger, store, held).await;
    Ok(())
}

/// A reading that is open, with its claim as it stands now.
pub async fn reading(engine: &Engine, open: &Open, share: &str) -> Result<Reading, Fault> {
    if open.claim(share).is_err() {
        return open.reading(share);
    }
    let (store, ledger) = (engine.store().await?, engine.fresh_ledger().await?);
    let turn = open.turn(&grant_of(share)?);
    let _turn = turn.lock().await;
    let mut held = Held::load(store, share).await?;
    let (terms, _) = ledger_view(ledger, store, held.grant).await?;
    // What isn't done stays on its way, and says so on the screen.
    let _ = carry_on(ledger, store, &mut held, &terms).await;
    shown(ledger, store, open, share).await
}

async fn shown(ledger: &Ledger, store: &Store, open: &Open, share: &str) -> Result<Reading, Fault> {
    let claim = open.claim(share)?;
    let held = Held::load(store, share).await?;
    let claim = view(ledger, store, &held, &claim).await?;
    open.set_claim(&held.grant, claim)
}
