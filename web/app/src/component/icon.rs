//! An icon of the sprite, by its Phosphor name. Always beside a word, so never spoken.
//! A function rather than a component, like all parts here that only draw: a component costs kilobytes of code.

use yew::{Html, classes, html};

/// Draws the icon of this name in `icons.svg`.
pub fn glyph(name: &str) -> Html {
    draw(name, None)
}

/// The same, as small as text.
pub fn small_glyph(name: &str) -> Html {
    draw(name, Some("small"))
}

fn draw(name: &str, size: Option<&'static str>) -> Html {
    html! {
        <svg class={classes!("icon", size)} viewBox="0 0 256 256" aria-hidden="true" focusable="false">
            <use href={format!("/icons.svg#{name}")} />
        </svg>
    }
}
