//! Content that is missing here, gathered from every copy that has it, several at once.
//!
//! Each copy is a [`Giver`], whose stream is asked for one section after another and answers in that order. A content of one section comes
//! whole from one giver. A larger one comes from all of them, each giving what no other is giving; every section is held
//! against the outline that its own giver sent with it. Outlines that differ don't mix, so a liar's sections never spoil an honest one's.
//! Nobody is waited for: a giver with nothing else to give is asked, one at a time, for what others are still asked for.
//! What came of a content stays when its giver goes, and the next one goes on from there.

use super::content::{ContentError, ContentFrame, MOST_CONTENT};
use super::section::{Outline, Section};
use crate::id::BlobAddress;
use crate::sm::DigestBuilder;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Sections that one giver is asked for before the first of them is here.
const AHEAD: usize = 16;
/// Of them, those of contents that have several.
const SECTIONS_AHEAD: usize = 4;
/// How often the others are told that content which somebody didn't give is free again, until [`Gathering::forgive`].
const TOLD: u8 = 4;
/// Bytes of large contents that are here in part.
const MOST_IN_PART: u64 = MOST_CONTENT;

/// A copy that gives, while its stream lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Giver(u64);

/// What a frame came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// More must follow.
    More,
    /// Content is whole and true.
    Whole(BlobAddress, Vec<u8>),
    /// This giver doesn't have it, or what it gave of it is something else: it is asked for that no more.
    Lacks(BlobAddress),
}

/// What is wanted, what of it came, and who gives.
#[derive(Debug, Default)]
pub struct Gathering {
    wanted: Vec<Wanted>,
    places: BTreeMap<BlobAddress, usize>,
    /// Large contents that are coming.
    open: BTreeSet<usize>,
    /// Those behind a giver's place in the row that are to be asked for again.
    again: BTreeSet<usize>,
    givers: BTreeMap<Giver, Source>,
    joined: u64,
    /// How often each was asked for in vain.
    denied: BTreeMap<BlobAddress, u8>,
}

#[derive(Debug)]
struct Wanted {
    address: BlobAddress,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody is asked for it.
    Free,
    /// One giver is.
    Asked,
    /// It has several sections.
    Large(Box<Large>),
    /// It came.
    Done,
}

#[derive(Debug, Default)]
struct Large {
    outlines: BTreeMap<Giver, Outline>,
    came: BTreeMap<Section, Vec<u8>>,
    /// Sections, as the last outline had it.
    sections: u32,
}

#[derive(Debug, Default)]
struct Source {
    asked: VecDeque<Ask>,
    coming: Option<Coming>,
    /// All before it in the row were asked for.
    at: usize,
    /// Contents that it doesn't have.
    lacks: BTreeSet<usize>,
    /// Sections that it has otherwise than its own outline says.
    false_ones: BTreeSet<Ask>,
    /// Something that it was asked for is for others.
    freed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ask {
    place: usize,
    number: u32,
}

/// A section that is coming.
#[derive(Debug)]
struct Coming {
    outline: Outline,
    section: Section,
    hash: DigestBuilder,
    bytes: Vec<u8>,
    left: usize,
}

impl Gathering {
    /// Says what is missing: what comes first is asked for first. What came of a large content before stays.
    pub fn want(&mut self, missing: &[BlobAddress]) {
        if self.givers.is_empty() {
            let wanted: BTreeSet<_> = missing.iter().collect();
            let before = core::mem::take(self);
            let begun = before.wanted.into_iter().filter(|one| matches!(one.state, State::Large(_)));
            begun.filter(|one| wanted.contains(&one.address)).for_each(|one| self.add(one));
            (self.joined, self.denied) = (before.joined, before.denied);
        }
        for address in missing {
            if !self.places.contains_key(address) {
                self.add(Wanted { address: *address, state: State::Free });
            }
        }
    }

    fn add(&mut self, wanted: Wanted) {
        let place = self.wanted.len();
        if matches!(wanted.state, State::Large(_)) {
            self.open.insert(place);
        }
        self.places.insert(wanted.address, place);
        self.wanted.push(wanted);
    }

