//! A grant's drop box, as an insurer's server writes and reads it: what it leaves there for the patient, and the patient's
//! payload and yes.

use super::{
    desk::{ClaimsDesk, DeskError},
    held::Held,
    ledger::LedgerError,
};
use axum::http::Method;
use minicbor::bytes::ByteVec;
use suishen_core::{
    cbor,
    consent::{Message, Payload},
    id::LedgerId,
    sm::Key32,
};

/// Messages of a drop box that are read: as many as it holds.
const MOST_MESSAGES: usize = 64;

impl ClaimsDesk {
    /// Leaves a message for the patient. A box that is closed, or full, takes none for good: that is no reason to try again.
    pub(super) async fn drop_in(&self, held: &Held, message: &Message) -> Result<(), DeskError> {
        let path = format!("/v1/drop/{}", held.grant);
        let sent = self.ledger.signed(Method::POST, &path, cbor::encode(message), &held.pass.key).await;
        match sent.map_err(DeskError::from) {
            Err(error) if matches!(error.said_no(), Some("box-closed" | "box-full")) => {
                tracing::warn!(claim = %held.grant, %error, "the patient's box takes no message");
            }
            sent => drop(sent?),
        }
        Ok(())
    }

    /// Looks into the drop box for the patient's payload and yes. **A relay can put anything in, also a half of its own with a
    /// payload that opens under it**: what can't be read, doesn't open or doesn't hold takes nothing from the others, and
    /// closes no claim.
    pub(super) async fn has_answer(&self, held: &mut Held) -> Result<bool, DeskError> {
        if held.half.is_some() && held.payload.is_some() {
            return Ok(true);
        }
        let now = self.ledger.now().await?;
        let path = format!("/v1/drop/{}", held.grant);
        let answer = self.ledger.signed(Method::GET, &path, Vec::new(), &held.pass.key).await?;
        let messages: Vec<ByteVec> = cbor::decode(&answer).map_err(|_| LedgerError::Unsound("drop box"))?;
        let (terms, leaf) = self.grant(held).await?;
        if !self.check_running(held, &terms, &leaf, now).await? {
            return Ok(false);
        }
        let candidates = candidates(held, &messages, &self.ledger.id());
        if candidates.is_empty() {
            return Ok(false);
        }
        let auditor = self.ledger.auditor().await?;
        for (half, payload) in candidates {
            if let Err(fault) = self.judge(&terms, &auditor, (&half, &payload)) {
                tracing::warn!(claim = %held.grant, %fault, "what lies in the drop box is not taken");
                continue;
            }
            let before = held.state().name();
            (held.half, held.payload) = (Some(half), Some(payload.into()));
            self.save(held, before).await?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// The payloads in a drop box that open, in their order, each with the half that opens it: the code's, or one that was left
/// there.
fn candidates(held: &Held, messages: &[ByteVec], ledger: &LedgerId) -> Vec<(Key32, Vec<u8>)> {
    let (mut halves, mut payloads) = (Vec::from_iter(held.half.clone()), Vec::new());
    for message in messages.iter().take(MOST_MESSAGES).filter_map(|message| cbor::decode(message).ok()) {
        match message {
            Message::Payload(payload) => payloads.push(payload),
            Message::Half(boxed) => {
                halves.extend(Message::open_half(&boxed, &held.pass.box_key, &held.grant, ledger).ok());
            }
            Message::Desk(_) | Message::Receipt(_) | Message::Answer(_) => {}
        }
    }
    let opens = |half: &Key32, payload: &[u8]| Payload::open(half, &held.grant, payload).is_ok();
    let opening = payloads.into_iter().filter_map(|payload| {
        let half = halves.iter().find(|half| opens(half, &payload))?.clone();
        Some((half, payload))
    });
    opening.collect()
}
