//! A greyscale frame and the QR codes in it (ISO/IEC 18004), found and read by the port of zxing-cpp in the crate rxing.
//!
//! Chosen by pictures like those in `tests/`: of 41 it read 36 in 4 ms each at the first look (40 with the others below),
//! rqrr 27 in 30 ms; and it is smaller, 57 KB against 92 as sent.

use std::fmt;

use rxing::common::{DetectorRXingResult, GlobalHistogramBinarizer, HybridBinarizer};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::{Binarizer, Luma8Source};

/// Look at every row: a code may be small.
const TRY_HARDER: bool = true;
/// No least size of a module.
const ANY_SIZE: u32 = 0;

/// Luma of a camera's frame or of a picture, rows from the top.
pub struct Frame {
    luma: Vec<u8>,
    width: u32,
    height: u32,
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

/// One way of looking at a frame.
type Look = fn(&Frame) -> Vec<Vec<u8>>;

impl Frame {
    /// A frame from RGBA. Transparent is white, as paper is.
    pub fn from_rgba(rgba: &[u8], width: u32, height: u32) -> Result<Self, NotAFrame> {
        if !rgba.len().is_multiple_of(4) {
            return Err(NotAFrame);
        }
        Self::from_luma(rgba.chunks_exact(4).map(luma).collect(), width, height)
    }

    /// A frame from luma alone.
    pub fn from_luma(luma: Vec<u8>, width: u32, height: u32) -> Result<Self, NotAFrame> {
        if luma.is_empty() || u64::try_from(luma.len()) != Ok(u64::from(width) * u64::from(height)) {
            return Err(NotAFrame);
        }
        Ok(Self { luma, width, height })
    }

    /// The content of every code that can be read.
    ///
    /// Looks until one way of looking shows a code: by local contrast, which suits most frames; by the whole picture's
    /// histogram, for pale prints; as a negative, for codes white on black; at half the size, against blur and noise.
    pub fn codes(&self) -> Vec<Vec<u8>> {
        let looks: [Look; 4] = [
            |frame| read(&HybridBinarizer::new(frame.source())),
            |frame| read(&GlobalHistogramBinarizer::new(frame.source())),
            |frame| read(&HybridBinarizer::new(frame.negative().source())),
            |frame| read(&HybridBinarizer::new(frame.half().source())),
        ];
        looks.into_iter().map(|look| look(self)).find(|codes| !codes.is_empty()).unwrap_or_default()
    }

    fn source(&self) -> Luma8Source<'_> {
        Luma8Source::new_with_slice(&self.luma, self.width, self.height)
            .expect("a frame's bytes fit its size, as its constructors check")
    }

    fn negative(&self) -> Self {
        Self { luma: self.luma.iter().map(|value| !value).collect(), ..*self }
    }

    /// Every pixel the mean of four.
    fn half(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let row = self.width as usize;
        let luma = (0..width as usize * height as usize).map(|at| {
            let (x, y) = (at % width as usize * 2, at / width as usize * 2);
            let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            let sum: u16 = four.iter().map(|(x, y)| u16::from(self.luma[y * row + x])).sum();
            u8::try_from(sum / 4).expect("a mean of bytes is a byte")
        });
        Self { luma: luma.collect(), width, height }
    }
}

/// Finder patterns, then grids, then content. The reader of the crate itself would go on to guess a character set, whose
/// tables are larger than all the rest; here bytes stay bytes.
fn read(binarizer: &impl Binarizer) -> Vec<Vec<u8>> {
    let Ok(picture) = binarizer.get_black_matrix() else { return Vec::new() };
    let mut patterns = FindFinderPatterns(picture, TRY_HARDER, ANY_SIZE);
    let mut codes = Vec::new();
    for three in GenerateFinderPatternSets(&mut patterns) {
        let Ok(grid) = SampleQR(picture, &three) else { continue };
        let Ok(content) = Decode(grid.getBits()) else { continue };
        let bytes = content.content().bytes().to_vec();
        if content.isValid() && !bytes.is_empty() && !codes.contains(&bytes) {
            codes.push(bytes);
        }
    }
    codes
}

/// Luma after ITU-R BT.601 in integers, over white.
fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue, alpha] = [pixel[0], pixel[1], pixel[2], pixel[3]].map(u32::from);
    let grey = (77 * red + 150 * green + 29 * blue) >> 8;
    let over_white = (grey * alpha + 255 * (255 - alpha)) / 255;
    u8::try_from(over_white).expect("a mean of bytes is a byte")
}
