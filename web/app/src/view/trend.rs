//! Where a series' places (0 to 1, from wallet-core) stand in the plot's box.

use suishen_bridge::fhir::Series;

/// Width of the box.
pub const WIDTH: f64 = 400.0;
/// Height of the box.
pub const HEIGHT: f64 = 200.0;
/// Left edge of the plot.
pub const WALL: f64 = 46.0;
/// Upper edge.
pub const TOP: f64 = 30.0;
/// Lower edge.
pub const FLOOR: f64 = 170.0;
const INSET: f64 = 10.0;

/// From the time axis to the box.
pub fn across(x: f64) -> f64 {
    WALL + INSET + x.clamp(0.0, 1.0) * (WIDTH - WALL - 2.0 * INSET - 12.0)
}

/// From the value axis to the box.
pub fn up(y: f64) -> f64 {
    FLOOR - y.clamp(0.0, 1.0) * (FLOOR - TOP)
}

/// The line through the points.
pub fn line(series: &Series) -> String {
    let points: Vec<_> =
        series.points.iter().map(|point| format!("{:.1} {:.1}", across(point.x), up(point.y))).collect();
    format!("M{}", points.join("L"))
}

/// Where the range's name stands: within the band, or above it where the band is too narrow.
pub fn band_name(top: f64, bottom: f64) -> f64 {
    if bottom - top >= 28.0 { bottom - 10.0 } else { top - 7.0 }
}

/// Where the newest value is written: above its marker, or below a low one where there is room.
pub fn last_name(y: f64, low: bool) -> f64 {
    if low && y + 26.0 < FLOOR { y + 26.0 } else { (y - 16.0).max(TOP - 14.0) }
}

/// Top and bottom of the shaded range, where the last point has one.
pub fn band(series: &Series) -> Option<(f64, f64)> {
    match (&series.low, &series.high) {
        (None, None) => None,
        (low, high) => {
            Some((high.as_ref().map_or(TOP, |high| up(high.y)), low.as_ref().map_or(FLOOR, |low| up(low.y))))
        }
    }
}

/// Which of the points get their date written: at most six, none over another, the last always.
pub fn dated(places: &[f64]) -> Vec<bool> {
    const APART: f64 = 54.0;
    let mut dated = vec![false; places.len()];
    let mut next = f64::INFINITY;
    for (index, place) in places.iter().enumerate().rev() {
        if next - place >= APART {
            dated[index] = true;
            next = *place;
        }
    }
    dated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_inside_the_box() {
        for part in [-1.0, 0.0, 0.5, 1.0, 7.0] {
            assert!((WALL..=WIDTH).contains(&across(part)));
            assert!((TOP..=FLOOR).contains(&up(part)));
        }
        assert!(up(1.0) < up(0.0));
    }

    #[test]
    fn dates_never_stand_over_each_other_and_the_last_is_always_written() {
        let places: Vec<f64> = (0..40).map(|n| across(f64::from(n) / 39.0)).collect();
        let dated = dated(&places);
        assert!(dated[39] && dated.iter().filter(|written| **written).count() <= 7);
    }
}
