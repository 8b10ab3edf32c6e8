//! One relay orders alone: the embedded default.
//!
//! Signatures are verified on many threads; one thread then applies what waits, in order, makes all of it
//! durable in one commit and answers. So the price of an fsync is shared by everybody who came meanwhile, and
//! nobody is told "stands" before it does. `now` = max(last entry's, clock): time never goes back.

use super::{Order, Receipt, SubmitError};
use crate::replica::{Accepted, Published, Replica, ReplicaError};
use std::{
    fmt,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use suishen_core::{
    contract::{Checked, Context, Entry, Overlay, Rejection, SignedTransaction, apply_checked},
    id::{LedgerId, PartyId},
};
use tokio::sync::{Semaphore, oneshot};

/// Transactions that may wait.
const QUEUE: usize = 4096;
/// Transactions in one commit.
const MOST: usize = 1024;
/// A checkpoint is cosigned anew after so long without entries; 30 s at the most.
const REFRESH: Duration = Duration::from_secs(15);

/// Why a ledger can't be ordered here.
#[derive(Debug, thiserror::Error)]
pub enum SoloError {
    /// The clock is wrong, or was when the last entry came: going on would freeze the ledger's time.
    #[error(
        "this machine's clock ({clock}) is behind the ledger's last entry ({last}): set it right, or wait"
    )]
    ClockBehind {
        /// Unix seconds.
        clock: u64,
        /// Unix seconds.
        last: u64,
    },
    /// The ledger has several members.
    #[error("this ledger has several members: they order together")]
    NotAlone,
    /// No thread.
    #[error("the ordering thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// The ledger's clock: Unix seconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// This machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    })
}

/// A transaction that waits, and who waits for it.
struct Waiting {
    checked: Checked,
    answer: oneshot::Sender<Result<Receipt, SubmitError>>,
}

/// Orders alone. Dropped, it finishes what waits.
pub struct Solo {
    replica: Replica,
    queue: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
    /// As many verifications at once as there are cores.
    verifying: Arc<Semaphore>,
}

impl fmt::Debug for Solo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Solo({:?})", self.replica)
    }
}

impl Solo {
    /// Starts ordering on this replica; nothing else may append to it.
    pub fn start(replica: Replica, clock: Clock) -> Result<Self, SoloError> {
        let (now, last) = (clock(), replica.published().snapshot().last_time());
        if now < last {
            return Err(SoloError::ClockBehind { clock: now, last });
        }
        if replica.genesis().members.len() > 1 {
            return Err(SoloError::NotAlone);
        }
        let (queue, waiting) = sync_channel(QUEUE);
        let sequencer =
            Sequencer { sponsor: replica.member().party.clone(), replica: replica.clone(), clock };
        let thread = thread::Builder::new().name("order".into()).spawn(move || sequencer.run(&waiting))?;
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let verifying = Arc::new(Semaphore::new(cores));
        Ok(Self { replica, queue: Some(queue), thread: Some(thread), verifying })
    }
}

impl Order for Solo {
    async fn submit(&self, signed: SignedTransaction) -> Result<Receipt, SubmitError> {
        let permit = self.verifying.clone().acquire_owned().await.map_err(|_| SubmitError::Unavailable)?;
        let queue = self.queue.clone().ok_or(SubmitError::Unavailable)?;
        let (ledger, published) = (self.replica.ledger(), self.replica.published());
        let (answer, answered) = oneshot::channel();
        // What was verified goes on to the queue from there: on a detour over this task the core would wait for work.
        tokio::task::spawn_blocking(move || {
            let checked = check(signed, &ledger, &published);
            drop(permit);
            match checked {
                Ok(checked) => enqueue(&queue, Waiting { checked, answer }),
                Err(error) => refuse(answer, error),
            }
        });
        answered.await.unwrap_or(Err(SubmitError::Unavailable))
    }
}

