//! The backup file as a specification, and a wallet that version 1 wrote.

use super::tests::{NOW, PRF, added, protected, record};
use super::*;
use crate::id::BlobAddress;
use crate::identity::Entropy;
use crate::sm::seeded::Seeded;

fn backup() -> (Vault, Entropy, Vec<u8>) {
    let random = &mut Seeded::new(3);
    let (mut vault, mut events) = protected(1);
    events.push(vault.append(added(1), NOW, random).unwrap());
    let mut file = Vec::new();
    let mut writer = vault.backup(random, &mut file);
    for event in &events {
        writer.event(event, &mut file);
    }
    for length in [0, 1, 200_000] {
        let blob = vec![3; length];
        writer.blob(&BlobAddress::of(&blob), length as u64, &mut file);
        blob.chunks(70_000).for_each(|piece| writer.piece(piece, &mut file));
    }
    assert_eq!(writer.finish(&mut file), BackupSummary { events: 4, blobs: 3 });
    let entropy = vault.entropy().unwrap();
    (vault, entropy, file)
}

fn read(entropy: &Entropy, file: &[u8], piece: usize) -> Result<(Vec<Item>, BackupSummary), BackupError> {
    let mut reader = BackupReader::new(entropy);
    let mut items = Vec::new();
    for piece in file.chunks(piece) {
        items.extend(reader.push(piece)?);
    }
    let (last, summary) = reader.finish()?;
    items.extend(last);
    Ok((items, summary))
}

#[test]
fn a_backup_brings_everything_back_in_pieces_of_any_size() {
    let (mut vault, entropy, file) = backup();
    for piece in [1_000, 65_552, usize::MAX] {
        let (items, summary) = read(&entropy, &file, piece).unwrap();
        assert_eq!(summary, BackupSummary { events: 4, blobs: 3 });
        let Item::Epochs(ledger, epochs) = &items[0] else { panic!("epochs come first") };
        let mut restored = Vault::restore(&entropy, *ledger, epochs.clone(), &mut Seeded::new(8)).unwrap();
        let events: Vec<_> =
            items.iter().filter_map(|i| if let Item::Event(e) = i { Some(e) } else { None }).collect();
        assert_eq!(
            restored.load(events, Origin::Elsewhere),
            LoadReport { taken: 4, ..LoadReport::default() }
        );
        assert_eq!(restored.index(), vault.index());
        let bytes: usize =
            items.iter().map(|i| if let Item::Piece(_, bytes) = i { bytes.len() } else { 0 }).sum();
        assert_eq!(bytes, 200_001);
        assert_eq!(items.iter().filter(|i| matches!(i, Item::Blob(_))).count(), 3);
        assert!(restored.rejoin(&entropy, "新手机", NOW, &mut Seeded::new(9)).is_ok());
        assert_eq!(restored.holder(), vault.holder());
        assert_eq!(restored.index().devices().count(), 2);
    }
}

#[test]
fn a_backup_that_was_cut_damaged_or_is_another_wallets_says_so() {
    let (_, entropy, file) = backup();
    for length in [0, 5, 19, 30, 300, 66_000, file.len() - 1] {
        assert_eq!(
            read(&entropy, &file[..length], 4096).err(),
            Some(BackupError::CutShort),
            "{length} bytes"
        );
    }
    for at in (0..file.len()).step_by(997) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(read(&entropy, &changed, 4096).is_err(), "byte {at}");
    }
    let other = Entropy::from_bytes([1; 32]);
    assert_eq!(read(&other, &file, 4096).err(), Some(BackupError::OtherWallet));
    assert_eq!(read(&entropy, b"%PDF-1.7 ...", 4096).err(), Some(BackupError::NotABackup));
    let mut newer = file.clone();
    newer[15] = 2;
    assert_eq!(read(&entropy, &newer, 4096).err(), Some(BackupError::Newer));
    let longer = [&file[..], b"x"].concat();
    assert!(read(&entropy, &longer, 4096).is_err());
}

// ---- vectors ---------------------------------------------------------------------------------------------

/// Files under `tests/vectors/vault` hold a wallet as version 1 wrote it; every later version must open it.
/// `SUISHEN_WRITE_VECTORS=1` writes them, which only a new version of the formats has a reason to do.
#[test]
fn a_wallet_written_by_version_one_opens() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/vault");
    if std::env::var_os("SUISHEN_WRITE_VECTORS").is_some() {
        write_vectors(&folder);
    }
    let load = |name: &str| {
        let hex = std::fs::read_to_string(folder.join(name)).unwrap();
        data_encoding::HEXLOWER.decode(hex.trim().as_bytes()).unwrap()
    };
    let entropy = Entropy::from_bytes(load("entropy.hex").try_into().unwrap());
    let unlock = Unlock::Passkey { credential: &[1], prf: &PRF };
    let mut vault = Locked::from_bytes(&load("stored.hex")).unwrap().open(unlock).unwrap();
    let (items, _) = read(&entropy, &load("backup.hex"), 100).unwrap();
    let events = items.iter().filter_map(|i| if let Item::Event(e) = i { Some(e) } else { None });
    assert_eq!(vault.load(events, Origin::Elsewhere), LoadReport { taken: 5, ..LoadReport::default() });
    assert_eq!(vault.holder(), entropy.keys().public().holder());
    let index = vault.index();
    assert_eq!(index.record(&record(1)).unwrap().added.manifest, [1; 300]);
    assert!(index.marks(&record(1)).tags.contains("复查"));
    assert!(index.holder().is_some());
}

fn write_vectors(folder: &std::path::Path) {
    let random = &mut Seeded::new(3);
    let (mut vault, mut events) = protected(1);
    events.push(vault.append(added(1), NOW, random).unwrap());
    events.push(vault.append(Body::Tagged(record(1), "复查".into()), NOW, random).unwrap());
    let mut file = Vec::new();
    let mut writer = vault.backup(random, &mut file);
    for event in &events {
        writer.event(event, &mut file);
    }
    writer.finish(&mut file);
    std::fs::create_dir_all(folder).unwrap();
    let entropy = vault.entropy().unwrap();
    for (name, bytes) in
        [("stored.hex", vault.to_bytes()), ("backup.hex", file), ("entropy.hex", entropy.as_bytes().to_vec())]
    {
        std::fs::write(folder.join(name), data_encoding::HEXLOWER.encode(&bytes) + "\n").unwrap();
    }
}
