//! Of which days an audit is: the whole ledger, this quarter, the last one, or from one day to another.

use suishen_bridge::AuditPeriod;
use web_sys::HtmlInputElement;
use yew::{Callback, Html, InputEvent, Properties, TargetCast, component, html};

use crate::{browser::language::use_words, component::Segments};

/// What is chosen.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// This.
    pub chosen: AuditPeriod,
    /// Told when it is another.
    pub choose: Callback<AuditPeriod>,
}

/// Whether all is said that it needs.
pub fn is_whole(period: &AuditPeriod) -> bool {
    !matches!(period, AuditPeriod::Days { from, to } if from.is_empty() || to.is_empty())
}

/// Draws the choice, and the two days where days are chosen.
#[component]
pub fn PeriodField(props: &Props) -> Html {
    let words = use_words();
    let names = ["audit-period-whole", "audit-period-this", "audit-period-last", "audit-period-days"];
    let chosen = match props.chosen {
        AuditPeriod::Whole => 0,
        AuditPeriod::ThisQuarter => 1,
        AuditPeriod::LastQuarter => 2,
        AuditPeriod::Days { .. } => 3,
    };
    let choose = props.choose.reform(|index| match index {
        1 => AuditPeriod::ThisQuarter,
        2 => AuditPeriod::LastQuarter,
        3 => AuditPeriod::Days { from: String::new(), to: String::new() },
        _ => AuditPeriod::Whole,
    });
    html! {<>
        <div class="field">
            <span class="label">{ words.say("audit-period") }</span>
            <Segments label={words.say("audit-period")} names={names.map(|name| words.say(name)).to_vec()} {chosen} {choose} />
        </div>
        if let AuditPeriod::Days { from, to } = &props.chosen {
            <div class="audit-days">
                { day("audit-from", words.say("audit-period-from"), from, props.choose.reform({
                    let to = to.clone();
                    move |from| AuditPeriod::Days { from, to: to.clone() }
                })) }
                { day("audit-to", words.say("audit-period-to"), to, props.choose.reform({
                    let from = from.clone();
                    move |to| AuditPeriod::Days { from: from.clone(), to }
                })) }
            </div>
        }
    </>}
}

fn day(id: &'static str, label: String, value: &str, chosen: Callback<String>) -> Html {
    let oninput =
        chosen.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    html! {
        <div class="field">
            <label for={id}>{ label }</label>
            <input {id} class="input" type="date" value={value.to_owned()} {oninput} />
        </div>
    }
}
