//! A view that is asked of the engine and asked again whenever the engine says that it has changed.

use std::rc::Rc;

use suishen_bridge::{Event, Fault, Request, Response, Topic};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, hook, use_callback, use_effect_with, use_memo, use_mut_ref, use_state};

use super::engine::{Engine, use_engine};

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

/// Asks `request(&about)` now, whenever it changes and whenever one of `topics` does; `read` takes the view out of the
/// answer. The callback asks again.
#[hook]
pub fn use_asked<T, A>(
    about: A,
    topics: &'static [Topic],
    request: fn(&A) -> Request,
    read: fn(Response) -> Option<T>,
) -> (Asked<T>, Callback<()>)
where
    T: 'static,
    A: 'static,
{
    let (answer, again) = use_answer(request(&about), topics);
    let read = use_memo(answer, |answer| match &answer.0 {
        Asked::Waiting => Asked::Waiting,
        Asked::Failed(fault) => Asked::Failed(fault.clone()),
        Asked::Here(response) => match read((**response).clone()) {
            Some(view) => Asked::Here(Rc::new(view)),
            None => Asked::Failed(super::engine::unexpected()),
        },
    });
    ((*read).clone(), again)
}

/// An answer, compared by identity: each arrival is a new one.
#[derive(Clone)]
struct Answer(Asked<Response>);

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Asked::Waiting, Asked::Waiting) => true,
            (Asked::Here(mine), Asked::Here(theirs)) => Rc::ptr_eq(mine, theirs),
            (Asked::Failed(mine), Asked::Failed(theirs)) => mine == theirs,
            _ => false,
        }
    }
}

/// The part that is the same for all views.
#[hook]
fn use_answer(request: Request, topics: &'static [Topic]) -> (Answer, Callback<()>) {
    let engine = use_engine();
    let answer = use_state(|| Answer(Asked::Waiting));
    let turn = use_state(|| 0_u32);
    let newest = use_mut_ref(|| 0_u32);
    let count = use_mut_ref(|| 0_u32);
    let again = use_callback(turn.setter(), move |(), turn| {
        *count.borrow_mut() += 1;
        turn.set(*count.borrow());
    });
    use_effect_with((engine.clone(), again.clone()), move |(engine, again): &(Engine, Callback<()>)| {
        let again = again.clone();
        let subscription = engine.listen(Callback::from(move |event| {
            if matches!(event, Event::Changed(topic) if topics.contains(&topic)) {
                again.emit(());
            }
        }));
        move || drop(subscription)
    });
    // Requests have no equality of their own; their spelling has.
    let spelled = suishen_bridge::encode(&request);
    use_effect_with((spelled, *turn), {
        let answer = answer.setter();
        move |_: &(Vec<u8>, u32)| {
            let mine = newest.borrow().wrapping_add(1);
            *newest.borrow_mut() = mine;
            spawn_local(async move {
                let asked = engine.ask(request).await;
                // An answer to an older question comes too late.
                if *newest.borrow() == mine {
                    answer.set(Answer(match asked {
                        Ok(response) => Asked::Here(Rc::new(response)),
                        Err(fault) => Asked::Failed(fault),
                    }));
                }
            });
        }
    });
    ((*answer).clone(), again)
}
