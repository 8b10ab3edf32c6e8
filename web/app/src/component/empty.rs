//! Nothing here yet: what to do next.

use yew::{AttrValue, Html, Properties, component, html};

use super::Mark;

/// What is said.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is empty.
    pub title: AttrValue,
    /// What to do next.
    pub text: AttrValue,
    /// The button.
    #[prop_or_default]
    pub children: Html,
}

/// Draws it.
#[component]
pub fn Empty(props: &Props) -> Html {
    html! {
        <section class="card empty">
            <Mark large={true} />
            <h2>{ &props.title }</h2>
            <p class="quiet">{ &props.text }</p>
            { props.children.clone() }
        </section>
    }
}
