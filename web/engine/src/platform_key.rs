//! A key that this browser keeps and nobody can export: WebCrypto AES-GCM, non-extractable, in IndexedDB.
//!
//! It holds a brand-new wallet's device key until the first unlock slot replaces it ("not protected yet",
//! PROTOCOL §3), and a desk's own keys. Not national cryptography: WebCrypto has none, and the point of this
//! key is that no script can read it.

use crate::platform::{BrowserRandom, scope, to_js};
use crate::store::{Change, Store, StoreError, Table};
use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use suishen_core::sm::Random as _;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AesGcmParams, CryptoKey, SubtleCrypto};

/// A non-extractable key of this browser.
#[derive(Clone, Debug)]
pub struct PlatformKey(CryptoKey);

impl PlatformKey {
    /// The key of this name, made the first time.
    pub async fn provide(store: &Store, name: &str) -> Result<Self, StoreError> {
        if let Some(key) = store.platform_key(name).await? {
            return Ok(Self(key.unchecked_into()));
        }
        let algorithm = Object::new();
        let set = |field: &str, value: JsValue| Reflect::set(&algorithm, &field.into(), &value);
        set("name", "AES-GCM".into()).and(set("length", 256.into())).map_err(fault)?;
        let usages = Array::of2(&"encrypt".into(), &"decrypt".into());
        let promise = subtle()?.generate_key_with_object(&algorithm, false, &usages).map_err(fault)?;
        let key = JsFuture::from(promise).await.map_err(fault)?;
        store.put_platform_key(name, &key).await?;
        Ok(Self(key.unchecked_into()))
    }

    /// The key of this name, if there is one.
    pub async fn existing(store: &Store, name: &str) -> Result<Option<Self>, StoreError> {
        Ok(store.platform_key(name).await?.map(|key| Self(key.unchecked_into())))
    }

    /// Forgets the key of this name: what was under it is gone.
    pub fn forget(name: &str) -> Change {
        Change::Delete(Table::Keys, name.to_owned())
    }

    /// Encrypts under a fresh nonce, which goes in front.
    pub async fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; 12] = BrowserRandom.bytes();
        let parameters = AesGcmParams::new("AES-GCM", to_js(&nonce).unchecked_ref::<Object>());
        let promise = subtle()?
            .encrypt_with_object_and_js_u8_array(&parameters, &self.0, &to_js(plaintext))
            .map_err(fault)?;
        let sealed: ArrayBuffer = JsFuture::from(promise).await.map_err(fault)?.unchecked_into();
        Ok([nonce.to_vec(), Uint8Array::new(&sealed).to_vec()].concat())
    }

    /// Opens what [`PlatformKey::seal`] gave.
    pub async fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (nonce, rest) = sealed.split_at_checked(12).ok_or_else(|| StoreError("damaged value".into()))?;
        let parameters = AesGcmParams::new("AES-GCM", to_js(nonce).unchecked_ref::<Object>());
        let promise = subtle()?
            .decrypt_with_object_and_js_u8_array(&parameters, &self.0, &to_js(rest))
            .map_err(fault)?;
        let plain: ArrayBuffer = JsFuture::from(promise).await.map_err(fault)?.unchecked_into();
        Ok(Uint8Array::new(&plain).to_vec())
    }
}

fn subtle() -> Result<SubtleCrypto, StoreError> {
    Ok(scope().crypto().map_err(fault)?.subtle())
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn fault(error: JsValue) -> StoreError {
    StoreError(format!("{error:?}"))
}
