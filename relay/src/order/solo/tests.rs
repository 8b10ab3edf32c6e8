//! Ordering alone: everybody gets an answer, the answer is durable, and time never goes back.

use super::*;
use crate::replica::tests::{FOUNDED, grant, in_memory, open_holder};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

/// A clock that a test sets.
fn clock(start: u64) -> (Clock, Arc<AtomicU64>) {
    let hand = Arc::new(AtomicU64::new(start));
    let read = hand.clone();
    (Arc::new(move || read.load(Ordering::SeqCst)), hand)
}

fn solo() -> (Arc<Solo>, Replica, Arc<AtomicU64>) {
    let (replica, (clock, hand)) = (in_memory(), clock(FOUNDED + 100));
    (Arc::new(Solo::start(replica.clone(), clock).unwrap()), replica, hand)
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_all_stand_each_as_an_entry_of_its_own() {
    let (solo, replica, _) = solo();
    let all: Vec<_> = (0..64)
        .map(|n| {
            let (solo, replica) = (solo.clone(), replica.clone());
            tokio::spawn(async move {
                let receipt = solo.submit(open_holder(&n.to_string())).await.unwrap();
                // The answer comes when it can be read and proven.
                assert!(replica.published().size() > receipt.number);
                receipt.number
            })
        })
        .collect();
    let mut numbers = BTreeSet::new();
    for one in all {
        numbers.insert(one.await.unwrap());
    }
    assert_eq!(numbers, (1..=64).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_told_where_it_stands() {
    let (solo, _, _) = solo();
    let receipt = solo.submit(open_holder("1")).await.unwrap();
    let again = solo.submit(open_holder("1")).await;
    assert_eq!(again, Err(SubmitError::Rejected(Rejection::Duplicate { entry: receipt.number })));
    let (solo_a, solo_b) = (solo.clone(), solo.clone());
    let (a, b) = tokio::join!(solo_a.submit(open_holder("2")), solo_b.submit(open_holder("2")));
    let stands = Err(SubmitError::Rejected(Rejection::Duplicate { entry: 2 }));
    assert!(matches!((a, b), (Ok(r), other) | (other, Ok(r)) if r.number == 2 && other == stands));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_transaction_leaves_no_entry() {
    let (solo, replica, _) = solo();
    let (_, issue, revoke) = grant("one");
    assert_eq!(solo.submit(revoke.clone()).await, Err(SubmitError::Rejected(Rejection::UnknownGrant)));
    assert_eq!(replica.published().size(), 1);
    assert_eq!(solo.submit(issue).await.map(|r| r.number), Ok(1));
    assert_eq!(solo.submit(revoke).await.map(|r| r.number), Ok(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_never_goes_back_when_the_clock_does() {
    let (solo, _, hand) = solo();
    let first = solo.submit(open_holder("1")).await.unwrap().now;
    hand.store(FOUNDED + 5, Ordering::SeqCst);
    assert_eq!((first, solo.submit(open_holder("2")).await.unwrap().now), (FOUNDED + 100, FOUNDED + 100));
    hand.store(FOUNDED + 200, Ordering::SeqCst);
    assert_eq!(solo.submit(open_holder("3")).await.unwrap().now, FOUNDED + 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_behind_the_last_entry_is_no_start() {
    let (solo, replica, _) = solo();
    solo.submit(open_holder("1")).await.unwrap();
    drop(solo);
    let behind = Solo::start(replica.clone(), clock(FOUNDED + 99).0);
    assert!(matches!(behind, Err(SoloError::ClockBehind { clock, last }) if clock + 1 == last));
    assert!(Solo::start(replica, clock(FOUNDED + 100).0).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stops_answers_who_waits_first() {
    let (solo, replica, _) = solo();
    let waiting: Vec<_> = (0..8)
        .map(|n| {
            let solo = solo.clone();
            tokio::spawn(async move { solo.submit(open_holder(&n.to_string())).await })
        })
        .collect();
    drop(solo);
    for one in waiting {
        assert!(one.await.unwrap().is_ok());
    }
    assert_eq!(replica.published().size(), 9);
}
