//! One laboratory row on a phone: name, value in the report's own text, unit, word with arrow, bar with its limits.

use suishen_bridge::fhir::LabRow;
use yew::{Html, html};

use super::{range_bar, range_bar::percent, verdict_word};
use crate::{
    view::lab::{range_text, sentence, shown},
    words::Words,
};

/// Draws it: the sentence is heard, the parts are seen.
pub fn lab_line(words: &Words, row: &LabRow) -> Html {
    let (value, unit) = shown(words, row);
    html! {
        <li class="lab">
            <p class="heard">{ sentence(words, row) }</p>
            <div aria-hidden="true">
                <div class="lab-line">
                    <span class="lab-name">{ &row.name }</span>
                    <span>
                        <span class="lab-value">{ value }</span>
                        if !unit.is_empty() { { " " }<span class="lab-unit">{ unit }</span> }
                    </span>
                    { verdict_word(words, row.verdict) }
                </div>
                if let Some(bar) = row.bar {
                    { range_bar(bar) }
                    <div class="lab-foot">
                        <span class="caption lab-code">{ row.short.clone().unwrap_or_default() }</span>
                        { limits(row, words) }
                    </div>
                } else {
                    <div class="lab-foot">
                        <span class="caption">{ row.short.clone().unwrap_or_default() }</span>
                        if let Some(range) = row.range.as_ref().and_then(|range| range_text(words, range)) {
                            <span class="caption">{ words.with("range-spoken", &[("range", range.into())]) }</span>
                        }
                    </div>
                }
            </div>
            if let Some(note) = &row.note { <p class="quiet lab-text">{ note }</p> }
        </li>
    }
}

/// The limits' figures under their ticks.
fn limits(row: &LabRow, words: &Words) -> Html {
    let (Some(bar), Some(range)) = (row.bar, row.range.as_ref()) else { return Html::default() };
    let figure = |at: f64, text: String| html! { <text x={percent(at)} y="0.9em" text-anchor="middle">{ text }</text> };
    let figures = match (&range.low, &range.high) {
        (Some(low), Some(high)) => {
            html! {<>{ figure(bar.start, low.clone()) }{ figure(bar.end, high.clone()) }</>}
        }
        (None, Some(_)) => figure(bar.end, range_text(words, range).unwrap_or_default()),
        (Some(_), None) => figure(bar.start, range_text(words, range).unwrap_or_default()),
        (None, None) => Html::default(),
    };
    html! { <svg class="limits">{ figures }</svg> }
}
