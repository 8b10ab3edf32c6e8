//! Whoever gives, lies, breaks off, holds back or has only some of it: what one honest copy has comes whole and true, and hardly
//! anything of it twice.

use super::super::{MOST_PIECE, Request};
use super::*;
use proptest::prelude::*;
use std::rc::Rc;

/// Bytes of a section.
const WHOLE: usize = 1 << 20;

/// What a copy does with a content that it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Has,
    Lacks,
    /// A byte of it is another, and the outline the true one's.
    Damaged,
    /// Something else altogether, under an outline that fits it.
    Lies,
}

/// The wallet's contents: sizes below, at and above one section.
fn contents() -> Vec<Rc<Vec<u8>>> {
    let bytes = |size: usize| (0..size).map(|at| at.wrapping_mul(0x9E37_79B9).to_be_bytes()[4]).collect();
    [100, 3 * WHOLE + 5, WHOLE, 2 * WHOLE, 70_000].map(|size| Rc::new(bytes(size))).into()
}

/// What a copy of these ways gives of the contents, with the outline that it shows, by address.
type Shelf = BTreeMap<BlobAddress, (Rc<Vec<u8>>, Outline)>;

fn shelf(contents: &[Rc<Vec<u8>>], ways: &[Way]) -> Shelf {
    let given = contents.iter().zip(ways).filter_map(|(true_bytes, way)| {
        let mut bytes = true_bytes.clone();
        let outline = match way {
            Way::Has => Outline::of(&bytes),
            Way::Lacks => return None,
            Way::Damaged => {
                let last = bytes.len() - 1;
                Rc::make_mut(&mut bytes)[last] ^= 1;
                Outline::of(true_bytes)
            }
            Way::Lies => {
                bytes = Rc::new(vec![7; true_bytes.len() + WHOLE]);
                Outline::of(&bytes)
            }
        };
        Some((BlobAddress::of(true_bytes), (bytes, outline)))
    });
    given.collect()
}

/// A copy with its stream: what it was asked, and the frames that are on their way.
struct Copy {
    shelf: Shelf,
    giver: Option<Giver>,
    frames: VecDeque<Vec<u8>>,
}

impl Copy {
    fn new(contents: &[Rc<Vec<u8>>], ways: &[Way]) -> Self {
        Self { shelf: shelf(contents, ways), giver: None, frames: VecDeque::new() }
    }

    /// Asks it for all that may be asked; the sections that it was asked for.
    fn asked(&mut self, gathering: &mut Gathering) -> Vec<(BlobAddress, u32)> {
        let giver = *self.giver.get_or_insert_with(|| gathering.join());
        let mut asked = Vec::new();
        while let Some(frame) = gathering.ask(giver) {
            let Ok(Request::Section { address, number }) = Request::read(&frame) else { panic!() };
            asked.push((address, number));
            let Some((bytes, outline)) = self.shelf.get(&address) else {
                self.frames.push_back(ContentFrame::Missing.to_bytes());
                continue;
            };
            self.frames.push_back(ContentFrame::outline(outline).to_bytes());
            let section = outline.cut(bytes, number).unwrap_or_default();
            self.frames.extend(section.chunks(MOST_PIECE).map(|piece| ContentFrame::piece(piece).to_bytes()));
        }
        asked
    }

    fn gives(&mut self, gathering: &mut Gathering) -> Option<Gathered> {
        let frame = self.frames.pop_front()?;
        Some(gathering.take(self.giver.unwrap(), &frame).unwrap())
    }

    /// Its stream breaks.
    fn breaks(&mut self, gathering: &mut Gathering) -> bool {
        self.frames.clear();
        self.giver.take().is_some_and(|giver| gathering.leave(giver))
    }
}

