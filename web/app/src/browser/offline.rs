//! Working without a network: the service worker, the storage that the browser may not empty, installation.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::page;

/// Registers the service worker, where there is a release list to serve from. A development server without one leaves
/// the page without offline use.
pub fn register() {
    if !js_sys::Reflect::has(&page::window().navigator(), &"serviceWorker".into()).unwrap_or_default() {
        return;
    }
    let registered = page::window().navigator().service_worker().register("/sw.js");
    wasm_bindgen_futures::spawn_local(async move {
        let _ = JsFuture::from(registered).await;
    });
}

/// Asks the browser never to empty this site's storage by itself; whether it agreed.
pub async fn persist() -> bool {
    let Ok(asked) = page::window().navigator().storage().persist() else { return false };
    JsFuture::from(asked).await.ok().and_then(|answer| answer.as_bool()).unwrap_or_default()
}

/// Whether it has agreed before.
pub async fn is_persistent() -> bool {
    let Ok(asked) = page::window().navigator().storage().persisted() else { return false };
    JsFuture::from(asked).await.ok().and_then(|answer| answer.as_bool()).unwrap_or_default()
}

/// Whether this is an iPhone or iPad whose browser empties storage after seven days unless the page is on the home
/// screen (FIELD).
pub fn needs_home_screen(agent: &str) -> bool {
    (agent.contains("iPhone") || agent.contains("iPad")) && !is_standalone()
}

fn is_standalone() -> bool {
    page::window()
        .match_media("(display-mode: standalone)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

/// The release that the server offers now, by its list; none where it has none or can't be asked.
pub async fn offered_release() -> Option<String> {
    let list = super::file::fetch_json("/release.json").await?;
    js_sys::Reflect::get(&list, &"release".into()).ok()?.as_string()
}

/// The release that the service worker serves; none where it serves none.
pub async fn served_release() -> Option<String> {
    let caches = page::window().caches().ok()?;
    let cache: web_sys::Cache = JsFuture::from(caches.open("suishen-chosen")).await.ok()?.dyn_into().ok()?;
    let answer: web_sys::Response =
        JsFuture::from(cache.match_with_str("/chosen")).await.ok()?.dyn_into().ok()?;
    JsFuture::from(answer.text().ok()?).await.ok()?.as_string()
}

/// Takes the offered release, after the person's tap, and opens the page anew.
pub fn take_release() {
    let container = page::window().navigator().service_worker();
    let controller = js_sys::Reflect::get(&container, &"controller".into()).ok();
    if let Some(worker) = controller.and_then(|worker| worker.dyn_into::<web_sys::ServiceWorker>().ok()) {
        let channel: Result<JsValue, _> = js_sys::Reflect::get(&page::window(), &"MessageChannel".into())
            .and_then(|class| js_sys::Reflect::construct(class.unchecked_ref(), &js_sys::Array::new()));
        if let Ok(channel) = channel {
            let port =
                |name: &str| js_sys::Reflect::get(&channel, &name.into()).unwrap_or(JsValue::UNDEFINED);
            let reload = wasm_bindgen::closure::Closure::once_into_js(move |_: JsValue| {
                let _ = page::window().location().reload();
            });
            let _ = js_sys::Reflect::set(&port("port1"), &"onmessage".into(), &reload);
            let _ =
                worker.post_message_with_transferable(&"take".into(), &js_sys::Array::of1(&port("port2")));
            return;
        }
    }
    let _ = page::window().location().reload();
}
