//! A value's history: shaded range, dashed limit, the row's markers, the last value written; a table in its place on
//! a tap. One unit an axis; what has another unit is listed below.

use suishen_bridge::fhir::{Marker, Point, Series};
use yew::{Callback, Html, Properties, classes, component, html, use_state};

use super::{glyph, marker, verdict_word};
use crate::{
    browser::language::use_words,
    view::{
        lab::{Standing, range_text},
        record::{moment_text, short_date},
        trend::{FLOOR, HEIGHT, WALL, WIDTH, across, band, band_name, dated, last_name, line, up},
    },
    words::{Words, figure},
};

/// Which.
#[derive(Properties, PartialEq)]
struct Props {
    /// The history.
    series: Series,
}

fn shape(point: &Point) -> Marker {
    if point.verdict.is_high() {
        Marker::Above
    } else if point.verdict.is_low() {
        Marker::Below
    } else {
        Marker::Inside
    }
}

/// Draws it.
#[component]
fn Trend(props: &Props) -> Html {
    let words = use_words();
    let as_table = use_state(|| false);
    let series = &props.series;
    let turn = {
        let as_table = as_table.clone();
        Callback::from(move |_| as_table.set(!*as_table))
    };
    let unit = series.unit.clone().unwrap_or_default();
    let lead = words.with(
        if series.one_hospital { "trend-lead-one" } else { "trend-lead" },
        &[("n", figure(series.points.len() as u64)), ("unit", unit.into())],
    );
    html! {
        <section class="card padded stack close">
            <div class="row wrap">
                <h2 class="grow">{ words.with("trend-title", &[("name", series.name.as_str().into())]) }</h2>
                <button class="plain" onclick={turn} aria-pressed={as_table.to_string()}>
                    { glyph("table") }{ words.say("trend-table") }
                </button>
            </div>
            <p class="quiet">{ lead }</p>
            if *as_table { { table(series, &words) } } else { { plot(series, &words) } }
            { for series.other_units.iter().map(|other| html! {
                <p class="quiet">{ words.with("trend-other-unit", &[
                    ("value", other.value.as_str().into()),
                    ("unit", other.unit.clone().unwrap_or_default().into()),
                ]) }</p>
            }) }
        </section>
    }
}

/// Which.
#[derive(Properties, PartialEq)]
pub struct TrendsProps {
    /// The histories of a report's values.
    pub series: Vec<Series>,
}

/// Draws the histories whose newest value is out of range, or the first where none is; the rest on a tap.
#[component]
pub fn Trends(props: &TrendsProps) -> Html {
    let words = use_words();
    let open = use_state(|| false);
    let shown = telling(&props.series);
    let rest = props.series.len() - shown.len();
    let others = (0..props.series.len()).filter(|index| *open && !shown.contains(index));
    let unfold = {
        let setter = open.setter();
        Callback::from(move |_| setter.set(true))
    };
    html! {<>
        { for shown.iter().copied().chain(others).map(|index| {
            let series = props.series[index].clone();
            html! { <Trend key={index} {series} /> }
        }) }
        if rest > 0 && !*open {
            <button class="card entry fold" onclick={unfold} aria-expanded="false">
                <span class="grow name">{ words.count("trends-rest", rest as u64) }</span>
                { glyph("caret-down-bold") }
            </button>
        }
    </>}
}

/// The places of those that are shown at once.
fn telling(series: &[Series]) -> Vec<usize> {
    let abnormal = |one: &Series| one.points.last().is_some_and(|point| point.verdict.is_abnormal());
    let found: Vec<usize> = (0..series.len()).filter(|index| abnormal(&series[*index])).collect();
    if found.is_empty() { (0..series.len().min(1)).collect() } else { found }
}

fn plot(series: &Series, words: &Words) -> Html {
    let places: Vec<f64> = series.points.iter().map(|point| across(point.x)).collect();
    let dated = dated(&places);
    let Some(last) = series.points.last() else { return Html::default() };
    let standing = Standing::of(last.verdict);
    let arrow = match standing {
        Standing::High => " ↑",
        Standing::Low => " ↓",
        _ => "",
    };
    let spoken: Vec<String> = series
        .points
        .iter()
        .map(|point| format!("{} {}", moment_text(words, &point.at), point.value))
        .collect();
    html! {
        <div class="table-scroll newest" tabindex="0" role="region" aria-label={words.with("trend-title", &[("name", series.name.as_str().into())])}>
        <svg class="trend" viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img" aria-label={words.list(&spoken)}>
            if let Some((top, bottom)) = band(series) {
                <rect class="band" x={WALL.to_string()} y={top.to_string()} width={(WIDTH - WALL).to_string()} height={(bottom - top).max(0.0).to_string()} />
                if let Some(range) = last.range.as_ref().and_then(|range| range_text(words, range)) {
                    <text class="band-name" x={(WALL + 10.0).to_string()} y={band_name(top, bottom).to_string()}>
                        { words.with("trend-range", &[("range", range.into())]) }
                    </text>
                }
            }
            { for series.low.iter().chain(&series.high).map(|limit| html! {
                <line class="dash" x1={WALL.to_string()} x2={WIDTH.to_string()} y1={up(limit.y).to_string()} y2={up(limit.y).to_string()} />
            }) }
            <line class="axis" x1={WALL.to_string()} x2={WIDTH.to_string()} y1={FLOOR.to_string()} y2={FLOOR.to_string()} />
            { for series.ticks.iter().map(|tick| html! {
                <text x={(WALL - 10.0).to_string()} y={(up(tick.y) + 4.5).to_string()} text-anchor="end">{ &tick.text }</text>
            }) }
            <path class="path" d={line(series)} />
            { for series.points.iter().zip(&places).zip(dated).map(|((point, x), dated)| html! {<>
                <svg x={x.to_string()} y={up(point.y).to_string()} width="1" height="1" overflow="visible">{ marker(shape(point)) }</svg>
                if dated { <text x={x.to_string()} y={(FLOOR + 22.0).to_string()} text-anchor="middle">{ short_date(&point.at) }</text> }
            </>}) }
            <text class={classes!("last", standing.class())} x={(across(last.x) + 12.0).to_string()} y={last_name(up(last.y), standing == Standing::Low).to_string()} text-anchor="end">
                { format!("{}{arrow}", last.value) }
            </text>
        </svg>
        </div>
    }
}

fn table(series: &Series, words: &Words) -> Html {
    html! {
        <table class="table">
            <thead>
                <tr>
                    <th scope="col">{ words.say("trend-date") }</th>
                    <th scope="col" class="figure">{ words.say("labs-result") }</th>
                    <th scope="col">{ words.say("labs-verdict") }</th>
                </tr>
            </thead>
            <tbody>
                { for series.points.iter().rev().map(|point| html! {
                    <tr>
                        <td>{ moment_text(words, &point.at) }</td>
                        <td class="figure"><strong>{ &point.value }</strong></td>
                        <td>{ verdict_word(words, point.verdict) }</td>
                    </tr>
                }) }
            </tbody>
        </table>
    }
}
