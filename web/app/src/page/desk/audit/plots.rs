//! Two plots of an audit: reads by hour of the day, and by organisation over the months. Each bar has its figure, each
//! plot its table.

use suishen_bridge::{AuditInstitution, AuditView};
use yew::{Html, html};

use super::tables::plain;
use crate::words::Words;

/// Organisations that have a line of their own.
const MOST_LINES: usize = 8;
/// Months that are drawn, the newest.
const MOST_MONTHS: usize = 24;

/// A share of a length.
fn share(value: u64, of: u64, length: u64) -> u64 {
    value.saturating_mul(length).checked_div(of).unwrap_or(0).min(length)
}

/// The figures of a plot, opened by who wants them; the last column is of figures.
fn as_table(words: &Words, heads: &[&str], rows: Vec<Vec<String>>) -> Html {
    html! {
        <details>
            <summary>{ words.say("audit-as-table") }</summary>
            { plain(heads, rows, words) }
        </details>
    }
}

/// Reads by hour; the night is shaded.
pub fn hours(view: &AuditView, words: &Words) -> Html {
    let most = view.hours.iter().map(|(reads, _)| *reads).max().unwrap_or(0);
    let bars = (0u64..).zip(&view.hours).map(|(hour, (reads, night))| {
        let (x, height) = (hour * 30, share(*reads, most, 120));
        html! {<>
            if *night { <rect class="night" x={x.to_string()} y="20" width="30" height="140" /> }
            <rect class="bar" x={(x + 5).to_string()} y={(160 - height).to_string()} width="20" height={height.to_string()} />
            if *reads > 0 { <text x={(x + 15).to_string()} y={(155 - height).to_string()} text-anchor="middle">{ reads }</text> }
            <text class="axis" x={(x + 15).to_string()} y="178" text-anchor="middle">{ hour }</text>
        </>}
    });
    let read = (0u64..).zip(&view.hours).filter(|(_, (reads, _))| *reads > 0);
    let rows = read.map(|(hour, (reads, _))| vec![format!("{hour}:00–{}:00", hour + 1), reads.to_string()]);
    let rows = rows.collect();
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("audit-by-hour") }</h2>
            <div class="table-scroll" tabindex="0" role="region" aria-label={words.say("audit-by-hour")}>
                <svg class="audit-plot" viewBox="0 0 720 190" role="img" aria-label={words.say("audit-by-hour")}>{ for bars }</svg>
            </div>
            { as_table(words, &["audit-hour", "audit-reads"], rows) }
        </section>
    }
}

/// Reads by organisation over the months.
pub fn months(view: &AuditView, words: &Words) -> Html {
    let lines: Vec<&AuditInstitution> = view.institutions.iter().take(MOST_LINES).collect();
    let mut months: Vec<&str> =
        lines.iter().flat_map(|it| it.months.iter().map(|(month, _)| month.as_str())).collect();
    months.sort_unstable();
    months.dedup();
    let months = months.split_off(months.len().saturating_sub(MOST_MONTHS));
    let most = lines.iter().flat_map(|it| &it.months).map(|(_, reads)| *reads).max().unwrap_or(0);
    let step = (480 / (months.len() as u64).max(1)).min(70);
    let height = 60 * lines.len() as u64 + 22;
    let drawn = (0u64..).zip(&lines).map(|(line, it)| {
        let base = line * 60 + 48;
        let bars = (0u64..).zip(&months).map(|(column, month)| {
            let reads = it.months.iter().find(|(of, _)| of == month).map_or(0, |(_, reads)| *reads);
            let (x, tall) = (230 + column * step, share(reads, most, 34));
            html! {<>
                <rect class="bar" x={x.to_string()} y={(base - tall).to_string()} width={(step - step / 4).max(2).to_string()} height={tall.to_string()} />
                if reads > 0 && step > 26 { <text x={(x + step * 3 / 8).to_string()} y={(base - tall - 4).to_string()} text-anchor="middle">{ reads }</text> }
            </>}
        });
        html! {<>
            <text x="0" y={(base - 8).to_string()}>{ &it.name }</text>
            <rect class="axis" x="230" y={base.to_string()} width="490" height="1" />
            { for bars }
        </>}
    });
    let rows = lines.iter().flat_map(|it| {
        let row = |(month, reads): &(String, u64)| vec![it.name.clone(), month.clone(), reads.to_string()];
        it.months.iter().map(row)
    });
    let rows = rows.collect();
    let ends = months.first().zip(months.last());
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("audit-by-month") }</h2>
            <div class="table-scroll" tabindex="0" role="region" aria-label={words.say("audit-by-month")}>
            <svg class="audit-plot" viewBox={format!("0 0 720 {height}")} role="img" aria-label={words.say("audit-by-month")}>
                { for drawn }
                if let Some((first, last)) = ends {
                    <text class="axis" x="230" y={(height - 6).to_string()}>{ *first }</text>
                    if first != last { <text class="axis" x={(230 + months.len() as u64 * step).to_string()} y={(height - 6).to_string()} text-anchor="end">{ *last }</text> }
                }
            </svg>
            </div>
            { as_table(words, &["audit-organisation", "audit-month", "audit-reads"], rows) }
        </section>
    }
}
