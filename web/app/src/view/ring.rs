//! The countdown ring around a code: a rounded square that drains clockwise from the top on ledger time, and the
//! moments at which the time left is spoken.

/// The ring's path for a square of `size` with corners of `radius`, begun at the middle of the top, clockwise.
pub fn path(inset: f64, size: f64, radius: f64) -> String {
    let (far, straight) = (inset + size, size - 2.0 * radius);
    let middle = inset + size / 2.0;
    let half = straight / 2.0;
    format!(
        "M{middle} {inset}h{half}a{radius} {radius} 0 0 1 {radius} {radius}v{straight}a{radius} {radius} 0 0 1 -{radius} \
         {radius}h-{straight}a{radius} {radius} 0 0 1 -{radius} -{radius}v-{straight}a{radius} {radius} 0 0 1 {radius} \
         -{radius}h{half}",
        middle = middle.min(far)
    )
}

/// Dash and offset (of a path length of 100) that show what is left.
pub fn dash(left: u64, whole: u64) -> (String, String) {
    let whole = whole.max(1);
    let hundredths = u32::try_from(left.min(whole) * 10_000 / whole).unwrap_or_default();
    let part = f64::from(hundredths) / 100.0;
    (format!("{part} 200"), format!("{}", part - 100.0))
}

/// Whether the time left is spoken at this second: at 5 minutes, 1 minute and 20 seconds.
pub fn is_spoken(left: u64) -> bool {
    matches!(left, 300 | 60 | 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_ring_is_whole_and_a_spent_one_empty() {
        assert_eq!(dash(1800, 1800), ("100 200".to_owned(), "0".to_owned()));
        assert_eq!(dash(0, 1800), ("0 200".to_owned(), "-100".to_owned()));
        assert_eq!(dash(450, 1800), ("25 200".to_owned(), "-75".to_owned()));
    }

    #[test]
    fn more_left_than_there_was_is_still_a_whole_ring() {
        assert_eq!(dash(2000, 1800).0, "100 200");
        assert_eq!(dash(5, 0).0, "100 200");
    }
}
