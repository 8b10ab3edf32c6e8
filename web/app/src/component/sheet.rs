//! A sheet: the browser's own modal dialog, which keeps the focus inside and gives it back to the opener; the focus
//! begins on the heading.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDialogElement, HtmlElement, MouseEvent};
use yew::{AttrValue, Callback, Html, Properties, component, html, use_effect_with, use_node_ref};

use super::glyph;
use crate::browser::{language::use_words, page, timer};

/// What it shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Heading.
    pub title: AttrValue,
    /// Told when the person closes it.
    pub close: Callback<()>,
    /// Content.
    pub children: Html,
}

/// After a sheet whose opener its decision has taken away, the focus goes to the page's heading.
pub fn after_sheet() {
    wasm_bindgen_futures::spawn_local(async {
        // The sheet goes first, and gives the focus back where it came from.
        timer::wait(50).await;
        page::focus_heading();
    });
}

/// Draws it, open for as long as it is there.
#[component]
pub fn Sheet(props: &Props) -> Html {
    let words = use_words();
    let (dialog, heading) = (use_node_ref(), use_node_ref());
    use_effect_with((dialog.clone(), heading.clone()), |(dialog, heading): &(yew::NodeRef, yew::NodeRef)| {
        let dialog = dialog.cast::<HtmlDialogElement>();
        if let Some(dialog) = &dialog {
            let _ = dialog.show_modal();
        }
        if let Some(heading) = heading.cast::<HtmlElement>() {
            let _ = heading.focus();
        }
        move || {
            if let Some(dialog) = dialog {
                dialog.close();
            }
        }
    });
    let oncancel = props.close.reform(|event: Event| event.prevent_default());
    let on_backdrop = {
        let close = props.close.clone();
        Callback::from(move |event: MouseEvent| {
            // A tap on the dialog itself, not on what it holds, is one on its backdrop or rim.
            if event.target() == event.current_target() && is_outside(&event) {
                close.emit(());
            }
        })
    };
    html! {
        <dialog ref={dialog} class="sheet" aria-labelledby="sheet-title" {oncancel} onclick={on_backdrop}>
            <div class="sheet-head">
                <h2 id="sheet-title" tabindex="-1" ref={heading}>{ &props.title }</h2>
                <button type="button" class="plain ink" onclick={props.close.reform(|_| ())} aria-label={words.say("close")}>{ glyph("x") }</button>
            </div>
            { props.children.clone() }
        </dialog>
    }
}

fn is_outside(event: &MouseEvent) -> bool {
    let Some(dialog) = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok())
    else {
        return false;
    };
    let place = dialog.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    x < place.left() || x > place.right() || y < place.top() || y > place.bottom()
}
