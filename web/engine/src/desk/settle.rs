//! An insurer's decisions on claims: settled on the ledger, refused to the patient only, or taken back.
//!
//! **What is said is stored before it is sent, and the ledger alone says what became of it**: a relay that says no may
//! include it all the same. So a decision is given up only once it provably doesn't stand and can't any more, and until
//! then no other is made. The patient is told what provably stands.

use super::offer::{Held, drop_in, ledger_view};
use super::person::Person;
use super::read::{Open, OpenClaim};
use crate::engine::Engine;
use crate::ledger::Ledger;
use crate::patient::{decided, grant_of, payer_of};
use crate::platform::{BrowserRandom, sleep};
use crate::store::Store;
use crate::worker::tell;
use suishen_bridge::{
    Action, DeskClaim, DeskClaimState, Event, Fault, Reading, SettledClaim, TakeBack, Topic,
};
use suishen_core::cbor;
use suishen_core::consent::{
    Answer, AnswerFault, AuditorReversal, AuditorSettlement, Decision, Reversing, Settleable, Standing,
    Unsettleable,
};
use suishen_core::contract::{
    Claim, Key, ReversalReason, Settled, SignedTransaction, Terms, Transaction, Voucher,
};
use suishen_core::report::{Money, ReportError};
use suishen_core::sm::{Key32, Signed};

/// How long, in milliseconds, until there is a checkpoint with what was just included.
const NEXT_CHECKPOINT: i32 = 1500;

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
        AnswerFault::Shares => "claim-shares",
        _ => "content",
    };
    Fault::new(code, Action::Nothing).with_detail(fault.to_string())
}

/// Why a claim isn't open, as a fault's code.
const fn closed(why: &Unsettleable) -> &'static str {
    match why {
        Unsettleable::Replaced => "payload-replaced",
        Unsettleable::Cancelled => "payload-cancelled",
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

/// The open claim for the screen.
pub async fn view(
    ledger: &Ledger,
    store: &Store,
    held: &Held,
    claim: &OpenClaim,
) -> Result<DeskClaim, Fault> {
    let (slot, verdict) = standing(ledger, store, claim).await?;
    let said = held.said.as_ref().map(|said| &said.told);
    let state = match (state_of(held, slot.as_ref()), verdict) {
        (Some(state), _) => state,
        (None, Err(why)) => DeskClaimState::Closed(closed(&why).to_owned()),
        (None, Ok(_)) => match said.filter(|told| told.decision() == Decision::Refused) {
            Some(told) => DeskClaimState::Refused(told.reason.clone()),
            None => DeskClaimState::Open,
        },
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
        state,
    })
}

