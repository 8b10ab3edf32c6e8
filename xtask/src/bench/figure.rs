//! A measured figure, what it is held against, and how both are printed.

use serde_json::{Value, json};

/// What a figure is counted in, and whether more of it is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds, printed in what fits; less is better.
    Nanoseconds,
    /// Milliseconds; less is better.
    Milliseconds,
    /// So many a second; more is better.
    PerSecond,
    /// Megabytes (10⁶ bytes); less is better.
    Megabytes,
    /// Bytes, printed in what fits; less is better.
    Bytes,
    /// There and back; less is better.
    RoundTrips,
    /// So many of a known number; more is better.
    Count,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Milliseconds => "ms",
            Self::PerSecond => "1/s",
            Self::Megabytes => "MB",
            Self::Bytes => "B",
            Self::RoundTrips => "round trips",
            Self::Count => "",
        }
    }

    fn is_better_with_more(self) -> bool {
        matches!(self, Self::PerSecond | Self::Count)
    }

    /// A value in words.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Nanoseconds if value < 1e3 => format!("{value:.0} ns"),
            Self::Nanoseconds if value < 1e6 => format!("{:.0} µs", value / 1e3),
            Self::Nanoseconds if value < 1e9 => format!("{:.2} ms", value / 1e6),
            Self::Nanoseconds => format!("{:.2} s", value / 1e9),
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::PerSecond => format!("{value:.0} /s"),
            Self::Megabytes => format!("{value:.1} MB"),
            Self::Bytes if value < 1e4 => format!("{value:.0} B"),
            Self::Bytes if value < 1e6 => format!("{:.0} kB", value / 1e3),
            Self::Bytes => format!("{:.2} MB", value / 1e6),
            Self::RoundTrips | Self::Count => format!("{value:.0}"),
        }
    }
}

/// What would be good enough.
#[derive(Clone, Copy, PartialEq)]
pub enum Target {
    /// The ratio to the peer, at least.
    Ratio(f64),
    /// The value, at most.
    AtMost(f64),
    /// The value, at least.
    AtLeast(f64),
    /// Nothing is promised.
    None,
}

/// One line of a table.
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much it came to.
    pub value: f64,
    /// In what.
    pub unit: Unit,
    /// Who else was measured in the same run, and how much that came to.
    pub peer: Option<(String, f64)>,
    /// What would be good enough.
    pub target: Target,
}

impl Figure {
    /// How many times as good as the peer; 1 is the same.
    pub fn ratio(&self) -> Option<f64> {
        let (_, peer) = self.peer.as_ref()?;
        Some(if self.unit.is_better_with_more() { self.value / peer } else { peer / self.value })
    }

    /// Whether the target is met; none where there is no target, or no peer to hold the figure against.
    pub fn is_met(&self) -> Option<bool> {
        match self.target {
            Target::Ratio(least) => self.ratio().map(|ratio| ratio >= least),
            Target::AtMost(most) => Some(self.value <= most),
            Target::AtLeast(least) => Some(self.value >= least),
            Target::None => None,
        }
    }

    fn target_shown(&self) -> String {
        match self.target {
            Target::Ratio(least) => format!("≥ {least:.2} ×"),
            Target::AtMost(most) => format!("≤ {}", self.unit.show(most)),
            Target::AtLeast(least) => format!("≥ {}", self.unit.show(least)),
            Target::None => String::new(),
        }
    }

    fn cells(&self) -> [String; 7] {
        let (who, peer) = self
            .peer
            .as_ref()
            .map_or_else(Default::default, |(who, value)| (who.clone(), self.unit.show(*value)));
        let ratio = self.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2} ×"));
        let verdict = self.is_met().map_or("", |met| if met { "met" } else { "behind" });
        [self.name.clone(), self.unit.show(self.value), peer, who, ratio, self.target_shown(), verdict.into()]
    }

    fn json(&self) -> Value {
        let (target, of) = match self.target {
            Target::Ratio(least) => (Some(least), Some("ratio")),
            Target::AtMost(bound) | Target::AtLeast(bound) => (Some(bound), Some("value")),
            Target::None => (None, None),
        };
        json!({
            "name": self.name, "value": self.value, "unit": self.unit.name(),
            "peer": self.peer.as_ref().map(|(who, _)| who), "peer_value": self.peer.as_ref().map(|(_, value)| value),
            "ratio": self.ratio(), "target": target, "target_of": of, "met": self.is_met(),
        })
    }
}

/// The figures of one area.
pub struct Table {
    /// The area.
    pub title: &'static str,
    /// What a reader should know about them, a line each.
    pub notes: Vec<String>,
    /// The lines.
    pub figures: Vec<Figure>,
}

const HEAD: [&str; 7] = ["figure", "measured", "peer's", "peer", "ratio", "target", ""];

impl Table {
    /// Prints it with columns as wide as they need be.
    pub fn print(&self) {
        println!("\n{}", self.title);
        let rows: Vec<[String; 7]> =
            std::iter::once(HEAD.map(str::to_owned)).chain(self.figures.iter().map(Figure::cells)).collect();
        let widths: [usize; 7] = std::array::from_fn(|column| {
            rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
        });
        for row in rows {
            let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
                // Words to the left, numbers to the right.
                if matches!(column, 0 | 3 | 6) {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
            println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        self.notes.iter().for_each(|note| println!("  {note}"));
    }
}

/// All tables as one object: area to figures.
pub fn json(tables: &[Table]) -> Value {
    let areas = tables.iter().map(|table| {
        let figures: Vec<Value> = table.figures.iter().map(Figure::json).collect();
        (table.title.to_owned(), json!({ "figures": figures, "notes": table.notes }))
    });
    Value::Object(areas.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(unit: Unit, value: f64, peer: Option<f64>, target: Target) -> Figure {
        Figure { name: "f".into(), value, unit, peer: peer.map(|value| ("p".into(), value)), target }
    }

    #[test]
    fn half_the_time_and_twice_the_rate_are_both_a_ratio_of_two() {
        let ratio = |unit, value| figure(unit, value, Some(10.0), Target::None).ratio();
        assert_eq!(ratio(Unit::Nanoseconds, 5.0), Some(2.0));
        assert_eq!(ratio(Unit::PerSecond, 20.0), Some(2.0));
    }

    #[test]
    fn a_figure_is_judged_by_its_target_and_not_without_the_peer_that_it_needs() {
        let judged = |peer, target| figure(Unit::Milliseconds, 5.0, peer, target).is_met();
        assert_eq!(judged(None, Target::AtMost(5.0)), Some(true));
        assert_eq!(judged(None, Target::AtMost(4.9)), Some(false));
        assert_eq!(judged(None, Target::AtLeast(5.0)), Some(true));
        assert_eq!(judged(None, Target::AtLeast(5.1)), Some(false));
        assert_eq!(judged(Some(5.0), Target::Ratio(1.0)), Some(true));
        assert_eq!(judged(Some(4.0), Target::Ratio(1.0)), Some(false));
        assert_eq!(judged(None, Target::Ratio(1.0)), None);
        assert_eq!(judged(Some(5.0), Target::None), None);
    }
}
