//! An icon of the sprite, by its Phosphor name. Always beside a word, so never spoken.

use yew::{Classes, Html, Properties, classes, component, html};

/// Which icon.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Name in `icons.svg`.
    pub name: &'static str,
    /// Further classes.
    #[prop_or_default]
    pub class: Classes,
}

/// Draws it.
#[component]
pub fn Icon(props: &Props) -> Html {
    html! {
        <svg class={classes!("icon", props.class.clone())} viewBox="0 0 256 256" aria-hidden="true" focusable="false">
            <use href={format!("/icons.svg#{}", props.name)} />
        </svg>
    }
}
