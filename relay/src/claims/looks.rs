//! Looks at the ledger that wait: whoever comes to look, looks for all who wait, as many values and entries as a relay
//! answers at once. So the price of an answer, its checkpoint and its proof that the ledger goes on is shared.

use super::ledger::{LedgerError, Proven};
use crate::http::ledger::MOST_VALUES;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use suishen_core::contract::Key;
use tokio::sync::oneshot;

type Answer = Result<Proven, Arc<LedgerError>>;

/// Who waits.
#[derive(Debug, Default)]
pub struct Looks {
    waiting: Mutex<VecDeque<Asked>>,
}

/// One who waits, by the keys' bytes, and for an entry beside them.
#[derive(Debug)]
struct Asked {
    keys: Vec<Vec<u8>>,
    entry: Option<u64>,
    answer: oneshot::Sender<Answer>,
}

/// Those who are looked for at once.
#[derive(Debug)]
pub struct Look {
    asked: Vec<Asked>,
    /// Each key once, with its place.
    places: BTreeMap<Vec<u8>, usize>,
    entries: BTreeSet<u64>,
}

impl Looks {
    /// Waits for somebody to look.
    pub fn ask(&self, keys: &[Key], entry: Option<u64>) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let keys = keys.iter().map(Key::to_bytes).collect();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(Asked { keys, entry, answer });
        answered
    }

    /// Those who have waited longest, as many as one answer has room for; none where nobody waits any more.
    pub fn next(&self) -> Option<Look> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut asked, mut places, mut entries) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        while let Some(next) = waiting.pop_front() {
            if next.answer.is_closed() {
                continue;
            }
            let new = next.keys.iter().filter(|key| !places.contains_key(*key)).count();
            // An entry for each who asks, at the most.
            if !asked.is_empty() && (places.len() + new).max(asked.len() + 1) > MOST_VALUES {
                waiting.push_front(next);
                break;
            }
            for key in &next.keys {
                let place = places.len();
                places.entry(key.clone()).or_insert(place);
            }
            entries.extend(next.entry);
            asked.push(next);
        }
        (!asked.is_empty()).then_some(Look { asked, places, entries })
    }
}

impl Look {
    /// What is looked for, each once.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> = self.places.iter().collect();
        keys.sort_by_key(|(_, place)| **place);
        keys.into_iter().map(|(key, _)| key.clone()).collect()
    }

    /// The entries that are looked for.
    pub fn entries(&self) -> Vec<u64> {
        self.entries.iter().copied().collect()
    }

    /// Hands everybody what was theirs.
    pub fn told(self, looked: Result<Proven, LedgerError>) {
        let looked = looked.map_err(Arc::new);
        for Asked { keys, entry, answer } in self.asked {
            let places = keys.iter().map(|key| self.places.get(key).copied());
            let own = match &looked {
                Ok(all) => Ok(all.only(places, entry)),
                Err(error) => Err(error.clone()),
            };
            // Who no longer waits has hung up.
            let _ = answer.send(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suishen_core::id::GrantId;

    fn key(number: u8) -> Key {
        Key::Grant(GrantId::from_bytes([number; 32]))
    }

    /// Each value is its key, each entry its number.
    fn looked(look: &Look) -> Proven {
        let values = look.keys().into_iter().map(Some).collect();
        let entries = look.entries().into_iter().map(|number| (number, number.to_be_bytes().to_vec()));
        Proven::of(values, entries.collect(), 9, 7)
    }

    #[test]
    fn many_are_looked_for_at_once_and_each_is_told_what_it_asked_for_in_its_order() {
        let looks = Looks::default();
        let asked: Vec<[Key; 2]> = (0..100).map(|n| [key(200), key(n)]).collect();
        let entry = |n: usize| n.is_multiple_of(3).then_some(n as u64);
        let waiting: Vec<_> = asked.iter().zip(0..).map(|(keys, n)| looks.ask(keys, entry(n))).collect();
        let mut rounds = 0;
        while let Some(look) = looks.next() {
            assert!(look.keys().len() <= MOST_VALUES);
            let told = looked(&look);
            look.told(Ok(told));
            rounds += 1;
        }
        assert_eq!(rounds, 2, "63 of their own and one that all ask for");
        for (n, (keys, mut told)) in asked.iter().zip(waiting).enumerate() {
            let told = told.try_recv().unwrap().unwrap();
            let wanted: Vec<_> = keys.iter().map(|key| Some(key.to_bytes())).collect();
            assert_eq!((told.raw(), told.size, told.at), (wanted.as_slice(), 9, 7));
            let wanted = entry(n).map(|number| (number, number.to_be_bytes().to_vec()));
            assert_eq!(told.entries, wanted.into_iter().collect(), "{n}");
        }
    }

    #[test]
    fn who_asks_for_more_than_one_answer_holds_is_asked_for_alone_and_who_went_is_not() {
        let looks = Looks::default();
        let many: Vec<Key> = (0..=u8::try_from(MOST_VALUES).unwrap()).map(key).collect();
        drop(looks.ask(&[key(1)], None));
        let _much = looks.ask(&many, None);
        let mut one = looks.ask(&[key(1)], None);
        assert_eq!(looks.next().unwrap().keys().len(), MOST_VALUES + 1);
        looks.next().unwrap().told(Err(LedgerError::Unsound("state")));
        assert_eq!(
            one.try_recv().unwrap().unwrap_err().to_string(),
            LedgerError::Unsound("state").to_string()
        );
        assert!(looks.next().is_none());
    }

    #[test]
    fn no_more_entries_are_looked_for_at_once_than_a_relay_answers() {
        let looks = Looks::default();
        let waiting: Vec<_> = (0..100).map(|n| looks.ask(&[key(1)], Some(n))).collect();
        let rounds: Vec<_> = std::iter::from_fn(|| looks.next()).map(|look| look.entries().len()).collect();
        assert_eq!(rounds, [MOST_VALUES, 100 - MOST_VALUES]);
        drop(waiting);
    }
}
