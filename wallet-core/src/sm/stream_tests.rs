//! Streams as a specification: any length reads back; what was changed, cut, moved or swapped is never released.

use super::super::seeded::Seeded;
use super::*;
use proptest::prelude::*;

const PART: Label = Label::new("part");

fn key() -> Key32 {
    Key32::from_bytes([3; 32])
}

fn text(len: usize) -> Vec<u8> {
    let mut text = vec![0; len];
    Seeded::new(len as u64).fill(&mut text);
    text
}

fn stream(len: usize) -> Vec<u8> {
    encrypt(&key(), PART, &text(len), &mut Seeded::new(7))
}

/// What comes out, and what it ends with, when the stream is fed in pieces.
fn released(stream: &[u8], piece: usize) -> (Vec<u8>, Result<(), SmError>) {
    let (mut out, mut decryptor) = (Vec::new(), Decryptor::new(&key(), PART));
    for bytes in stream.chunks(piece) {
        if let Err(e) = decryptor.push(bytes, &mut out) {
            return (out, Err(e));
        }
    }
    let end = decryptor.finish(&mut out);
    (out, end)
}

#[test]
fn a_stream_of_any_length_around_a_chunk_reads_back() {
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 3 * CHUNK + 5] {
        let stream = stream(len);
        assert_eq!(stream.len() as u64, sealed_len(len as u64), "{len}");
        assert_eq!(*decrypt(&key(), PART, &stream).unwrap(), text(len), "{len}");
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_of_a_small_stream_is_refused() {
    let whole = stream(20);
    for bit in 0..whole.len() * 8 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(released(&changed, 1000), (Vec::new(), Err(SmError::Open)), "bit {bit}");
    }
    for len in 0..whole.len() {
        assert_eq!(released(&whole[..len], 1000), (Vec::new(), Err(SmError::Open)), "{len} bytes");
    }
    assert!(decrypt(&key(), PART, &[whole.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn a_stream_cut_at_a_chunk_s_end_never_finishes() {
    let whole = stream(3 * CHUNK);
    for chunks in 1..3 {
        let (out, end) = released(&whole[..HEADER + chunks * SEALED_CHUNK], 40_000);
        assert_eq!(end, Err(SmError::Open));
        assert_eq!(out, text(3 * CHUNK)[..(chunks - 1) * CHUNK], "only chunks known not to be the last");
    }
}

#[test]
fn only_chunks_before_the_changed_one_are_released() {
    let mut changed = stream(3 * CHUNK);
    changed[HEADER + SEALED_CHUNK + 9] ^= 1;
    let (out, end) = released(&changed, 10_000);
    assert_eq!((out.as_slice(), end), (&text(3 * CHUNK)[..CHUNK], Err(SmError::Open)));
}

#[test]
fn chunks_change_neither_their_place_nor_their_stream() {
    let (one, other) = (stream(3 * CHUNK), encrypt(&key(), PART, &text(3 * CHUNK), &mut Seeded::new(8)));
    let chunk = |s: &[u8], i: usize| s[HEADER + i * SEALED_CHUNK..][..SEALED_CHUNK].to_vec();
    let header = &one[..HEADER];
    let swapped = [header, &chunk(&one, 1), &chunk(&one, 0), &chunk(&one, 2)].concat();
    let dropped = [header, &chunk(&one, 0), &chunk(&one, 2)].concat();
    let twice = [header, &chunk(&one, 0), &chunk(&one, 0), &chunk(&one, 2)].concat();
    let foreign = [header, &chunk(&one, 0), &chunk(&other, 1), &chunk(&one, 2)].concat();
    for broken in [swapped, dropped, twice, foreign] {
        assert!(decrypt(&key(), PART, &broken).is_err());
    }
}

#[test]
fn an_empty_last_chunk_after_others_is_refused() {
    let mut chunks = Chunks::new(&key(), PART, &[0; HEADER]);
    let mut first = text(CHUNK);
    let nonce = chunks.next_nonce(false);
    chunks.cipher.seal(&nonce, &[], &mut first);
    let mut last = Vec::new();
    let nonce = chunks.next_nonce(true);
    chunks.cipher.seal(&nonce, &[], &mut last);
    assert!(decrypt(&key(), PART, &[&[0; HEADER], first.as_slice(), &last].concat()).is_err());
}

#[test]
fn after_an_error_nothing_more_comes_out() {
    let mut changed = stream(2 * CHUNK);
    changed[HEADER] ^= 1;
    let (mut out, mut decryptor) = (Vec::new(), Decryptor::new(&key(), PART));
    assert!(decryptor.push(&changed, &mut out).is_err());
    assert!(decryptor.push(&stream(1), &mut out).is_err());
    assert!(decryptor.finish(&mut out).is_err());
    assert!(out.is_empty());
}

#[test]
fn another_key_or_object_type_opens_nothing() {
    let stream = stream(10);
    assert!(decrypt(&Key32::from_bytes([4; 32]), PART, &stream).is_err());
    assert!(decrypt(&key(), Label::new("payload"), &stream).is_err());
}

#[test]
fn the_same_text_twice_shares_no_key_stream() {
    let random = &mut Seeded::new(9);
    let (one, two) = (encrypt(&key(), PART, &text(64), random), encrypt(&key(), PART, &text(64), random));
    assert_ne!(one[..HEADER], two[..HEADER]);
    assert_ne!(one[HEADER..], two[HEADER..]);
}

#[test]
fn memory_stays_constant() {
    let (mut out, mut encryptor_capacity) = (Vec::new(), 0);
    let mut encryptor = Encryptor::new(&key(), PART, &mut Seeded::new(1), &mut out);
    for _ in 0..50 {
        encryptor.push(&text(30_000), &mut out);
        assert!(out.len() <= SEALED_CHUNK + HEADER);
        out.clear();
        encryptor_capacity = encryptor_capacity.max(encryptor.buffer.capacity());
    }
    assert_eq!(encryptor_capacity, SEALED_CHUNK);
}

#[test]
fn a_commitment_names_one_key_under_one_salt() {
    let commitment = key_commitment(&key(), &[1; 16]);
    assert_ne!(commitment, key_commitment(&Key32::from_bytes([4; 32]), &[1; 16]));
    assert_ne!(commitment, key_commitment(&key(), &[2; 16]));
}

#[test]
fn a_part_s_digest_depends_on_salt_and_text_and_not_on_the_pieces() {
    let mut pieces = PlaintextDigest::new(&[1; 16]);
    pieces.update("随".as_bytes());
    pieces.update("身".as_bytes());
    assert_eq!(pieces.finish(), PlaintextDigest::of(&[1; 16], "随身".as_bytes()));
    assert_ne!(PlaintextDigest::of(&[1; 16], b"a"), PlaintextDigest::of(&[2; 16], b"a"));
    assert_ne!(PlaintextDigest::of(&[1; 16], b"a"), PlaintextDigest::of(&[1; 16], b"b"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn how_a_stream_is_cut_into_pieces_does_not_matter(
        len in 0..3 * CHUNK, write in 1..2 * CHUNK, read in 1..2 * CHUNK,
    ) {
        let (text, mut pieces) = (text(len), Vec::new());
        let mut encryptor = Encryptor::new(&key(), PART, &mut Seeded::new(7), &mut pieces);
        for piece in text.chunks(write) {
            encryptor.push(piece, &mut pieces);
        }
        encryptor.finish(&mut pieces);
        prop_assert_eq!(&pieces, &stream(len));
        let (out, end) = released(&pieces, read);
        prop_assert_eq!((out, end), (text, Ok(())));
    }
}
