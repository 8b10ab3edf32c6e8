//! An insurer's decision on the claim that it has open: settled on the ledger, refused to the patient only, or taken back.
//!
//! **What is said is stored before it is sent**, entry first, then the patient's answer; after a crash it goes on where it
//! stopped, and a repeat makes the same entry.

use super::offer::{Held, drop_in, ledger_view};
use super::person::Person;
use super::read::{Open, OpenClaim};
use crate::engine::Engine;
use crate::http::CallError;
use crate::ledger::{Ledger, LedgerError};
use crate::patient::{decided, payer_of};
use crate::platform::BrowserRandom;
use crate::store::Store;
use crate::worker::tell;
use suishen_bridge::{Action, DeskClaim, DeskClaimState, Event, Fault, Reading, TakeBack, Topic};
use suishen_core::consent::{
    Answer, AnswerFault, AuditorReversal, AuditorSettlement, Decision, Reversing, Settleable, Standing,
    Unsettleable,
};
use suishen_core::contract::{Claim, ReversalReason, Settled, SignedTransaction, Terms};
use suishen_core::report::{Money, ReportError};
use suishen_core::sm::{Key32, Signed};

/// What is about to be said, and goes on after a crash.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Saying {
    /// The entry; a refusal has none.
    #[n(0)]
    transaction: Option<SignedTransaction>,
    /// What the patient is told once it stands.
    #[n(1)]
    answer: Answer,
}

/// What was said last, unless it was taken back.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Said {
    /// Whole, partly, or refused.
    #[n(0)]
    told: AuditorSettlement,
    /// The number of the entry; a refusal has none.
    #[n(1)]
    entry: Option<u64>,
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

