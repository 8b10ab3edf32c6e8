//! The cards of all records while the wallet is open: read from where they are kept sealed, made where they are missing,
//! a few contents at a time so that nobody waits for the last one.

use super::Session;
use super::card::{Card, Entry};
use super::records::{manifest_of, view_of};
use crate::engine::Engine;
use crate::platform::{BrowserRandom, breathe, day, monotonic};
use crate::store::{Change, Table};
use crate::worker::tell;
use futures::lock::Mutex;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use suishen_bridge::{Event, Fault, Topic};
use suishen_core::id::Commitment;
use suishen_core::order;
use suishen_core::vault::{Record, RecordIndex};

/// Contents that are opened before the list is shown, where their cards are missing.
const AT_ONCE: usize = 48;
/// Contents that are opened in one go behind it.
const BATCH: usize = 32;
/// How often the pages are told of cards that were made, in seconds.
const TOLD_EVERY: f64 = 1.0;

/// How far a record's content was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not since the wallet was opened; its card is from before.
    Kept,
    /// In this session.
    Read,
    /// Never on this device, or it isn't here.
    Unread,
    /// It doesn't open any more.
    Damaged,
}

/// The cards by record.
pub(super) type Known = BTreeMap<Commitment, (Card, State)>;

/// What is known of the records' contents.
#[derive(Debug, Default)]
pub(super) struct Cards {
    known: RefCell<Known>,
    loaded: Cell<bool>,
    /// One who looks for what is missing at a time: two that ask at once would open the same contents twice.
    turn: Mutex<()>,
    /// On the screen and not looked at in this session.
    shown: RefCell<BTreeSet<Commitment>>,
    running: Cell<bool>,
    /// While it runs it was asked for once more: what it has just looked for may have come since.
    again: Cell<bool>,
}

/// What was done for a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provided {
    /// Contents are left for [`read_on`].
    pub more: bool,
    /// The list shows something else than before.
    pub news: bool,
}

impl Cards {
    /// Forgets everything: the wallet is locked.
    pub(super) fn forget(&self) {
        self.known.take();
        self.shown.take();
        self.loaded.set(false);
    }

    /// Looks at these cards.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.borrow())
    }

    /// What is on the screen is looked at again behind it, once a session; whether there is any.
    pub(super) fn is_shown(&self, records: impl Iterator<Item = Commitment>) -> bool {
        let known = self.known.borrow();
        let kept = |id: &Commitment| known.get(id).is_some_and(|(_, state)| *state == State::Kept);
        let mut shown = self.shown.borrow_mut();
        shown.extend(records.filter(kept));
        !shown.is_empty()
    }

    /// Notes a record's card.
    fn note(&self, record: Commitment, card: Card, state: State) {
        self.known.borrow_mut().insert(record, (card, state));
    }

    /// A record's content doesn't open; whether that is news.
    pub(super) fn is_damaged(&self, record: &Commitment) -> bool {
        let mut known = self.known.borrow_mut();
        let state = known.get_mut(record).map(|(_, state)| state);
        state.is_some_and(|state| std::mem::replace(state, State::Damaged) != State::Damaged)
    }

    fn of_state(&self, wanted: State) -> Vec<(Commitment, Option<String>)> {
        let known = self.known.borrow();
        let mut found: Vec<_> = known.iter().filter(|(_, (_, state))| *state == wanted).collect();
        order::sort_by(&mut found, |(_, (a, _)), (_, (b, _))| b.date.cmp(&a.date));
        found.into_iter().map(|(id, (card, _))| (*id, card.content.clone())).collect()
    }
}

/// The records with their cards.
pub(super) fn entries<'a>(index: &'a RecordIndex, known: &'a Known) -> impl Iterator<Item = Entry<'a>> {
    index.records().filter_map(|Record { added, kept }| {
        let (card, _) = known.get(&added.record)?;
        Some(Entry { record: added.record, card, marks: index.marks(&added.record), kept: *kept })
    })
}

impl Session {
    /// Sees that each record has a card, if only one that says who issued it; opens the first contents whose cards are
    /// missing.
    pub(super) async fn provide_cards(&self, engine: &Engine) -> Result<Provided, Fault> {
        let _turn = self.cards.turn.lock().await;
        if !self.cards.loaded.get() {
            self.load_cards(engine).await?;
        }
        let new: Vec<Record> = self.read(|index| {
            let known = self.cards.known.borrow();
            index.records().filter(|record| !known.contains_key(&record.added.record)).cloned().collect()
        })?;
        for record in new {
            let manifest = manifest_of(&record)?;
            let card = Card::unread(&record, &manifest, day(manifest.issued_at));
            self.cards.note(record.added.record, card, State::Unread);
        }
        let unread = self.unread_here(engine).await?;
        let first = &unread[..unread.len().min(AT_ONCE)];
        let news = !first.is_empty() && self.open_contents(engine, first).await?;
        Ok(Provided { more: unread.len() > first.len(), news })
    }

    /// The same for another purpose than the list, which is told where it shows something else now.
    pub(super) async fn provide_cards_aside(&self, engine: &Engine) -> Result<(), Fault> {
        if self.provide_cards(engine).await?.news {
            tell(&Event::Changed(Topic::Records));
        }
        Ok(())
    }

