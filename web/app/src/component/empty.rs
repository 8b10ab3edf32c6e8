//! Nothing here yet: what to do next.

use yew::{Html, html};

use super::large_logo;

/// Says what is empty and what to do next; `button` does it.
pub fn empty(title: String, text: String, button: Html) -> Html {
    html! {
        <section class="card empty">
            { large_logo() }
            <h2>{ title }</h2>
            <p class="quiet">{ text }</p>
            { button }
        </section>
    }
}
