//! Plots as SVG, in line: bars by hour, lines of bars by organisation and month, bars by insurer. Each has a table beside
//! it; each bar has its figure; two kinds of bars differ by fill and outline, not by colour alone.

use super::{
    markup::Markup,
    words::{Language, sum},
};
use crate::audit::{Tables, Thresholds, clock::Month};
use crate::id::PartyId;
use std::collections::{BTreeMap, BTreeSet};

/// Organisations that have a line of their own; all further ones share the last.
const MOST_LINES: usize = 8;
/// Months that are drawn, the newest.
const MOST_MONTHS: usize = 36;
/// Insurers' slots that are drawn.
const MOST_BARS: usize = 16;

/// A share of a length, rounded down; whole where there is nothing to compare with.
fn share(value: u128, of: u128, length: u32) -> u32 {
    let scaled = value.saturating_mul(u128::from(length)).checked_div(of).unwrap_or(0);
    u32::try_from(scaled).unwrap_or(length).min(length)
}

fn bar(m: &mut Markup, class: &'static str, (x, y, width, height): (u32, u32, u32, u32)) {
    m.raw("<rect").attribute("class", class).attribute("x", x).attribute("y", y);
    m.attribute("width", width).attribute("height", height).raw("/>");
}

fn label(m: &mut Markup, class: &'static str, (x, y): (u32, u32), text: impl core::fmt::Display) {
    m.raw("<text").attribute("class", class).attribute("x", x).attribute("y", y).raw(">");
    m.text(text).raw("</text>");
}

fn open(m: &mut Markup, width: u32, height: u32, title: &str) {
    m.raw("<svg role=\"img\"").attribute("viewBox", format_args!("0 0 {width} {height}"));
    m.attribute("aria-label", title).raw(">");
}

/// Reads by hour of the day; the night's hours lie on a band.
pub fn hours(m: &mut Markup, tables: &Tables, thresholds: &Thresholds, language: Language) {
    open(m, 720, 190, language.say("按小时的读取次数", "Reads by hour of the day"));
    let most = tables.hours.iter().copied().max().unwrap_or(0);
    for (hour, reads) in (0u32..).zip(tables.hours) {
        let x = hour * 30;
        // An hour of the day as Unix seconds in China: eight hours ahead of UTC.
        if thresholds.is_night(u64::from((hour + 16) % 24) * 3600) {
            bar(m, "night", (x, 20, 30, 140));
        }
        let height = share(reads.into(), most.into(), 120);
        bar(m, "paid", (x + 5, 160 - height, 20, height));
        if reads > 0 {
            label(m, "mid", (x + 15, 155 - height), reads);
        }
        label(m, "mid axis", (x + 15, 178), hour);
    }
    bar(m, "line", (0, 160, 720, 1));
    m.raw("</svg>");
}

/// Reads by organisation over the months.
pub fn months(m: &mut Markup, tables: &Tables, language: Language) {
    let months: BTreeSet<Month> = tables.months.keys().map(|(month, _)| *month).collect();
    let months: Vec<Month> = months.into_iter().rev().take(MOST_MONTHS).collect();
    let mut by: BTreeMap<&PartyId, u64> = BTreeMap::new();
    for ((_, party), reads) in &tables.months {
        *by.entry(party).or_default() += reads;
    }
    let mut parties: Vec<(&PartyId, u64)> = by.into_iter().collect();
    parties.sort_by_key(|(_, reads)| core::cmp::Reverse(*reads));
    parties.truncate(MOST_LINES);
    let count = u32::try_from(months.len()).unwrap_or(1).max(1);
    let step = (500 / count).min(70);
    let height = 64 * u32::try_from(parties.len()).unwrap_or(1) + 24;
    open(m, 720, height, language.say("各机构按月的读取次数", "Reads by organisation and month"));
    let most = tables.months.values().copied().max().unwrap_or(0);
    for (line, (party, reads)) in (0u32..).zip(&parties) {
        let base = line * 64 + 56;
        label(m, "name", (0, base - 18), tables.named(party));
        label(m, "axis", (0, base), reads);
        for (column, month) in (0u32..).zip(months.iter().rev()) {
            let reads = tables.months.get(&(*month, (*party).clone())).copied().unwrap_or(0);
            let (x, height) = (210 + column * step, share(reads.into(), most.into(), 40));
            bar(m, "paid", (x, base - height, (step - step / 4).max(2), height));
            if reads > 0 && step > 26 {
                label(m, "mid", (x + step * 3 / 8, base - height - 4), reads);
            }
        }
        bar(m, "line", (210, base, 500, 1));
    }
    if let (Some(first), Some(last)) = (months.last(), months.first()) {
        label(m, "axis", (210, height - 6), first);
        if first != last {
            label(m, "end axis", (210 + count * step, height - 6), last);
        }
    }
    m.raw("</svg>");
}

/// What was claimed and paid, by insurer and slot.
pub fn claims(m: &mut Markup, tables: &Tables, language: Language) {
    let rows: Vec<_> = tables.claims.iter().filter(|(key, _)| !key.2.is_empty()).take(MOST_BARS).collect();
    let height = 58 * u32::try_from(rows.len()).unwrap_or(1) + 4;
    open(m, 720, height, language.say("各保险方的申请与支付", "Claimed and paid by insurer and slot"));
    for (line, ((insurer, slot, currency), claims)) in (0u32..).zip(&rows) {
        let y = line * 58;
        let same = rows.iter().filter(|((_, _, other), _)| other == currency);
        let most = same.map(|(_, claims)| claims.claimed.max(claims.paid)).max().unwrap_or(0);
        label(m, "name", (0, y + 16), format_args!("{} · {}", tables.named(insurer), language.slot(*slot)));
        for (row, (class, what, value)) in (0u32..).zip([
            ("claimed", language.say("申请", "claimed"), claims.claimed),
            ("paid", language.say("支付", "paid"), claims.paid),
        ]) {
            let (y, width) = (y + 22 + row * 15, share(value, most, 440));
            bar(m, class, (60, y, width.max(1), 11));
            label(m, "axis", (0, y + 10), what);
            label(m, "axis", (66 + width, y + 10), format_args!("{} {currency}", sum(value)));
        }
    }
    m.raw("</svg>");
}
