//! The status line: one at a time, the most pressing first.

use yew::{Html, classes, html};

use super::{LinkTo, Proof, glyph, seal};
use crate::{route::Route, words::rich};

/// How pressing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Broken proof.
    Alarm,
    /// Something to do.
    Caution(&'static str),
    /// Worth knowing.
    Quiet(&'static str),
    /// Worth knowing, as of a time.
    AsOf,
    /// Good.
    Good,
}

/// Draws it: the line (`**` stresses), a second and quieter one, where it leads, and what the link says at its end, an
/// arrow otherwise.
pub fn status_line(
    status: Status,
    text: String,
    more: Option<String>,
    to: Option<Route>,
    act: Option<String>,
) -> Html {
    let (class, sign) = match status {
        Status::Alarm => (Some("alarm"), html! { { seal(Proof::Broken, None) } }),
        Status::Caution(name) => (Some("caution"), html! { { glyph(name) } }),
        Status::Quiet(name) => (None, html! { { glyph(name) } }),
        Status::AsOf => (None, html! { { seal(Proof::AsOf, None) } }),
        Status::Good => (Some("good"), html! { { seal(Proof::Proven, None) } }),
    };
    let content = html! {<>
        { sign }
        <span class="grow">
            <span class="line">{ rich(&text) }</span>
            if let Some(more) = &more { <span class="line quiet">{ more }</span> }
        </span>
        if let Some(act) = &act { <span class="act">{ act }</span> }
        else if to.is_some() { { glyph("caret-right-bold") } }
    </>};
    match &to {
        Some(to) => html! { <LinkTo to={to.clone()} class={classes!("status", class)}>{ content }</LinkTo> },
        None => html! { <div class={classes!("status", class)}>{ content }</div> },
    }
}
