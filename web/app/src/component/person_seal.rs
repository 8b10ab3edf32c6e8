//! A person's seal: the first character of a name in the rounded square.

use yew::{Html, classes, html};

/// Draws it; the name stands beside it. `soft` for someone else in a list, `solid` for the chosen one; outlined
/// otherwise.
pub fn person_seal(name: &str, kind: Option<&'static str>) -> Html {
    let first = name.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    html! { <span class={classes!("person-seal", kind)} aria-hidden="true">{ first }</span> }
}
