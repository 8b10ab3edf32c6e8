//! One step that the person asked for: running, how far, what went wrong. One at a time, so that a second tap on a
//! button does nothing.

use std::rc::Rc;

use suishen_bridge::{DeskRequest, Event, Fault, PatientRequest, Request, Response, Step};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, UseStateHandle, hook, use_state};

use super::engine::{Engine, use_engine};

/// Told of an answer, with the file that came with it.
type Done = Box<dyn FnOnce(Response, Option<Vec<u8>>)>;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// Done so far.
    pub done: u64,
    /// Of how many; 0 when unknown.
    pub total: u64,
}

/// The state of the step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Running.
    pub busy: bool,
    /// How far.
    pub progress: Option<Progress>,
    /// Why it stopped.
    pub fault: Option<Fault>,
}

/// Runs steps.
#[derive(Clone, PartialEq)]
pub struct Work {
    engine: Engine,
    state: UseStateHandle<State>,
}

/// A step of this component.
#[hook]
pub fn use_work() -> Work {
    Work { engine: use_engine(), state: use_state(State::default) }
}

impl Work {
    /// Whether it runs.
    pub fn busy(&self) -> bool {
        self.state.busy
    }

    /// How far it is.
    pub fn progress(&self) -> Option<Progress> {
        self.state.progress
    }

    /// Why it stopped.
    pub fn fault(&self) -> Option<Fault> {
        self.state.fault.clone()
    }

    /// Stops with a fault of the page's own.
    pub fn fail(&self, fault: Fault) {
        self.state.set(State { fault: Some(fault), ..State::default() });
    }

    /// Forgets the fault.
    pub fn clear(&self) {
        self.state.set(State::default());
    }

    /// Asks the wallet; `done` is told of the answer.
    pub fn patient(&self, request: PatientRequest, done: impl FnOnce(Response) + 'static) {
        self.run(Request::Patient(request), None, |response, _| done(response));
    }

    /// Asks the desk.
    pub fn desk(&self, request: DeskRequest, done: impl FnOnce(Response) + 'static) {
        self.run(Request::Desk(request), None, |response, _| done(response));
    }

    /// Asks with a file, or for one.
    pub fn run(
        &self,
        request: Request,
        bytes: Option<Rc<Vec<u8>>>,
        done: impl FnOnce(Response, Option<Vec<u8>>) + 'static,
    ) {
        self.run_boxed(&request, bytes, Box::new(done));
    }

    /// One body for all callers: the code is small because it isn't generic.
    fn run_boxed(&self, request: &Request, bytes: Option<Rc<Vec<u8>>>, done: Done) {
        if self.state.busy {
            return;
        }
        self.state.set(State { busy: true, ..State::default() });
        let (task, answer) = self.engine.begin(request, bytes.as_deref().map(Vec::as_slice));
        let setter = self.state.setter();
        let subscription = self.engine.listen(Callback::from({
            let setter = setter.clone();
            move |event| {
                if let Event::Progress { task: of, step, done, total } = event
                    && of == task
                {
                    setter.set(State {
                        busy: true,
                        progress: Some(Progress { step, done, total }),
                        fault: None,
                    });
                }
            }
        }));
        spawn_local(async move {
            let answer = answer.await;
            drop(subscription);
            match answer {
                Ok((response, file)) => {
                    setter.set(State::default());
                    done(response, file);
                }
                Err(fault) => setter.set(State { fault: Some(fault), ..State::default() }),
            }
        });
    }
}
