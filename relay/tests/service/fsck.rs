//! `suishen fsck` on what a relay holds for others: a bit flipped in a blob, a slot of the tear file or a share is
//! found, and named.

use crate::{
    grants::share,
    relay::{Relay, fresh},
};
use std::{fs, path::Path};
use suishen_core::id::BlobAddress;
use suishen_relay::{command::fsck::examine, gate::TEAR_FILE};

const SLOT: usize = 512;

/// Examines with one bit of a file changed, and puts the file back.
fn with_flip(data: &Path, file: &Path, bit: usize) -> Vec<String> {
    let whole = fs::read(file).unwrap();
    let mut changed = whole.clone();
    changed[bit / 8] ^= 1 << (bit % 8);
    fs::write(file, changed).unwrap();
    let found = examine(data).unwrap().findings.iter().map(ToString::to_string).collect();
    fs::write(file, whole).unwrap();
    found
}

#[tokio::test]
async fn a_bit_flipped_in_a_blob_a_slot_or_a_share_is_found_and_named() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    let large: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let address = BlobAddress::of(&large);
    client.put_blob(&address, large, &fresh(), now).await.unwrap();

    let beside = examine(relay.dir.path()).unwrap();
    assert_eq!((beside.findings, beside.blobs, beside.shares), (vec![], 2, None));
    let dir = relay.stop().await;
    let data = dir.path();
    let whole = examine(data).unwrap();
    assert_eq!((whole.findings, whole.blobs, whole.shares), (vec![], 2, Some(1)));

    for address in [address, shared.blob] {
        let file = data.join("blobs").join(&address.to_hex()[..2]).join(address.to_hex());
        let bits = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap() * 8;
        for bit in [0, bits / 2 + 5, bits - 1] {
            let found = with_flip(data, &file, bit);
            assert_eq!(found, [format!("blob {address}: its content was changed: it has another address")]);
        }
        let aside = data.join("aside");
        fs::rename(&file, &aside).unwrap();
        let found = examine(data).unwrap().findings;
        assert_eq!(found[0].to_string(), format!("blob {address}: it is missing"));
        fs::rename(&aside, &file).unwrap();
    }

    let tear = data.join(TEAR_FILE);
    let slots = fs::read(&tear).unwrap().len() / SLOT;
    assert!(slots >= 2, "the key of the day, and the share's");
    for slot in 0..slots {
        for byte in [0, 5, 6, 37, 54, 62, 93, 94, 256, 257, 288, 289, 320, 400, 511] {
            let found = with_flip(data, &tear, (slot * SLOT + byte) * 8 + byte % 8);
            let named = format!("slot {slot} of the tear file: ");
            assert!(found.iter().any(|f| f.starts_with(&named)), "slot {slot} byte {byte}: {found:?}");
        }
    }

    let database = data.join("relay.redb");
    let row = row_of(&database, shared.id.as_bytes());
    let bytes = fs::read(&database).unwrap();
    let at = bytes.windows(row.len()).position(|piece| piece == row).unwrap();
    for byte in [0, 20, row.len() / 2, row.len() - 1] {
        let found = with_flip(data, &database, (at + byte) * 8 + byte % 8);
        assert_eq!(found, [format!("share of {}: it was changed and cannot be opened", shared.id)]);
    }
    assert_eq!(examine(data).unwrap().findings, vec![]);
}

fn row_of(database: &Path, object: &[u8; 32]) -> Vec<u8> {
    use redb::ReadableDatabase as _;
    let copy = database.with_extension("copy");
    fs::copy(database, &copy).unwrap();
    let table = redb::TableDefinition::<&[u8; 32], &[u8]>::new("gate-rows");
    let read = redb::Database::open(&copy).unwrap().begin_read().unwrap();
    read.open_table(table).unwrap().get(object).unwrap().unwrap().value().to_vec()
}
