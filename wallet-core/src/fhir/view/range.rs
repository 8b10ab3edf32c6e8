//! Reference ranges: which one holds, what it says about a value, and where things stand on the bar.
//!
//! **No range in the report: no bar, no verdict.** A range in words is read only where it has one reading.

use super::super::{
    datatype::{CodeableConcept, Quantity},
    element::Decimal,
    observation::ReferenceRange,
};
use super::{Bar, Marker, RangeView, Verdict};

/// A range in figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Limits {
    pub low: Option<Decimal>,
    pub high: Option<Decimal>,
    /// The limits themselves are outside: "below 3.40".
    pub exclusive: bool,
}

/// The one range that holds for this person, as text and as figures. With several ranges, only one typed
/// `normal` is taken; otherwise their texts are shown and nothing is judged.
pub(super) fn choose(ranges: &[ReferenceRange], unit: Option<&str>) -> Option<(RangeView, Limits)> {
    let normal = |r: &&ReferenceRange| r.code.as_ref().is_some_and(|c| c.has("normal"));
    let mut typed = ranges.iter().filter(normal);
    let one = match (ranges, typed.next(), typed.next()) {
        ([], ..) => return None,
        ([one], ..) if one.code.is_none() => one,
        (_, Some(one), None) => one,
        _ => {
            let texts: Vec<String> = ranges.iter().filter_map(several).collect();
            let text = (!texts.is_empty()).then(|| texts.join("; "))?;
            return Some((RangeView { low: None, high: None, text: Some(text) }, Limits::default()));
        }
    };
    let limits = limits(one, unit);
    let text = |d: &Option<Decimal>| d.as_ref().map(|d| d.text().to_owned());
    let view = RangeView { low: text(&limits.low), high: text(&limits.high), text: one.text.clone() };
    (view.low.is_some() || view.high.is_some() || view.text.is_some()).then_some((view, limits))
}

/// A range among several, with what it is for.
fn several(range: &ReferenceRange) -> Option<String> {
    let end = |q: &Option<Quantity>| q.as_ref().and_then(Quantity::text);
    let figures = match (end(&range.low), end(&range.high)) {
        (Some(low), Some(high)) => Some(format!("{low}–{high}")),
        (Some(low), None) => Some(format!("≥{low}")),
        (None, Some(high)) => Some(format!("≤{high}")),
        (None, None) => None,
    };
    let text = range.text.clone().or(figures)?;
    Some(match range.code.as_ref().and_then(CodeableConcept::label) {
        Some(label) => format!("{label}: {text}"),
        None => text,
    })
}

fn limits(range: &ReferenceRange, unit: Option<&str>) -> Limits {
    let exclusive = range.text.as_deref().is_some_and(says_exclusive);
    let in_unit = |q: &Quantity| match (q.unit_text(), unit) {
        (Some(a), Some(b)) => super::row::same_unit(a, b),
        _ => true,
    };
    // A limit in another unit than the value's says nothing about the figure.
    if range.low.iter().chain(&range.high).any(|q| !in_unit(q)) {
        return Limits::default();
    }
    let low = range.low.as_ref().and_then(|q| q.value.clone());
    let high = range.high.as_ref().and_then(|q| q.value.clone());
    if low.is_some() || high.is_some() {
        return Limits { low, high, exclusive };
    }
    range.text.as_deref().and_then(|text| from_words(text, unit)).unwrap_or_default()
}

fn says_exclusive(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with(['<', '＜', '>', '＞']) && !text.contains(['=', '＝']))
        || (["低于", "小于", "高于", "大于"].iter().any(|w| text.starts_with(w)) && !text.contains("等于"))
}

/// Reads `1.04-1.55`, `3.5～5.1 mmol/L`, `<3.40`, `≤ 40`: figures, a sign, and the value's own unit at most.
fn from_words(text: &str, unit: Option<&str>) -> Option<Limits> {
    let text = text.trim().trim_matches(['(', ')', '[', ']', '（', '）']);
    let mut bare = text.trim();
    if let Some(unit) = unit {
        bare = bare.strip_suffix(unit).unwrap_or(bare).trim();
    }
    let number = |s: &str| Decimal::from_text(s.trim()).filter(|d| d.number().is_some());
    for (sign, exclusive) in
        [("<=", false), ("≤", false), ("<", true), ("＜", true), ("低于", true), ("小于", true)]
    {
        if let Some(rest) = bare.strip_prefix(sign) {
            return Some(Limits { low: None, high: Some(number(rest)?), exclusive });
        }
    }
    for (sign, exclusive) in
        [(">=", false), ("≥", false), (">", true), ("＞", true), ("高于", true), ("大于", true)]
    {
        if let Some(rest) = bare.strip_prefix(sign) {
            return Some(Limits { low: Some(number(rest)?), high: None, exclusive });
        }
    }
    for dash in ["--", "-", "–", "—", "~", "～", "至"] {
        // The first character may be a minus sign.
        let Some(at) = bare.char_indices().skip(1).find(|(i, _)| bare[*i..].starts_with(dash)) else {
            continue;
        };
        let (low, high) = (number(&bare[..at.0])?, number(&bare[at.0 + dash.len()..])?);
        return (low.number() < high.number()).then_some(Limits {
            low: Some(low),
            high: Some(high),
            exclusive: false,
        });
    }
    None
}

