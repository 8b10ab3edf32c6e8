//! Signed requests (RFC 9421, `suishen_core::identity::request`): who signed, within the window, never twice.

use super::{Fault, Problem, Shared, wire};
use axum::http::{HeaderMap, Method, Uri};
use std::time::Instant;
use suishen_core::{
    id::LedgerId,
    identity::request::{Claim, Headers, Message, RequestError},
    sm::{Digest, PublicKey},
};

/// The key that signed this request, whose body has this digest.
pub fn signer(
    node: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    content: Digest,
) -> Result<PublicKey, Problem> {
    let now = node.now();
    let claim = read((method, uri, headers), content, None, &node.replica.ledger()).map_err(fault)?;
    let (key, nonce) = claim.verify_own(now).map_err(fault)?;
    if !node.nonces.is_new(&key, nonce, now).map_err(|error| wire::internal(&error))? {
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

/// What a request claims of its signature, which covers this idempotency key; by whom it was signed and when, is still to be
/// verified.
pub fn read(
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    content: Digest,
    once: Option<&str>,
    ledger: &LedgerId,
) -> Result<Claim, RequestError> {
    let message = Message {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        content,
        once,
    };
    Claim::read(&message, &fields(headers)?, ledger)
}

fn fields(headers: &HeaderMap) -> Result<Headers, RequestError> {
    let field = |name| {
        let mut values = headers.get_all(name).iter();
        match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
            (Some(value), None) => Ok(value.to_owned()),
            _ => Err(RequestError::Form),
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
        RequestError::Form | RequestError::Once | RequestError::Signature => Fault::Unsigned.into(),
    }
}
