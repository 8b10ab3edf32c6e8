//! The network's worker as the rest of the engine sees it: streams of frames to relays and other wallets.
//!
//! It is made when it is first needed and ends with the engine. A stream that is dropped is closed; when the worker
//! fails, all streams end.

use crate::platform::{sleep, to_js};
use futures::{
    StreamExt as _,
    channel::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
        oneshot,
    },
    future::{Either, select},
    lock::Mutex,
};
use js_sys::{Array, ArrayBuffer, Uint8Array};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    rc::Rc,
};
use suishen_bridge::peer::{PeerCommand, PeerEvent, Relay, Speech, WINDOW};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

/// No stream: the other side is not there, or the network is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThere;

/// A stream that a peer opened.
#[derive(Debug)]
pub struct Incoming {
    /// Who.
    pub peer: Vec<u8>,
    /// What is spoken.
    pub speech: Speech,
    /// The stream.
    pub stream: Stream,
}

/// The worker.
#[derive(Debug)]
pub struct Peers {
    own: Vec<u8>,
    shared: Rc<Shared>,
}

/// The worker of one session: started when it is first asked for, and anew once it has ended.
#[derive(Debug, Default)]
pub struct Network {
    running: RefCell<Option<Rc<Peers>>>,
    starting: Mutex<()>,
}

impl Network {
    /// The worker. Where it is started now, `receive` gets what peers open.
    pub async fn peers(
        &self,
        receive: impl FnOnce(UnboundedReceiver<Incoming>),
    ) -> Result<Rc<Peers>, NotThere> {
        let _one_at_a_time = self.starting.lock().await;
        if let Some(peers) = self.running.borrow().as_ref().filter(|peers| !peers.is_over()) {
            return Ok(peers.clone());
        }
        let (sender, incoming) = unbounded();
        let peers = Rc::new(Peers::start(sender).await?);
        receive(incoming);
        *self.running.borrow_mut() = Some(peers.clone());
        Ok(peers)
    }

    /// Ends it, and every stream with it.
    pub fn end(&self) {
        if let Some(peers) = self.running.take() {
            peers.end();
        }
    }
}

#[derive(Debug)]
struct Shared {
    worker: Worker,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last number that this side gave a stream.
    last: u32,
    ends: BTreeMap<u32, End>,
    started: Option<oneshot::Sender<Vec<u8>>>,
    listening: BTreeMap<Vec<u8>, Vec<oneshot::Sender<bool>>>,
    /// The relays through which others reach this wallet now.
    reached: BTreeSet<Vec<u8>>,
    incoming: Option<UnboundedSender<Incoming>>,
    /// The worker has ended.
    over: bool,
}

#[derive(Debug)]
struct End {
    opened: Option<oneshot::Sender<()>>,
    frames: UnboundedSender<Vec<u8>>,
    taken: UnboundedSender<()>,
}

/// Frames both ways.
#[derive(Debug)]
pub struct Stream {
    number: u32,
    frames: UnboundedReceiver<Vec<u8>>,
    taken: UnboundedReceiver<()>,
    under_way: usize,
    shared: Rc<Shared>,
}

