//! Codes as cameras see them, for the tests and the benchmark: turned, tilted, far away, out of focus, in the dark, in
//! uneven light, in noise.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)] // pixels are small numbers

use qrcode::{Color, EcLevel, QrCode};

/// Pixels in a row of every picture.
pub const WIDTH: usize = 960;
/// Rows of every picture.
pub const HEIGHT: usize = 720;
/// Content of a ticket's length.
pub const TICKET: &str = "https://patient.example.org/t#1Qk7v0cJx2mT9yWZb8uR4sN6aP3dF5gH7jK1lM2nB4vC6xZ8qW0eR5tY7uI9oP1aS3dF5gH7jK\
                      9lM1nB3vC5xZ7qW9eR1tY3uI5oP7aS9dF1gH3jK5lM7nB9vC1xZ3qW5eR7tY9u";

/// How a camera sees a code.
#[derive(Clone, Copy)]
pub struct View {
    /// Pixels a module, in the picture's middle.
    pub module: f32,
    /// Turned in the picture's plane, degrees.
    pub turn: f32,
    /// Tilted out of it around the vertical and the horizontal, degrees.
    pub tilt: (f32, f32),
    /// Radius of the blur, pixels.
    pub blur: usize,
    /// Luma of ink and paper.
    pub tones: (f32, f32),
    /// What is left of the light at the picture's right edge.
    pub falloff: f32,
    /// Noise, at most so far from the truth.
    pub noise: f32,
}

/// From the front, near, sharp, in good light.
pub const PLAIN: View = View {
    module: 6.0,
    turn: 0.0,
    tilt: (0.0, 0.0),
    blur: 0,
    tones: (30.0, 215.0),
    falloff: 1.0,
    noise: 6.0,
};

/// Views by name.
pub type Views = Vec<(String, View)>;

/// Turned in the picture's plane.
pub fn turned() -> Views {
    (0..360).step_by(15).map(|turn| (format!("{turn}°"), View { turn: turn as f32, ..PLAIN })).collect()
}

/// From the side and from below.
pub fn tilted() -> Views {
    let angles =
        [(-40.0, 0.0), (-25.0, 0.0), (25.0, 0.0), (40.0, 0.0), (0.0, -40.0), (0.0, 35.0), (25.0, 25.0)];
    angles.map(|tilt| (format!("{tilt:?}"), View { tilt, turn: 10.0, ..PLAIN })).into()
}

/// From near and from afar.
pub fn distant() -> Views {
    let modules = [1.8, 2.0, 2.5, 3.0, 4.0, 8.0, 10.0];
    modules.map(|module| (format!("{module} px"), View { module, turn: 4.0, ..PLAIN })).into()
}

/// Out of focus.
pub fn blurry() -> Views {
    [1, 2].map(|blur| (format!("radius {blur}"), View { blur, turn: 4.0, ..PLAIN })).into()
}

/// In the dark, in uneven light, in noise.
pub fn badly_lit() -> Views {
    let dark = View { tones: (12.0, 55.0), noise: 8.0, ..PLAIN };
    let pale = View { tones: (150.0, 225.0), noise: 10.0, ..PLAIN };
    let uneven = View { falloff: 0.25, ..PLAIN };
    let noisy = View { noise: 60.0, ..PLAIN };
    let grain = View { noise: 90.0, turn: 4.0, ..PLAIN };
    let views = [("dark", dark), ("pale", pale), ("uneven", uneven), ("noisy", noisy), ("grain", grain)];
    views.map(|(name, view)| (name.to_owned(), view)).into()
}

/// White on black.
pub const NEGATIVE: View = View { tones: (225.0, 25.0), ..PLAIN };

/// Luma of a picture of a code, by a pinhole camera.
pub fn film(content: &str, view: View) -> Vec<u8> {
    let code = QrCode::with_error_correction_level(content, EcLevel::M).unwrap();
    let mut luma = project(&code, view);
    for _ in 0..2 {
        luma = blurred(&luma, view.blur);
    }
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let bytes = luma.iter().enumerate().map(|(at, value)| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let noise = ((seed >> 40) as f32 / (1 << 24) as f32 - 0.5) * 2.0 * view.noise;
        let light = 1.0 - (1.0 - view.falloff) * (at % WIDTH) as f32 / WIDTH as f32;
        (value * light + noise).clamp(0.0, 255.0) as u8
    });
    bytes.collect()
}

fn project(code: &QrCode, view: View) -> Vec<f32> {
    let (modules, size) = (code.to_colors(), code.width());
    let (sin, cos) = view.turn.to_radians().sin_cos();
    let ((sin_y, cos_y), (sin_x, cos_x)) =
        (view.tilt.0.to_radians().sin_cos(), view.tilt.1.to_radians().sin_cos());
    // The code’s plane: two axes in space, seen from a distance of 2.2 times its width.
    let across = [cos * cos_y, sin * cos_x + cos * sin_y * sin_x, sin * sin_x - cos * sin_y * cos_x];
    let down = [-sin * cos_y, cos * cos_x - sin * sin_y * sin_x, cos * sin_x + sin * sin_y * cos_x];
    let distance = 2.2 * size as f32;
    let mut luma = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let mut sum = 0.0;
            for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let px = (x as f32 + dx - WIDTH as f32 / 2.0) / (view.module * distance);
                let py = (y as f32 + dy - HEIGHT as f32 / 2.0) / (view.module * distance);
                let half = size as f32 / 2.0;
                // (u, v) on the plane whose point in space lies on this ray: u·across + v·down + (0, 0, distance) ∥ ray.
                let right = [across[0] - px * across[2], across[1] - py * across[2]];
                let below = [down[0] - px * down[2], down[1] - py * down[2]];
                let determinant = right[0] * below[1] - below[0] * right[1];
                let u = distance * (px * below[1] - below[0] * py) / determinant + half;
                let v = distance * (right[0] * py - px * right[1]) / determinant + half;
                let inside = u >= 0.0 && v >= 0.0 && u < size as f32 && v < size as f32;
                let dark = inside && modules[v as usize * size + u as usize] == Color::Dark;
                sum += if dark { view.tones.0 } else { view.tones.1 };
            }
            luma.push(sum / 4.0);
        }
    }
    luma
}

/// A box filter in both directions; twice makes a fair lens.
fn blurred(luma: &[f32], radius: usize) -> Vec<f32> {
    if radius == 0 {
        return luma.to_vec();
    }
    let pass = |from: &[f32], step: usize, length: usize| -> Vec<f32> {
        (0..from.len())
            .map(|at| {
                let along = at / step % length;
                let (first, last) = (along.saturating_sub(radius), (along + radius).min(length - 1));
                let start = at - along * step;
                (first..=last).map(|i| from[start + i * step]).sum::<f32>() / (last - first + 1) as f32
            })
            .collect()
    };
    pass(&pass(luma, 1, WIDTH), WIDTH, HEIGHT)
}
