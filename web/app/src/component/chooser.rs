//! Choosing one of a few: segments side by side, or a chip that is on or off.

use yew::{AttrValue, Callback, Html, Properties, component, html};

/// A row of segments.
#[derive(Properties, PartialEq)]
pub struct SegmentsProps {
    /// What is chosen, for screen readers.
    pub label: AttrValue,
    /// Names.
    pub names: Vec<String>,
    /// Which is on.
    pub chosen: usize,
    /// Told of a tap.
    pub choose: Callback<usize>,
}

/// Draws them.
#[component]
pub fn Segments(props: &SegmentsProps) -> Html {
    html! {
        <div class="segments" role="group" aria-label={props.label.clone()}>
            { for props.names.iter().enumerate().map(|(index, name)| {
                let choose = props.choose.reform(move |_| index);
                html! {
                    <button key={index} type="button" class="segment" aria-pressed={(index == props.chosen).to_string()} onclick={choose}>{ name }</button>
                }
            }) }
        </div>
    }
}

/// Draws a chip; `tap` is told of a tap.
pub fn chip(name: String, on: bool, tap: &Callback<()>) -> Html {
    html! { <button type="button" class="chip" aria-pressed={on.to_string()} onclick={tap.reform(|_| ())}>{ name }</button> }
}
