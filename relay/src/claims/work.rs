//! What an insurer's server does by itself: each claim's next step, again and again until it is done, ever less often
//! where it waits for a person or a relay.

use super::{ClaimsDesk, DeskError};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use suishen_core::{id::GrantId, sm::Random as _};
use tokio::task::JoinSet;

/// Claims that are worked on at a time; their looks at the ledger are shared.
const AT_ONCE: usize = 64;
/// The first wait, and the longest.
const FIRST: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_mins(1);

/// How often all claims are looked over.
const LOOK_OVER: Duration = Duration::from_mins(30);
/// How often what is under way is taken up without being told: a caller that hangs up while its decision is written tells
/// nobody of it.
const TAKE_UP: Duration = Duration::from_mins(1);

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
    let [chance]: [u8; 1] = crate::random::SystemRandom.bytes();
    growing(tries, (first, longest), chance)
}

/// The same by a given chance: half as long again each time, up to the longest, and then as many 1024ths of it more.
pub fn growing(tries: u32, (first, longest): (Duration, Duration), chance: u8) -> Duration {
    let grown = (0..tries.min(64)).try_fold(first, |wait, _| {
        let next = wait + wait / 2;
        (next < longest).then_some(next)
    });
    let wait = grown.unwrap_or(longest);
    wait + wait * u32::from(chance) / 1024
}

/// Works until it is dropped.
pub async fn work(desk: Arc<ClaimsDesk>) {
    tokio::join!(step_all(&desk), look_over(&desk));
}

/// Looks over what is settled, now and then.
async fn look_over(desk: &ClaimsDesk) {
    loop {
        if let Err(error) = desk.look_over().await {
            tracing::info!(%error, "settled claims are looked over later");
        }
        tokio::time::sleep(LOOK_OVER).await;
    }
}

type Stepping = BTreeMap<GrantId, bool>;

/// A claim's step, done.
type Done = (GrantId, Due, Result<bool, DeskError>);

/// Steps every claim when it is due. One that takes long holds up no other.
async fn step_all(desk: &Arc<ClaimsDesk>) {
    let mut due: BTreeMap<GrantId, Due> = BTreeMap::new();
    // A set that is dropped ends what is in it. Of each that is stepped, whether something came meanwhile.
    let (mut steps, mut stepping) = (JoinSet::<Done>::new(), Stepping::new());
    take_up(desk, &mut due, &mut stepping);
    let mut again = tokio::time::interval(TAKE_UP);
    loop {
        start(desk, &mut due, (&mut steps, &mut stepping));
        let next = due.values().map(|due| due.at).min().filter(|_| steps.len() < AT_ONCE);
        let pause = next.map_or(LONGEST, |at| at.saturating_duration_since(Instant::now()));
        tokio::select! {
            Some(done) = steps.join_next(), if !steps.is_empty() => match done {
                Ok((id, before, step)) => {
                    let stirred = stepping.remove(&id).unwrap_or_default();
                    if let Err(error) = &step {
                        log(&id, error);
                    }
                    match step {
                        Ok(false) if stirred => drop(due.insert(id, Due::now())),
                        Ok(false) => {}
                        Ok(true) | Err(_) => drop(due.insert(id, before.later())),
                    }
                }
                Err(error) => {
                    // What it stepped is taken up again with all others.
                    tracing::error!(%error, "a step was broken off");
                    stepping.clear();
                    steps.shutdown().await;
                    take_up(desk, &mut due, &mut stepping);
                }
            },
            () = tokio::time::sleep(pause) => {}
            () = desk.stirred.notified() => take_up(desk, &mut due, &mut stepping),
            _ = again.tick() => take_up(desk, &mut due, &mut stepping),
        }
    }
}

/// Starts the steps that are due, those that wait longest first, as far as there is room.
fn start(
    desk: &Arc<ClaimsDesk>,
    due: &mut BTreeMap<GrantId, Due>,
    (steps, stepping): (&mut JoinSet<Done>, &mut Stepping),
) {
    let (now, room) = (Instant::now(), AT_ONCE.saturating_sub(steps.len()));
    if room == 0 {
        return;
    }
    let mut ready: Vec<_> =
        due.iter().filter(|(_, due)| due.at <= now).map(|(id, due)| (*id, *due)).collect();
    ready.sort_by_key(|(_, due)| due.at);
    for (id, before) in ready.into_iter().take(room) {
        due.remove(&id);
        stepping.insert(id, false);
        let desk = desk.clone();
        steps.spawn(async move { (id, before, desk.step(&id).await) });
    }
}

/// Claims that came or changed.
fn take_up(desk: &ClaimsDesk, due: &mut BTreeMap<GrantId, Due>, stepping: &mut Stepping) {
    match under_way(desk) {
        Ok(names) => {
            for name in names {
                if let Some(stirred) = stepping.get_mut(&name) {
                    *stirred = true;
                } else {
                    due.entry(name).or_insert_with(Due::now);
                }
            }
        }
        Err(error) => tracing::error!(%error, "claims cannot be read"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_by_half_each_time_up_to_the_longest_and_by_a_quarter_at_the_most_by_chance() {
        let within = (FIRST, LONGEST);
        let waits: Vec<_> = (0..=200).map(|tries| growing(tries, within, 0)).collect();
        assert_eq!(waits[..3], [300, 450, 675].map(Duration::from_millis));
        for pair in waits.windows(2) {
            assert!(pair[1] == pair[0] + pair[0] / 2 || pair[1] == LONGEST, "{pair:?}");
            assert!(pair[0] <= pair[1] && pair[1] <= LONGEST, "{pair:?}");
        }
        assert_eq!(waits.iter().position(|wait| *wait == LONGEST), Some(14));
        for (tries, least) in (0..).zip(&waits) {
            let chances: Vec<_> = (0..=u8::MAX).map(|chance| growing(tries, within, chance)).collect();
            assert!(chances.is_sorted() && chances[0] == *least && chances[255] > *least + *least / 5);
            assert!(chances[255] <= *least + *least / 4, "{tries}");
        }
        let most = (Duration::from_secs(1), Duration::from_hours(1));
        assert_eq!(growing(u32::MAX, most, u8::MAX), most.1 + most.1 * 255 / 1024);
    }
}
