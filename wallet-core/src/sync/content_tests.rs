//! Content is taken whole and true or not at all, however it was cut; and nothing out of its turn.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn address(bytes: &[u8]) -> BlobAddress {
    BlobAddress::of(bytes)
}

fn piece(bytes: &[u8]) -> Vec<u8> {
    ContentFrame::piece(bytes).to_bytes()
}

proptest! {
    #[test]
    fn content_arrives_however_it_is_cut_and_whatever_was_here(
        bytes in vec(any::<u8>(), 1..5000),
        cuts in vec(1_usize..700, 0..30),
        held in 0_usize..5000,
    ) {
        let held = held % bytes.len();
        let mut receiving = Receiving::get(address(&bytes), MOST_CONTENT);
        receiving.held(&bytes[..held]);
        let size = bytes.len() as u64;
        prop_assert_eq!(receiving.take(&ContentFrame::Content(size).to_bytes()), Ok(Received::Begun(size)));
        let (mut here, mut cuts) = (bytes[..held].to_vec(), cuts.into_iter());
        loop {
            let end = cuts.next().map_or(bytes.len(), |cut| (here.len() + cut).min(bytes.len()));
            match receiving.take(&piece(&bytes[here.len()..end])).unwrap() {
                Received::Piece(more) => here.extend(more),
                Received::Whole(last) => {
                    here.extend(last);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        prop_assert_eq!(&here, &bytes);
        prop_assert_eq!(receiving.take(&piece(b"more")), Err(ContentError::Turn), "it is over");
    }

    #[test]
    fn malicious_peer_cannot_change_a_byte(bytes in vec(any::<u8>(), 1..2000), at: usize, bit in 0_u8..8) {
        let mut changed = bytes.clone();
        changed[at % bytes.len()] ^= 1 << bit;
        let mut receiving = Receiving::put(address(&bytes), bytes.len() as u64);
        prop_assert_eq!(receiving.take(&piece(&changed)), Ok(Received::Wrong));
    }

    #[test]
    fn no_bytes_make_it_panic(frames in vec(vec(any::<u8>(), 0..80), 0..4)) {
        let mut receiving = Receiving::get(address(b"x"), 100);
        let (mut giving, _) = Giving::new(address(b"x"), 1);
        for frame in frames {
            let _ = (receiving.take(&frame), giving.take(&frame), Request::read(&frame));
        }
    }
}

#[test]
fn what_was_here_before_is_judged_with_the_rest() {
    let mut receiving = Receiving::put(address(b"whole"), 5);
    receiving.held(b"wha");
    assert_eq!(receiving.take(&piece(b"le")), Ok(Received::Wrong), "a torn part is found out at the end");
    let content = |size| ContentFrame::Content(size).to_bytes();
    let mut receiving = Receiving::get(address(b"whole"), 5);
    receiving.held(b"whole");
    assert_eq!(receiving.take(&content(5)), Ok(Received::Whole(Vec::new())), "only the verdict was missing");
    let mut receiving = Receiving::get(address(b"whole"), 5);
    receiving.held(b"whole and more");
    assert_eq!(receiving.take(&content(5)), Ok(Received::Wrong));
    for (held, verdict) in [(&b"whole"[..], true), (b"who", false), (b"whale", false)] {
        let mut receiving = Receiving::put(address(b"whole"), 5);
        receiving.held(held);
        assert_eq!(receiving.is_true(), verdict, "{held:?}");
    }
}

#[test]
fn malicious_peer_cannot_send_more_than_was_asked_for_or_out_of_turn() {
    let content = |size| ContentFrame::Content(size).to_bytes();
    let get = || Receiving::get(address(b"whole"), 5);
    assert_eq!(get().take(&content(6)), Err(ContentError::Large));
    assert_eq!(get().take(&content(0)), Err(ContentError::Large));
    assert_eq!(get().take(&piece(b"whole")), Err(ContentError::Turn), "before its size");
    assert_eq!(Receiving::put(address(b"whole"), 5).take(&piece(b"whole!")), Err(ContentError::Large));
    assert_eq!(
        Receiving::put(address(b"whole"), 5).take(&content(5)),
        Err(ContentError::Turn),
        "its size is known"
    );
    let mut missing = get();
    assert_eq!(missing.take(&ContentFrame::Missing.to_bytes()), Ok(Received::Missing));
    assert_eq!(missing.take(&content(5)), Err(ContentError::Turn), "after the end");
    let mut half = Receiving::put(address(b"whole"), 5);
    half.take(&piece(b"wh")).unwrap();
    assert_eq!(half.take(&ContentFrame::Missing.to_bytes()), Err(ContentError::Turn));
    assert_eq!(half.take(&piece(b"ole")), Err(ContentError::Turn), "over after an error");
}

#[test]
fn frames_have_their_bounds() {
    let at_most = vec![address(b"x"); MOST_ADDRESSES];
    let more = vec![address(b"x"); MOST_ADDRESSES + 1];
    assert!(ContentFrame::from_bytes(&ContentFrame::Lacks(at_most).to_bytes()).is_ok());
    assert_eq!(ContentFrame::from_bytes(&ContentFrame::Lacks(more).to_bytes()), Err(ContentError::Large));
    let large = vec![0; MOST_PIECE + 1];
    assert!(ContentFrame::from_bytes(&piece(&large)).is_ok(), "cut to what may be sent");
    let large = ContentFrame::Piece(large.into()).to_bytes();
    assert_eq!(ContentFrame::from_bytes(&large), Err(ContentError::Large));
    assert_eq!(ContentFrame::from_bytes(&piece(b"")), Err(ContentError::Form));
    assert_eq!(ContentFrame::from_bytes(&vec![0; MOST_CONTENT_FRAME + 1]), Err(ContentError::Large));
}

#[test]
fn between_requests_nothing_else_may_come() {
    let put = |size| Request::read(&ContentFrame::Put(address(b"x"), size).to_bytes());
    assert_eq!(put(0), Err(ContentError::Large));
    assert_eq!(put(MOST_CONTENT + 1), Err(ContentError::Large));
    assert!(put(MOST_CONTENT).is_ok());
    assert!(Request::read(&ContentFrame::Get(address(b"x"), 9).to_bytes()).is_ok());
    let others =
        [ContentFrame::Kept, ContentFrame::Missing, ContentFrame::From(0), ContentFrame::piece(b"x")];
    for other in others {
        assert_eq!(Request::read(&other.to_bytes()), Err(ContentError::Turn), "{other:?}");
    }
}

#[test]
fn malicious_peer_cannot_lack_what_it_was_not_asked_about() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| address(bytes));
    let read = |list: Vec<_>| lacking(&[a, b], &ContentFrame::Lacking(list).to_bytes());
    assert_eq!(read(vec![]), Ok(vec![]));
    assert_eq!(read(vec![b]), Ok(vec![b]));
    assert_eq!(read(vec![a, b]), Ok(vec![a, b]));
    for wrong in [vec![c], vec![a, a], vec![b, a]] {
        assert_eq!(read(wrong), Err(ContentError::Form));
    }
    assert_eq!(lacking(&[a], &ContentFrame::Kept.to_bytes()), Err(ContentError::Turn));
}

#[test]
fn who_gives_is_told_from_where_and_then_the_verdict() {
    let giving = || Giving::new(address(b"whole"), 5).0;
    let take = |giving: &mut Giving, frame: ContentFrame| giving.take(&frame.to_bytes());
    let mut whole = giving();
    assert_eq!(take(&mut whole, ContentFrame::From(2)), Ok(Given::From(2)));
    assert_eq!(take(&mut whole, ContentFrame::Kept), Ok(Given::Kept));
    assert_eq!(take(&mut whole, ContentFrame::Kept), Err(ContentError::Turn), "said once");
    assert_eq!(take(&mut giving(), ContentFrame::Kept), Ok(Given::Kept), "it was there before");
    assert_eq!(take(&mut giving(), ContentFrame::From(5)), Err(ContentError::Turn), "nothing would follow");
    assert_eq!(take(&mut giving(), ContentFrame::Wrong), Err(ContentError::Turn), "nothing was sent");
    let mut begun = giving();
    take(&mut begun, ContentFrame::From(0)).unwrap();
    assert_eq!(take(&mut begun, ContentFrame::From(0)), Err(ContentError::Turn));
    let mut full = giving();
    take(&mut full, ContentFrame::From(0)).unwrap();
    let refused = ContentFrame::Refused(ContentRefused::Full);
    assert_eq!(take(&mut full, refused), Ok(Given::Refused(ContentRefused::Full)));
}
