//! Writes of many who wait at once, in one commit: the price of an fsync is shared by everybody who came meanwhile, and nobody
//! is told that something is written before it is durable.

use super::{Store, StoreError};
use redb::WriteTransaction;
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

/// Writes in one commit.
const MOST: usize = 256;

/// A write that waits, and who waits for it.
trait Write: Send {
    /// Does it within a transaction; again in another, where that one was given up.
    fn write(&mut self, tx: &WriteTransaction) -> Result<(), StoreError>;
    /// Tells what became of it.
    fn told(self: Box<Self>, written: Result<(), StoreError>);
}

struct Waiting<T, F> {
    work: F,
    made: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Write for Waiting<T, F>
where
    T: Send,
    F: FnMut(&WriteTransaction) -> Result<T, StoreError> + Send,
{
    fn write(&mut self, tx: &WriteTransaction) -> Result<(), StoreError> {
        self.made = Some((self.work)(tx)?);
        Ok(())
    }

    fn told(self: Box<Self>, written: Result<(), StoreError>) {
        let Self { made, answer, .. } = *self;
        // Who no longer waits has hung up; it is written all the same.
        let _ = answer.send(written.and_then(|()| made.ok_or(StoreError::Stopped)));
    }
}

/// Writes to a store, in the order in which they came. Clones share it; with the last one it ends, once all is written.
#[derive(Clone)]
pub struct Together(Arc<Inner>);

struct Inner {
    queue: Mutex<Option<Sender<Box<dyn Write>>>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Together")
    }
}

impl Together {
    /// Writes to this store from a thread of its own.
    pub fn start(store: Store) -> Result<Self, StoreError> {
        let (queue, waiting) = channel();
        let thread = thread::Builder::new().name("store".into()).spawn(move || run(&store, &waiting))?;
        Ok(Self(Arc::new(Inner { queue: Mutex::new(Some(queue)), thread: Some(thread) })))
    }

    /// Writes; durable once what comes back has ended. An error undoes it, and nobody else's. `work` may run twice, in
    /// transactions of which one counts. Given up on, it is written all the same, and always before what is written later:
    /// its place is taken by the call.
    pub fn write<T, F>(&self, work: F) -> impl Future<Output = Result<T, StoreError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnMut(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    {
        let answered = self.enqueue(work);
        async move { answered?.await.unwrap_or(Err(StoreError::Stopped)) }
    }

    /// The same on a thread that may wait; not on one that drives others' tasks.
    pub fn write_here<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    {
        self.enqueue(work)?.blocking_recv().unwrap_or(Err(StoreError::Stopped))
    }

    fn enqueue<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let waiting = Box::new(Waiting { work, made: None, answer });
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        queue.ok_or(StoreError::Stopped)?.send(waiting).map_err(|_| StoreError::Stopped)?;
        Ok(answered)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes panicked");
        }
    }
}

fn run(store: &Store, waiting: &Receiver<Box<dyn Write>>) {
    while let Ok(first) = waiting.recv() {
        let mut batch: Vec<_> = std::iter::once(first).chain(waiting.try_iter().take(MOST - 1)).collect();
        let all = store.write(|tx| batch.iter_mut().try_for_each(|work| work.write(tx)));
        if all.is_ok() {
            for work in batch {
                work.told(Ok(()));
            }
            continue;
        }
        // One that fails takes nothing from the others.
        for mut work in batch {
            let alone = store.write(|tx| work.write(tx));
            work.told(alone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::{ReadableTable as _, ReadableTableMetadata as _, TableDefinition};

    const NUMBERS: TableDefinition<'_, u64, u64> = TableDefinition::new("numbers");

    #[tokio::test(flavor = "multi_thread")]
    async fn what_fails_is_undone_alone_and_the_rest_is_durable_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.redb");
        let together = Together::start(Store::open(&file).unwrap()).unwrap();
        let write = |number: u64| {
            let together = together.clone();
            tokio::spawn(async move {
                let written = together.write(move |tx| {
                    tx.open_table(NUMBERS)?.insert(number, number)?;
                    if number.is_multiple_of(10) { Err(StoreError::Row) } else { Ok(number) }
                });
                written.await
            })
        };
        let all: Vec<_> = (1..=100).map(write).collect();
        for (number, written) in (1..).zip(all) {
            let written = written.await.unwrap();
            assert_eq!(written.ok(), (!u64::is_multiple_of(number, 10)).then_some(number));
        }
        // Later ones see what earlier ones wrote.
        for number in [1, 2] {
            let last = together.write(move |tx| {
                Ok(tx.open_table(NUMBERS)?.insert(500, number)?.map(|before| before.value()))
            });
            assert_eq!(last.await.unwrap(), (number == 2).then_some(1));
        }
        drop(together);
        let store = Store::open(&file).unwrap();
        let kept = store.read(|tx| Ok::<_, StoreError>(tx.open_table(NUMBERS)?.len()?)).unwrap();
        assert_eq!(kept, 91);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_written_before_what_comes_later() {
        let dir = tempfile::tempdir().unwrap();
        let together = Together::start(Store::open(&dir.path().join("store.redb")).unwrap()).unwrap();
        let put = |value: u64| {
            together.write(move |tx| {
                tx.open_table(NUMBERS)?.insert(1, value)?;
                Ok(())
            })
        };
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, put(1)).await;
        // Its place is taken before anybody waits for it.
        let (first, second) = (put(3), put(2));
        second.await.unwrap();
        first.await.unwrap();
        let kept = together.write(|tx| Ok(tx.open_table(NUMBERS)?.get(1)?.map(|row| row.value()))).await;
        assert_eq!(kept.unwrap(), Some(2), "{given_up:?}");
    }
}