fn ways() -> impl Strategy<Value = Vec<Way>> {
    let way = prop_oneof![
        4 => Just(Way::Has), 1 => Just(Way::Lacks), 1 => Just(Way::Damaged), 1 => Just(Way::Lies)
    ];
    prop::collection::vec(way, 5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn malicious_copies_keep_nothing_back_that_an_honest_one_has(
        ways in prop::collection::vec(ways(), 1..4),
        turns in prop::collection::vec((0_usize..4, 0_u8..100), 0..400),
    ) {
        let contents = contents();
        let addresses: Vec<BlobAddress> = contents.iter().map(|bytes| BlobAddress::of(bytes)).collect();
        let mut copies: Vec<Copy> = ways.iter().map(|ways| Copy::new(&contents, ways)).collect();
        let mut gathering = Gathering::default();
        gathering.want(&addresses);
        let mut came = BTreeMap::new();
        let mut take = |gathered| if let Some(Gathered::Whole(address, bytes)) = gathered {
            assert!(came.insert(address, bytes).is_none(), "twice");
        };
        for (copy, chance) in turns {
            let at = copy % copies.len();
            let copy = &mut copies[at];
            if chance == 0 {
                copy.breaks(&mut gathering);
            } else {
                copy.asked(&mut gathering);
                take(copy.gives(&mut gathering));
            }
        }
        // From now on nobody breaks off, as after a link is level, and whoever stops is asked again while others' going frees something.
        gathering.forgive();
        let mut woken = vec![true; copies.len()];
        while woken.contains(&true) {
            for at in 0..copies.len() {
                if !woken[at] {
                    continue;
                }
                copies[at].asked(&mut gathering);
                take(copies[at].gives(&mut gathering));
                let giver = copies[at].giver.unwrap();
                if !gathering.awaits(giver) && copies[at].asked(&mut gathering).is_empty() {
                    woken[at] = false;
                    if copies[at].breaks(&mut gathering) {
                        woken.iter_mut().enumerate().filter(|(other, _)| *other != at).for_each(|(_, w)| *w = true);
                    }
                }
            }
        }
        for (place, (address, bytes)) in addresses.iter().zip(&contents).enumerate() {
            if let Some(came) = came.get(address) {
                prop_assert_eq!(came, &**bytes);
            }
            let honest = ways.iter().any(|ways| ways[place] == Way::Has);
            prop_assert!(!honest || came.contains_key(address), "content {} of {:?}", place, ways);
        }
    }

    #[test]
    fn malicious_bytes_make_nothing_panic(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
        let mut gathering = Gathering::default();
        gathering.want(&[BlobAddress::of(b"x")]);
        let giver = gathering.join();
        gathering.ask(giver);
        for frame in frames {
            let _ = gathering.take(giver, &frame);
        }
        gathering.leave(giver);
    }
}

/// Gives all that is asked for, in turns, until nobody is asked for more; what came whole, and who was asked for what.
fn all(gathering: &mut Gathering, copies: &mut [Copy]) -> (Vec<BlobAddress>, Vec<Vec<(BlobAddress, u32)>>) {
    let (mut whole, mut asked) = (Vec::new(), vec![Vec::new(); copies.len()]);
    loop {
        let mut busy = false;
        for (copy, asked) in copies.iter_mut().zip(&mut asked) {
            asked.extend(copy.asked(gathering));
            let gathered = copy.gives(gathering);
            busy |= gathered.is_some();
            if let Some(Gathered::Whole(address, _)) = gathered {
                whole.push(address);
            }
        }
        if !busy {
            return (whole, asked);
        }
    }
}

#[test]
fn two_copies_give_one_content_together_and_no_section_twice() {
    let contents = [Rc::new(vec![5; 10 * WHOLE])];
    let mut copies = [Copy::new(&contents, &[Way::Has]), Copy::new(&contents, &[Way::Has])];
    let mut gathering = Gathering::default();
    let large = BlobAddress::of(&contents[0]);
    gathering.want(&[large]);
    let (whole, asked) = all(&mut gathering, &mut copies);
    assert_eq!(whole, [large]);
    assert!(asked.iter().all(|asked| asked.len() >= 4), "both gave");
    let mut numbers: Vec<u32> = asked.concat().into_iter().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    assert!(numbers.len() <= 12, "but for the last, which the slower one might never give: {numbers:?}");
    numbers.dedup();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}

#[test]
fn malicious_copies_that_answer_with_nothing_or_half_hold_nobody_up() {
    let contents = contents();
    let addresses: Vec<BlobAddress> = contents.iter().map(|bytes| BlobAddress::of(bytes)).collect();
    for way in [Way::Has, Way::Lies] {
        // All frames that are given: none, or an outline and a piece of all that is asked for at first.
        for given in [0, 2] {
            let mut gathering = Gathering::default();
            gathering.want(&addresses);
            let mut holds = Copy::new(&contents, &[way; 5]);
            let mut came = 0;
            for _ in 0..given {
                holds.asked(&mut gathering);
                came += usize::from(matches!(holds.gives(&mut gathering), Some(Gathered::Whole(..))));
            }
            holds.asked(&mut gathering);
            let mut honest = Copy::new(&contents, &[Way::Has; 5]);
            let (whole, _) = all(&mut gathering, core::slice::from_mut(&mut honest));
            assert_eq!(came + whole.len(), 5, "{way:?} {given}");
        }
    }
}

#[test]
fn malicious_copies_that_lack_everything_do_not_call_each_other_for_ever() {
    let mut gathering = Gathering::default();
    let mut copies = [Copy::new(&[], &[]), Copy::new(&[], &[])];
    let mut calls = 0;
    for at in (0..100).map(|turn| turn % 2) {
        gathering.want(&[BlobAddress::of(b"nowhere")]);
        all(&mut gathering, &mut copies[at..=at]);
        if !copies[at].breaks(&mut gathering) {
            break;
        }
        calls += 1;
    }
    assert_eq!(calls, TOLD);
    gathering.forgive();
    gathering.want(&[BlobAddress::of(b"nowhere")]);
    all(&mut gathering, &mut copies[..1]);
    assert!(copies[0].breaks(&mut gathering));
}

#[test]
fn malicious_outlines_that_change_end_the_stream() {
    let mut gathering = Gathering::default();
    gathering.want(&[BlobAddress::of(b"x")]);
    let giver = gathering.join();
    gathering.ask(giver).unwrap();
    let outline = |byte| ContentFrame::outline(&Outline::of(&vec![byte; 2 * WHOLE])).to_bytes();
    assert_eq!(gathering.take(giver, &outline(1)), Ok(Gathered::More));
    gathering.ask(giver).unwrap();
    for piece in vec![1; WHOLE].chunks(MOST_PIECE) {
        assert_eq!(gathering.take(giver, &ContentFrame::piece(piece).to_bytes()), Ok(Gathered::More));
    }
    assert_eq!(gathering.take(giver, &outline(2)), Err(ContentError::Turn));
}

#[test]
fn what_came_before_a_stream_broke_is_not_asked_for_again() {
    let contents = contents();
    let mut gathering = Gathering::default();
    let large = BlobAddress::of(&contents[1]);
    gathering.want(&[large]);
    let mut copy = Copy::new(&contents, &[Way::Has; 5]);
    copy.asked(&mut gathering);
    // Its first section, and the outline of the next.
    for _ in 0..=WHOLE / MOST_PIECE {
        copy.gives(&mut gathering);
    }
    copy.asked(&mut gathering);
    copy.gives(&mut gathering);
    assert!(copy.breaks(&mut gathering), "others may go on");
    gathering.want(&[large]);
    let (whole, asked) = all(&mut gathering, core::slice::from_mut(&mut copy));
    assert_eq!(whole, [large]);
    assert_eq!(asked[0].iter().map(|(_, number)| *number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn what_one_copy_lacks_or_has_damaged_another_is_asked_for_in_order() {
    let contents = contents();
    let addresses: Vec<BlobAddress> = contents.iter().map(|bytes| BlobAddress::of(bytes)).collect();
    for way in [Way::Lacks, Way::Damaged, Way::Lies] {
        let mut gathering = Gathering::default();
        gathering.want(&addresses);
        let mut first = Copy::new(&contents, &[way; 5]);
        let (whole, asked) = all(&mut gathering, core::slice::from_mut(&mut first));
        assert!(whole.is_empty() && !asked[0].is_empty(), "{way:?}");
        assert!(first.breaks(&mut gathering), "there is something for others");
        let mut second = Copy::new(&contents, &[Way::Has; 5]);
        let (whole, _) = all(&mut gathering, core::slice::from_mut(&mut second));
        assert_eq!(whole.len(), 5, "{way:?}");
        assert!(!second.breaks(&mut gathering));
    }
}

#[test]
fn two_damaged_copies_make_one_whole_content() {
    let contents = [Rc::new(vec![5; 6 * WHOLE])];
    let address = BlobAddress::of(&contents[0]);
    let mut copies = [Copy::new(&contents, &[Way::Has]), Copy::new(&contents, &[Way::Has])];
    for (copy, damaged) in copies.iter_mut().zip([3 * WHOLE, 0]) {
        Rc::make_mut(&mut copy.shelf.get_mut(&address).unwrap().0)[damaged] ^= 1;
    }
    let mut gathering = Gathering::default();
    gathering.want(&[address]);
    assert_eq!(all(&mut gathering, &mut copies).0, [address]);
}

#[test]
fn frames_that_nobody_asked_for_or_that_are_too_long_end_it() {
    let wanting = || {
        let mut gathering = Gathering::default();
        gathering.want(&[BlobAddress::of(b"x")]);
        let giver = gathering.join();
        (gathering, giver)
    };
    let (mut gathering, giver) = wanting();
    assert_eq!(gathering.take(giver, &ContentFrame::Missing.to_bytes()), Err(ContentError::Turn));
    gathering.ask(giver).unwrap();
    assert_eq!(gathering.ask(giver), None, "there is no more");
    assert_eq!(gathering.take(giver, &ContentFrame::piece(b"x").to_bytes()), Err(ContentError::Turn));
    let outline = ContentFrame::outline(&Outline::of(b"x")).to_bytes();
    assert_eq!(gathering.take(giver, &outline), Ok(Gathered::More));
    assert_eq!(gathering.take(giver, &outline), Err(ContentError::Turn));
    assert_eq!(gathering.take(giver, &ContentFrame::piece(b"xx").to_bytes()), Err(ContentError::Large));
    let (mut gathering, giver) = wanting();
    gathering.ask(giver).unwrap();
    let many = ContentFrame::Outline(u64::MAX, Vec::new().into()).to_bytes();
    assert_eq!(gathering.take(giver, &many), Err(ContentError::Large));
    gathering.leave(giver);
    assert_eq!(gathering.take(giver, &outline), Err(ContentError::Turn), "it has left");
}

#[test]
fn what_came_and_could_not_be_stored_is_asked_for_again() {
    let content = vec![5; 10];
    let address = BlobAddress::of(&content);
    let mut gathering = Gathering::default();
    let mut copy = Copy::new(&[Rc::new(content)], &[Way::Has]);
    for _ in 0..2 {
        gathering.want(&[address]);
        let (whole, _) = all(&mut gathering, core::slice::from_mut(&mut copy));
        assert_eq!(whole, [address]);
        gathering.lost(&address);
    }
}
