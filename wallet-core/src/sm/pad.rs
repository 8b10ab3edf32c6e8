//! One padding for all sizes (PROTOCOL §1): Padmé (Nikitin et al., PETS 2019, algorithm 1), least 512 bytes.
//! A length then tells at most log₂ log₂ of itself, at a cost of at most a sixteenth.
//!
//! The text is followed by one byte 80 and zeros (ISO/IEC 7816-4). What is removed is checked to be exactly
//! that, so a text has one padded form. Padding hides sizes only under encryption: pad, then encrypt.

use super::SmError;
use zeroize::Zeroizing;

/// The least size of anything padded, in bytes.
pub const LEAST: u64 = 512;

const MARK: &[u8] = &[0x80];
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// The size, padded, of a text of `len` bytes.
pub const fn padded_len(len: u64) -> u64 {
    let least = if len < LEAST { LEAST } else { len + 1 };
    let exponent = least.ilog2();
    let mask = (1 << (exponent - (exponent.ilog2() + 1))) - 1;
    (least + mask) & !mask
}

/// The text with its padding.
pub fn pad(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let size = usize::try_from(padded_len(text.len() as u64))
        .expect("a text in memory leaves room for a sixteenth more");
    fill(text, size)
}

/// The text without the padding that [`pad`] gave it.
pub fn unpad(padded: &[u8]) -> Result<&[u8], SmError> {
    let text = strip(padded)?;
    if padded_len(text.len() as u64) == padded.len() as u64 { Ok(text) } else { Err(SmError::Padding) }
}

/// The text padded to exactly `size`, which is more than its length, or [`SmError::Padding`].
pub fn pad_to(text: &[u8], size: usize) -> Result<Zeroizing<Vec<u8>>, SmError> {
    if text.len() < size { Ok(fill(text, size)) } else { Err(SmError::Padding) }
}

/// The text without the padding that [`pad_to`] gave it.
pub fn unpad_from(padded: &[u8], size: usize) -> Result<&[u8], SmError> {
    if padded.len() == size { strip(padded) } else { Err(SmError::Padding) }
}

/// The bytes that follow a text of `len` bytes, in pieces, for a text that is never whole in memory.
pub fn padding(len: u64) -> impl Iterator<Item = &'static [u8]> {
    let mut zeros = padded_len(len) - len - 1;
    let pieces = core::iter::from_fn(move || {
        let piece = zeros.min(ZEROS.len() as u64);
        zeros -= piece;
        (piece > 0).then(|| &ZEROS[..usize::try_from(piece).unwrap_or(ZEROS.len())])
    });
    core::iter::once(MARK).chain(pieces)
}

/// Takes a padded text of known length piece by piece and gives back the text.
#[derive(Clone, Copy, Debug)]
pub struct Unpadding {
    len: u64,
    position: u64,
}

impl Unpadding {
    /// Awaits the padded form of a text of `len` bytes.
    pub const fn new(len: u64) -> Self {
        Self { len, position: 0 }
    }

    /// The part of this piece that is text; the rest must be padding.
    pub fn take<'p>(&mut self, piece: &'p [u8]) -> Result<&'p [u8], SmError> {
        let left = usize::try_from(self.len.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let (text, rest) = piece.split_at(piece.len().min(left));
        self.position += text.len() as u64;
        for byte in rest {
            if *byte != if self.position == self.len { 0x80 } else { 0 } {
                return Err(SmError::Padding);
            }
            self.position += 1;
        }
        Ok(text)
    }

    /// Whether text and padding came whole, and nothing after them.
    pub const fn finish(self) -> Result<(), SmError> {
        if self.position == padded_len(self.len) { Ok(()) } else { Err(SmError::Padding) }
    }
}

fn fill(text: &[u8], size: usize) -> Zeroizing<Vec<u8>> {
    let mut padded = Zeroizing::new(Vec::with_capacity(size));
    padded.extend_from_slice(text);
    padded.extend_from_slice(MARK);
    padded.resize(size, 0);
    padded
}

fn strip(padded: &[u8]) -> Result<&[u8], SmError> {
    let mark = padded.iter().rposition(|b| *b != 0).ok_or(SmError::Padding)?;
    if padded[mark] == 0x80 { Ok(&padded[..mark]) } else { Err(SmError::Padding) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_those_of_padme() {
        for (len, size) in [(0, 512), (511, 512), (512, 544), (543, 544), (544, 576), (1023, 1024)] {
            assert_eq!(padded_len(len), size, "{len}");
        }
        assert_eq!(padded_len(500_000_000), 503_316_480);
        // One MiB and a byte: 21 bits, of which 5 for the exponent stay free.
        assert_eq!(padded_len(1 << 20), (1 << 20) + (1 << 15));
    }

    #[test]
    fn a_changed_mark_or_filling_and_a_wrong_size_are_refused() {
        let padded = pad(b"text");
        for i in 4..512 {
            let mut changed = padded.clone();
            changed[i] ^= 0x40;
            assert_eq!(unpad(&changed), Err(SmError::Padding), "byte {i}");
        }
        assert_eq!(unpad(&padded[..511]), Err(SmError::Padding));
        assert_eq!(unpad(&[padded.as_slice(), &[0]].concat()), Err(SmError::Padding));
        assert_eq!(unpad(&[0; 512]), Err(SmError::Padding));
        assert_eq!(unpad(&[]), Err(SmError::Padding));
    }

    #[test]
    fn a_fixed_size_holds_one_byte_less_than_itself() {
        assert_eq!(unpad_from(&pad_to(&[7; 99], 100).unwrap(), 100), Ok([7; 99].as_slice()));
        assert_eq!(pad_to(&[7; 100], 100), Err(SmError::Padding));
        assert_eq!(unpad_from(&pad_to(b"", 100).unwrap(), 101), Err(SmError::Padding));
    }

    #[test]
    fn a_text_that_ends_like_padding_comes_back_whole() {
        for text in [b"\x80".as_slice(), b"\x80\0\0", b"\0\0", b"a\x80"] {
            assert_eq!(unpad(&pad(text)).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn padding_comes_off_again(text in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let padded = pad(&text);
            prop_assert_eq!(unpad(&padded).unwrap(), &text);
        }

        #[test]
        fn a_size_costs_less_than_an_eighth(len in 512_u64..1 << 50) {
            let size = padded_len(len);
            prop_assert!(size > len && size - len <= len / 8 + 1);
            prop_assert_eq!(padded_len(size - 1), size);
        }

        #[test]
        fn pieces_give_the_same_as_the_whole(len in 0..300_000_usize, piece in 1..70_000_usize) {
            let text = vec![0x80; len];
            let mut padded = text.clone();
            padding(len as u64).for_each(|p| padded.extend_from_slice(p));
            prop_assert!(padded == *pad(&text));
            let (mut unpadding, mut out) = (Unpadding::new(len as u64), Vec::new());
            for p in padded.chunks(piece) {
                out.extend_from_slice(unpadding.take(p).unwrap());
            }
            prop_assert!(out == text && unpadding.finish().is_ok());
            let (mut short, mut long) = (Unpadding::new(len as u64), Unpadding::new(len as u64));
            short.take(&padded[..padded.len() - 1]).unwrap();
            prop_assert!(short.finish().is_err());
            long.take(&padded).unwrap();
            prop_assert!(long.take(&[0]).is_err() || long.finish().is_err());
        }
    }
}