    /// A copy that gives from now on.
    pub fn join(&mut self) -> Giver {
        self.joined += 1;
        self.givers.insert(Giver(self.joined), Source::default());
        Giver(self.joined)
    }

    /// It gives no more; whether others are to be told that what it was asked for is theirs to give.
    pub fn leave(&mut self, giver: Giver) -> bool {
        let Some(mut source) = self.givers.remove(&giver) else { return false };
        for ask in &source.asked {
            self.free(ask.place);
            source.freed |= self.is_denied(ask.place);
        }
        for place in &self.open {
            if let Some(Wanted { state: State::Large(large), .. }) = self.wanted.get_mut(*place) {
                large.outlines.remove(&giver);
            }
        }
        source.freed
    }

    /// What came whole and couldn't be stored is missing again.
    pub fn lost(&mut self, address: &BlobAddress) {
        if let Some(place) = self.places.get(address).copied()
            && let Some(wanted) = self.wanted.get_mut(place)
        {
            wanted.state = State::Asked;
            self.free(place);
        }
    }

    /// What nobody gave may have come to somebody since.
    pub fn forgive(&mut self) {
        self.denied.clear();
    }

    /// Whether it has been asked for something that it hasn't answered in full.
    pub fn awaits(&self, giver: Giver) -> bool {
        self.givers.get(&giver).is_some_and(|source| !source.asked.is_empty())
    }

    /// The frame that asks this giver for more; none when it has been asked for enough, or for all.
    pub fn ask(&mut self, giver: Giver) -> Option<Vec<u8>> {
        if self.givers.get(&giver)?.asked.len() >= AHEAD {
            return None;
        }
        let ask = self.next_section(giver).or_else(|| self.next_content(giver));
        let ask = ask.or_else(|| self.what_others_are_asked(giver))?;
        let wanted = self.wanted.get_mut(ask.place)?;
        if matches!(wanted.state, State::Free) {
            wanted.state = State::Asked;
        }
        self.givers.get_mut(&giver)?.asked.push_back(ask);
        Some(ContentFrame::Section(wanted.address, ask.number).to_bytes())
    }

    /// The next section of what others are giving, or have given in part.
    fn next_section(&self, giver: Giver) -> Option<Ask> {
        let source = self.givers.get(&giver)?;
        if source.asked.iter().filter(|ask| self.open.contains(&ask.place)).count() >= SECTIONS_AHEAD {
            return None;
        }
        self.open.iter().find_map(|place| {
            let State::Large(large) = &self.wanted.get(*place)?.state else { return None };
            let number = self.next_of(giver, *place, large)?;
            Some(Ask { place: *place, number })
        })
    }

    fn next_of(&self, giver: Giver, place: usize, large: &Large) -> Option<u32> {
        let source = self.givers.get(&giver)?;
        let barred =
            |number| source.denies(place, number) || self.is_asked_for(giver, Ask { place, number }, large);
        let Some(outline) = large.outlines.get(&giver) else {
            // What it has isn't known: something that nobody has given yet, and where there is no such thing, the first.
            let came = |number| large.came.keys().any(|section| section.number() == number);
            let first = || (source.asked.is_empty() && !source.denies(place, 0)).then_some(0);
            return (0..large.sections).find(|n| !came(*n) && !barred(*n)).or_else(first);
        };
        (0..outline.sections()).find(|n| !large.has(outline, *n) && !barred(*n))
    }

    /// Whether a section is being asked for, of this giver itself or of one that may have the same outline.
    fn is_asked_for(&self, giver: Giver, ask: Ask, large: &Large) -> bool {
        let own = large.outlines.get(&giver);
        self.givers.iter().any(|(other, source)| {
            let theirs = large.outlines.get(other);
            let may_be_same = own.is_none() || theirs.is_none() || own == theirs;
            may_be_same && source.asked.contains(&ask)
        })
    }

