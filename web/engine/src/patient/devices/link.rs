//! An open link to another copy: it is kept the same until one of the two goes.

use super::{Trouble, addresses, door};
use crate::engine::Engine;
use crate::peers::Stream;
use crate::platform::BrowserRandom;
use crate::store::Table;
use futures::StreamExt as _;
use futures::future::{Either, select};
use std::pin::pin;
use std::rc::Rc;
use suishen_core::sync::{Act, LINK_FRAME, Link, Tally};

/// What a link tells whoever runs it.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// How far it is.
    At(Tally),
    /// Both have the same.
    Level,
}

/// Lets another device of this wallet in, and keeps it the same.
pub async fn answer(engine: &Rc<Engine>, mut stream: Stream, peer: &[u8]) -> Result<(), Trouble> {
    let own = engine.patient.devices.peers(engine).await?;
    door::answer(engine, &mut stream, (own.id(), peer)).await?;
    let trouble = run(engine, stream, Link::new(false, LINK_FRAME), async |told| {
        if matches!(told, Told::Level) {
            engine.patient.devices.is_level(peer);
        }
        Ok(true)
    });
    Err(trouble.await)
}

/// Keeps both sides the same until one goes, or `told` says that it is enough.
pub async fn run(
    engine: &Rc<Engine>,
    mut stream: Stream,
    mut link: Link,
    told: impl AsyncFn(Told) -> Result<bool, Trouble>,
) -> Trouble {
    let (number, mut news) = engine.patient.devices.follows();
    let begun = async {
        let events = addresses(engine).await?;
        Ok::<_, Trouble>(link.start(events, &mut BrowserRandom)?)
    };
    let mut acts = match begun.await {
        Ok(acts) => acts,
        Err(trouble) => return trouble,
    };
    loop {
        match act(engine, (&mut stream, number), &mut link, acts, &told).await {
            Ok(true) => {}
            Ok(false) => return Trouble::Away,
            Err(trouble) => return trouble,
        }
        let taken = match select(pin!(stream.next()), pin!(news.next())).await {
            Either::Left((Some(frame), _)) => link.take(&frame),
            Either::Right((Some(events), _)) => Ok(link.news(events)),
            // Locked, or the other side is gone.
            Either::Left((None, _)) | Either::Right((None, _)) => return Trouble::Away,
        };
        acts = match taken {
            Ok(acts) => acts,
            Err(error) => return error.into(),
        };
    }
}

/// Does what the link says; whether to go on.
async fn act(
    engine: &Engine,
    (stream, number): (&mut Stream, u64),
    link: &mut Link,
    acts: Vec<Act>,
    told: &impl AsyncFn(Told) -> Result<bool, Trouble>,
) -> Result<bool, Trouble> {
    let session = &engine.patient;
    let mut rest: std::collections::VecDeque<Act> = acts.into();
    while let Some(act) = rest.pop_front() {
        match act {
            Act::Send(frame) => stream.send(frame).await?,
            Act::Load(addresses) => {
                let store = engine.store().await?;
                let keys: Vec<String> = addresses.iter().map(|address| address.to_hex()).collect();
                let events = store.some(Table::Events, &keys).await?;
                rest.extend(link.loaded(events.into_iter().flatten().collect())?);
            }
            Act::Store(events) => {
                session.take_events(engine, events, number).await?;
                told(Told::At(link.tally())).await?;
            }
            Act::Compare => {
                let events = addresses(engine).await?;
                rest.extend(link.start(events, &mut BrowserRandom)?);
            }
            Act::Level => {
                super::Session::tell_all();
                if !told(Told::Level).await? {
                    return Ok(false);
                }
            }
            Act::Finished => told(Told::At(link.tally())).await.map(drop)?,
            Act::Refused(refused) => return Err(Trouble::Refused(refused)),
        }
    }
    Ok(true)
}
