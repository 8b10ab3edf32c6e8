//! One card a visit: date, department, hospital, and its records.

use suishen_bridge::RecordCard;
use yew::{Html, Properties, component, html};

use super::RecordEntry;
use crate::{
    browser::{language::use_words, ledger::use_ledger},
    view::record::day_parts,
    words::figure,
};

/// Which visit.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its records; at least one.
    pub records: Vec<RecordCard>,
}

/// Draws it.
#[component]
pub fn VisitCard(props: &Props) -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    let Some(first) = props.records.first() else { return Html::default() };
    let (year, month, day) = day_parts(&first.date);
    let this_year = ledger.now().map(|now| words.moment(now).year.to_string());
    let month_text = month.map(|month| match year.filter(|year| this_year.as_deref() != Some(*year)) {
        Some(year) => words.with(
            "month-year",
            &[
                ("year", year.to_owned().into()),
                ("month", figure(month)),
                ("name", words.month_name(month).into()),
            ],
        ),
        None => words.month_name(month),
    });
    let title =
        if first.department.is_empty() { first.organisation.clone() } else { first.department.clone() };
    html! {
        <section class="card">
            <div class="entry visit">
                <div class="visit-day">
                    <span class="day">{ day.map_or_else(|| year.unwrap_or("–").to_owned(), |day| day.to_string()) }</span>
                    <span class="month">{ month_text.unwrap_or_default() }</span>
                </div>
                <div class="grow">
                    <h2 class="visit-title">{ title }</h2>
                    if !first.department.is_empty() { <p class="quiet">{ &first.organisation }</p> }
                </div>
            </div>
            { for props.records.iter().map(|card| html! { <RecordEntry key={card.record.clone()} card={card.clone()} /> }) }
        </section>
    }
}
