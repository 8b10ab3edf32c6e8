//! Pictures that others published: a SMART Health Card and two SMART Health Links.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use suishen_scanner::Frame;

/// The folder of foreign vectors beside the project, where there is one.
fn vectors() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("no foreign vectors at ../shared/vectors: nothing is tested here");
    None
}

fn png(file: &Path) -> Frame {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(file).unwrap()));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let rgba: Vec<u8> = match info.color_type {
        png::ColorType::GrayscaleAlpha => {
            bytes.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect()
        }
        _ => bytes,
    };
    Frame::from_rgba(&rgba, info.width, info.height).unwrap()
}

fn jpeg(file: &Path) -> Frame {
    let mut decoder = jpeg_decoder::Decoder::new(BufReader::new(File::open(file).unwrap()));
    let bytes = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let rgba: Vec<u8> = match info.pixel_format {
        jpeg_decoder::PixelFormat::L8 => bytes.iter().flat_map(|l| [*l, *l, *l, 255]).collect(),
        _ => bytes.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect(),
    };
    Frame::from_rgba(&rgba, info.width.into(), info.height.into()).unwrap()
}

fn only_text(frame: &Frame) -> String {
    let codes = frame.codes();
    assert_eq!(codes.len(), 1, "one code is in the picture");
    String::from_utf8(codes[0].clone()).unwrap()
}

#[test]
fn a_scaled_picture_of_a_smart_health_card_is_read_digit_by_digit() {
    let Some(dir) = vectors() else { return };
    let dir = dir.join("smart-health-cards");
    let text = only_text(&jpeg(&dir.join("test-example-00-g-qr-code-0-scaled-85.jpg")));
    let digits = text.strip_prefix("shc:/").expect("a health card");
    assert!(digits.len() > 1000 && digits.bytes().all(|digit| digit.is_ascii_digit()), "{text}");
}

#[test]
fn smart_health_links_are_read() {
    let Some(dir) = vectors() else { return };
    let dir = dir.join("smart-health-links");
    for name in ["IPS_IG-bundle-01-shl.png", "shlink-qr.png"] {
        assert!(only_text(&png(&dir.join(name))).contains("shlink:/"), "{name}");
    }
    let known = std::fs::read_to_string(dir.join("IPS_IG-bundle-01-shl.txt")).unwrap();
    assert_eq!(only_text(&png(&dir.join("IPS_IG-bundle-01-shl.png"))), known.trim());
}
