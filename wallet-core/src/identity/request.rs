//! Signed HTTP requests: HTTP Message Signatures (RFC 9421) with SM2, digests (RFC 9530) with SM3.
//!
//! One form only: label `suishen`, components `@method`, `@path`, `@query`, `content-digest` and, where a request is to be
//! done once, `idempotency-key`; parameters `created`, `keyid`, `nonce`, `alg="sm2-sm3"` and a `tag` with the ledger's id, in this order. Anything
//! else is refused, so there is nothing to negotiate. A request without body signs the digest of nothing.
//!
//! Who may do what with which key is the caller's rule; so is remembering nonces ([`REPLAY_WINDOW`]).

use crate::id::LedgerId;
use crate::sm::{Digest, KeyId, PublicKey, Random, SecretKey, Signature};
use core::fmt;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};

/// A request holds from this many seconds before its `created` to as many after it. Whoever verifies
/// remembers key and nonce for twice as long and a second more, since both ends count.
pub const REPLAY_WINDOW: u64 = 120;

const COMPONENTS: &str = r#"("@method" "@path" "@query" "content-digest")"#;
/// Those of a request with an `Idempotency-Key`.
const COMPONENTS_ONCE: &str = r#"("@method" "@path" "@query" "content-digest" "idempotency-key")"#;

/// Why a request is not taken for signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not exactly the one form.
    #[error("the request's signature is missing or not in the form that is asked for")]
    Form,
    /// The body isn't the one that was signed.
    #[error("the request's content is not what was signed")]
    Content,
    /// It has an `Idempotency-Key` that its signature doesn't cover.
    #[error("the request's signature does not cover its idempotency key")]
    Once,
    /// Made for another ledger.
    #[error("the request was signed for another ledger")]
    Ledger,
    /// Too old or from the future.
    #[error("the request's time is not now: its clock is off, or it was sent before")]
    Time,
    /// The signature isn't that of the key.
    #[error("the request's signature does not match")]
    Signature,
}

/// What is signed of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// In capitals, `GET`.
    pub method: &'a str,
    /// As sent, `/v1/blobs/…`.
    pub path: &'a str,
    /// What follows `?`, as sent; empty when there is none.
    pub query: &'a str,
    /// SM3 of the body.
    pub content: Digest,
    /// The value of `Idempotency-Key`, where whoever takes the request has it signed.
    pub once: Option<&'a str>,
}

impl Message<'_> {
    const fn components(&self) -> &'static str {
        if self.once.is_some() { COMPONENTS_ONCE } else { COMPONENTS }
    }
}

/// The three header fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// `Content-Digest`.
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// Which key signed, as the request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyName {
    /// The key itself, 130 hexadecimal digits.
    Point(PublicKey),
    /// The id of a registered key, 16 hexadecimal digits.
    Id([u8; 8]),
}

impl KeyName {
    fn read(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        match <[u8; 8]>::try_from(bytes.as_slice()) {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => PublicKey::from_bytes(&bytes).ok().map(Self::Point),
        }
    }

    /// Whether this names `key`.
    pub fn names(&self, key: &PublicKey) -> bool {
        match self {
            Self::Point(point) => point == key,
            Self::Id(id) => id == key.key_id().as_bytes(),
        }
    }
}

impl From<KeyId> for KeyName {
    fn from(id: KeyId) -> Self {
        Self::Id(*id.as_bytes())
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Point(point) => HEXLOWER.encode(point.as_bytes()),
            Self::Id(id) => HEXLOWER.encode(id),
        })
    }
}

/// Signs a request, naming the whole key.
pub fn sign(
    message: &Message<'_>,
    key: &SecretKey,
    ledger: &LedgerId,
    now: u64,
    random: &mut dyn Random,
) -> Headers {
    sign_as(message, KeyName::Point(key.public()), key, ledger, now, random)
}

/// Signs a request, naming a registered key by its id.
pub fn sign_registered(
    message: &Message<'_>,
    key: &SecretKey,
    ledger: &LedgerId,
    now: u64,
    random: &mut dyn Random,
) -> Headers {
    sign_as(message, key.public().key_id().into(), key, ledger, now, random)
}

fn sign_as(
    message: &Message<'_>,
    name: KeyName,
    key: &SecretKey,
    ledger: &LedgerId,
    now: u64,
    random: &mut dyn Random,
) -> Headers {
    let mut nonce = [0; 16];
    random.fill(&mut nonce);
    let parameters = Parameters { created: now, name, nonce };
    let signature = key.sign(parameters.base(message, ledger).as_bytes());
    Headers {
        content_digest: content_digest(&message.content),
        signature_input: format!("suishen={}", parameters.render(message.components(), ledger)),
        signature: format!("suishen=:{}:", BASE64.encode(signature.as_bytes())),
    }
}

/// A request whose form is right and whose content is the one signed. [`Claim::verify`] says by whom.
#[derive(Clone, Debug)]
pub struct Claim {
    parameters: Parameters,
    base: String,
    signature: Signature,
}

