//! A view that is asked of the engine and asked again whenever the engine says that it has changed.

use std::{cell::Cell, rc::Rc};

use suishen_bridge::{Event, Fault, Request, Response, Topic};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, hook, use_effect_with, use_mut_ref, use_state};

use super::engine::use_engine;

/// What was asked for.
#[derive(Debug)]
pub enum Asked<T> {
    /// Not yet here.
    Waiting,
    /// Here.
    Here(Rc<T>),
    /// Refused or failed.
    Failed(Fault),
}

impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Waiting => Self::Waiting,
            Self::Here(value) => Self::Here(value.clone()),
            Self::Failed(fault) => Self::Failed(fault.clone()),
        }
    }
}

impl<T> Asked<T> {
    /// The value, where it is here.
    pub fn here(&self) -> Option<&T> {
        match self {
            Self::Here(value) => Some(value),
            Self::Waiting | Self::Failed(_) => None,
        }
    }
}

/// Asks `request(&about)` now, whenever `about` changes and whenever one of `topics` does; `read` takes the view out
/// of the answer. The callback asks again.
#[hook]
pub fn use_asked<T, A>(
    about: A,
    topics: &'static [Topic],
    request: fn(&A) -> Request,
    read: fn(Response) -> Option<T>,
) -> (Asked<T>, Callback<()>)
where
    T: 'static,
    A: Clone + PartialEq + 'static,
{
    let engine = use_engine();
    let asked = use_state(|| Asked::Waiting);
    let turn = use_state(|| 0_u32);
    let newest = use_mut_ref(|| Cell::new(0_u32));
    let again = {
        let (turn, count) = (turn.setter(), use_mut_ref(|| 0_u32));
        Callback::from(move |()| {
            *count.borrow_mut() += 1;
            turn.set(*count.borrow());
        })
    };
    use_effect_with(engine.clone(), {
        let again = again.clone();
        move |engine: &super::engine::Engine| {
            let subscription = engine.listen(Callback::from(move |event| {
                if matches!(event, Event::Changed(topic) if topics.contains(&topic)) {
                    again.emit(());
                }
            }));
            move || drop(subscription)
        }
    });
    use_effect_with((about, *turn), {
        let (engine, asked) = (engine, asked.setter());
        move |(about, _): &(A, u32)| {
            let mine = newest.borrow().get().wrapping_add(1);
            newest.borrow().set(mine);
            let request = request(about);
            spawn_local(async move {
                let answer = engine.ask(request).await;
                // An answer to an older question comes too late.
                if newest.borrow().get() != mine {
                    return;
                }
                asked.set(match answer.map(read) {
                    Ok(Some(value)) => Asked::Here(Rc::new(value)),
                    Ok(None) => Asked::Failed(super::engine::unexpected()),
                    Err(fault) => Asked::Failed(fault),
                });
            });
        }
    });
    ((*asked).clone(), again)
}
