//! Who read how much, in all that was looked at or in one month of it.

use std::rc::Rc;

use suishen_bridge::AuditView;
use web_sys::HtmlSelectElement;
use yew::{Callback, Event, Html, Properties, TargetCast, component, html, use_state};

use super::tables;
use crate::browser::language::use_words;

/// Of which audit.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// This.
    pub view: Rc<AuditView>,
}

/// Draws the choice of a month, and the table.
#[component]
pub fn PeopleCard(props: &Props) -> Html {
    let words = use_words();
    let month = use_state(String::new);
    let chosen = {
        let month = month.setter();
        Callback::from(move |event: Event| {
            month.set(event.target_unchecked_into::<HtmlSelectElement>().value());
        })
    };
    let view = &props.view;
    let of_month = view.months.iter().find(|one| one.month == *month).map(|one| &one.readers);
    let choice = html! {
        <div class="field">
            <label for="audit-month">{ words.say("audit-month") }</label>
            <select id="audit-month" class="input audit-month" onchange={chosen}>
                <option value="" selected={of_month.is_none()}>{ words.say("audit-all-months") }</option>
                { for view.months.iter().map(|one| html! {
                    <option key={one.month.clone()} value={one.month.clone()} selected={one.month == *month}>{ &one.month }</option>
                }) }
            </select>
        </div>
    };
    tables::readers(choice, of_month.unwrap_or(&view.readers), view.checked, &words)
}