impl Claim {
    /// Reads the header fields of a request that came as `message`.
    pub fn read(message: &Message<'_>, headers: &Headers, ledger: &LedgerId) -> Result<Self, RequestError> {
        if headers.content_digest != content_digest(&message.content) {
            return Err(RequestError::Content);
        }
        let input = headers.signature_input.strip_prefix("suishen=").ok_or(RequestError::Form)?;
        if message.once.is_some() && input.starts_with(COMPONENTS) {
            return Err(RequestError::Once);
        }
        let components = message.components();
        let parameters = Parameters::read(components, input).ok_or(RequestError::Form)?;
        let (rendered, tag_at) = (parameters.render(components, ledger), "ssssssssssssssss\"".len());
        if rendered != input {
            // Alike up to the ledger's sixteen digits: somebody else's ledger.
            let alike = rendered.len() == input.len()
                && input.is_char_boundary(input.len() - tag_at)
                && rendered[..rendered.len() - tag_at] == input[..input.len() - tag_at];
            return Err(if alike { RequestError::Ledger } else { RequestError::Form });
        }
        let signature = headers.signature.strip_prefix("suishen=:").and_then(|s| s.strip_suffix(':'));
        let signature = BASE64.decode(signature.ok_or(RequestError::Form)?.as_bytes());
        let signature = signature.ok().and_then(|s| s.try_into().ok()).ok_or(RequestError::Form)?;
        let base = parameters.base(message, ledger);
        Ok(Self { parameters, base, signature: Signature::from_bytes(signature) })
    }

    /// The key that is to have signed.
    pub const fn key_name(&self) -> KeyName {
        self.parameters.name
    }

    /// Checks time and signature. The nonce must then be new for this key: the caller looks that up.
    pub fn verify(&self, key: &PublicKey, now: u64) -> Result<[u8; 16], RequestError> {
        if self.parameters.created.abs_diff(now) > REPLAY_WINDOW {
            return Err(RequestError::Time);
        }
        if !self.parameters.name.names(key) || key.verify(self.base.as_bytes(), &self.signature).is_err() {
            return Err(RequestError::Signature);
        }
        Ok(self.parameters.nonce)
    }

    /// Checks time and signature of a request that names its whole key, and returns key and nonce.
    pub fn verify_own(&self, now: u64) -> Result<(PublicKey, [u8; 16]), RequestError> {
        match self.parameters.name {
            KeyName::Point(key) => Ok((key, self.verify(&key, now)?)),
            KeyName::Id(_) => Err(RequestError::Form),
        }
    }
}

#[derive(Clone, Debug)]
struct Parameters {
    created: u64,
    name: KeyName,
    nonce: [u8; 16],
}

impl Parameters {
    fn render(&self, components: &str, ledger: &LedgerId) -> String {
        let nonce = BASE64URL_NOPAD.encode(&self.nonce);
        let tag = &ledger.to_hex()[..16];
        let (created, name) = (self.created, self.name);
        format!(
            r#"{components};created={created};keyid="{name}";nonce="{nonce}";alg="sm2-sm3";tag="suishen-{tag}""#
        )
    }

    /// Finds the values; what stands around them is compared by rendering again.
    fn read(components: &str, input: &str) -> Option<Self> {
        let mut fields = input.strip_prefix(components)?.split(';').skip(1);
        let created = fields.next()?.strip_prefix("created=")?.parse().ok()?;
        let name = fields.next()?.strip_prefix("keyid=\"")?.strip_suffix('"')?;
        let nonce = fields.next()?.strip_prefix("nonce=\"")?.strip_suffix('"')?;
        let nonce = BASE64URL_NOPAD.decode(nonce.as_bytes()).ok()?.try_into().ok()?;
        Some(Self { created, name: KeyName::read(name)?, nonce })
    }

    /// The signature base of RFC 9421 §2.5.
    fn base(&self, message: &Message<'_>, ledger: &LedgerId) -> String {
        let Message { method, path, query, content, once } = message;
        let content = content_digest(content);
        let once = once.map(|once| format!("\"idempotency-key\": {once}\n")).unwrap_or_default();
        format!(
            "\"@method\": {method}\n\"@path\": {path}\n\"@query\": ?{query}\n\"content-digest\": {content}\n{once}\"@signature-params\": {}",
            self.render(message.components(), ledger)
        )
    }
}

