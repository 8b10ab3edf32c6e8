//! How a replica stores the state map: pages of four levels, sixteen slots, found by the hexadecimal digits
//! of the key above them. An update rewrites the pages on its way and nothing else; no page has a version.

use super::{EMPTY, Leaf, MapError, MapKey, MapProof, Prefix, node};
use crate::sm::Digest;
use core::fmt;
use std::collections::BTreeMap;

/// A page's place: the first hexadecimal digits of the keys below it, 0 to 63.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PagePath {
    digits: u8,
    /// Two digits a byte, then zeros.
    bytes: [u8; 32],
}

impl PagePath {
    /// The root's page.
    pub const ROOT: Self = Self { digits: 0, bytes: [0; 32] };

    fn child(mut self, digit: usize) -> Self {
        let at = usize::from(self.digits);
        self.bytes[at / 2] |= u8::try_from(digit).expect("a slot is below 16") << (4 - at % 2 * 4);
        self.digits += 1;
        self
    }

    /// The path as a key for storage: number of digits, then the digits, two a byte.
    pub fn to_bytes(self) -> Vec<u8> {
        let used = usize::from(self.digits).div_ceil(2);
        [&[self.digits], &self.bytes[..used]].concat()
    }
}

impl fmt::Display for PagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = data_encoding::HEXLOWER.encode(&self.bytes);
        write!(f, "/{}", &text[..usize::from(self.digits)])
    }
}

impl fmt::Debug for PagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PagePath({self})")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Slot {
    #[default]
    Empty,
    Leaf(Leaf),
    /// Two leaves or more, in the page below, whose root this is.
    Inner(Digest),
}

/// Four levels of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Page([Slot; 16]);

impl Page {
    /// A bitmap of leaves, one of pages below, then their 64 or 32 bytes in order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (mut leaves, mut inner, mut content) = (0_u16, 0_u16, Vec::new());
        for (i, slot) in self.0.iter().enumerate() {
            match slot {
                Slot::Empty => {}
                Slot::Leaf(leaf) => {
                    leaves |= 1 << i;
                    content.extend_from_slice(leaf.key.as_bytes());
                    content.extend_from_slice(leaf.value.as_bytes());
                }
                Slot::Inner(hash) => {
                    inner |= 1 << i;
                    content.extend_from_slice(hash.as_bytes());
                }
            }
        }
        [leaves.to_be_bytes().as_slice(), &inner.to_be_bytes(), &content].concat()
    }

    /// Reads what [`Page::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (leaves, rest) = bytes.split_first_chunk()?;
        let (inner, content) = rest.split_first_chunk()?;
        let (leaves, inner) = (u16::from_be_bytes(*leaves), u16::from_be_bytes(*inner));
        let (content, rest) = content.as_chunks::<32>();
        let mut content = content.iter().map(|hash| Digest::from_bytes(*hash));
        let mut page = Self::default();
        for (i, slot) in page.0.iter_mut().enumerate() {
            *slot = match (leaves >> i & 1, inner >> i & 1) {
                (0, 0) => Slot::Empty,
                (1, 0) => Slot::Leaf(Leaf { key: MapKey(content.next()?), value: content.next()? }),
                (0, 1) => Slot::Inner(content.next()?),
                _ => return None,
            };
        }
        (rest.is_empty() && content.next().is_none()).then_some(page)
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|slot| *slot == Slot::Empty)
    }
}

/// Where pages come from.
pub trait Pages {
    /// What can go wrong in reading.
    type Error: From<MapError>;
    /// The page at a path, if there is one.
    fn page(&self, at: &PagePath) -> Result<Option<Page>, Self::Error>;
}

fn load<P: Pages>(pages: &P, at: PagePath) -> Result<Page, P::Error> {
    match pages.page(&at)? {
        Some(page) => Ok(page),
        None if at == PagePath::ROOT => Ok(Page::default()),
        None => Err(MapError::Page(at).into()),
    }
}

/// The only content of these slots, where that is nothing or one leaf; otherwise the root over them.
fn reduce(slots: &[Slot]) -> Slot {
    if let [one] = slots {
        return *one;
    }
    let (left, right) = slots.split_at(slots.len() / 2);
    match (reduce(left), reduce(right)) {
        (Slot::Empty, only @ (Slot::Empty | Slot::Leaf(_))) | (only @ Slot::Leaf(_), Slot::Empty) => only,
        (left, right) => Slot::Inner(node(&hash(&left), &hash(&right))),
    }
}

fn hash(slot: &Slot) -> Digest {
    match slot {
        Slot::Empty => EMPTY,
        Slot::Leaf(leaf) => leaf.hash(),
        Slot::Inner(hash) => *hash,
    }
}

/// The map's root.
pub fn root<P: Pages>(pages: &P) -> Result<Digest, P::Error> {
    Ok(hash(&reduce(&load(pages, PagePath::ROOT)?.0)))
}

/// What an update changes: the new root, pages to write and (`None`) to delete.
#[derive(Clone, Debug)]
pub struct Update {
    /// The map's root afterwards.
    pub root: Digest,
    /// Pages by their place.
    pub pages: BTreeMap<PagePath, Option<Page>>,
}

/// What it takes to write these leaves, `None` for a deletion.
pub fn update<P: Pages>(pages: &P, changes: &BTreeMap<MapKey, Option<Digest>>) -> Result<Update, P::Error> {
    let changes: Vec<Change> = changes.iter().map(|(key, value)| (*key, *value)).collect();
    let mut written = BTreeMap::new();
    let page = load(pages, PagePath::ROOT)?;
    let root = update_page(pages, PagePath::ROOT, page, &changes, &mut written)?;
    Ok(Update { root: hash(&root), pages: written })
}

