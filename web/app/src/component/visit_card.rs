//! One card a visit: date, department, hospital, and its records.

use suishen_bridge::RecordCard;
use yew::{Html, Properties, component, html};

use super::RecordEntry;
use crate::{browser::language::use_words, view::record::day_parts, words::figure};

/// Which visit.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its records; at least one.
    pub records: Vec<RecordCard>,
}

/// Draws it.
#[component]
pub fn VisitCard(props: &Props) -> Html {
    let words = use_words();
    let Some(first) = props.records.first() else { return Html::default() };
    let (year, month, day) = day_parts(&first.date);
    let month_text = month.map(|month| {
        words.with(
            "visit-month",
            &[
                ("year", year.unwrap_or_default().to_owned().into()),
                ("month", figure(month)),
                ("name", words.month_name(month).into()),
            ],
        )
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
