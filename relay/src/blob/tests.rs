//! Who owns what, room, time, and what a crash leaves.

use super::*;
use suishen_core::{
    id::Commitment,
    sm::{Digest, SecretKey},
};

pub(crate) fn limits() -> BlobLimits {
    BlobLimits { largest: 1000, room: 5000, keep: 100 }
}

fn blobs() -> (tempfile::TempDir, Blobs, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("relay.redb")).unwrap();
    let blobs = Blobs::open(dir.path().join("blobs"), store.clone(), limits()).unwrap();
    (dir, blobs, store)
}

fn key(n: u8) -> PublicKey {
    SecretKey::from_bytes(&[n; 32]).unwrap().public()
}

async fn put(blobs: &Blobs, bytes: &[u8], owner: u8) -> (BlobAddress, upload::Uploaded) {
    let address = BlobAddress::from_digest(Digest::of(bytes));
    let mut upload = blobs.begin(bytes.len() as u64).await.unwrap().unwrap();
    assert_eq!(upload.write(bytes).await.unwrap(), Written::Taken);
    (address, upload.finish(address, key(owner), 0).await.unwrap())
}

#[tokio::test]
async fn a_blob_lies_at_its_address_and_belongs_to_who_uploaded_all_of_it() {
    let (_dir, blobs, _) = blobs();
    let (address, how) = put(&blobs, b"ciphertext", 1).await;
    assert_eq!(how, upload::Uploaded::New);
    assert_eq!(fs::read(blobs.path(&address)).unwrap(), b"ciphertext");
    assert!(blobs.is_owner(&address, &key(1)).unwrap());
    assert!(!blobs.is_owner(&address, &key(2)).unwrap());
    assert_eq!(put(&blobs, b"ciphertext", 2).await.1, upload::Uploaded::Known);
    assert!(blobs.is_owner(&address, &key(2)).unwrap());
    assert_eq!(blobs.used(), 10);
}

#[tokio::test]
async fn bytes_of_another_address_or_length_leave_nothing() {
    let (dir, blobs, _) = blobs();
    let other = BlobAddress::from_bytes([9; 32]);
    let mut upload = blobs.begin(3).await.unwrap().unwrap();
    upload.write(b"abc").await.unwrap();
    assert_eq!(upload.finish(other, key(1), 0).await.unwrap(), upload::Uploaded::Other);
    let mut long = blobs.begin(2).await.unwrap().unwrap();
    assert_eq!(long.write(b"abc").await.unwrap(), Written::TooMany);
    drop(long);
    assert_eq!(blobs.used(), 0);
    assert_eq!(fs::read_dir(dir.path().join("blobs/partial")).unwrap().count(), 0);
    assert!(blobs.meta(&other).unwrap().is_none());
}

#[tokio::test]
async fn room_is_taken_by_what_came_and_comes_back() {
    let (_dir, blobs, _) = blobs();
    let mut large = blobs.begin(4000).await.unwrap().unwrap();
    let mut other = blobs.begin(4500).await.unwrap().unwrap();
    assert_eq!(blobs.used(), 0, "what is only announced takes no room");
    assert_eq!(large.write(&[1; 3000]).await.unwrap(), Written::Taken);
    assert_eq!(other.write(&[2; 2500]).await.unwrap(), Written::NoRoom);
    assert_eq!(blobs.used(), 3000);
    assert!(blobs.begin(2001).await.unwrap().is_none());
    drop((large, other));
    assert_eq!(blobs.used(), 0);
    assert!(blobs.begin(5000).await.unwrap().is_some());
}

#[tokio::test]
async fn a_blob_goes_after_its_time_unless_a_list_names_it() {
    let (_dir, blobs, store) = blobs();
    let (named, _) = put(&blobs, b"named", 1).await;
    let (unnamed, _) = put(&blobs, b"unnamed", 1).await;
    let ticket = Subject::Ticket(Commitment::from_bytes([3; 32]));
    let record = Named { record: 0, blobs: vec![named] };
    store.write(|tx| blobs.name(tx, &ticket, std::slice::from_ref(&record), 500)).unwrap();
    assert_eq!(blobs.expire(99).unwrap(), 0);
    assert_eq!(blobs.expire(100).unwrap(), 1);
    assert!(blobs.meta(&unnamed).unwrap().is_none() && blobs.meta(&named).unwrap().is_some());
    assert_eq!(blobs.expire(500).unwrap(), 1);
    assert_eq!(blobs.used(), 0);
}

