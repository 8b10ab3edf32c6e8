//! One card a visit: date, department, hospital, and its records.

use suishen_bridge::RecordCard;
use yew::{Html, html};

use super::record_entry;
use crate::{
    view::record::day_parts,
    words::{Words, figure},
};

/// Draws a visit with its records; the year is written where it isn't this one.
pub fn visit_card(words: &Words, this_year: Option<i64>, records: &[RecordCard]) -> Html {
    let Some(first) = records.first() else { return Html::default() };
    let (year, month, day) = day_parts(&first.date);
    let this_year = this_year.map(|year| year.to_string());
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
        <section class="card" key={first.visit.clone()}>
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
            { for records.iter().map(|card| html! { { record_entry(words, card) } }) }
        </section>
    }
}
