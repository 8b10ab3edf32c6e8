//! The end of a list that goes on: the next entries come when it is scrolled to or tapped.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry};
use yew::{Callback, Html, Properties, component, html, use_effect_with, use_node_ref};

use crate::browser::language::use_words;

/// What is left.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// How many entries there are beyond those that are shown.
    pub left: u32,
    /// Asks for more of them.
    pub more: Callback<()>,
}

/// Draws it; nothing where nothing is left.
#[component]
pub fn More(props: &Props) -> Html {
    let (words, end) = (use_words(), use_node_ref());
    use_effect_with((props.left, props.more.clone()), {
        let end = end.clone();
        move |(_, more): &(u32, Callback<()>)| {
            let more = more.clone();
            let seen = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
                let here = |entry: IntersectionObserverEntry| entry.is_intersecting();
                if entries.iter().any(|entry| here(entry.unchecked_into())) {
                    more.emit(());
                }
            });
            let observer = end.cast::<Element>().and_then(|end| {
                // Without one the button is there to be tapped.
                let observer = IntersectionObserver::new(seen.as_ref().unchecked_ref()).ok()?;
                observer.observe(&end);
                Some(observer)
            });
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(seen);
            }
        }
    });
    if props.left == 0 {
        return Html::default();
    }
    html! {
        <button ref={end} type="button" class="button wide" onclick={props.more.reform(|_| ())}>{ words.count("records-more", props.left) }</button>
    }
}
