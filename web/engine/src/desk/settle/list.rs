//! The list of what a desk has decided.

use super::{Telling, carry_on, closed, returned, state_of};
use crate::desk::offer::{Held, ledger_view};
use crate::desk::read::Open;
use crate::engine::Engine;
use suishen_bridge::{DeskClaimState, Fault, SettledClaim};
use suishen_core::consent::{Decision, Unsettleable};
use suishen_core::contract::Claim;

/// What this desk has decided, newest first.
pub async fn settled(engine: &Engine, open: &Open) -> Result<Vec<SettledClaim>, Fault> {
    let (store, ledger) = (engine.store().await?, engine.ledger().await?);
    let mut list = Vec::new();
    for mut held in Held::all(store).await? {
        let turn = open.turn(&held.grant);
        if let (Some(_turn), true) = (turn.try_lock(), held.is_under_way()) {
            let (terms, _) = ledger_view(ledger, store, held.grant).await?;
            // What isn't done stays on its way.
            let _ = carry_on(ledger, store, &mut held, &terms).await;
        }
        let telling = held.saying.as_ref().map(|saying| &saying.telling);
        let late = held.given_up.last().map(|saying| (&saying.telling, saying.until));
        let (told, at) = match (telling, &held.said, late) {
            (Some(Telling::Settled(told, _)), said, _) => {
                (told, said.as_ref().map_or(u64::MAX, |said| said.at))
            }
            (_, Some(said), _) => (&said.told, said.at),
            (_, None, Some((Telling::Settled(told, _), until))) => (told, until),
            _ => continue,
        };
        let slot = ledger.claim(store, told.tag).await?;
        let state = match (state_of(&held, slot.as_ref()), &slot) {
            (Some(state), _) => state,
            (None, _) if told.decision() == Decision::Refused => DeskClaimState::Refused(told.reason.clone()),
            // Its own decision stays in sight, whatever became of the slot.
            (None, _) if held.said.as_ref().is_some_and(|said| said.taken_back) => returned(&held),
            (None, Some(slot)) if slot.void.is_some() => closed(&Unsettleable::Void),
            (None, Some(Claim { settlement: Some(other), .. })) => {
                closed(&Unsettleable::Settled(other.party.clone()))
            }
            (None, _) if held.said.is_none() => DeskClaimState::Late,
            // Taken back at another desk of this insurer.
            (None, _) => DeskClaimState::Open,
        };
        list.push(SettledClaim {
            share: held.grant.to_hex(),
            patient: held.patient.clone(),
            invoice: held.invoice.clone(),
            at: at.min(ledger.now().unwrap_or(at)),
            claimed: told.claimed.to_string(),
            state,
        });
    }
    list.sort_by_key(|claim| core::cmp::Reverse(claim.at));
    Ok(list)
}