/// `Content-Digest` (RFC 9530) of a body whose SM3 this is.
pub fn content_digest(content: &Digest) -> String {
    format!("sm3=:{}:", BASE64.encode(content.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm::seeded::Seeded;

    const NOW: u64 = 1_780_000_000;
    const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);

    fn key() -> SecretKey {
        SecretKey::from_bytes(&[5; 32]).unwrap()
    }

    fn message() -> Message<'static> {
        Message {
            method: "POST",
            path: "/v1/drop/ab",
            query: "from=3",
            content: Digest::of(b"body"),
            once: None,
        }
    }

    fn headers() -> Headers {
        sign(&message(), &key(), &LEDGER, NOW, &mut Seeded::new(1))
    }

    fn verdict(message: &Message<'_>, headers: &Headers, now: u64) -> Result<PublicKey, RequestError> {
        Claim::read(message, headers, &LEDGER)?.verify_own(now).map(|(key, _)| key)
    }

    #[test]
    fn the_fields_are_those_of_the_rfcs() {
        let headers = headers();
        let digest = BASE64.encode(Digest::of(b"body").as_bytes());
        assert_eq!(headers.content_digest, format!("sm3=:{digest}:"));
        let keyid = HEXLOWER.encode(key().public().as_bytes());
        let nonce = "NplJCWXfZjGB3KXPzHVOTw";
        let expected = format!(
            r#"suishen=("@method" "@path" "@query" "content-digest");created=1780000000;keyid="{keyid}";nonce="{nonce}";alg="sm2-sm3";tag="suishen-0707070707070707""#
        );
        let start = expected.find("nonce=").unwrap();
        assert_eq!(headers.signature_input[..start], expected[..start]);
        assert_eq!(headers.signature_input[start + 29..], expected[start + 29..]);
    }

    #[test]
    fn a_signed_request_verifies_and_names_its_key() {
        assert_eq!(verdict(&message(), &headers(), NOW), Ok(key().public()));
        let registered = sign_registered(&message(), &key(), &LEDGER, NOW, &mut Seeded::new(1));
        let claim = Claim::read(&message(), &registered, &LEDGER).unwrap();
        assert_eq!(claim.key_name(), KeyName::Id(*key().public().key_id().as_bytes()));
        assert!(claim.verify(&key().public(), NOW).is_ok());
        assert_eq!(claim.verify_own(NOW), Err(RequestError::Form));
        let other = SecretKey::from_bytes(&[6; 32]).unwrap().public();
        assert_eq!(claim.verify(&other, NOW), Err(RequestError::Signature));
    }

    #[test]
    fn nothing_that_is_signed_may_change() {
        let changes = [
            Message { method: "PUT", ..message() },
            Message { path: "/v1/drop/ac", ..message() },
            Message { query: "from=4", ..message() },
            Message { query: "", ..message() },
        ];
        for changed in changes {
            assert_eq!(verdict(&changed, &headers(), NOW), Err(RequestError::Signature), "{changed:?}");
        }
        let body = Message { content: Digest::of(b"bodz"), ..message() };
        assert_eq!(verdict(&body, &headers(), NOW), Err(RequestError::Content));
        let claim = Claim::read(&message(), &headers(), &LedgerId::from_bytes([8; 32]));
        assert_eq!(claim.err(), Some(RequestError::Ledger));
    }

    #[test]
    fn a_request_that_is_done_once_is_signed_with_its_idempotency_key() {
        let once = Message { once: Some("pay-1"), ..message() };
        let headers = sign(&once, &key(), &LEDGER, NOW, &mut Seeded::new(1));
        assert!(headers.signature_input.starts_with(&format!("suishen={COMPONENTS_ONCE};created=")));
        assert_eq!(verdict(&once, &headers, NOW), Ok(key().public()));
        let other = Message { once: Some("pay-2"), ..message() };
        assert_eq!(verdict(&other, &headers, NOW), Err(RequestError::Signature));
        assert_eq!(verdict(&message(), &headers, NOW), Err(RequestError::Form));
        assert_eq!(verdict(&once, &self::headers(), NOW), Err(RequestError::Once));
    }

    #[test]
    fn a_request_holds_for_two_minutes_on_either_side() {
        for (now, expected) in [
            (NOW - REPLAY_WINDOW, Ok(key().public())),
            (NOW + REPLAY_WINDOW, Ok(key().public())),
            (NOW - REPLAY_WINDOW - 1, Err(RequestError::Time)),
            (NOW + REPLAY_WINDOW + 1, Err(RequestError::Time)),
        ] {
            assert_eq!(verdict(&message(), &headers(), now), expected, "{now}");
        }
    }

    #[test]
    fn every_changed_character_of_the_fields_is_refused() {
        let good = headers();
        for field in 0..3 {
            let text = [&good.content_digest, &good.signature_input, &good.signature][field].clone();
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
                let changed = String::from_utf8(bytes).unwrap();
                let mut headers = good.clone();
                *[&mut headers.content_digest, &mut headers.signature_input, &mut headers.signature][field] =
                    changed;
                assert!(verdict(&message(), &headers, NOW).is_err(), "field {field}, character {at}");
            }
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let good = headers();
        let spell = |from: &str, to: &str| {
            let signature_input = good.signature_input.replace(from, to);
            assert_ne!(signature_input, good.signature_input);
            verdict(&message(), &Headers { signature_input, ..good.clone() }, NOW)
        };
        for (from, to) in [
            ("created=17", "created=017"),
            ("created=17", "created=+17"),
            ("; ", ";"),
            (";alg=\"sm2-sm3\"", ""),
            ("sm2-sm3", "ed25519"),
            (" \"@query\"", ""),
            ("suishen=(", "sig=("),
            ("keyid=\"04", "keyid=\"0404"),
            ("tag=", "tag=\"é\";tag="),
        ] {
            if good.signature_input.contains(from) {
                assert_eq!(spell(from, to), Err(RequestError::Form), "{from} {to}");
            }
        }
    }
}
