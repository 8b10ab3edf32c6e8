//! The engine worker: one request, one answer, and what it says unasked (`suishen-bridge`).
//! Locking ends the worker, so that nothing of an open wallet outlives it.

use std::{cell::Cell, cell::RefCell, collections::HashMap, future::Future, pin::Pin, rc::Rc};

use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use serde::de::DeserializeOwned;
use suishen_bridge::{
    Action, DeskRequest, DeskResponse, Event, Fault, PatientRequest, PatientResponse, Reply, Request,
    Response,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::{
    Callback, ContextProvider, Html, Properties, component, hook, html, use_context, use_effect_with,
    use_state,
};

use super::page;
use crate::component::fault_card;

/// Whose engine it is: each has a bundle of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The patient's wallet.
    Wallet,
    /// A desk.
    Desk,
}

impl Part {
    const fn module(self) -> &'static str {
        match self {
            Self::Wallet => "/engine.js",
            Self::Desk => "/engine.js?desk",
        }
    }
}

/// An answer, with the file that came with it.
pub type Answer = Result<(Response, Option<Vec<u8>>), Fault>;

/// The engine. Clones are the same engine.
#[derive(Clone)]
pub struct Engine(Rc<Inner>);

struct Inner {
    part: Part,
    worker: RefCell<Option<Running>>,
    waiting: RefCell<HashMap<u32, Function>>,
    last: Cell<u32>,
    listeners: RefCell<Vec<(u32, Callback<Event>)>>,
}

struct Running {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Told of events for as long as it is kept.
pub struct Subscription {
    engine: Engine,
    number: u32,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.engine.0.listeners.borrow_mut().retain(|(number, _)| *number != self.number);
    }
}

impl Engine {
    /// Starts the worker.
    pub fn start(part: Part) -> Self {
        let engine = Self(Rc::new(Inner {
            part,
            worker: RefCell::new(None),
            waiting: RefCell::new(HashMap::new()),
            last: Cell::new(0),
            listeners: RefCell::new(Vec::new()),
        }));
        engine.spawn();
        engine
    }

    /// Ends the worker and starts a fresh one; whoever still waits is told that it was locked.
    pub fn restart(&self) {
        if let Some(running) = self.0.worker.borrow_mut().take() {
            running.worker.terminate();
        }
        self.fail_all();
        self.spawn();
    }

    fn spawn(&self) {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let Ok(worker) = Worker::new_with_options(self.0.part.module(), &options) else { return };
        let (on_message, on_error) = (self.on_message(), self.on_error());
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        *self.0.worker.borrow_mut() = Some(Running { worker, _on_message: on_message, _on_error: on_error });
    }

    fn on_message(&self) -> Closure<dyn FnMut(MessageEvent)> {
        let inner = Rc::downgrade(&self.0);
        Closure::new(move |event: MessageEvent| {
            let Some(inner) = inner.upgrade() else { return };
            let data = event.data();
            let id = field(&data, "id").as_f64().unwrap_or_default();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "ids are counted here"
            )]
            match id as u32 {
                0 => inner.tell(&data),
                id => {
                    let waiting = inner.waiting.borrow_mut().remove(&id);
                    if let Some(resolve) = waiting {
                        let _ = resolve.call1(&JsValue::NULL, &data);
                    }
                }
            }
        })
    }

    fn on_error(&self) -> Closure<dyn FnMut(JsValue)> {
        let engine = Rc::downgrade(&self.0);
        Closure::new(move |_| {
            if let Some(inner) = engine.upgrade() {
                Self(inner).fail_all();
            }
        })
    }

    fn fail_all(&self) {
        let waiting: Vec<_> = self.0.waiting.borrow_mut().drain().collect();
        for (_, resolve) in waiting {
            let _ = resolve.call1(&JsValue::NULL, &JsValue::NULL);
        }
    }

    /// Posts a request; its number names it in progress events.
    pub fn begin(
        &self,
        request: &Request,
        bytes: Option<&[u8]>,
    ) -> (u32, Pin<Box<dyn Future<Output = Answer>>>) {
        let id = self.0.last.get().wrapping_add(1).max(1);
        self.0.last.set(id);
        let promise = Promise::new(&mut |resolve, _| {
            self.0.waiting.borrow_mut().insert(id, resolve);
        });
        let posted = self.post(id, request, bytes);
        let answer = async move {
            if !posted {
                return Err(Fault::new("engine", Action::Retry));
            }
            let data = JsFuture::from(promise).await.unwrap_or(JsValue::NULL);
            read(&data)
        };
        (id, Box::pin(answer))
    }

    fn post(&self, id: u32, request: &Request, bytes: Option<&[u8]>) -> bool {
        let posted = Object::new();
        let transfer = Array::new();
        let set = |name: &str, value: &JsValue| Reflect::set(&posted, &name.into(), value).is_ok();
        let give = |name: &str, bytes: &[u8]| {
            let buffer = Uint8Array::from(bytes).buffer();
            transfer.push(&buffer);
            set(name, &buffer)
        };
        let filled = set("id", &id.into())
            && give("message", &suishen_bridge::encode(request))
            && bytes.is_none_or(|bytes| give("bytes", bytes));
        let running = self.0.worker.borrow();
        filled
            && running
                .as_ref()
                .is_some_and(|r| r.worker.post_message_with_transfer(&posted, &transfer).is_ok())
    }

    /// Asks something.
    pub async fn ask(&self, request: Request) -> Result<Response, Fault> {
        self.begin(&request, None).1.await.map(|(response, _)| response)
    }

    /// Asks the patient's wallet something.
    pub async fn patient(&self, request: PatientRequest) -> Result<PatientResponse, Fault> {
        match self.ask(Request::Patient(request)).await? {
            Response::Patient(response) => Ok(response),
            _ => Err(unexpected()),
        }
    }

    /// Asks the desk something.
    pub async fn desk(&self, request: DeskRequest) -> Result<DeskResponse, Fault> {
        match self.ask(Request::Desk(request)).await? {
            Response::Desk(response) => Ok(response),
            _ => Err(unexpected()),
        }
    }

    /// Greets the engine: the relays that it may ask, the page's own first.
    pub async fn greet(&self, language: &str) -> Result<Response, Fault> {
        self.ask(Request::Start { relays: vec![page::origin()], language: language.to_owned() }).await
    }

    /// Tells `listener` of events while the subscription is kept.
    pub fn listen(&self, listener: Callback<Event>) -> Subscription {
        let number = self.0.last.get().wrapping_add(1).max(1);
        self.0.last.set(number);
        self.0.listeners.borrow_mut().push((number, listener));
        Subscription { engine: self.clone(), number }
    }
}

