//! Content in sections, each held by itself against the content's address.
//!
//! An [`Outline`] says what SM3 has come to after each section. It cuts the hash of the whole into links: a section holds when it
//! leads from the midstate before it to the one after it, the last one when it ends in the address. Where every link holds, the
//! bytes in their order have the address as their digest, whoever wrote the outline: all of the content is hashed once,
//! in any order, and a section that is false is found out by itself.

use super::content::{ContentError, MOST_CONTENT};
use crate::id::BlobAddress;
use crate::sm::{DigestBuilder, Midstate};
use core::ops::Range;
use minicbor::bytes::ByteVec;

/// Bytes of every section but the last.
pub const SECTION: u64 = 1 << 20;
/// The most sections of a content.
pub const MOST_SECTIONS: u32 = 512;
const _: () = assert!(MOST_SECTIONS as u64 * SECTION == MOST_CONTENT);
/// SM3's blocks in a section.
const BLOCKS: u64 = SECTION / 64;

/// SM3 over content, with a midstate after each section.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    hash: DigestBuilder,
    taken: u64,
    midstates: Vec<u8>,
}

impl Sections {
    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = SECTION - self.taken % SECTION;
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let (now, rest) = bytes.split_at(bytes.len().min(room));
            self.hash.update(now);
            self.taken += now.len() as u64;
            if self.taken.is_multiple_of(SECTION)
                && let Some(midstate) = self.hash.midstate()
            {
                self.midstates.extend(midstate.as_bytes());
            }
            bytes = rest;
        }
    }

    /// Bytes that were added.
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// The address of all that was added.
    pub fn address(&self) -> BlobAddress {
        BlobAddress::from_digest(self.hash.clone().finish())
    }

    /// The outline of all that was added.
    pub fn outline(&self) -> Outline {
        let mut midstates = self.midstates.clone();
        // After the last section stands the address.
        midstates.truncate(sections(self.taken).saturating_sub(1) as usize * size_of::<Midstate>());
        Outline { size: self.taken, midstates }
    }
}

/// How large content is, and what SM3 has come to after each section but the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    size: u64,
    midstates: Vec<u8>,
}

/// A section as an outline names it: what it leads from, and to. Two outlines may have it in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Section {
    number: u32,
    from: Option<Midstate>,
    to: Option<Midstate>,
}

impl Outline {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut sections = Sections::default();
        sections.update(bytes);
        sections.outline()
    }

    /// One that somebody gave: 1 to [`MOST_CONTENT`] bytes, and 32 bytes of midstate for each section but the last.
    pub fn read(size: u64, midstates: ByteVec) -> Result<Self, ContentError> {
        if !(1..=MOST_CONTENT).contains(&size) {
            return Err(ContentError::Large);
        }
        if midstates.len() != (sections(size) - 1) as usize * size_of::<Midstate>() {
            return Err(ContentError::Form);
        }
        Ok(Self { size, midstates: midstates.into() })
    }

    /// Bytes of the content.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The midstates, one after the other.
    pub fn midstates(&self) -> ByteVec {
        self.midstates.clone().into()
    }

    /// How many there are.
    pub fn sections(&self) -> u32 {
        sections(self.size)
    }

    /// The bytes of a section; none beyond the last.
    pub fn range(&self, number: u32) -> Option<Range<u64>> {
        let start = u64::from(number) * SECTION;
        (start < self.size).then(|| start..self.size.min(start + SECTION))
    }

    /// The bytes of a section among all of them; none beyond the last, or where these are fewer.
    pub fn cut<'a>(&self, all: &'a [u8], number: u32) -> Option<&'a [u8]> {
        let range = self.range(number)?;
        all.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }

    /// A section; none beyond the last.
    pub fn section(&self, number: u32) -> Option<Section> {
        self.range(number)?;
        let from = number.checked_sub(1).and_then(|before| self.midstate(before));
        Some(Section { number, from, to: self.midstate(number) })
    }

    /// What SM3 has come to after a section; none after the last.
    fn midstate(&self, number: u32) -> Option<Midstate> {
        let (all, _) = self.midstates.as_chunks();
        all.get(number as usize).copied().map(Midstate::from_bytes)
    }
}

impl Section {
    /// Its place among the sections, from 0 on.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// SM3 as it stands before it.
    pub fn begin(&self) -> DigestBuilder {
        let after = |from| DigestBuilder::after(&from, u64::from(self.number) * BLOCKS);
        self.from.map_or_else(DigestBuilder::new, after)
    }

    /// Whether SM3, with all of its bytes added, has come to where it leads.
    pub fn holds(&self, hash: DigestBuilder, address: &BlobAddress) -> bool {
        match self.to {
            Some(to) => hash.midstate() == Some(to),
            None => BlobAddress::from_digest(hash.finish()) == *address,
        }
    }
}

fn sections(size: u64) -> u32 {
    u32::try_from(size.div_ceil(SECTION)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: usize = 1 << 20;

    /// Bytes that differ from place to place.
    fn bytes(size: usize) -> Vec<u8> {
        (0..size).map(|at| at.wrapping_mul(0x9E37_79B9).to_be_bytes()[4]).collect()
    }

    fn holds(section: Section, bytes: &[u8], address: &BlobAddress) -> bool {
        let mut hash = section.begin();
        hash.update(bytes);
        section.holds(hash, address)
    }

    #[test]
    fn every_section_holds_by_itself_and_no_other_bytes_do() {
        assert_eq!(WHOLE as u64, SECTION);
        for size in [1, 63, 64, WHOLE - 1, WHOLE, WHOLE + 1, 3 * WHOLE, 3 * WHOLE + 100] {
            let content = bytes(size);
            let (address, outline) = (BlobAddress::of(&content), Outline::of(&content));
            assert_eq!(Outline::read(outline.size(), outline.midstates()), Ok(outline.clone()));
            assert_eq!(outline.sections() as usize, size.div_ceil(WHOLE));
            for number in 0..outline.sections() {
                let section = outline.section(number).unwrap();
                let mut own = outline.cut(&content, number).unwrap().to_vec();
                assert!(holds(section, &own, &address), "{size}: {number}");
                assert!(!holds(section, &own[..own.len() - 1], &address));
                own[0] ^= 1;
                assert!(!holds(section, &own, &address));
            }
            assert_eq!(
                (outline.range(outline.sections()), outline.section(outline.sections())),
                (None, None)
            );
        }
    }

    #[test]
    fn an_outline_has_a_midstate_for_each_section_but_the_last() {
        let read = |size, midstates: usize| Outline::read(size, vec![0; midstates].into()).map(drop);
        assert_eq!(read(0, 0), Err(ContentError::Large));
        assert_eq!(read(MOST_CONTENT + 1, 0), Err(ContentError::Large));
        assert_eq!(read(MOST_CONTENT, 32 * (MOST_SECTIONS as usize - 1)), Ok(()));
        assert_eq!((read(SECTION, 0), read(SECTION + 1, 32)), (Ok(()), Ok(())));
        for wrong in [0, 31, 33, 64] {
            assert_eq!(read(SECTION + 1, wrong), Err(ContentError::Form));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn an_outline_is_the_same_however_the_bytes_came(size in 1_usize..3 << 20, cut in 1_usize..2 << 20) {
            let content = bytes(size);
            let mut sections = Sections::default();
            content.chunks(cut).for_each(|piece| sections.update(piece));
            prop_assert_eq!(sections.outline(), Outline::of(&content));
            prop_assert_eq!(sections.address(), BlobAddress::of(&content));
            prop_assert_eq!(sections.taken(), size as u64);
        }
    }
}