#[tokio::test]
async fn whoever_uploads_the_same_bytes_cannot_take_them_from_their_first_owner() {
    let (_dir, blobs, _) = blobs();
    let (address, _) = put(&blobs, b"shared", 1).await;
    put(&blobs, b"shared", 2).await;
    blobs.disown(&address, &key(2)).unwrap();
    assert!(blobs.meta(&address).unwrap().is_some() && blobs.is_owner(&address, &key(1)).unwrap());
    blobs.disown(&address, &key(1)).unwrap();
    assert_eq!(blobs.meta(&address).unwrap(), None);
}

#[tokio::test]
async fn a_kept_ticket_takes_along_its_issuers_blobs_and_nobody_elses() {
    let (_dir, blobs, store) = blobs();
    let (own, _) = put(&blobs, b"own", 1).await;
    let (other, _) = put(&blobs, b"other", 2).await;
    let ticket = Subject::Ticket(Commitment::from_bytes([3; 32]));
    let record = Named { record: 0, blobs: vec![own, other] };
    store.write(|tx| blobs.name(tx, &ticket, std::slice::from_ref(&record), 500)).unwrap();
    blobs.drop_named(&ticket, &key(1)).unwrap();
    assert!(blobs.meta(&own).unwrap().is_none());
    assert!(blobs.meta(&other).unwrap().is_some());
}

#[tokio::test]
async fn a_blob_with_as_many_owners_as_may_be_takes_no_more_and_keeps_those() {
    let (_dir, blobs, store) = blobs();
    let (address, _) = put(&blobs, b"shared", 1).await;
    let others = (1..MOST_OWNERS).map(|n| {
        let mut owner = [0; 65];
        owner[..8].copy_from_slice(&n.to_be_bytes());
        owner
    });
    let fill = |tx: &WriteTransaction| {
        let mut owners = tx.open_multimap_table(OWNERS)?;
        for owner in others {
            owners.insert(address.as_bytes(), &owner)?;
        }
        Ok::<_, StoreError>(())
    };
    store.write(fill).unwrap();
    assert_eq!(put(&blobs, b"shared", 2).await.1, Uploaded::Crowded);
    assert!(!blobs.is_owner(&address, &key(2)).unwrap());
    assert_eq!(put(&blobs, b"shared", 1).await.1, Uploaded::Known, "an owner may send it again");
    assert!(blobs.is_owner(&address, &key(1)).unwrap());
    assert_eq!((blobs.used(), fs::read(blobs.path(&address)).unwrap().len()), (6, 6));
}

/// The bytes that a crash left at their place after the marker and before the rows.
fn placed_without_rows(dir: &tempfile::TempDir, blobs: &Blobs, bytes: &[u8]) -> BlobAddress {
    let address = BlobAddress::from_digest(Digest::of(bytes));
    let to = blobs.path(&address);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::write(&to, bytes).unwrap();
    fs::write(upload::marker(&dir.path().join("blobs"), &address), []).unwrap();
    address
}

#[tokio::test]
async fn what_a_crash_left_without_rows_goes_at_the_next_start() {
    let (dir, blobs, store) = blobs();
    let orphan = placed_without_rows(&dir, &blobs, b"orphan");
    let (kept, _) = put(&blobs, b"kept", 1).await;
    fs::write(upload::marker(&dir.path().join("blobs"), &kept), []).unwrap();
    let blobs = Blobs::open(dir.path().join("blobs"), store, limits()).unwrap();
    assert!(!blobs.path(&orphan).exists(), "counted by nothing, named by nothing");
    assert!(blobs.path(&kept).exists(), "its rows were written");
    assert_eq!(fs::read_dir(dir.path().join("blobs/partial")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_that_ended_well_leaves_no_marker() {
    let (dir, blobs, _) = blobs();
    put(&blobs, b"whole", 1).await;
    assert_eq!(fs::read_dir(dir.path().join("blobs/partial")).unwrap().count(), 0);
}
