//! The window: its host and path, its clock and zone, its title and settings.

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement, Storage, Window};
use yew::{hook, use_effect_with};

/// The window. This code runs on a page's main thread only.
pub fn window() -> Window {
    web_sys::window().expect("the interface runs on the main thread")
}

/// The document.
pub fn document() -> Document {
    window().document().expect("a window shows a document")
}

/// Host with port.
pub fn host() -> String {
    window().location().host().unwrap_or_default()
}

/// `http://patient.localhost:8080`.
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// The path.
pub fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// Minutes by which this place is ahead of UTC.
pub fn offset_minutes() -> i32 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a zone's offset is a whole number of minutes below a day"
    )]
    let behind = js_sys::Date::new_0().get_timezone_offset() as i32;
    -behind
}

/// Milliseconds on the monotonic clock, since the page was opened.
pub fn monotonic() -> f64 {
    js_sys::Reflect::get(&window(), &"performance".into())
        .ok()
        .and_then(|performance| {
            js_sys::Reflect::get(&performance, &"now".into()).ok().map(|now| (performance, now))
        })
        .and_then(|(performance, now)| now.dyn_ref::<js_sys::Function>()?.call0(&performance).ok()?.as_f64())
        .unwrap_or_default()
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// A setting of the interface. Nothing secret or medical is ever among them.
pub fn setting(name: &str) -> Option<String> {
    storage()?.get_item(&format!("suishen-{name}")).ok().flatten()
}

/// Stores a setting; where the browser forbids it, it holds until the page is closed.
pub fn set_setting(name: &str, value: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(&format!("suishen-{name}"), value);
    }
}

/// Sets an attribute of the root element: `lang`, `data-theme`, `data-mode`, `data-desk`.
pub fn set_root(attribute: &str, value: Option<&str>) {
    if let Some(root) = document().document_element() {
        let _ = match value {
            Some(value) => root.set_attribute(attribute, value),
            None => root.remove_attribute(attribute),
        };
    }
}

/// Moves the focus to the page's heading, so that a screen reader begins there.
pub fn focus_heading() {
    focus_on("h1");
}

/// Moves the focus to what a selector names: where one goes on after what had it is gone.
pub fn focus_on(css: &str) {
    if let Some(heading) =
        document().query_selector(css).ok().flatten().and_then(|h| h.dyn_into::<HtmlElement>().ok())
    {
        let _ = heading.set_attribute("tabindex", "-1");
        let _ = heading.focus();
    }
}

/// Brings an element into view.
pub fn show_element(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.scroll_into_view();
    }
}

/// Copies a text; whether the browser did is in the answer.
pub async fn copy(text: &str) -> bool {
    wasm_bindgen_futures::JsFuture::from(window().navigator().clipboard().write_text(text)).await.is_ok()
}

/// Opens the browser's print dialog.
pub fn print() {
    let _ = window().print();
}

/// The browser's own name for itself.
pub fn agent() -> String {
    window().navigator().user_agent().unwrap_or_default()
}

/// Whether the page is in front.
pub fn is_looked_at() -> bool {
    !document().hidden()
}

/// Whether the browser believes that it is online.
pub fn online() -> bool {
    window().navigator().on_line()
}

/// While the component is shown, printing prints what the named mode of `print.css` shows, and nothing else.
#[hook]
pub fn use_print_mode(mode: &'static str) {
    use_effect_with(mode, |mode: &&'static str| {
        let (mode, body) = (*mode, document().body());
        if let Some(body) = &body {
            let _ = body.class_list().add_1(mode);
        }
        move || {
            if let Some(body) = body {
                let _ = body.class_list().remove_1(mode);
            }
        }
    });
}