/// What the ledger says now of the open claim: its slot as it stands, and whether it may be settled.
async fn standing(
    ledger: &Ledger,
    store: &Store,
    claim: &OpenClaim,
) -> Result<(Option<Claim>, Result<Settleable, Unsettleable>), Fault> {
    let gone = || Fault::new("content", Action::AskPatient);
    let voucher = claim.shown.tag.voucher().claimed().map_err(|_| gone())?;
    let anchor = ledger.anchor(store, claim.record).await?.ok_or_else(gone)?;
    let hospital = ledger.party(store, voucher.issuer).await?.ok_or_else(gone)?;
    let tag = claim.shown.tag.id().map_err(|_| gone())?;
    let slot = ledger.claim(store, tag).await?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
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
    let own = slot.as_ref().and_then(|slot| Some((slot, slot.settlement.as_ref()?)));
    let own = own.filter(|(_, settlement)| settlement.grant == held.grant);
    let state = match (own, said, verdict) {
        (Some((slot, _)), Some(told), _) if slot.is_flagged() => DeskClaimState::Flagged(decided(told)),
        (Some(_), Some(told), _) => DeskClaimState::Settled(decided(told)),
        (_, _, Err(why)) => DeskClaimState::Closed(closed(&why).to_owned()),
        (_, Some(told), Ok(_)) if told.decision() == Decision::Refused => {
            DeskClaimState::Refused(told.reason.clone())
        }
        (_, _, Ok(_)) => DeskClaimState::Open,
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
    let mut held = Held::load(store, share).await?;
    let (terms, _) = ledger_view(ledger, store, held.grant).await?;
    if held.saying.is_none() {
        let paid = Money::parse(amount.trim(), claim.shown.invoice.total.currency());
        let paid = paid.map_err(|_| answer_fault(AnswerFault::Amount))?;
        let told = AuditorSettlement::of(&claim.shown, &claim.record, paid, reason).map_err(answer_fault)?;
        held.renew(ledger, &Person::here(store).await?).await?;
        held.saying = Some(if told.decision() == Decision::Refused {
            Saying { transaction: None, answer: Answer::Refused(told) }
        } else {
            let (_, verdict) = standing(ledger, store, &claim).await?;
            let open = verdict.map_err(|why| Fault::new(closed(&why), Action::Nothing))?;
            let auditor = ledger.auditor_key(store).await?;
            let (credential, seed) = (held.pass.credential.clone(), Key32::generate(&mut BrowserRandom));
            let (body, answer) = told
                .settle(&claim.shown, &open, credential, seed, (&auditor, &ledger.id))
                .map_err(answer_fault)?;
            let transaction = SignedTransaction::new(&body, &held.pass.grantee, &ledger.id);
            Saying { transaction: Some(transaction), answer }
        });
        held.save(store).await?;
    }
    say(ledger, store, &mut held, &terms).await?;
    shown_again(ledger, store, &held, open, &claim).await
}

/// Takes this desk's settlement back.
pub async fn take_back(
    engine: &Engine,
    open: &Open,
    share: &str,
    why: TakeBack,
    words: &str,
) -> Result<Reading, Fault> {
    let (store, ledger) = (engine.store().await?, engine.fresh_ledger().await?);
    let claim = open.claim(share)?;
    let mut held = Held::load(store, share).await?;
    let (terms, _) = ledger_view(ledger, store, held.grant).await?;
    if held.saying.is_none() {
        let entry = held.said.as_ref().and_then(|said| said.entry);
        let entry = entry.ok_or_else(|| Fault::new("request", Action::Nothing))?;
        let person = Person::here(store).await?;
        held.renew(ledger, &person).await?;
        let tag = claim.shown.tag.id().map_err(|e| unclaimable(&e))?;
        let reversing = Reversing { tag, desk: held.pass.grantee.public() };
        let told = AuditorReversal {
            tag,
            settlement: Some(Settled { grant: held.grant, entry }),
            why: reason_of(why),
            words: words.trim().to_owned(),
            certificate: person.chain.leaf().to_der().to_vec(),
            presence: Signed::new(&reversing, person.key(), &ledger.id),
        };
        let auditor = ledger.auditor_key(store).await?;
        let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
        let (credential, seed) = (held.pass.credential.clone(), Key32::generate(&mut BrowserRandom));
        let voucher = claim.shown.tag.voucher().clone();
        let body =
            told.reverse(voucher, credential, &seed, now, (&auditor, &ledger.id)).map_err(answer_fault)?;
        let transaction = SignedTransaction::new(&body, &held.pass.grantee, &ledger.id);
        held.saying = Some(Saying { transaction: Some(transaction), answer: Answer::Reversed(told, seed) });
        held.save(store).await?;
    }
    say(ledger, store, &mut held, &terms).await?;
    shown_again(ledger, store, &held, open, &claim).await
}

const fn reason_of(why: TakeBack) -> ReversalReason {
    match why {
        TakeBack::Error => ReversalReason::Error,
        TakeBack::Duplicate => ReversalReason::Duplicate,
        TakeBack::PaidBack => ReversalReason::PaidBack,
    }
}

/// Sends what was stored: the entry, then the patient's answer.
async fn say(ledger: &Ledger, store: &Store, held: &mut Held, terms: &Terms) -> Result<(), Fault> {
    let Some(Saying { transaction, answer }) = held.saying.clone() else { return Ok(()) };
    let entry = match &transaction {
        None => None,
        Some(transaction) => match ledger.submit(transaction).await {
            Ok(receipt) => Some(receipt.number),
            Err(error) => {
                // Refused for good: the next try is a new one.
                if matches!(&error, LedgerError::Call(CallError::Refused { .. })) {
                    held.saying = None;
                    held.save(store).await?;
                }
                return Err(error.into());
            }
        },
    };
    let reply = &terms.grant.reply;
    let message =
        answer.seal(&held.pass.grantee, reply, &ledger.id, &mut BrowserRandom).map_err(answer_fault)?;
    drop_in(ledger, held.grant, &message, &held.pass.grantee).await?;
    held.said = match answer {
        Answer::Settled(told, _) | Answer::Refused(told) => Some(Said { told, entry }),
        Answer::Reversed(..) => None,
    };
    held.saying = None;
    held.save(store).await?;
    tell(&Event::Changed(Topic::Desk));
    Ok(())
}

/// The reading with its claim as it stands now.
async fn shown_again(
    ledger: &Ledger,
    store: &Store,
    held: &Held,
    open: &Open,
    claim: &OpenClaim,
) -> Result<Reading, Fault> {
    ledger.refresh(store).await?;
    let claim = view(ledger, store, held, claim).await?;
    open.set_claim(&held.grant, claim)
}
