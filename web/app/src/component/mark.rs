//! The mark: ring, eye and tick of a QR code's corner.

use yew::{Html, classes, html};

/// Draws it; the name stands beside it, so it isn't spoken.
pub fn logo() -> Html {
    draw(None)
}

/// Twice the size, for empty pages.
pub fn large_logo() -> Html {
    draw(Some("large"))
}

fn draw(size: Option<&'static str>) -> Html {
    html! {
        <svg class={classes!("mark", size)} viewBox="0 0 28 28" aria-hidden="true">
            <rect class="ring" x="1.75" y="1.75" width="24.5" height="24.5" rx="7.5" stroke-width="3.5" />
            <rect class="eye" x="7.6" y="7.6" width="12.8" height="12.8" rx="3.6" />
            <path class="tick" d="M10.9 14.2l2.2 2.2 4-4.4" />
        </svg>
    }
}
