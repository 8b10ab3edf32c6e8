//! Paths by C2SP's own examples; encodings by another implementation's log.

use super::*;
use crate::proof::tree::{self, tests::Sha256};
use data_encoding::BASE64;

#[test]
fn paths_are_those_of_the_specification() {
    for (kind, index, width, path) in [
        (Kind::Hashes(0), 0, 256, "tile/0/000"),
        (Kind::Hashes(0), 1_234_067, 256, "tile/0/x001/x234/067"),
        (Kind::Hashes(3), 999, 1, "tile/3/999.p/1"),
        (Kind::Hashes(1), 1000, 255, "tile/1/x001/000.p/255"),
        (Kind::Entries, 0, 15, "tile/entries/000.p/15"),
        (Kind::Entries, u64::MAX >> 8, 256, "tile/entries/x072/x057/x594/x037/x927/935"),
    ] {
        let tile = TileId::new(kind, index, width).unwrap();
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for path in [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/1000",
        "tile/0/001/000",
        "tile/00/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000/",
        "tile/0/",
        "tile/entries",
        "tile/0/x001",
        "tile/0/ 000",
        "/tile/0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/data/000",
        "tile/0/../0/000",
        "",
    ] {
        assert_eq!(path.parse::<TileId>(), Err(TileError::Path), "{path}");
    }
}

#[test]
fn a_tile_exists_once_the_tree_has_grown_over_it() {
    let at = |path: &str, size| path.parse::<TileId>().unwrap().exists_at(size);
    assert!(at("tile/0/000.p/5", 5) && !at("tile/0/000.p/6", 5));
    assert!(at("tile/1/000.p/1", 256) && !at("tile/1/000.p/1", 255));
    assert!(at("tile/entries/001", 512) && !at("tile/entries/001", 511));
    assert!(!TileId::new(Kind::Hashes(7), u64::MAX, 256).unwrap().exists_at(u64::MAX));
}

#[test]
fn entries_read_back_and_torn_bundles_are_refused() {
    let mut bundle = Vec::new();
    let longest = vec![7; LONGEST_ENTRY + 1];
    let entries = [b"".as_slice(), b"one", &longest[1..]];
    for entry in entries {
        push_entry(&mut bundle, entry).unwrap();
    }
    assert_eq!(decode_entries(&bundle).unwrap(), entries);
    assert_eq!(push_entry(&mut bundle, &longest), Err(TileError::Entries));
    for cut in [0, 1, 2, 3, 6, bundle.len() - 1] {
        assert_eq!(decode_entries(&bundle[..cut]).is_ok(), cut == 2, "{cut}");
    }
    assert_eq!(decode_entries(&[0; 2 * 257]), Err(TileError::Entries));
    assert_eq!(decode_hashes(&[0; 33]), Err(TileError::Hashes));
    assert_eq!(decode_hashes(&[0; 32 * 257]), Err(TileError::Hashes));
}

/// The size and root that a note of the other implementation states.
fn stated(note: &str) -> (u64, Digest) {
    let mut lines = note.lines().skip(1);
    let size = lines.next().unwrap().parse().unwrap();
    let root = BASE64.decode(lines.next().unwrap().as_bytes()).unwrap();
    (size, Digest::from_bytes(root.try_into().unwrap()))
}

#[test]
fn the_log_of_another_implementation_reads_and_each_changed_byte_shows() {
    let log = crate::proof::tests_vectors("tlog-tiles").join("log");
    let read = |path: &str| std::fs::read(log.join(path)).unwrap();
    for n in 1..=15_u16 {
        let (size, root) = stated(&String::from_utf8(read(&format!("checkpoint.{n}"))).unwrap());
        assert_eq!(size, u64::from(n));
        let path = |kind| TileId::new(kind, 0, n).unwrap().to_string();
        let (hashes, bundle) = (read(&path(Kind::Hashes(0))), read(&path(Kind::Entries)));
        let whole = |hashes: &[u8], bundle: &[u8]| {
            let (Ok(hashes), Ok(entries)) = (decode_hashes(hashes), decode_entries(bundle)) else {
                return false;
            };
            let leaves: Vec<_> = entries.iter().map(|e| Sha256::leaf(e)).collect();
            let mut edge = tree::Edge::new();
            for leaf in &leaves {
                edge.append::<Sha256>(*leaf, |_| {});
            }
            leaves == hashes
                && encode_hashes(&hashes).len() == hashes.len() * 32
                && edge.root::<Sha256>() == root
        };
        assert!(whole(&hashes, &bundle), "size {n}");
        for i in 0..hashes.len() {
            let mut changed = hashes.clone();
            changed[i] ^= 1;
            assert!(!whole(&changed, &bundle));
        }
        for i in 0..bundle.len() {
            let mut changed = bundle.clone();
            changed[i] ^= 1;
            assert!(!whole(&hashes, &changed), "byte {i} of bundle {n}");
        }
    }
}