    /// For a giver with nothing else to give: the last thing that another one is asked for, and may never give.
    fn what_others_are_asked(&self, giver: Giver) -> Option<Ask> {
        let source = self.givers.get(&giver).filter(|source| source.asked.is_empty())?;
        let others = self.givers.values().flat_map(|other| other.asked.iter().rev());
        let open = |ask: &&Ask| {
            !source.denies(ask.place, ask.number)
                && match self.wanted.get(ask.place).map(|wanted| &wanted.state) {
                    None | Some(State::Done) => false,
                    Some(State::Free | State::Asked) => true,
                    Some(State::Large(large)) => {
                        let own = large.outlines.get(&giver);
                        own.is_none_or(|own| own.range(ask.number).is_some() && !large.has(own, ask.number))
                    }
                }
        };
        others.filter(open).copied().next()
    }

    /// The next content that nobody is asked for.
    fn next_content(&mut self, giver: Giver) -> Option<Ask> {
        let source = self.givers.get_mut(&giver)?;
        let free = |source: &Source, place: &usize| {
            let is_free = |wanted: &Wanted| matches!(wanted.state, State::Free);
            self.wanted.get(*place).is_some_and(is_free) && !source.denies(*place, 0)
        };
        let again = self.again.iter().copied().find(|place| free(source, place));
        let place = again.or_else(|| (source.at..self.wanted.len()).find(|place| free(source, place)));
        match (again, place) {
            (Some(place), _) => drop(self.again.remove(&place)),
            (None, place) => source.at = place.map_or(self.wanted.len(), |place| place + 1),
        }
        place.map(|place| Ask { place, number: 0 })
    }

    /// Takes a frame from a giver. After an error its stream is of no use, and it is to leave.
    pub fn take(&mut self, giver: Giver, frame: &[u8]) -> Result<Gathered, ContentError> {
        let frame = ContentFrame::from_bytes(frame)?;
        let source = self.givers.get_mut(&giver).ok_or(ContentError::Turn)?;
        let ask = *source.asked.front().ok_or(ContentError::Turn)?;
        match (&mut source.coming, frame) {
            (None, ContentFrame::Missing) => {
                source.asked.pop_front();
                source.lacks.insert(ask.place);
                Ok(self.denied(giver, ask.place))
            }
            (None, ContentFrame::Outline(size, midstates)) => {
                let outline = Outline::read(size, midstates)?;
                if let Some(Wanted { state: State::Large(large), .. }) = self.wanted.get(ask.place)
                    && large.outlines.get(&giver).is_some_and(|before| *before != outline)
                {
                    return Err(ContentError::Turn);
                }
                source.coming = Coming::begin(&outline, ask.number);
                if source.coming.is_none() {
                    // It has fewer sections than another had made believe.
                    source.asked.pop_front();
                }
                self.outlined(giver, ask.place, outline);
                Ok(Gathered::More)
            }
            (Some(coming), ContentFrame::Piece(piece)) => {
                coming.left = coming.left.checked_sub(piece.len()).ok_or(ContentError::Large)?;
                coming.hash.update(&piece);
                coming.bytes.extend(piece.iter());
                if coming.left > 0 {
                    return Ok(Gathered::More);
                }
                source.asked.pop_front();
                let came = source.coming.take().ok_or(ContentError::Turn)?;
                Ok(self.came(giver, ask.place, came))
            }
            _ => Err(ContentError::Turn),
        }
    }

    /// How large it is is known now.
    fn outlined(&mut self, giver: Giver, place: usize, outline: Outline) {
        let Some(wanted) = self.wanted.get_mut(place) else { return };
        if outline.sections() > 1 && matches!(wanted.state, State::Free | State::Asked) {
            wanted.state = State::Large(Box::default());
            self.open.insert(place);
        }
        if let State::Large(large) = &mut wanted.state {
            // What was left to this giver, as if it had the same, is for others too.
            let differs = large.outlines.values().any(|theirs| *theirs != outline);
            large.sections = outline.sections();
            let is_first = large.outlines.insert(giver, outline).is_none();
            if differs && is_first && self.is_denied(place) {
                self.givers.entry(giver).and_modify(|source| source.freed = true);
            }
        }
    }

