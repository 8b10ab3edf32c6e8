//! A report as people read it: values, conclusion, sections, in this order; nothing of it is ever HTML.

use suishen_bridge::fhir::ReportView;
use yew::{Html, html};

use super::labs;
use crate::words::Words;

/// Draws it, values as a desk's table or as rows.
pub fn report_body(words: &Words, view: &ReportView, table: bool) -> Html {
    html! {<>
        if !view.rows.is_empty() { { labs(words, &view.rows, table) } }
        if let Some(conclusion) = &view.conclusion {
            <section class="card padded stack close">
                <h2>{ words.say("report-conclusion") }</h2>
                <p class="prose">{ conclusion }</p>
            </section>
        }
        { for view.sections.iter().map(|section| html! {
            <section class="card padded stack close">
                <h2>{ &section.title }</h2>
                { text(&section.text) }
            </section>
        }) }
        { footer(view, words) }
    </>}
}

/// A section's text: lines by `\n`; lines with cells by `\t` make a table.
fn text(text: &str) -> Html {
    let lines: Vec<&str> = text.lines().collect();
    if lines.iter().any(|line| line.contains('\t')) {
        return html! {
            <div class="table-scroll"><table class="table"><tbody>
                { for lines.iter().map(|line| html! { <tr>{ for line.split('\t').map(|cell| html! { <td>{ cell }</td> }) }</tr> }) }
            </tbody></table></div>
        };
    }
    html! { <p class="prose">{ text }</p> }
}

fn footer(view: &ReportView, words: &Words) -> Html {
    let people: Vec<String> = view
        .performers
        .iter()
        .map(|person| match &person.role {
            Some(role) => format!("{} {role}", person.name),
            None => person.name.clone(),
        })
        .collect();
    html! {<>
        if !view.not_contained.is_empty() {
            <p class="quiet">{ words.with("report-not-contained", &[("names", words.list(&view.not_contained).into())]) }</p>
        }
        if !people.is_empty() {
            <p class="quiet">{ words.with("report-performers", &[("names", words.list(&people).into())]) }</p>
        }
    </>}
}