impl Inner {
    fn tell(&self, data: &JsValue) {
        let Some(event) = message::<Event>(data) else { return };
        // A listener may subscribe or go away while it is told.
        let listeners: Vec<_> =
            self.listeners.borrow().iter().map(|(_, listener)| listener.clone()).collect();
        for listener in listeners {
            listener.emit(event.clone());
        }
    }
}

fn field(data: &JsValue, name: &str) -> JsValue {
    if data.is_object() {
        Reflect::get(data, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

fn bytes(data: &JsValue, name: &str) -> Option<Vec<u8>> {
    let buffer = field(data, name).dyn_into::<ArrayBuffer>().ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

fn message<T: DeserializeOwned>(data: &JsValue) -> Option<T> {
    suishen_bridge::decode(&bytes(data, "message")?)
}

fn read(data: &JsValue) -> Answer {
    // The engine ended before it answered.
    if !data.is_object() {
        return Err(Fault::new("engine", Action::Retry));
    }
    let reply: Reply = message(data).ok_or_else(unexpected)?;
    reply.map(|response| (response, bytes(data, "bytes")))
}

/// Page and engine are of different releases.
pub fn unexpected() -> Fault {
    Fault::new("release", Action::Retry)
}

/// The engine of this page.
#[hook]
pub fn use_engine() -> Engine {
    use_context::<Engine>().expect("every role's pages stand beside an engine")
}

/// Asks the patient's wallet this when the part that calls it is left.
#[hook]
pub fn use_parting(request: Option<PatientRequest>) {
    let engine = use_engine();
    use_effect_with(engine, move |engine: &Engine| {
        let engine = engine.clone();
        move || {
            if let Some(request) = request {
                spawn_local(async move {
                    // Whatever it says: nobody is here any more.
                    let _ = engine.patient(request).await;
                });
            }
        }
    });
}

/// What the engine said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// The release that runs; empty until the engine has answered.
    pub release: String,
}

/// The engine's greeting.
#[hook]
pub fn use_greeting() -> Greeting {
    use_context::<Greeting>().unwrap_or_default()
}

/// The pages.
#[derive(Properties, PartialEq)]
pub struct WithEngineProps {
    /// Whose.
    pub part: Part,
    /// Content.
    pub children: Html,
}

/// Starts the engine for the pages within. They are shown once it has answered the greeting: it takes the wallet's
/// lock then, and nothing may be asked before.
#[component]
pub fn WithEngine(props: &WithEngineProps) -> Html {
    let words = super::language::use_words();
    let tag = words.language().tag();
    let part = props.part;
    let engine = use_state(|| Engine::start(part));
    let greeting = use_state(|| None::<Result<Greeting, Fault>>);
    let greet = {
        let (engine, greeting) = ((*engine).clone(), greeting.setter());
        Callback::from(move |tag: &'static str| {
            let (engine, greeting) = (engine.clone(), greeting.clone());
            spawn_local(async move {
                greeting.set(Some(match engine.greet(tag).await {
                    Ok(Response::Started { release }) => Ok(Greeting { release }),
                    Ok(_) => Err(unexpected()),
                    Err(fault) => Err(fault),
                }));
            });
        })
    };
    use_effect_with(tag, {
        let greet = greet.clone();
        move |tag: &&'static str| greet.emit(tag)
    });
    match (*greeting).clone() {
        None => html! {
            <main class="phone bare"><h1 class="heard">{ words.say("suishen") }</h1><p class="quiet" role="status">{ words.say("opening") }</p></main>
        },
        Some(Err(fault)) => {
            let retry = {
                let engine = (*engine).clone();
                Callback::from(move |()| {
                    engine.restart();
                    greet.emit(tag);
                })
            };
            html! { <main class="phone bare stack"><h1>{ words.say("suishen") }</h1>{ fault_card(&words, &fault, Some(&retry), false) }</main> }
        }
        Some(Ok(greeting)) => html! {
            <ContextProvider<Engine> context={(*engine).clone()}>
                <ContextProvider<Greeting> context={greeting}>{ props.children.clone() }</ContextProvider<Greeting>>
            </ContextProvider<Engine>>
        },
    }
}
