//! A QR code as one SVG path, error correction M as PROTOCOL §4 asks, four modules of quiet zone.

use std::fmt::Write as _;

use qrcode::{EcLevel, QrCode};

/// A drawn code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Modules a side, without the quiet zone.
    pub modules: usize,
    /// The dark modules, as runs.
    pub path: String,
}

/// Modules of quiet zone on each side.
pub const QUIET: usize = 4;

/// Draws a text; none where it doesn't fit a code at all.
pub fn draw(text: &str) -> Option<Drawn> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
    let modules = code.width();
    let mut path = String::with_capacity(modules * modules * 4);
    for y in 0..modules {
        let mut x = 0;
        while x < modules {
            let start = x;
            while x < modules && code[(x, y)] == qrcode::Color::Dark {
                x += 1;
            }
            if x > start {
                let run = x - start;
                // Writing to a String never fails.
                let _ = write!(path, "M{start} {y}h{run}v1h-{run}z");
            }
            x += 1;
        }
    }
    Some(Drawn { modules, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_begins_with_its_finder_pattern() {
        let drawn = draw("https://patient.localhost/t#AAAA").expect("a short link fits");
        assert!(drawn.path.starts_with("M0 0h7v1h-7z"));
        assert!(drawn.modules >= 21);
    }

    #[test]
    fn what_fits_no_code_is_not_drawn() {
        assert_eq!(draw(&"x".repeat(4000)), None);
    }
}
