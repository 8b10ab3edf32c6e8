//! What an insurer's server does by itself: each claim's next step, again and again until it is done, ever less often
//! where it waits for a person or a relay.

use super::{ClaimsDesk, DeskError};
use futures_util::{StreamExt as _, stream};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use suishen_core::{id::GrantId, sm::Random as _};

/// Claims that are worked on at a time.
const AT_ONCE: usize = 8;
/// The first wait, and the longest.
const FIRST: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_mins(1);

/// How often all claims are looked over.
const LOOK_OVER: Duration = Duration::from_mins(30);

/// When a claim is looked at next, and how often it was in vain.
#[derive(Clone, Copy, Debug)]
struct Due {
    at: Instant,
    tries: u32,
}

impl Due {
    fn now() -> Self {
        Self { at: Instant::now(), tries: 0 }
    }

    /// Half as long again each time, and a little by chance, so that not all come at once.
    fn later(self) -> Self {
        let tries = self.tries.saturating_add(1);
        Self { at: Instant::now() + wait(tries, FIRST, LONGEST), tries }
    }
}

/// How long to wait after so many tries in vain, with up to a quarter more by chance.
pub fn wait(tries: u32, first: Duration, longest: Duration) -> Duration {
    let grown = (0..tries.min(64)).try_fold(first, |wait, _| {
        let next = wait + wait / 2;
        (next < longest).then_some(next)
    });
    let wait = grown.unwrap_or(longest);
    let [chance]: [u8; 1] = crate::random::SystemRandom.bytes();
    wait + wait * u32::from(chance) / 1024
}

/// Works until it is dropped.
pub async fn work(desk: Arc<ClaimsDesk>) {
    let mut due: BTreeMap<GrantId, Due> = BTreeMap::new();
    let mut looked: Option<Instant> = None;
    loop {
        if looked.is_none_or(|at| at.elapsed() > LOOK_OVER) {
            looked = Some(Instant::now());
            if let Err(error) = desk.look_over().await {
                tracing::info!(%error, "settled claims are looked over later");
            }
        }
        match under_way(&desk) {
            Ok(names) => {
                for name in names {
                    due.entry(name).or_insert_with(Due::now);
                }
            }
            Err(error) => tracing::error!(%error, "claims cannot be read"),
        }
        let now = Instant::now();
        let ready: Vec<_> =
            due.iter().filter(|(_, due)| due.at <= now).map(|(id, due)| (*id, *due)).collect();
        let steps = ready.into_iter().map(|(id, before)| {
            let desk = &desk;
            async move { (id, before, desk.step(&id).await) }
        });
        let done: Vec<_> = stream::iter(steps).buffer_unordered(AT_ONCE).collect().await;
        for (id, before, step) in done {
            match step {
                Ok(false) => {
                    due.remove(&id);
                }
                Ok(true) => {
                    due.insert(id, before.later());
                }
                Err(error) => {
                    log(&id, &error);
                    due.insert(id, before.later());
                }
            }
        }
        let next = due.values().map(|due| due.at).min();
        let pause = next.map_or(LONGEST, |at| at.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = desk.stirred.notified() => {}
        }
    }
}

fn under_way(desk: &ClaimsDesk) -> Result<Vec<GrantId>, DeskError> {
    Ok(desk.rows.under_way()?)
}

fn log(id: &GrantId, error: &DeskError) {
    if matches!(error, DeskError::Rows(_)) {
        tracing::error!(claim = %id, %error, "a claim is stuck");
    } else {
        tracing::info!(claim = %id, %error, "a claim goes on later");
    }
}
