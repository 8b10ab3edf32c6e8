//! Who read what: one read a line, newest first, some at a time.

use suishen_bridge::{AuditRead, AuditRequest, AuditResponse, DeskResponse, Response};
use yew::{Callback, Html, Properties, component, html, use_effect_with, use_state};

use super::{audit, tables};
use crate::{
    browser::{language::use_words, work::use_work},
    component::fault_card,
};

/// Of which audit.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Reads in all, as far as they are held.
    pub all: u64,
    /// When the checkpoint was cosigned.
    pub checked: u64,
}

/// Draws them.
#[component]
pub fn ReadsCard(props: &Props) -> Html {
    let (words, work) = (use_words(), use_work());
    let shown = use_state(Vec::<AuditRead>::new);
    let more = {
        let (work, shown) = (work.clone(), shown.clone());
        Callback::from(move |()| {
            let so_far = (*shown).clone();
            let shown = shown.setter();
            let request = AuditRequest::Reads { skip: so_far.len() as u64 };
            work.run(audit(request), None, move |response, _| {
                if let Response::Desk(DeskResponse::Audit(AuditResponse::Reads(next))) = response {
                    shown.set(so_far.into_iter().chain(next).collect());
                }
            });
        })
    };
    use_effect_with((), {
        let more = more.clone();
        move |()| more.emit(())
    });
    let left = props.all.saturating_sub(shown.len() as u64);
    html! {<>
        if !shown.is_empty() { { tables::reads(&shown, props.checked, &words) } }
        if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
        if !shown.is_empty() && left > 0 {
            <button class="button" onclick={more.reform(|_| ())} disabled={work.busy()}>{ words.count("audit-reads-more", left) }</button>
        }
    </>}
}
