//! Passkeys (WebAuthn with the PRF extension): made and asked on the main thread, because workers can't. The PRF output
//! goes straight to the engine and is never kept.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::page;

/// A passkey that answered.
pub struct Passkey {
    /// The credential's id.
    pub credential: Vec<u8>,
    /// 32 bytes. Secret.
    pub prf: Vec<u8>,
}

/// Why there is none: the key of its sentence.
pub type Refusal = &'static str;

/// Whether this browser may have passkeys at all.
pub fn possible() -> bool {
    Reflect::has(&page::window(), &"PublicKeyCredential".into()).unwrap_or_default()
}

/// Makes a passkey and asks it for its secret.
pub async fn create(user: &[u8], salt: &[u8], name: &str) -> Result<Passkey, Refusal> {
    let public_key = object(&[
        ("challenge", bytes(&challenge())),
        ("rp", object(&[("name", name.into())]).into()),
        ("user", object(&[("id", bytes(user)), ("name", name.into()), ("displayName", name.into())]).into()),
        ("pubKeyCredParams", algorithms()),
        (
            "authenticatorSelection",
            object(&[("residentKey", "preferred".into()), ("userVerification", "required".into())]).into(),
        ),
        ("extensions", extension(salt)),
    ]);
    let made = call("create", &object(&[("publicKey", public_key.into())])).await?;
    let credential = raw_id(&made).ok_or("passkey-none")?;
    if let Some(prf) = first_result(&made) {
        return Ok(Passkey { credential, prf });
    }
    // Many authenticators answer only when asked again.
    get(&[(credential, salt.to_vec())]).await
}

/// Asks one of these passkeys (credential, salt) for its secret.
pub async fn get(known: &[(Vec<u8>, Vec<u8>)]) -> Result<Passkey, Refusal> {
    let allowed = Array::new();
    for (credential, _) in known {
        allowed.push(&object(&[("type", "public-key".into()), ("id", bytes(credential))]));
    }
    let salt = known.first().map(|(_, salt)| salt.clone()).unwrap_or_default();
    let public_key = object(&[
        ("challenge", bytes(&challenge())),
        ("allowCredentials", allowed.into()),
        ("userVerification", "required".into()),
        ("extensions", if known.len() == 1 { extension(&salt) } else { by_credential(known) }),
    ]);
    let answered = call("get", &object(&[("publicKey", public_key.into())])).await?;
    let credential = raw_id(&answered).ok_or("passkey-none")?;
    let prf = first_result(&answered).ok_or("passkey-no-secret")?;
    Ok(Passkey { credential, prf })
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// ES256 and RS256: what authenticators offer. The key itself is never used; only the PRF is.
fn algorithms() -> JsValue {
    let list = Array::new();
    for algorithm in [-7, -257] {
        list.push(&object(&[("type", "public-key".into()), ("alg", algorithm.into())]));
    }
    list.into()
}

fn extension(salt: &[u8]) -> JsValue {
    let eval = object(&[("first", bytes(salt))]);
    object(&[("prf", object(&[("eval", eval.into())]).into())]).into()
}

fn by_credential(known: &[(Vec<u8>, Vec<u8>)]) -> JsValue {
    let each = Object::new();
    for (credential, salt) in known {
        let name = base64url(credential);
        let _ = Reflect::set(&each, &name.into(), &object(&[("first", bytes(salt))]));
    }
    object(&[("prf", object(&[("evalByCredential", each.into())]).into())]).into()
}

/// WebAuthn wants one; nobody verifies it, since no server takes part.
fn challenge() -> [u8; 16] {
    let mut challenge = [0; 16];
    for byte in &mut challenge {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
        {
            *byte = (js_sys::Math::random() * 256.0) as u8;
        }
    }
    challenge
}

async fn call(method: &str, options: &Object) -> Result<JsValue, Refusal> {
    let credentials =
        Reflect::get(&page::window().navigator(), &"credentials".into()).map_err(|_| "passkey-none")?;
    let function: Function = Reflect::get(&credentials, &method.into())
        .ok()
        .and_then(|function| function.dyn_into().ok())
        .ok_or("passkey-none")?;
    let promise: Promise = function
        .call1(&credentials, options)
        .ok()
        .and_then(|promise| promise.dyn_into().ok())
        .ok_or("passkey-none")?;
    JsFuture::from(promise).await.map_err(|error| {
        match Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string()).as_deref() {
            Some("NotAllowedError" | "AbortError") => "passkey-cancelled",
            _ => "passkey-none",
        }
    })
}

fn raw_id(credential: &JsValue) -> Option<Vec<u8>> {
    let buffer = Reflect::get(credential, &"rawId".into()).ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

fn first_result(credential: &JsValue) -> Option<Vec<u8>> {
    let method: Function =
        Reflect::get(credential, &"getClientExtensionResults".into()).ok()?.dyn_into().ok()?;
    let mut value = method.call0(credential).ok()?;
    for name in ["prf", "results", "first"] {
        value = Reflect::get(&value, &name.into()).ok().filter(wasm_bindgen::JsValue::is_object)?;
    }
    Some(Uint8Array::new(&value).to_vec())
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 2);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = word >> (18 - 6 * place) & 63;
            text.push(char::from(LETTERS[index as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_ids_are_spelled_as_webauthn_spells_them() {
        assert_eq!(base64url(b""), "");
        assert_eq!(base64url(b"f"), "Zg");
        assert_eq!(base64url(b"fo"), "Zm8");
        assert_eq!(base64url(b"foo"), "Zm9v");
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
