//! The phone's four places.

use yew::{AttrValue, Html, component, html};

use super::{LinkTo, glyph};
use crate::{
    browser::{address::use_address, language::use_words},
    route::Route,
};

const PLACES: [(Route, &str, &str, &str); 4] = [
    (Route::Home, "records", "notebook", "notebook-fill"),
    (Route::Scan, "scan", "scan", "scan-fill"),
    (Route::Show, "show", "qr-code", "qr-code-fill"),
    (Route::Readers, "readers", "eye", "eye-fill"),
];

/// Draws them.
#[component]
pub fn BottomBar() -> Html {
    let (words, address) = (use_words(), use_address());
    html! {
        <nav class="bar" aria-label={words.say("places")}>
            <ul>
                { for PLACES.iter().map(|(to, key, regular, fill)| {
                    let here = address.route == *to;
                    html! {
                        <li key={*key}>
                            <LinkTo to={to.clone()} current={here.then(|| AttrValue::from("page"))}>
                                { glyph(if here { fill } else { regular }) }
                                <span>{ words.say(key) }</span>
                            </LinkTo>
                        </li>
                    }
                }) }
            </ul>
        </nav>
    }
}
