//! 冲红 and 换开: the hospital says that nothing is paid on an invoice any more. For good, so it asks before it does.

use suishen_bridge::{DeskRequest, IssuedReport};
use web_sys::{HtmlInputElement, InputEvent};
use yew::{Callback, Html, Properties, TargetCast as _, component, html, use_state};

use crate::{
    browser::{language::use_words, work::use_work},
    component::{Sheet, Status, after_sheet, fault_card, progress_card, status_line, use_voice},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The invoice.
    pub report: IssuedReport,
    /// Told when it is left or done.
    pub close: Callback<()>,
}

/// Draws it.
#[component]
pub fn VoidSheet(props: &Props) -> Html {
    let (words, work, voice) = (use_words(), use_work(), use_voice());
    let on_paper = use_state(|| None::<bool>);
    let said = use_state(String::new);
    let typed = {
        let said = said.setter();
        Callback::from(move |event: InputEvent| {
            said.set(event.target_unchecked_into::<HtmlInputElement>().value());
        })
    };
    let go = {
        let (work, close) = (work.clone(), props.close.clone());
        let done = ["void-done", "void-done-on-paper"].map(|key| words.say(key));
        let (report, on_paper, words) = (props.report.report.clone(), *on_paper, (*said).clone());
        Callback::from(move |_| {
            let Some(on_paper) = on_paper else { return };
            let (close, voice, done) = (close.clone(), voice.clone(), done[usize::from(on_paper)].clone());
            let (report, words) = (report.clone(), words.clone());
            work.desk(DeskRequest::Void { report, on_paper, words }, move |_| {
                close.emit(());
                voice.polite(done);
                after_sheet();
            });
        })
    };
    let about =
        [("title", props.report.title.clone().into()), ("patient", props.report.patient.clone().into())];
    let paid = props.report.invoice.is_some_and(|invoice| invoice.paid);
    html! {
        <Sheet title={words.say("void")} close={props.close.clone()}>
            <div class="stack">
                <p>{ words.with("void-what", &about) }</p>
                if paid { { status_line(Status::Caution("warning-circle"), words.say("void-paid"), None, None, None) } }
                <fieldset class="stack close">
                    <legend>{ words.say("void-why") }</legend>
                    { for [(false, "void-reversed"), (true, "void-on-paper")].into_iter().map(|(paper, key)| {
                        let set = on_paper.setter();
                        html! { <label class="choice"><input type="radio" name="void" checked={*on_paper == Some(paper)} onchange={Callback::from(move |_| set.set(Some(paper)))} /><span>{ words.say(key) }</span></label> }
                    }) }
                </fieldset>
                <div class="field">
                    <label for="void-words">{ words.say("void-words") }</label>
                    <input id="void-words" class="input" maxlength="80" value={(*said).clone()} oninput={typed} autocomplete="off" />
                </div>
                if work.busy() { { progress_card(&words, work.progress()) } }
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
                <button class="button primary wide" onclick={go} disabled={work.busy() || on_paper.is_none()}>{ words.say(match *on_paper { Some(true) => "void-do-on-paper", Some(false) => "void-do", None => "void" }) }</button>
            </div>
        </Sheet>
    }
}
