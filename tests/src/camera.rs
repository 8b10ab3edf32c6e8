//! A phone's camera, faked: Chromium plays a video file as the camera's picture, and reads it anew each time that a page
//! asks for the camera. What a person holds in front of the camera is drawn into that file.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use qrcode::{EcLevel, QrCode};

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
const FRAMES: usize = 2;
/// A sheet of paper in a room, not pure white.
const PAPER: u8 = 208;
const INK: u8 = 36;
/// The quiet zone that ISO/IEC 18004 asks for, in modules.
const QUIET: usize = 4;

/// The file that a browser takes for its camera.
#[derive(Debug, Clone)]
pub struct Camera {
    file: PathBuf,
}

impl Camera {
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        let camera = Self { file: dir.join("camera.y4m") };
        camera.shows_nothing()?;
        Ok(camera)
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// An empty sheet.
    pub fn shows_nothing(&self) -> Result<()> {
        self.write(&vec![PAPER; WIDTH * HEIGHT])
    }

    /// A QR code with this content, level M as the wallet's own. A page that films already must ask for the camera again.
    pub fn shows(&self, content: impl AsRef<[u8]>) -> Result<()> {
        let code = QrCode::with_error_correction_level(content, EcLevel::M)
            .context("the content fits no QR code")?;
        self.shows_code(&code)
    }

    /// Any QR code.
    pub fn shows_code(&self, code: &QrCode) -> Result<()> {
        let (modules, width) = (code.to_colors(), code.width());
        let scale = HEIGHT / (width + 2 * QUIET);
        let (left, top) = ((WIDTH - width * scale) / 2, (HEIGHT - width * scale) / 2);
        let mut luma = vec![PAPER; WIDTH * HEIGHT];
        for y in 0..width * scale {
            for x in 0..width * scale {
                if modules[(y / scale) * width + x / scale] == qrcode::Color::Dark {
                    luma[(top + y) * WIDTH + left + x] = INK;
                }
            }
        }
        self.write(&luma)
    }

    /// YUV4MPEG2, 4:2:0, without colour.
    fn write(&self, luma: &[u8]) -> Result<()> {
        // Written beside and renamed: Chromium may be reading the file.
        let fresh = self.file.with_extension("new");
        let mut out = std::io::BufWriter::new(std::fs::File::create(&fresh)?);
        writeln!(out, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg")?;
        for _ in 0..FRAMES {
            out.write_all(b"FRAME\n")?;
            out.write_all(luma)?;
            out.write_all(&vec![128; WIDTH * HEIGHT / 2])?;
        }
        out.into_inner()?.sync_data()?;
        Ok(std::fs::rename(&fresh, &self.file)?)
    }
}
