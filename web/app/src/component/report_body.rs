//! A report as people read it: values, conclusion, sections, in this order; nothing of it is ever HTML.

use suishen_bridge::fhir::ReportView;
use yew::{Html, Properties, component, html};

use super::Labs;
use crate::{browser::language::use_words, words::Words};

/// Which report.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its view.
    pub view: ReportView,
    /// Values as a desk's table.
    #[prop_or_default]
    pub table: bool,
}

/// Draws it.
#[component]
pub fn ReportBody(props: &Props) -> Html {
    let words = use_words();
    let view = &props.view;
    html! {<>
        if !view.rows.is_empty() { <Labs rows={view.rows.clone()} table={props.table} /> }
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
        { footer(view, &words) }
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