/// How this desk's own decision stands; none where it made none that counts.
fn state_of(held: &Held, slot: Option<&Claim>) -> Option<DeskClaimState> {
    if let Some(saying) = &held.saying {
        return Some(DeskClaimState::Underway(saying.until));
    }
    let said = held.said.as_ref()?;
    let settlement = slot?.settlement.as_ref()?;
    let own = settlement.grant == held.grant && Some(settlement.entry) == said.entry;
    own.then(|| match slot.is_some_and(Claim::is_flagged) {
        true => DeskClaimState::Flagged(decided(&said.told)),
        false => DeskClaimState::Settled(decided(&said.told)),
    })
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
    let (terms, _) = ledger_view(ledger, store, held.grant).await?;
    carry_on(ledger, store, &mut held, &terms).await?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let paid = Money::parse(amount.trim(), claim.shown.invoice.total.currency());
    let paid = paid.map_err(|_| answer_fault(AnswerFault::Amount))?;
    let told = AuditorSettlement::of(&claim.shown, &claim.record, paid, reason).map_err(answer_fault)?;
    held.renew(ledger, &Person::here(store).await?).await?;
    if told.decision() == Decision::Refused {
        let voucher = claim.shown.tag.voucher().clone();
        held.said = Some(Said { told: told.clone(), entry: None, voucher, at: now, taken_back: false });
        held.untold = Some(Answer::Refused(told));
    } else {
        let (_, verdict) = standing(ledger, store, &claim).await?;
        let open = verdict.map_err(|why| Fault::new(closed(&why), Action::Nothing))?;
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
    carry_on(ledger, store, &mut held, &terms).await?;
    let nothing = || Fault::new("claim-not-settled", Action::Nothing);
    let Some(Said { told, entry: Some(entry), voucher, taken_back: false, .. }) = held.said.clone() else {
        return Err(nothing());
    };
    let person = Person::here(store).await?;
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

/// Brings what was decided to its end: the entry, then the patient's answer. Nothing new is decided before.
pub async fn carry_on(ledger: &Ledger, store: &Store, held: &mut Held, terms: &Terms) -> Result<(), Fault> {
    if let Some(saying) = held.saying.clone() {
        let sent = ledger.submit(&saying.transaction).await;
        let mut found = find(ledger, store, held, &saying).await?;
        if found.is_none() && sent.is_ok() {
            sleep(NEXT_CHECKPOINT).await;
            found = find(ledger, store, held, &saying).await?;
        }
        let Some((entry, at)) = found else {
            let seen = ledger.seen().map_or(0, |(_, time)| time);
            if seen <= saying.until {
                // It may still be included, whatever was answered.
                return Err(sent
                    .err()
                    .map_or_else(|| Fault::new("claim-underway", Action::Retry), Fault::from));
            }
            held.saying = None;
            held.save(store).await?;
            tell(&Event::Changed(Topic::Desk));
            return Err(sent.err().map_or_else(|| Fault::new("claim-late", Action::Retry), Fault::from));
        };
        held.saying = None;
        held.untold = Some(match saying.telling {
            Telling::Settled(told, seed) => {
                let voucher = match saying.transaction.claimed() {
                    Ok(Transaction::SettleClaim(body)) => body.voucher,
                    _ => return Err(Fault::new("store-damaged", Action::Nothing)),
                };
                held.said =
                    Some(Said { told: told.clone(), entry: Some(entry), voucher, at, taken_back: false });
                Answer::Settled(told, seed, entry)
            }
            Telling::Reversed(told, seed) => {
                held.said.as_mut().into_iter().for_each(|said| said.taken_back = true);
                Answer::Reversed(told, seed)
            }
        });
        held.save(store).await?;
        tell(&Event::Changed(Topic::Desk));
    }
    let Some(answer) = held.untold.clone() else { return Ok(()) };
    let reply = &terms.grant.reply;
    let message =
        answer.seal(&held.pass.grantee, reply, &ledger.id, &mut BrowserRandom).map_err(answer_fault)?;
    drop_in(ledger, held.grant, &message, &held.pass.grantee).await?;
    held.untold = None;
    held.save(store).await
}

/// The same of what was decided just now: what is still on its way is no failure, but stands on the screen.
async fn finish(ledger: &Ledger, store: &Store, held: &mut Held, terms: &Terms) -> Result<(), Fault> {
    match carry_on(ledger, store, held, terms).await {
        Err(_) if held.saying.is_some() || held.untold.is_some() => Ok(()),
        done => done,
    }
}

/// Number and time of the entry, where it provably stands.
async fn find(
    ledger: &Ledger,
    store: &Store,
    held: &Held,
    saying: &Saying,
) -> Result<Option<(u64, u64)>, Fault> {
    let said = saying.transaction.claimed().map_err(|_| Fault::new("store-damaged", Action::Nothing))?;
    let log = ledger.log_of(store, &held.grant).await?;
    let entries = log.into_iter().flat_map(|log| log.entries);
    Ok(entries.rev().find(|entry| entry.transaction == said).map(|entry| (entry.number, entry.now)))
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

/// What this desk has decided, newest first.
pub async fn settled(engine: &Engine) -> Result<Vec<SettledClaim>, Fault> {
    let store = engine.store().await?;
    let ledger = engine.ledger().await?;
    let mut list = Vec::new();
    for held in &Held::all(store).await? {
        let Some(said) = &held.said else { continue };
        let slot = ledger.claim(store, said.told.tag).await?;
        let state = match state_of(held, slot.as_ref()) {
            Some(state) => state,
            None if said.told.decision() == Decision::Refused => {
                DeskClaimState::Refused(said.told.reason.clone())
            }
            // Taken back, here or at another desk of this insurer.
            None => DeskClaimState::Open,
        };
        list.push(SettledClaim {
            share: held.grant.to_hex(),
            patient: held.patient.clone(),
            at: said.at,
            claimed: said.told.claimed.to_string(),
            state,
        });
    }
    list.sort_by_key(|claim| core::cmp::Reverse(claim.at));
    Ok(list)
}
