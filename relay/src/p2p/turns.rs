//! Turns at the mailboxes: what streams ask of them blocks, so it is done by few at a time, each vault's one after another.
//!
//! A vault whose work is long (epochs to verify, a set of events to hash) thus waits for itself; what others wait for is at
//! most the end of what is under way. Who stands at the door is judged apart from those who are in, and new vaults
//! apart from both: nobody has shown yet that it belongs anywhere. What takes long inside, sets to compare and content, has
//! turns of its own: **a change waits for no crowd that compares**, and half of the processors are left to what is short.

use crate::mailbox::{MailboxError, Mailboxes};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
};
use suishen_core::id::VaultId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Vaults that are worked for at a time, and those whose content is.
const INSIDE: usize = 8;
const CONTENT: usize = 4;
/// Knocks that are judged at a time, and foundings.
const KNOCKS: usize = 4;
const FOUNDINGS: usize = 1;

/// Who is at work.
pub struct Turns {
    mailboxes: Mailboxes,
    inside: Arc<Semaphore>,
    sessions: Arc<Semaphore>,
    content: Arc<Semaphore>,
    knocks: Arc<Semaphore>,
    foundings: Arc<Semaphore>,
    vaults: Vaults,
}

type Vaults = Arc<Mutex<BTreeMap<VaultId, Waiting>>>;

/// Those of one vault.
struct Waiting {
    turn: Arc<Semaphore>,
    /// That are at work or wait.
    count: usize,
}

/// One of those, until it is dropped.
struct Place {
    vaults: Vaults,
    vault: VaultId,
    turn: Arc<Semaphore>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut vaults = self.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = vaults.get_mut(&self.vault) {
            waiting.count -= 1;
            if waiting.count == 0 {
                vaults.remove(&self.vault);
            }
        }
    }
}

impl Turns {
    /// At these mailboxes.
    pub fn new(mailboxes: Mailboxes) -> Self {
        let sessions = available_parallelism().map_or(1, |all| all.get().div_ceil(2));
        let [inside, sessions, content, knocks, foundings] =
            [INSIDE, sessions, CONTENT, KNOCKS, FOUNDINGS].map(|most| Arc::new(Semaphore::new(most)));
        Self { mailboxes, inside, sessions, content, knocks, foundings, vaults: Vaults::default() }
    }

    /// Does something short in a vault, when it is its turn and nobody else works in it.
    pub async fn inside<T: Send + 'static>(
        &self,
        vault: VaultId,
        work: impl FnOnce(&Mailboxes) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        self.alone(&self.inside, vault, work).await
    }

    /// The same for what looks at all events of the vault, or at many.
    pub async fn session<T: Send + 'static>(
        &self,
        vault: VaultId,
        work: impl FnOnce(&Mailboxes) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        self.alone(&self.sessions, vault, work).await
    }

    /// The same for a piece of content.
    pub async fn content<T: Send + 'static>(
        &self,
        vault: VaultId,
        work: impl FnOnce(&Mailboxes) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        self.alone(&self.content, vault, work).await
    }

    async fn alone<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        vault: VaultId,
        work: impl FnOnce(&Mailboxes) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let place = self.place(vault);
        let alone = taken(&place.turn).await?;
        let turn = taken(turns).await?;
        self.blocking((place, alone, turn), work).await
    }

    /// Judges who knocked.
    pub async fn knock<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Mailboxes) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let turn = taken(&self.knocks).await?;
        self.blocking(turn, work).await
    }

    /// Begins a mailbox.
    pub async fn found<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Mailboxes) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let turn = taken(&self.foundings).await?;
        self.blocking(turn, work).await
    }

    fn place(&self, vault: VaultId) -> Place {
        let mut vaults = self.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting =
            vaults.entry(vault).or_insert_with(|| Waiting { turn: Arc::new(Semaphore::new(1)), count: 0 });
        waiting.count += 1;
        Place { vaults: self.vaults.clone(), vault, turn: waiting.turn.clone() }
    }

    /// The turn is over when the work is, also when nobody waits for it any longer.
    async fn blocking<T: Send + 'static>(
        &self,
        turn: impl Send + 'static,
        work: impl FnOnce(&Mailboxes) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let mailboxes = self.mailboxes.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&mailboxes);
            drop(turn);
            done
        });
        done.await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
    }
}

async fn taken(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, MailboxError> {
    semaphore.clone().acquire_owned().await.map_err(|error| io::Error::other(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::MailboxLimits;
    use std::sync::mpsc;
    use suishen_core::id::LedgerId;
    use tokio::task::JoinSet;

    const LIMITS: MailboxLimits =
        MailboxLimits { events: 1 << 20, content: 0, largest: 0, room: 1 << 20, keep: 1, bits: 0 };

    fn vault(n: u8) -> VaultId {
        VaultId::from_bytes([n; 32])
    }

    #[tokio::test]
    async fn malicious_vault_with_much_to_do_holds_up_no_other_vault_and_no_door() {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = Mailboxes::open(folder.path(), LedgerId::from_bytes([7; 32]), LIMITS).unwrap();
        let turns = Arc::new(Turns::new(mailboxes));
        let (release, held) = mpsc::channel::<()>();
        let (begins, first_begun) = tokio::sync::oneshot::channel();
        let mut busy = JoinSet::new();
        let first = turns.clone();
        busy.spawn(async move {
            let work = move |_: &Mailboxes| {
                begins.send(()).unwrap();
                held.recv().unwrap();
                Ok(())
            };
            first.inside(vault(1), work).await.unwrap();
        });
        first_begun.await.unwrap();
        // Far more of the same vault than are worked for at a time.
        for _ in 0..10 * INSIDE {
            let more = turns.clone();
            busy.spawn(async move { more.inside(vault(1), |_| Ok(())).await.unwrap() });
        }
        tokio::task::yield_now().await;
        for n in 2..20 {
            turns.inside(vault(n), |_| Ok(())).await.unwrap();
        }
        turns.session(vault(20), |_| Ok(())).await.unwrap();
        turns.content(vault(20), |_| Ok(())).await.unwrap();
        turns.knock(|_| Ok(())).await.unwrap();
        turns.found(|_| Ok(())).await.unwrap();
        assert_eq!(busy.try_join_next().map(|_| ()), None, "the first vault's work is still held");
        release.send(()).unwrap();
        busy.join_all().await;
        assert!(turns.vaults.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn malicious_crowd_that_compares_or_takes_content_holds_up_no_change_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = Mailboxes::open(folder.path(), LedgerId::from_bytes([7; 32]), LIMITS).unwrap();
        let turns = Arc::new(Turns::new(mailboxes));
        let mut busy = JoinSet::new();
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        for n in 0..100 {
            let (turns, held) = (turns.clone(), held.clone());
            let work = move |_: &Mailboxes| {
                let _ = held.lock().unwrap().recv();
                Ok(())
            };
            busy.spawn(async move {
                let of_session = turns.session(vault(n), work.clone()).await;
                of_session.and(turns.content(vault(n), work).await).unwrap();
            });
        }
        tokio::task::yield_now().await;
        for n in 100..120 {
            turns.inside(vault(n), |_| Ok(())).await.unwrap();
        }
        assert_eq!(busy.try_join_next().map(|_| ()), None, "the crowd's work is still held");
        drop(release);
        busy.join_all().await;
    }
}