    /// All bytes of a section came.
    fn came(&mut self, giver: Giver, place: usize, came: Coming) -> Gathered {
        let Some(wanted) = self.wanted.get_mut(place) else { return Gathered::More };
        let address = wanted.address;
        if !came.section.holds(came.hash, &address) {
            if let Some(source) = self.givers.get_mut(&giver) {
                source.false_ones.insert(Ask { place, number: came.section.number() });
            }
            return self.denied(giver, place);
        }
        let whole = match &mut wanted.state {
            State::Free | State::Asked if came.outline.sections() == 1 => came.bytes,
            State::Free | State::Asked | State::Done => return Gathered::More,
            State::Large(large) => {
                large.came.insert(came.section, came.bytes);
                let Some(whole) = large.whole() else { return self.bounded(giver, place) };
                whole
            }
        };
        wanted.state = State::Done;
        self.open.remove(&place);
        Gathered::Whole(address, whole)
    }

    /// Content that would take too much room in part is given up, and its giver is asked for it no more.
    fn bounded(&mut self, giver: Giver, place: usize) -> Gathered {
        let in_part = |place: &usize| match self.wanted.get(*place).map(|wanted| &wanted.state) {
            Some(State::Large(large)) => large.came.values().map(|bytes| bytes.len() as u64).sum(),
            _ => 0,
        };
        if self.open.iter().map(in_part).sum::<u64>() <= MOST_IN_PART {
            return Gathered::More;
        }
        if let Some(Wanted { state: State::Large(large), .. }) = self.wanted.get_mut(place) {
            large.came.clear();
        }
        if let Some(source) = self.givers.get_mut(&giver) {
            source.lacks.insert(place);
        }
        self.denied(giver, place)
    }

    /// This giver didn't give what it was asked for.
    fn denied(&mut self, giver: Giver, place: usize) -> Gathered {
        self.free(place);
        let freed = self.is_denied(place);
        let Some(wanted) = self.wanted.get(place) else { return Gathered::More };
        let freed = freed && !matches!(wanted.state, State::Done);
        self.givers.entry(giver).and_modify(|source| source.freed |= freed);
        Gathered::Lacks(wanted.address)
    }

    /// Counts that it was asked for in vain; whether others are told.
    fn is_denied(&mut self, place: usize) -> bool {
        let Some(wanted) = self.wanted.get(place) else { return false };
        let denied = self.denied.entry(wanted.address).or_default();
        *denied = denied.saturating_add(1);
        *denied <= TOLD
    }

    /// Whoever was asked for it doesn't give it. Those that are past it in the row are asked for it all the same.
    fn free(&mut self, place: usize) {
        if let Some(wanted) = self.wanted.get_mut(place)
            && matches!(wanted.state, State::Asked)
        {
            wanted.state = State::Free;
            if self.givers.values().any(|source| source.at > place && !source.denies(place, 0)) {
                self.again.insert(place);
            }
        }
    }
}

impl Source {
    /// Whether it was asked for this section in vain.
    fn denies(&self, place: usize, number: u32) -> bool {
        self.lacks.contains(&place) || self.false_ones.contains(&Ask { place, number })
    }
}

impl Large {
    /// Whether a section of this outline came.
    fn has(&self, outline: &Outline, number: u32) -> bool {
        outline.section(number).is_none_or(|section| self.came.contains_key(&section))
    }

    /// All bytes, when every section of somebody's outline came.
    fn whole(&mut self) -> Option<Vec<u8>> {
        let is_whole = |outline: &&Outline| (0..outline.sections()).all(|number| self.has(outline, number));
        let outline = self.outlines.values().find(is_whole)?.clone();
        let mut whole = Vec::with_capacity(usize::try_from(outline.size()).ok()?);
        for section in (0..outline.sections()).filter_map(|number| outline.section(number)) {
            whole.extend(self.came.remove(&section)?);
        }
        Some(whole)
    }
}

impl Coming {
    /// None where the outline has no such section.
    fn begin(outline: &Outline, number: u32) -> Option<Self> {
        let (range, section) = (outline.range(number)?, outline.section(number)?);
        let left = usize::try_from(range.end - range.start).ok()?;
        Some(Self { outline: outline.clone(), section, hash: section.begin(), bytes: Vec::new(), left })
    }
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
