//! 冲红 and 换开 at the hospital's desk: both payer slots of an invoice are made void, for good.
//!
//! What was done is read from the ledger each time, so a void that broke off after the first slot goes on with the second,
//! and a repeat does nothing.

use super::person::Person;
use crate::engine::Engine;
use crate::ledger::{Ledger, NEXT_CHECKPOINT};
use crate::platform::{BrowserRandom, sleep};
use crate::store::Store;
use suishen_bridge::{Action, Fault, IssuedInvoice};
use suishen_core::cbor;
use suishen_core::consent::{AuditorReversal, Reversing};
use suishen_core::contract::{Claim, Key, ReversalReason, SignedTransaction, Voucher};
use suishen_core::id::TagId;
use suishen_core::identity::Role;
use suishen_core::sm::{Key32, Signed};

/// How an invoice's slots stand; none for a report that isn't a claimable invoice.
pub async fn standing(
    ledger: &Ledger,
    store: &Store,
    vouchers: &[Signed<Voucher>],
) -> Result<Option<IssuedInvoice>, Fault> {
    if vouchers.is_empty() {
        return Ok(None);
    }
    let slots = slots(ledger, store, vouchers).await?;
    let voids = || slots.iter().map(|(.., claim)| claim.as_ref().and_then(|claim| claim.void.as_ref()));
    Ok(Some(IssuedInvoice {
        // Void is what is void whole.
        void: voids().map(|void| void.map(|void| void.at)).min().flatten(),
        on_paper: voids().flatten().any(|void| void.why == ReversalReason::OnPaper),
        paid: slots.iter().any(|(.., claim)| claim.as_ref().is_some_and(|claim| claim.settlement.is_some())),
    }))
}

/// Makes an invoice void.
pub async fn void(
    engine: &Engine,
    vouchers: &[Signed<Voucher>],
    on_paper: bool,
    words: &str,
) -> Result<(), Fault> {
    let (store, ledger) = (engine.store().await?, engine.fresh_ledger().await?);
    if vouchers.is_empty() {
        return Err(Fault::new("void-no-invoice", Action::Nothing));
    }
    let why = if on_paper { ReversalReason::OnPaper } else { ReversalReason::Reversed };
    let person = Person::here(store).await?;
    let pass = person.pass(ledger, Role::Issuer).await?;
    let auditor = ledger.auditor_key(store).await?;
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let mut refused = None;
    for (tag, voucher, claim) in slots(ledger, store, vouchers).await? {
        if claim.is_some_and(|claim| claim.void.is_some()) {
            continue;
        }
        let told = AuditorReversal {
            tag,
            settlement: None,
            why,
            words: words.trim().to_owned(),
            certificate: person.chain.leaf().to_der().to_vec(),
            presence: Signed::new(&Reversing { tag, desk: pass.grantee.public() }, person.key(), &ledger.id),
        };
        let seed = Key32::generate(&mut BrowserRandom);
        let body = told
            .reverse(voucher.clone(), pass.credential.clone(), &seed, now, (&auditor, &ledger.id))
            .map_err(|fault| Fault::new("claim-reason", Action::Nothing).with_detail(fault.to_string()))?;
        let signed = SignedTransaction::new(&body, &pass.grantee, &ledger.id);
        refused = ledger.submit(&signed).await.err().or(refused);
    }
    sleep(NEXT_CHECKPOINT).await;
    match (standing(ledger, store, vouchers).await?, refused) {
        (Some(IssuedInvoice { void: Some(_), .. }), _) => Ok(()),
        (_, Some(error)) => Err(error.into()),
        _ => Err(Fault::new("void-underway", Action::Retry)),
    }
}

/// Each slot's name, its voucher, and how it provably stands.
async fn slots<'a>(
    ledger: &Ledger,
    store: &Store,
    vouchers: &'a [Signed<Voucher>],
) -> Result<Vec<(TagId, &'a Signed<Voucher>, Option<Claim>)>, Fault> {
    let damaged = || Fault::new("store-damaged", Action::Nothing);
    let named = vouchers.iter().map(|voucher| Ok((TagId::of(&voucher.claimed()?), voucher)));
    let named: Vec<_> = named.collect::<Result<_, suishen_core::sm::SmError>>().map_err(|_| damaged())?;
    let keys: Vec<Key> = named.iter().map(|(tag, _)| Key::Claim(*tag)).collect();
    let values = ledger.values(store, &keys).await?;
    let unsound = |_| Fault::new("ledger-unsound", Action::Retry);
    named
        .into_iter()
        .zip(values)
        .map(|((tag, voucher), proven)| {
            let claim = proven.value.map(|value| cbor::decode(&value)).transpose().map_err(unsound)?;
            Ok((tag, voucher, claim))
        })
        .collect()
}
