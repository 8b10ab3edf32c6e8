//! The status line: one at a time, the most pressing first.

use yew::{AttrValue, Html, Properties, classes, component, html};

use super::{Icon, LinkTo, Proof, Seal};
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

/// What it says.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// How pressing.
    pub status: Status,
    /// The line; `**` stresses.
    pub text: AttrValue,
    /// A second, quieter line.
    #[prop_or_default]
    pub more: Option<AttrValue>,
    /// Where it leads.
    #[prop_or_default]
    pub to: Option<Route>,
    /// What the link says at its end; an arrow otherwise.
    #[prop_or_default]
    pub act: Option<AttrValue>,
}

/// Draws it.
#[component]
pub fn StatusLine(props: &Props) -> Html {
    let (class, sign) = match props.status {
        Status::Alarm => (Some("alarm"), html! { <Seal proof={Proof::Broken} /> }),
        Status::Caution(name) => (Some("caution"), html! { <Icon {name} /> }),
        Status::Quiet(name) => (None, html! { <Icon {name} /> }),
        Status::AsOf => (None, html! { <Seal proof={Proof::AsOf} /> }),
        Status::Good => (Some("good"), html! { <Seal proof={Proof::Proven} /> }),
    };
    let content = html! {<>
        { sign }
        <span class="grow">
            <span class="line">{ rich(&props.text) }</span>
            if let Some(more) = &props.more { <span class="line quiet">{ more }</span> }
        </span>
        if let Some(act) = &props.act { <span class="act">{ act }</span> }
        else if props.to.is_some() { <Icon name="caret-right-bold" /> }
    </>};
    match &props.to {
        Some(to) => html! { <LinkTo to={to.clone()} class={classes!("status", class)}>{ content }</LinkTo> },
        None => html! { <div class={classes!("status", class)}>{ content }</div> },
    }
}
