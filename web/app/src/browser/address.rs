//! The address bar: pages by the History API, and the secrets that links carry in their fragment.
//!
//! A fragment is taken and stripped at once, on load by `boot.js`, later here; it lives on only in memory.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use yew::{Callback, hook, use_context};

use super::page;
use crate::route::Route;

/// Where the person is, and how to go elsewhere.
#[derive(Clone, PartialEq)]
pub struct Address {
    base: Rc<str>,
    /// The page shown.
    pub route: Route,
    go: Callback<Route>,
}

impl Address {
    /// An address below `base`; `go` is told of each move.
    pub fn new(base: &str, route: Route, go: Callback<Route>) -> Self {
        Self { base: base.into(), route, go }
    }

    /// The path of a page.
    pub fn href(&self, to: &Route) -> String {
        format!("{}{}", self.base, to.path())
    }

    /// Goes to a page.
    pub fn go(&self, to: Route) {
        let _ = history().push_state_with_url(&JsValue::NULL, "", Some(&self.href(&to)));
        self.go.emit(to);
    }

    /// Goes to a page that takes this one's place in the history.
    pub fn replace(&self, to: Route) {
        let _ = history().replace_state_with_url(&JsValue::NULL, "", Some(&self.href(&to)));
        self.go.emit(to);
    }
}

fn history() -> web_sys::History {
    page::window().history().expect("a window has a history")
}

/// The address.
#[hook]
pub fn use_address() -> Address {
    use_context::<Address>().expect("every page stands inside the app")
}

/// The page that the address bar names.
pub fn current(base: &str) -> Route {
    let path = page::path();
    Route::parse(path.strip_prefix(base).unwrap_or(&path))
}

/// The whole link that a taken fragment came from; none where there was no fragment.
pub fn link_of(fragment: &str) -> Option<String> {
    (!fragment.is_empty()).then(|| format!("{}{}#{fragment}", page::origin(), page::path()))
}

fn take_fragment() -> Option<String> {
    let location = page::window().location();
    let fragment = location.hash().ok()?.trim_start_matches('#').to_owned();
    if fragment.is_empty() {
        return None;
    }
    let bare = format!("{}{}", location.pathname().ok()?, location.search().ok()?);
    let _ = history().replace_state_with_url(&JsValue::NULL, "", Some(&bare));
    link_of(&fragment)
}

/// Follows the address bar for as long as the page lives: back and forward go to `moved`, links opened in this tab,
/// their fragment already stripped, to `opened`.
pub fn follow(base: &str, moved: Callback<Route>, opened: Callback<String>) {
    let base = base.to_owned();
    let on_pop = Closure::<dyn FnMut()>::new(move || moved.emit(current(&base)));
    let on_hash = Closure::<dyn FnMut()>::new(move || {
        if let Some(link) = take_fragment() {
            opened.emit(link);
        }
    });
    let window = page::window();
    let _ = window.add_event_listener_with_callback("popstate", on_pop.as_ref().unchecked_ref());
    let _ = window.add_event_listener_with_callback("hashchange", on_hash.as_ref().unchecked_ref());
    // The app is mounted once and never unmounted.
    on_pop.forget();
    on_hash.forget();
}
