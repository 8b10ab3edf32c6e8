//! Signed requests (RFC 9421, `suishen_core::identity::request`): who signed, within the window, never twice.

use super::{Fault, Problem, Shared};
use axum::http::{HeaderMap, Method, Uri};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};
use suishen_core::{
    identity::request::{Claim, Headers, Message, REPLAY_WINDOW, RequestError},
    sm::{Digest, PublicKey},
};

/// Nonces that were used, until a request with them would be too old anyway.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<HashMap<(PublicKey, [u8; 16]), u64>>);

impl Nonces {
    /// Whether a nonce is new; it isn't any more afterwards.
    fn is_new(&self, key: PublicKey, nonce: [u8; 16], now: u64) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() > 4096 && used.len().is_power_of_two() {
            used.retain(|_, until| *until > now);
        }
        used.insert((key, nonce), now + 2 * REPLAY_WINDOW).is_none_or(|until| until <= now)
    }

    /// Forgets what is too old.
    pub fn expire(&self, now: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, until| *until > now);
    }
}

/// The key that signed this request, whose body has this digest.
pub fn signer(
    node: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    content: Digest,
) -> Result<PublicKey, Problem> {
    let message = Message {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        content,
    };
    let now = node.now();
    let claim = Claim::read(&message, &fields(headers)?, &node.replica.ledger()).map_err(fault)?;
    let (key, nonce) = claim.verify_own(now).map_err(fault)?;
    if !node.nonces.is_new(key, nonce, now) {
        return Err(Fault::Stale.into());
    }
    node.by_key.take(key, Instant::now()).map_err(|_| Fault::TooMany)?;
    Ok(key)
}

/// The key that signed a request without a body.
pub fn signer_of_nothing(
    node: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<PublicKey, Problem> {
    signer(node, method, uri, headers, Digest::of(&[]))
}

fn fields(headers: &HeaderMap) -> Result<Headers, Problem> {
    let field = |name| {
        let mut values = headers.get_all(name).iter();
        match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
            (Some(value), None) => Ok(value.to_owned()),
            _ => Err(Problem::from(Fault::Unsigned)),
        }
    };
    Ok(Headers {
        content_digest: field("content-digest")?,
        signature_input: field("signature-input")?,
        signature: field("signature")?,
    })
}

fn fault(error: RequestError) -> Problem {
    match error {
        RequestError::Time => Fault::Stale.into(),
        RequestError::Content => Fault::Digest.into(),
        RequestError::Ledger => {
            Fault::Unsigned.because("请求是为另一个账本签名的", "The request was signed for another ledger")
        }
        RequestError::Form | RequestError::Signature => Fault::Unsigned.into(),
    }
}
