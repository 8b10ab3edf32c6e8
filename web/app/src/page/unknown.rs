//! No page has this path.

use yew::{Html, component, html};

use crate::{
    browser::language::use_words,
    component::{LinkTo, empty},
    route::Route,
};

/// Draws it.
#[component]
pub fn UnknownPage() -> Html {
    let words = use_words();
    html! {
        <main class="phone bare">
            <h1 class="heard">{ words.say("unknown-title") }</h1>
            { empty(words.say("unknown-title"), words.say("unknown-text"), html! { <>
                <LinkTo to={Route::Home} class="button primary wide">{ words.say("unknown-home") }</LinkTo>
            </> }) }
        </main>
    }
}
