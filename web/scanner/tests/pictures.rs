//! Codes as cameras see them are read; what is no code is not.

mod film;

use film::{HEIGHT, NEGATIVE, PLAIN, TICKET, View, WIDTH, film};
use qrcode::{Color, QrCode};
use suishen_scanner::Frame;

fn frame(luma: Vec<u8>, width: usize, height: usize) -> Frame {
    Frame::from_luma(luma, u32::try_from(width).unwrap(), u32::try_from(height).unwrap()).unwrap()
}

fn filmed(content: &str, view: View) -> Frame {
    frame(film(content, view), WIDTH, HEIGHT)
}

fn reads(content: &str, view: View) -> bool {
    filmed(content, view).codes().iter().any(|code| code == content.as_bytes())
}

fn all_read(views: impl IntoIterator<Item = (String, View)>) {
    let missed: Vec<String> =
        views.into_iter().filter(|(_, view)| !reads(TICKET, *view)).map(|(name, _)| name).collect();
    assert!(missed.is_empty(), "not read: {}", missed.join(", "));
}

#[test]
fn a_code_is_read_however_it_is_turned() {
    all_read(film::turned());
}

#[test]
fn a_code_is_read_from_the_side_and_from_below() {
    all_read(film::tilted());
}

#[test]
fn a_code_is_read_from_near_and_from_afar() {
    all_read(film::distant());
}

#[test]
fn a_code_out_of_focus_is_read() {
    all_read(film::blurry());
}

#[test]
fn a_code_in_the_dark_and_in_uneven_light_is_read() {
    all_read(film::badly_lit());
}

#[test]
fn a_code_white_on_black_is_read() {
    assert!(reads(TICKET, NEGATIVE));
}

#[test]
fn a_code_with_the_most_that_a_wallet_shows_is_read() {
    let long = TICKET.repeat(5);
    assert!(reads(&long, View { module: 4.5, turn: 3.0, ..PLAIN }), "{} bytes", long.len());
}

#[test]
fn nothing_is_read_where_there_is_nothing() {
    let grey = frame(vec![128; WIDTH * HEIGHT], WIDTH, HEIGHT);
    assert!(grey.codes().is_empty());
    let stripes = (0..WIDTH * HEIGHT).map(|at| if at / 7 % 2 == 0 { 20 } else { 230 }).collect();
    assert!(frame(stripes, WIDTH, HEIGHT).codes().is_empty());
}

#[test]
fn a_picture_whose_bytes_do_not_fit_its_size_is_refused() {
    assert!(Frame::from_rgba(&[0; 16], 2, 2).is_ok());
    assert!(Frame::from_rgba(&[0; 15], 2, 2).is_err());
    assert!(Frame::from_rgba(&[], 0, 0).is_err());
    assert!(Frame::from_rgba(&[0; 16], u32::MAX, 2).is_err());
}

#[test]
fn bytes_that_are_no_text_come_out_as_they_went_in() {
    // 随身 in GB 18030, as medical bills print it.
    let content = [0xcb, 0xe6, 0xc9, 0xed, 0x00, 0xff];
    let code = QrCode::new(content).unwrap();
    let size = (code.width() + 8) * 4;
    let colors = code.to_colors();
    let luma = (0..size * size).map(|at| {
        let (x, y) = ((at % size / 4).wrapping_sub(4), (at / size / 4).wrapping_sub(4));
        let inside = x < code.width() && y < code.width();
        if inside && colors[y * code.width() + x] == Color::Dark { 0 } else { 255 }
    });
    assert_eq!(frame(luma.collect(), size, size).codes(), [content.to_vec()]);
}
