//! The tests' pictures, read by the scanner and by rqrr: `cargo bench -p suishen-scanner --bench pictures`, or as a table
//! `cargo xtask bench scan`. Prints one JSON object, times in nanoseconds.

#[path = "../tests/film/mod.rs"]
mod film;

use film::{HEIGHT, NEGATIVE, PLAIN, TICKET, WIDTH};
use serde_json::json;
use std::time::{Duration, Instant};
use suishen_scanner::Frame;

/// A picture is read so often; the quickest counts.
const TIMES: usize = 5;

/// A reader of luma: whether it found the ticket.
type Reader = fn(&[u8]) -> bool;

fn main() {
    let views = [film::turned(), film::tilted(), film::distant(), film::blurry(), film::badly_lit()];
    let views = views.into_iter().flatten().map(|(_, view)| view).chain([PLAIN, NEGATIVE]);
    let pictures: Vec<Vec<u8>> = views.map(|view| film::film(TICKET, view)).collect();
    let nothing = vec![128; WIDTH * HEIGHT];
    let (scanner, peer) = (read_all(scanner, &pictures), read_all(rqrr, &pictures));
    // A reader that gives up early on hard pictures must not look quick by it.
    let both = |i: usize| scanner[i].0 && peer[i].0;
    let figures = |readings: &[(bool, Duration)], reader: Reader| {
        let times = (0..pictures.len()).filter(|i| both(*i)).map(|i| readings[i].1).collect();
        json!({
            "read": readings.iter().filter(|(read, _)| *read).count(),
            "median_ns": median(times).as_nanos(),
            "nothing_ns": read(reader, &nothing).1.as_nanos(),
        })
    };
    let figures = json!({
        "pictures": pictures.len(),
        "scanner": figures(&scanner, self::scanner),
        "peer": figures(&peer, rqrr),
    });
    println!("{figures}");
}

fn read_all(reader: Reader, pictures: &[Vec<u8>]) -> Vec<(bool, Duration)> {
    pictures.iter().map(|picture| read(reader, picture)).collect()
}

fn read(reader: Reader, picture: &[u8]) -> (bool, Duration) {
    let once = || {
        let start = Instant::now();
        (reader(picture), start.elapsed())
    };
    let readings: Vec<_> = (0..TIMES).map(|_| once()).collect();
    let quickest = readings.iter().map(|(_, took)| *took).min().unwrap_or_default();
    (readings.iter().all(|(found, _)| *found), quickest)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[allow(clippy::cast_possible_truncation)] // hundreds of pixels
fn scanner(luma: &[u8]) -> bool {
    let frame = Frame::from_luma(luma.to_vec(), WIDTH as u32, HEIGHT as u32);
    frame.is_ok_and(|frame| frame.codes().iter().any(|code| code == TICKET.as_bytes()))
}

fn rqrr(luma: &[u8]) -> bool {
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(WIDTH, HEIGHT, |x, y| luma[y * WIDTH + x]);
    picture.detect_grids().iter().any(|grid| grid.decode().is_ok_and(|(_, content)| content == TICKET))
}
