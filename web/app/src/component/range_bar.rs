//! The bar of a laboratory row: interval thick between end ticks, ▲ above, ▼ below, a dot inside.
//! The row's sentence says the same, so it isn't spoken.

use suishen_bridge::fhir::{Bar, Marker};
use yew::{Html, html};

/// A position as a percentage for an SVG attribute.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1}%", part.clamp(0.0, 1.0) * 100.0)
}

/// Draws a bar.
pub fn range_bar(bar: Bar) -> Html {
    let Bar { start, end, open_start, open_end, marker: at, shape } = bar;
    let limit = |at: f64| {
        html! {
            <svg x={percent(at)} y="0" width="1" height="16" overflow="visible">
                <rect class="limit" x="-1.25" y="0" width="2.5" height="16" />
            </svg>
        }
    };
    html! {
        <svg class="range" height="16" aria-hidden="true">
            <rect class="track" x="0" y="6.5" width="100%" height="3" rx="1.5" />
            <rect class="interval" x={percent(start)} y="4" width={percent(end - start)} height="8" rx="1" />
            if !open_start { { limit(start) } }
            if !open_end { { limit(end) } }
            <svg x={percent(at)} y="8" width="1" height="1" overflow="visible">{ marker(shape) }</svg>
        </svg>
    }
}

/// The marker of a value, around the origin.
pub fn marker(shape: Marker) -> Html {
    match shape {
        Marker::Above => html! { <path class="point high" d="M0 -8.5L8 6H-8z" /> },
        Marker::Below => html! { <path class="point low" d="M0 8.5L8 -6H-8z" /> },
        Marker::Inside => html! { <circle class="point within" r="6.5" /> },
    }
}
