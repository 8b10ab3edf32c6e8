//! A person's seal: the first character of a name in the rounded square.

use yew::{AttrValue, Html, Properties, classes, component, html};

/// Whose.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name.
    pub name: AttrValue,
    /// `soft` for someone else in a list, `solid` for the chosen one; outlined otherwise.
    #[prop_or_default]
    pub kind: Option<&'static str>,
}

/// Draws it; the name stands beside it.
#[component]
pub fn PersonSeal(props: &Props) -> Html {
    let first = props.name.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    html! { <span class={classes!("person-seal", props.kind)} aria-hidden="true">{ first }</span> }
}