impl Peers {
    /// Starts the worker; what peers open goes to `incoming`.
    pub async fn start(incoming: UnboundedSender<Incoming>) -> Result<Self, NotThere> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("/peer.js", &options).map_err(|_| NotThere)?;
        let (sender, started) = oneshot::channel();
        let state = State { started: Some(sender), incoming: Some(incoming), ..State::default() };
        let shared = Rc::new(Shared { worker, state: RefCell::new(state) });
        // The worker holds the listeners for as long as it is there: as long as the engine.
        let listener = {
            let shared = Rc::downgrade(&shared);
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                let (Some(shared), Ok(buffer)) = (shared.upgrade(), event.data().dyn_into::<ArrayBuffer>())
                else {
                    return;
                };
                if let Ok(event) = minicbor::decode(&Uint8Array::new(&buffer).to_vec()) {
                    shared.notice(event);
                }
            })
        };
        shared.worker.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
        let failed = {
            let shared = Rc::downgrade(&shared);
            Closure::<dyn FnMut(JsValue)>::new(move |_| {
                if let Some(shared) = shared.upgrade() {
                    shared.end();
                }
            })
        };
        shared.worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
        failed.forget();
        let own = started.await.map_err(|_| NotThere)?;
        Ok(Self { own, shared })
    }

    /// This session's peer id.
    pub fn id(&self) -> &[u8] {
        &self.own
    }

    /// Whether the worker has ended.
    pub fn is_over(&self) -> bool {
        self.shared.state.borrow().over
    }

    /// Ends the worker, and every stream with it.
    pub fn end(&self) {
        self.shared.end();
    }

    /// Whether others reach this wallet through some relay.
    pub fn is_reached(&self) -> bool {
        !self.shared.state.borrow().reached.is_empty()
    }

    /// Has others reach this wallet through a relay; waits until they do.
    pub async fn listen(&self, relay: &Relay) -> Result<(), NotThere> {
        if self.is_over() {
            return Err(NotThere);
        }
        let (sender, listening) = oneshot::channel();
        self.shared.state.borrow_mut().listening.entry(relay.peer.clone()).or_default().push(sender);
        self.shared.tell(&PeerCommand::Listen(relay.clone()));
        if listening.await == Ok(true) { Ok(()) } else { Err(NotThere) }
    }

    /// Opens a stream to a relay, or to a peer that waits there.
    pub async fn open(&self, relay: &Relay, peer: Option<&[u8]>, speech: Speech) -> Result<Stream, NotThere> {
        if self.is_over() {
            return Err(NotThere);
        }
        let (sender, opened) = oneshot::channel();
        let number = {
            let mut state = self.shared.state.borrow_mut();
            state.last += 2;
            state.last
        };
        let stream = self.shared.stream(number, Some(sender));
        let peer = peer.map(<[u8]>::to_vec);
        self.shared.tell(&PeerCommand::Open { stream: number, relay: relay.clone(), peer, speech });
        opened.await.map_err(|_| NotThere)?;
        Ok(stream)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl Shared {
    /// Whoever waits for the worker hears that it is gone.
    fn end(&self) {
        self.worker.terminate();
        drop(self.state.replace(State { over: true, ..State::default() }));
    }

    fn tell(&self, command: &PeerCommand) {
        let Ok(bytes) = minicbor::to_vec(command) else { return };
        let buffer = to_js(&bytes).buffer();
        // A worker that is gone has ended its streams.
        let _ = self.worker.post_message_with_transfer(&buffer, &Array::of1(&buffer));
    }

    fn stream(self: &Rc<Self>, number: u32, opened: Option<oneshot::Sender<()>>) -> Stream {
        let (frames, incoming) = unbounded();
        let (taken, credit) = unbounded();
        self.state.borrow_mut().ends.insert(number, End { opened, frames, taken });
        Stream { number, frames: incoming, taken: credit, under_way: 0, shared: self.clone() }
    }

    fn notice(self: &Rc<Self>, event: PeerEvent) {
        match event {
            PeerEvent::Started(own) => {
                let started = self.state.borrow_mut().started.take();
                let _ = started.map(|started| started.send(own));
            }
            PeerEvent::Listening(relay) => self.listened(&relay, true),
            PeerEvent::Unreachable(relay) => self.listened(&relay, false),
            PeerEvent::Opened(number) => {
                let mut state = self.state.borrow_mut();
                let opened = state.ends.get_mut(&number).and_then(|end| end.opened.take());
                let _ = opened.map(|opened| opened.send(()));
            }
            PeerEvent::Incoming { stream, peer, speech } => {
                let stream = self.stream(stream, None);
                let incoming = self.state.borrow().incoming.clone();
                let _ = incoming.map(|to| to.unbounded_send(Incoming { peer, speech, stream }));
            }
            PeerEvent::Frame { stream, bytes } => {
                if let Some(end) = self.state.borrow().ends.get(&stream) {
                    let _ = end.frames.unbounded_send(bytes);
                }
            }
            PeerEvent::Taken(stream) => {
                if let Some(end) = self.state.borrow().ends.get(&stream) {
                    let _ = end.taken.unbounded_send(());
                }
            }
            PeerEvent::Closed(stream) => drop(self.state.borrow_mut().ends.remove(&stream)),
        }
    }

    fn listened(&self, relay: &[u8], reached: bool) {
        let mut state = self.state.borrow_mut();
        if reached {
            state.reached.insert(relay.to_vec())
        } else {
            state.reached.remove(relay)
        };
        let waiting = state.listening.remove(relay).unwrap_or_default();
        for sender in waiting {
            let _ = sender.send(reached);
        }
    }
}

impl Stream {
    /// Sends a frame, once the worker keeps up.
    pub async fn send(&mut self, bytes: Vec<u8>) -> Result<(), NotThere> {
        while self.under_way == WINDOW {
            self.taken.next().await.ok_or(NotThere)?;
            self.under_way -= 1;
        }
        if !self.shared.state.borrow().ends.contains_key(&self.number) {
            return Err(NotThere);
        }
        self.under_way += 1;
        self.shared.tell(&PeerCommand::Frame { stream: self.number, bytes });
        Ok(())
    }

    /// The next frame; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let frame = self.frames.next().await?;
        self.shared.tell(&PeerCommand::Taken(self.number));
        Some(frame)
    }

    /// The next frame, where it comes within so many milliseconds.
    pub async fn next_within(&mut self, milliseconds: i32) -> Option<Vec<u8>> {
        match select(pin!(self.next()), pin!(sleep(milliseconds))).await {
            Either::Left((frame, _)) => frame,
            Either::Right(_) => None,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.state.borrow_mut().ends.remove(&self.number);
        self.shared.tell(&PeerCommand::Close(self.number));
    }
}