/// What the range says about a value with its comparator. Nothing where it can't be told.
pub(super) fn judge(value: f64, comparator: Option<&str>, limits: &Limits) -> Verdict {
    let low = limits.low.as_ref().and_then(Decimal::number);
    let high = limits.high.as_ref().and_then(Decimal::number);
    if low.is_none() && high.is_none() {
        return Verdict::None;
    }
    let above = |v: f64| high.is_some_and(|h| v > h || (limits.exclusive && v >= h));
    let below = |v: f64| low.is_some_and(|l| v < l || (limits.exclusive && v <= l));
    let at_or_below_low = low.is_some_and(|l| value <= l);
    let at_or_above_high = high.is_some_and(|h| value >= h);
    match comparator {
        None | Some(">=") if above(value) => Verdict::High,
        None | Some("<=") if below(value) => Verdict::Low,
        None => Verdict::Normal,
        Some("<") if at_or_below_low => Verdict::Low,
        Some("<" | "<=") if low.is_none() && !above(value) => Verdict::Normal,
        Some(">") if at_or_above_high => Verdict::High,
        Some(">" | ">=") if high.is_none() && !below(value) => Verdict::Normal,
        Some(_) => Verdict::None,
    }
}

/// Where a one-sided interval ends, and where a two-sided one lies (LOOK.md's pictures).
const ONE_SIDED: f64 = 0.62;
const LOW_AT: f64 = 0.26;
const HIGH_AT: f64 = 0.74;
/// The mark never leaves the bar.
const MARGIN: f64 = 0.03;

/// The bar of a value in its range, none without figures that can be drawn.
pub(super) fn bar(value: f64, verdict: Verdict, limits: &Limits) -> Option<Bar> {
    let low = limits.low.as_ref().and_then(Decimal::number);
    let high = limits.high.as_ref().and_then(Decimal::number);
    let (start, end, place) = match (low, high) {
        (Some(low), Some(high)) if low < high => {
            (LOW_AT, HIGH_AT, LOW_AT + (value - low) / (high - low) * (HIGH_AT - LOW_AT))
        }
        // One limit gives a scale only against zero.
        (None, Some(high)) if high > 0.0 => (0.0, ONE_SIDED, value / high * ONE_SIDED),
        (Some(low), None) if low > 0.0 => (1.0 - ONE_SIDED, 1.0, value / low * (1.0 - ONE_SIDED)),
        _ => return None,
    };
    let shape = if verdict.is_high() {
        Marker::Above
    } else if verdict.is_low() {
        Marker::Below
    } else {
        Marker::Inside
    };
    let marker = place.clamp(MARGIN, 1.0 - MARGIN);
    marker.is_finite().then_some(Bar {
        start,
        end,
        open_start: low.is_none(),
        open_end: high.is_none(),
        marker,
        shape,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(low: Option<&str>, high: Option<&str>, exclusive: bool) -> Limits {
        let d = |t: Option<&str>| t.and_then(Decimal::from_text);
        Limits { low: d(low), high: d(high), exclusive }
    }

    #[test]
    fn the_marks_stand_where_the_pictures_have_them() {
        let near = |bar: Option<Bar>, at: f64| assert!((bar.unwrap().marker - at).abs() < 0.005, "{bar:?}");
        near(bar(4.05, Verdict::High, &limits(None, Some("3.40"), true)), 0.739);
        near(bar(0.94, Verdict::Low, &limits(Some("1.04"), Some("1.55"), false)), 0.166);
        near(bar(46.0, Verdict::High, &limits(Some("7"), Some("40"), false)), 0.827);
        near(bar(1e12, Verdict::High, &limits(Some("7"), Some("40"), false)), 0.97);
    }

    #[test]
    fn without_figures_there_is_neither_bar_nor_verdict() {
        assert_eq!(bar(1.0, Verdict::None, &Limits::default()), None);
        assert_eq!(judge(1.0, None, &Limits::default()), Verdict::None);
    }

    #[test]
    fn a_limit_is_inside_unless_the_report_says_below() {
        assert_eq!(judge(3.4, None, &limits(None, Some("3.40"), false)), Verdict::Normal);
        assert_eq!(judge(3.4, None, &limits(None, Some("3.40"), true)), Verdict::High);
        assert_eq!(judge(1.04, None, &limits(Some("1.04"), Some("1.55"), false)), Verdict::Normal);
    }

    #[test]
    fn a_value_beyond_what_was_measured_is_judged_only_where_it_can_be() {
        let range = limits(Some("0.5"), Some("5"), false);
        assert_eq!(judge(0.5, Some("<"), &range), Verdict::Low);
        assert_eq!(judge(1.0, Some("<"), &range), Verdict::None);
        assert_eq!(judge(6.0, Some(">"), &range), Verdict::High);
        assert_eq!(judge(1.0, Some("<"), &limits(None, Some("5"), false)), Verdict::Normal);
    }

    #[test]
    fn a_range_in_words_is_read_where_it_has_one_reading() {
        let read = |text| from_words(text, Some("mmol/L"));
        assert_eq!(read("1.04-1.55"), Some(limits(Some("1.04"), Some("1.55"), false)));
        assert_eq!(read("3.5～5.1 mmol/L"), Some(limits(Some("3.5"), Some("5.1"), false)));
        assert_eq!(read("-2-3"), Some(limits(Some("-2"), Some("3"), false)));
        assert_eq!(read("<3.40"), Some(limits(None, Some("3.40"), true)));
        assert_eq!(read("≤40"), Some(limits(None, Some("40"), false)));
        assert_eq!(read("低于 3.40"), Some(limits(None, Some("3.40"), true)));
        for text in ["< 1:80", "Negative", "阴性", "5.1-3.5", "3.5-5.1 g/L", "", "-", "男 3-5 女 2-4"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