    /// Reads the cards that were kept. Those that nobody needs or that don't open go; of those whose content isn't here
    /// any more it is remembered.
    async fn load_cards(&self, engine: &Engine) -> Result<(), Fault> {
        let store = engine.store().await?;
        let rows = store.all(Table::Cards).await?;
        let here: BTreeSet<String> =
            if rows.is_empty() { BTreeSet::new() } else { order::set(store.keys(Table::Blobs).await?) };
        let mut useless = Vec::new();
        self.with(|vault| {
            for (key, sealed) in rows {
                let id = Commitment::from_hex(&key);
                let id = id.filter(|id| vault.index().record(id).is_some());
                let card = id.and_then(|id| Some((id, Card::open(vault, &id, &sealed)?)));
                let Some((id, card)) = card else {
                    useless.push(Change::Delete(Table::Cards, key));
                    continue;
                };
                let whole = card.content.as_ref().is_some_and(|content| here.contains(content));
                self.cards.note(id, card, if whole { State::Kept } else { State::Unread });
            }
        })?;
        self.cards.loaded.set(true);
        // What isn't deleted now is found useless the next time.
        let _ = store.write(useless).await;
        Ok(())
    }

    /// Records whose contents are here and weren't read on this device, newest first.
    async fn unread_here(&self, engine: &Engine) -> Result<Vec<Commitment>, Fault> {
        let unread = self.cards.of_state(State::Unread);
        if unread.is_empty() {
            return Ok(Vec::new());
        }
        let here: BTreeSet<String> = order::set(engine.store().await?.keys(Table::Blobs).await?);
        let readable = |content: &Option<String>| match content {
            Some(content) => here.contains(content),
            // It says itself that there is nothing to read.
            None => true,
        };
        Ok(unread.into_iter().filter(|(_, content)| readable(content)).map(|(id, _)| id).collect())
    }

    /// Opens and verifies the contents of these records and keeps their cards; whether the list shows something else now.
    async fn open_contents(&self, engine: &Engine, records: &[Commitment]) -> Result<bool, Fault> {
        let store = engine.store().await?;
        let (ids, contents): (Vec<Commitment>, Vec<String>) = self.cards.look(|known| {
            let wanted = records.iter().filter_map(|id| Some((*id, known.get(id)?)));
            let wanted = wanted.filter(|(_, (_, state))| matches!(state, State::Kept | State::Unread));
            wanted.map(|(id, (card, _))| (id, card.content.clone().unwrap_or_default())).unzip()
        });
        let blobs = store.some(Table::Blobs, &contents).await?;
        let (mut changes, mut news) = (Vec::new(), false);
        for (id, blob) in ids.iter().zip(blobs) {
            let Some(record) = self.read(|index| index.record(id).cloned())? else { continue };
            let manifest = manifest_of(&record)?;
            let opened = blob.and_then(|blob| view_of(&record, &manifest, &blob).ok());
            let Some(view) = opened else {
                news |= self.cards.is_damaged(id);
                changes.push(Change::Delete(Table::Cards, id.to_hex()));
                continue;
            };
            let card = Card::of(&record, &manifest, &view);
            if self.cards.look(|known| known.get(id).is_none_or(|(before, _)| *before != card)) {
                news = true;
                let sealed = self.with(|vault| card.seal(vault, id, &mut BrowserRandom))?;
                changes.push(Change::Put(Table::Cards, id.to_hex(), sealed));
            }
            self.cards.note(*id, card, State::Read);
        }
        // A card that couldn't be kept is made again when the wallet is next opened.
        let _ = store.write(changes).await;
        Ok(news)
    }
}

/// Opens what is on the screen and wasn't looked at in this session, then all contents that are here and have no card yet.
pub(super) fn read_on(engine: &Rc<Engine>) {
    engine.patient.cards.again.set(true);
    if engine.patient.cards.running.replace(true) {
        return;
    }
    let engine = engine.clone();
    wasm_bindgen_futures::spawn_local(async move {
        while engine.patient.cards.again.replace(false) {
            // Locked meanwhile, or a store that fails: whoever asks for the list hears of it.
            let _ = read_all(&engine).await;
        }
        engine.patient.cards.running.set(false);
    });
}

async fn read_all(engine: &Rc<Engine>) -> Result<(), Fault> {
    let session = &engine.patient;
    let (mut told, mut news) = (monotonic(), false);
    loop {
        let shown = session.cards.shown.take();
        let queue =
            if shown.is_empty() { session.unread_here(engine).await? } else { shown.into_iter().collect() };
        if queue.is_empty() {
            break;
        }
        for batch in queue.chunks(BATCH) {
            breathe().await;
            if !session.is_at_work() {
                return Ok(());
            }
            let _turn = session.cards.turn.lock().await;
            news |= session.open_contents(engine, batch).await?;
            if news && monotonic() - told > TOLD_EVERY {
                (told, news) = (monotonic(), false);
                tell(&Event::Changed(Topic::Records));
            }
            if !session.cards.shown.borrow().is_empty() {
                break;
            }
        }
    }
    if news {
        tell(&Event::Changed(Topic::Records));
    }
    Ok(())
}