/// Reads a transaction and verifies its signatures against the state as published.
fn check(
    signed: SignedTransaction,
    ledger: &LedgerId,
    published: &Published,
) -> Result<Checked, SubmitError> {
    let mut checked = Checked::read(signed, ledger)?;
    let snapshot = published.snapshot();
    // A repeat is told where it stands, even when the keys that signed it have changed since.
    let stands = snapshot.entry_of(&checked.id()).map_err(|e| unavailable(&e))?;
    if let Some(entry) = stands {
        return Err(Rejection::Duplicate { entry }.into());
    }
    let verdict = snapshot.with_state(|state| checked.check(state)).map_err(|e| unavailable(&e))?;
    verdict.map(|()| checked).map_err(SubmitError::from)
}

/// Lets a verified transaction wait for its turn, or refuses it at once.
fn enqueue(queue: &SyncSender<Waiting>, waiting: Waiting) {
    match queue.try_send(waiting) {
        Ok(()) => {}
        Err(TrySendError::Full(waiting)) => refuse(waiting.answer, SubmitError::Busy),
        Err(TrySendError::Disconnected(waiting)) => refuse(waiting.answer, SubmitError::Unavailable),
    }
}

fn refuse(answer: oneshot::Sender<Result<Receipt, SubmitError>>, error: SubmitError) {
    // Who no longer waits has hung up.
    let _ = answer.send(Err(error));
}

impl Drop for Solo {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ordering thread panicked");
        }
    }
}

fn unavailable(error: &ReplicaError) -> SubmitError {
    tracing::error!(%error, "the ledger failed");
    SubmitError::Unavailable
}

type Verdict = Result<Receipt, SubmitError>;

/// The one thread that writes.
struct Sequencer {
    replica: Replica,
    sponsor: PartyId,
    clock: Clock,
}

impl Sequencer {
    fn run(&self, waiting: &Receiver<Waiting>) {
        let mut refreshed = Instant::now();
        loop {
            match waiting.recv_timeout(REFRESH.saturating_sub(refreshed.elapsed())) {
                Ok(first) => {
                    let batch = std::iter::once(first).chain(waiting.try_iter()).take(MOST).collect();
                    if self.order(batch) {
                        refreshed = Instant::now();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if refreshed.elapsed() >= REFRESH {
                self.replica.refresh((self.clock)());
                refreshed = Instant::now();
            }
        }
    }

    /// Applies, commits, answers. Every answer waits for the commit: a refusal may rest on an entry of the same
    /// batch. Tells whether a new checkpoint was published.
    fn order(&self, batch: Vec<Waiting>) -> bool {
        let (accepted, verdicts) = match self.decide(&batch) {
            Ok(decided) => decided,
            Err(error) => {
                let error = unavailable(&error);
                answer(batch, |_| Err(error));
                return false;
            }
        };
        if let Err(error) = self.replica.append(&accepted) {
            let error = unavailable(&error);
            answer(batch, |_| Err(error));
            return false;
        }
        answer(batch, |i| verdicts[i]);
        !accepted.is_empty()
    }

    /// What is accepted, and one verdict a transaction.
    fn decide(&self, batch: &[Waiting]) -> Result<(Vec<Accepted>, Vec<Verdict>), ReplicaError> {
        let published = self.replica.published();
        let snapshot = published.snapshot();
        let now = (self.clock)().max(snapshot.last_time());
        snapshot.with_state(|state| {
            let (mut overlay, mut accepted, mut verdicts) = (Overlay::new(state), Vec::new(), Vec::new());
            for Waiting { checked, .. } in batch {
                let number = snapshot.size() + accepted.len() as u64;
                let context = Context { number, now, sponsor: self.sponsor.clone() };
                verdicts.push(match apply_checked(&overlay, &context, checked) {
                    Ok(changes) => {
                        overlay.add(changes.clone());
                        let entry =
                            Entry { now, sponsor: self.sponsor.clone(), signed: checked.signed().clone() };
                        accepted.push(Accepted { entry, changes });
                        Ok(Receipt { number, now })
                    }
                    Err(rejection) => Err(SubmitError::Rejected(rejection)),
                });
            }
            (accepted, verdicts)
        })
    }
}

fn answer(batch: Vec<Waiting>, verdict: impl Fn(usize) -> Verdict) {
    for (i, waiting) in batch.into_iter().enumerate() {
        // Who no longer waits has hung up.
        let _ = waiting.answer.send(verdict(i));
    }
}

#[cfg(test)]
mod tests;
