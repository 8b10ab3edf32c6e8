//! A link to another page of this app: a true link, followed without loading anew.

use web_sys::MouseEvent;
use yew::{AttrValue, Callback, Classes, Html, Properties, component, html};

use crate::{browser::address::use_address, route::Route};

/// Where to, and what stands in it.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The page.
    pub to: Route,
    /// Classes.
    #[prop_or_default]
    pub class: Classes,
    /// `page` on the link of the current page.
    #[prop_or_default]
    pub current: Option<AttrValue>,
    /// What a screen reader says instead of the content.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// Content.
    pub children: Html,
}

/// Draws it.
#[component]
pub fn LinkTo(props: &Props) -> Html {
    let address = use_address();
    let href = address.href(&props.to);
    let onclick = {
        let to = props.to.clone();
        Callback::from(move |event: MouseEvent| {
            // A new tab or window is the browser's to open.
            if event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                event.prevent_default();
                address.go(to.clone());
            }
        })
    };
    html! {
        <a {href} {onclick} class={props.class.clone()} aria-current={props.current.clone()} aria-label={props.label.clone()}>
            { props.children.clone() }
        </a>
    }
}
