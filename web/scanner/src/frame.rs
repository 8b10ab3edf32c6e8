//! A greyscale frame and the QR codes in it (ISO/IEC 18004).

use std::fmt;

/// Luma of a camera's frame or of a picture, rows from the top.
pub struct Frame {
    luma: Vec<u8>,
    width: usize,
    height: usize,
}

/// The bytes do not make a picture of that size.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAFrame;

impl fmt::Display for NotAFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the picture's bytes do not fit its width and height")
    }
}

impl std::error::Error for NotAFrame {}

impl Frame {
    /// A frame from RGBA. Transparent is white, as paper is.
    pub fn from_rgba(rgba: &[u8], width: usize, height: usize) -> Result<Self, NotAFrame> {
        let pixels = width.checked_mul(height).ok_or(NotAFrame)?;
        if pixels == 0 || Some(rgba.len()) != pixels.checked_mul(4) {
            return Err(NotAFrame);
        }
        Ok(Self { luma: rgba.chunks_exact(4).map(luma).collect(), width, height })
    }

    /// A frame from luma alone.
    pub fn from_luma(luma: Vec<u8>, width: usize, height: usize) -> Result<Self, NotAFrame> {
        if luma.is_empty() || Some(luma.len()) != width.checked_mul(height) {
            return Err(NotAFrame);
        }
        Ok(Self { luma, width, height })
    }

    /// The content of every code that can be read.
    pub fn codes(&self) -> Vec<Vec<u8>> {
        self.read(|value| value)
    }

    fn read(&self, tone: impl Fn(u8) -> u8) -> Vec<Vec<u8>> {
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height, |x, y| {
            tone(self.luma[y * self.width + x])
        });
        let mut codes = Vec::new();
        for grid in image.detect_grids() {
            let mut bytes = Vec::new();
            if grid.decode_to(&mut bytes).is_ok() && !codes.contains(&bytes) {
                codes.push(bytes);
            }
        }
        codes
    }
}

/// Luma after ITU-R BT.601 in integers, over white.
fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue, alpha] = [pixel[0], pixel[1], pixel[2], pixel[3]].map(u32::from);
    let grey = (77 * red + 150 * green + 29 * blue) >> 8;
    let over_white = (grey * alpha + 255 * (255 - alpha)) / 255;
    u8::try_from(over_white).expect("a mean of bytes is a byte")
}