type Change = (MapKey, Option<Digest>);

fn update_page<P: Pages>(
    pages: &P,
    at: PagePath,
    mut page: Page,
    changes: &[Change],
    written: &mut BTreeMap<PagePath, Option<Page>>,
) -> Result<Slot, P::Error> {
    let digit = usize::from(at.digits);
    for group in changes.chunk_by(|a, b| a.0.nibble(digit) == b.0.nibble(digit)) {
        let nibble = group[0].0.nibble(digit);
        page.0[nibble] = update_slot(pages, at.child(nibble), page.0[nibble], group, written)?;
    }
    let slot = reduce(&page.0);
    // A page of its own only where two leaves or more are below; the root's stays while anything does.
    let stands = matches!(slot, Slot::Inner(_)) || (at == PagePath::ROOT && !page.is_empty());
    written.insert(at, stands.then_some(page));
    Ok(slot)
}

fn update_slot<P: Pages>(
    pages: &P,
    at: PagePath,
    slot: Slot,
    changes: &[Change],
    written: &mut BTreeMap<PagePath, Option<Page>>,
) -> Result<Slot, P::Error> {
    if let Slot::Inner(_) = slot {
        return update_page(pages, at, load(pages, at)?, changes, written);
    }
    let mut leaves: BTreeMap<MapKey, Digest> = match slot {
        Slot::Leaf(leaf) => [(leaf.key, leaf.value)].into(),
        _ => BTreeMap::new(),
    };
    for (key, value) in changes {
        match value {
            Some(value) => leaves.insert(*key, *value),
            None => leaves.remove(key),
        };
    }
    let mut live = leaves.iter();
    match (live.next(), live.next()) {
        (None, _) => Ok(Slot::Empty),
        (Some((&key, &value)), None) => Ok(Slot::Leaf(Leaf { key, value })),
        _ => {
            let all: Vec<Change> = leaves.into_iter().map(|(key, value)| (key, Some(value))).collect();
            update_page(pages, at, Page::default(), &all, written)
        }
    }
}

/// Proves all that the map holds under a prefix.
pub fn prove<P: Pages>(pages: &P, prefix: &Prefix) -> Result<MapProof, P::Error> {
    let mut proof = MapProof { siblings: Vec::new(), leaves: Vec::new() };
    let mut at = PagePath::ROOT;
    loop {
        let page = load(pages, at)?;
        let mut slots = 0..16;
        while slots.len() > 1 {
            let inside = &page.0[slots.clone()];
            if proof.siblings.len() == prefix.bits() || !matches!(reduce(inside), Slot::Inner(_)) {
                collect(pages, at, &page, slots, &mut proof.leaves)?;
                return Ok(proof);
            }
            let middle = slots.start + slots.len() / 2;
            let (left, right) = (slots.start..middle, middle..slots.end);
            let (own, other) = if prefix.bit(proof.siblings.len()) { (right, left) } else { (left, right) };
            proof.siblings.push(hash(&reduce(&page.0[other])));
            slots = own;
        }
        if proof.siblings.len() == prefix.bits() || !matches!(page.0[slots.start], Slot::Inner(_)) {
            collect(pages, at, &page, slots, &mut proof.leaves)?;
            return Ok(proof);
        }
        at = at.child(slots.start);
    }
}

/// All leaves below these slots, in order.
fn collect<P: Pages>(
    pages: &P,
    at: PagePath,
    page: &Page,
    slots: core::ops::Range<usize>,
    leaves: &mut Vec<Leaf>,
) -> Result<(), P::Error> {
    for i in slots {
        match page.0[i] {
            Slot::Empty => {}
            Slot::Leaf(leaf) => leaves.push(leaf),
            Slot::Inner(_) => {
                let below = at.child(i);
                collect(pages, below, &load(pages, below)?, 0..16, leaves)?;
            }
        }
    }
    Ok(())
}

/// Every leaf, and every page with its place, in order of keys: for a check of the whole.
pub fn walk<P: Pages>(pages: &P, visit: &mut impl FnMut(&PagePath, &Page)) -> Result<Vec<Leaf>, P::Error> {
    fn below<P: Pages>(
        pages: &P,
        at: PagePath,
        visit: &mut impl FnMut(&PagePath, &Page),
        leaves: &mut Vec<Leaf>,
    ) -> Result<(), P::Error> {
        let page = load(pages, at)?;
        visit(&at, &page);
        for (i, slot) in page.0.iter().enumerate() {
            match slot {
                Slot::Empty => {}
                Slot::Leaf(leaf) => leaves.push(*leaf),
                Slot::Inner(_) => below(pages, at.child(i), visit, leaves)?,
            }
        }
        Ok(())
    }
    let mut leaves = Vec::new();
    below(pages, PagePath::ROOT, visit, &mut leaves)?;
    Ok(leaves)
}

/// Pages in memory, for checks and tests.
impl Pages for BTreeMap<PagePath, Page> {
    type Error = MapError;

    fn page(&self, at: &PagePath) -> Result<Option<Page>, MapError> {
        Ok(self.get(at).cloned())
    }
}

impl Update {
    /// Writes the pages into memory.
    pub fn write_to(self, pages: &mut BTreeMap<PagePath, Page>) {
        for (at, page) in self.pages {
            match page {
                Some(page) => pages.insert(at, page),
                None => pages.remove(&at),
            };
        }
    }
}
