//! A link as a QR code: for a terminal, as SVG, as PNG. Level M; a ticket must fit version 15 (PROTOCOL §4).

use anyhow::{Context as _, bail};
use qrcode::{
    EcLevel, QrCode, Version,
    render::{svg, unicode::Dense1x2},
};
use std::path::Path;

/// Quiet zone, in modules.
const QUIET: usize = 4;
/// Pixels a module in a PNG.
const SCALE: usize = 8;

fn code(link: &str) -> anyhow::Result<QrCode> {
    let code = QrCode::with_error_correction_level(link, EcLevel::M).context("the link is too long")?;
    match code.version() {
        Version::Normal(version) if version <= 15 => Ok(code),
        _ => bail!("the link is too long for a QR code that phones read well"),
    }
}

/// Two modules a character.
pub fn terminal(link: &str) -> anyhow::Result<String> {
    // Terminals are mostly dark: light modules are drawn, dark ones left.
    Ok(code(link)?
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .quiet_zone(true)
        .build())
}

/// A picture in the form that the file's name asks for.
pub fn image(link: &str, file: &Path) -> anyhow::Result<Vec<u8>> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => {
            let picture = code(link)?.render::<svg::Color<'_>>().min_dimensions(256, 256).build();
            Ok(picture.into_bytes())
        }
        Some("png") => png(&code(link)?),
        _ => bail!("--out takes a file that ends in .svg or .png, or `terminal`, or `link`"),
    }
}

fn png(code: &QrCode) -> anyhow::Result<Vec<u8>> {
    let side = code.width() + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < code.width());
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == qrcode::Color::Dark)
    };
    let pixels: Vec<u8> = (0..side * SCALE)
        .flat_map(|y| (0..side * SCALE).map(move |x| if dark(x / SCALE, y / SCALE) { 0 } else { 255 }))
        .collect();
    let width = u32::try_from(side * SCALE)?;
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_picture_in_the_form_that_the_name_asks_for() {
        let link = "https://wallet.example/t#AAAA";
        assert!(image(link, Path::new("a.svg")).unwrap().starts_with(b"<?xml"));
        assert!(image(link, Path::new("a.png")).unwrap().starts_with(b"\x89PNG"));
        assert!(image(link, Path::new("a.gif")).is_err());
        assert!(terminal(link).unwrap().lines().count() > 10);
        assert!(terminal(&"x".repeat(1000)).is_err());
    }
}
