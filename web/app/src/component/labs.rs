//! The values of a report: abnormal first or in the original order, the rest folded (phone), or as a desk's table.

use suishen_bridge::fhir::{LabRow, Verdict};
use yew::{Callback, Html, Properties, component, html, use_state};

use super::{Segments, glyph, lab_line, range_bar, verdict_word};
use crate::{
    browser::language::use_words,
    view::lab::{order, range_text, shown},
    words::{Words, figure},
};

/// Draws the rows of a report, in its order or abnormal first.
pub fn labs(words: &Words, rows: &[LabRow], as_table: bool) -> Html {
    if as_table {
        table(rows, words)
    } else {
        html! { <PhoneLabs rows={rows.to_vec()} /> }
    }
}

/// Which.
#[derive(Properties, PartialEq)]
struct Props {
    /// The rows, in the report's order.
    pub rows: Vec<LabRow>,
}

/// Rows shown before the rest is folded: all abnormal ones, and one more.
fn unfolded(rows: &[LabRow], abnormal_first: bool, open: bool) -> usize {
    let abnormal = rows.iter().filter(|row| row.verdict.is_abnormal()).count();
    if open || !abnormal_first || abnormal == 0 || rows.len() <= abnormal + 2 {
        rows.len()
    } else {
        abnormal + 1
    }
}

#[component]
fn PhoneLabs(props: &Props) -> Html {
    let words = use_words();
    let abnormal_first = use_state(|| true);
    let open = use_state(|| false);
    let rows = &props.rows;
    let abnormal = rows.iter().filter(|row| row.verdict.is_abnormal()).count();
    let shown = unfolded(rows, *abnormal_first, *open);
    let order = order(rows, *abnormal_first);
    let choose = {
        let setter = abnormal_first.setter();
        Callback::from(move |chosen: usize| setter.set(chosen == 0))
    };
    let unfold = {
        let setter = open.setter();
        Callback::from(move |_| setter.set(true))
    };
    let title = if abnormal > 0 {
        words.with(
            "labs-abnormal",
            &[("all", figure(rows.len() as u64)), ("abnormal", figure(abnormal as u64))],
        )
    } else {
        words.count("labs-all", rows.len() as u64)
    };
    html! {
        <section class="stack">
            <div class="row wrap labs-head">
                <h2 class="grow">{ title }</h2>
                if abnormal > 0 && abnormal < rows.len() {
                    <Segments label={words.say("labs-order")} names={vec![words.say("labs-abnormal-first"), words.say("labs-original")]}
                        chosen={usize::from(!*abnormal_first)} {choose} />
                }
            </div>
            <div class="card">
                <ul>
                    { for order.iter().take(shown).map(|index| html! { { lab_line(&words, &rows[*index]) } }) }
                </ul>
                if shown < rows.len() {
                    <button class="entry parted fold" onclick={unfold} aria-expanded="false">
                        <span class="grow name">{ rest(rows, &order[shown..], &words) }</span>
                        { glyph("caret-down-bold") }
                    </button>
                }
            </div>
        </section>
    }
}

/// "其余 7 项，都在参考范围内", only where the report says so of each.
fn rest(rows: &[LabRow], order: &[usize], words: &Words) -> String {
    let all_within = order.iter().all(|index| rows[*index].verdict == Verdict::Normal);
    words.count(if all_within { "labs-rest-within" } else { "labs-rest" }, order.len() as u64)
}

/// Values that nothing is judged by, an invoice's say, have no columns for it, but what is noted beside them.
fn table(rows: &[LabRow], words: &Words) -> Html {
    let judged = rows.iter().any(|row| row.verdict != Verdict::None || row.range.is_some());
    let rows: Vec<_> = rows.iter().map(|row| (row, shown(words, row))).collect();
    // Sums of money have their unit with them.
    let units = judged || rows.iter().any(|(_, (_, unit))| !unit.is_empty());
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label={words.say("labs-table")}>
            <table class="table labs">
                <thead>
                    <tr>
                        <th scope="col">{ words.say("labs-item") }</th>
                        <th scope="col" class="figure">{ words.say(if units { "labs-result" } else { "labs-sum" }) }</th>
                        if units { <th scope="col">{ words.say("labs-unit") }</th> }
                        if judged {
                            <th scope="col">{ words.say("labs-verdict") }</th>
                            <th scope="col" class="noprint" aria-hidden="true"></th>
                            <th scope="col" class="figure">{ words.say("labs-range") }</th>
                        } else {
                            <th scope="col">{ words.say("labs-note") }</th>
                        }
                    </tr>
                </thead>
                <tbody>
                    { for rows.into_iter().enumerate().map(|(index, (row, (value, unit)))| html! {
                        <tr key={index}>
                            <th scope="row"><span class="lab-name">{ &row.name }</span>{ " " }<span class="caption">{ row.short.clone().unwrap_or_default() }</span></th>
                            <td class="figure"><strong>{ value }</strong></td>
                            if units { <td class="lab-unit">{ unit }</td> }
                            if judged {
                                <td>{ verdict_word(words, row.verdict) }</td>
                                <td class="range-cell noprint" aria-hidden="true">
                                    if let Some(bar) = row.bar { { range_bar(bar) } }
                                </td>
                                <td class="figure quiet">{ row.range.as_ref().and_then(|range| range_text(words, range)).unwrap_or_default() }</td>
                            } else {
                                <td class="quiet">{ row.note.clone().unwrap_or_default() }</td>
                            }
                        </tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::lab::tests::row;

    #[test]
    fn an_abnormal_value_is_never_folded_away() {
        let rows: Vec<_> = (0..12)
            .map(|n| row(&n.to_string(), "1", None, if n % 3 == 0 { Verdict::High } else { Verdict::Normal }))
            .collect();
        assert_eq!(unfolded(&rows, true, false), 5);
        assert_eq!(unfolded(&rows, false, false), 12);
        assert_eq!(unfolded(&rows, true, true), 12);
    }

    #[test]
    fn a_report_without_verdicts_is_shown_whole() {
        let rows: Vec<_> = (0..12).map(|n| row(&n.to_string(), "1", None, Verdict::None)).collect();
        assert_eq!(unfolded(&rows, true, false), 12);
    }
}
