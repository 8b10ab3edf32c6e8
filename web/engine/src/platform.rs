//! What the browser gives a worker: randomness, monotonic time, timers, requests, the lock on the wallet.
//! Nothing here knows what a wallet is.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use suishen_core::sm::Random;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::DedicatedWorkerGlobalScope;

/// This worker's global scope.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// `crypto.getRandomValues`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrowserRandom;

impl Random for BrowserRandom {
    fn fill(&mut self, out: &mut [u8]) {
        let crypto = scope().crypto().expect("a worker in a secure context has crypto");
        // The call takes at most 65,536 bytes.
        for part in out.chunks_mut(65_536) {
            crypto.get_random_values_with_u8_array(part).expect("random values of an allowed length");
        }
    }
}

/// Seconds on a clock that never jumps; its zero is the worker's start.
pub fn monotonic() -> f64 {
    scope().performance().map_or(0.0, |p| p.now()) / 1000.0
}

/// The phone's own clock, Unix seconds: shown as "wrong by", never relied on.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds since 1970")]
pub fn phone_clock() -> i64 {
    (js_sys::Date::now() / 1000.0) as i64
}

/// The day of a moment (Unix seconds) where this phone is, `2026-11-12`.
pub fn day(moment: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
    let date = js_sys::Date::new(&JsValue::from_f64(moment as f64 * 1000.0));
    format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date())
}

/// What its owner would call this device.
pub fn device_name(language: &str) -> String {
    let agent = scope().navigator().user_agent().unwrap_or_default();
    let zh = language.starts_with("zh");
    let named = |chinese: &str, english: &str| if zh { chinese.to_owned() } else { english.to_owned() };
    if agent.contains("iPad") || agent.contains("Tablet") {
        named("平板", "Tablet")
    } else if agent.contains("Mobile") || agent.contains("iPhone") || agent.contains("Android") {
        named("手机", "Phone")
    } else {
        named("电脑", "Computer")
    }
}

/// Waits.
pub async fn sleep(milliseconds: i32) {
    let promise = Promise::new(&mut |resolve: Function, _| {
        // A timer that cannot be set resolves at once: waiting is never needed for soundness.
        if scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds).is_err() {
            let _ = resolve.call0(&JsValue::NULL);
        }
    });
    let _ = JsFuture::from(promise).await;
}

/// Lets messages and timers in between two long computations.
pub async fn breathe() {
    sleep(0).await;
}

/// Bytes as a JS array of their own.
pub fn to_js(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}

#[wasm_bindgen]
extern "C" {
    /// Web Locks, which `web-sys` holds to be unstable; every browser that runs this has them.
    type LockManager;

    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, options: &Object, callback: &Function) -> Promise;
}

/// The lock that one engine holds for one wallet, so that two tabs never write at once.
#[derive(Debug)]
pub struct WalletLock {
    release: Function,
}

impl WalletLock {
    /// Takes the lock when it is free, or from whoever holds it (`steal`). `lost` runs when another tab takes it.
    pub async fn take(steal: bool, lost: impl FnOnce() + 'static) -> Option<Self> {
        let locks: LockManager = Reflect::get(&scope().navigator(), &"locks".into()).ok()?.unchecked_into();
        let options = Object::new();
        let option = if steal { "steal" } else { "ifAvailable" };
        Reflect::set(&options, &option.into(), &JsValue::TRUE).ok()?;
        let (sender, receiver) = futures::channel::oneshot::channel::<Option<Function>>();
        let mut sender = Some(sender);
        let granted = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |lock: JsValue| {
            let Some(sender) = sender.take() else { return JsValue::NULL };
            if lock.is_null() {
                let _ = sender.send(None);
                return JsValue::NULL;
            }
            // The lock is held for as long as this promise is pending.
            let mut release = None;
            let held = Promise::new(&mut |resolve, _| release = Some(resolve));
            let _ = sender.send(release);
            held.into()
        });
        let request = locks.request("suishen-vault", &options, granted.as_ref().unchecked_ref());
        wasm_bindgen_futures::spawn_local(async move {
            // Rejected when the lock was stolen.
            if JsFuture::from(request).await.is_err() {
                lost();
            }
            drop(granted);
        });
        Some(Self { release: receiver.await.ok()?? })
    }
}

impl Drop for WalletLock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::NULL);
    }
}
