//! The worker's message loop: `{id, message, bytes?}` in, `{id, message, bytes?}` out (see `suishen-bridge`).
//!
//! Requests run side by side; each answers once. What a request carries in `bytes` is handed to it, what an
//! answer carries is transferred, not copied.

use crate::engine::{Engine, Part};
use crate::platform::scope;
use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use std::rc::Rc;
use suishen_bridge::{Action, Event, Fault, Reply, Request, Response};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::MessageEvent;

/// An answer with the file that goes with it.
pub type Answer = Result<(Response, Option<Vec<u8>>), Fault>;

/// Starts listening; the glue hands over what came earlier.
pub fn start(part: Part) {
    let engine = Rc::new(Engine::new(part));
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let engine = engine.clone();
        wasm_bindgen_futures::spawn_local(async move { handle(&engine, &event.data()).await });
    });
    scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
}

async fn handle(engine: &Rc<Engine>, message: &JsValue) {
    let field = |name: &str| Reflect::get(message, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let Some(id) = field("id").as_f64() else { return };
    let buffer = |name: &str| field(name).dyn_into::<ArrayBuffer>().ok();
    let taken = |name: &str| buffer(name).map(|buffer| Uint8Array::new(&buffer).to_vec());
    let request: Option<Request> = taken("message").and_then(|message| suishen_bridge::decode(&message));
    let bytes = taken("bytes");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ids are counted by the page"
    )]
    let task = id as u32;
    let answer = match request {
        Some(request) => engine.answer(task, request, bytes).await,
        None => Err(Fault::new("request", Action::Nothing)),
    };
    let (reply, file): (Reply, _) = match answer {
        Ok((response, file)) => (Ok(response), file),
        Err(fault) => (Err(fault), None),
    };
    post(task, &reply, file);
}

/// Tells the page something unasked.
pub fn tell(event: &Event) {
    post(0, event, None);
}

fn post<T: serde::Serialize>(id: u32, message: &T, file: Option<Vec<u8>>) {
    let object = Object::new();
    let transfer = Array::new();
    let set = |name: &str, value: &JsValue| {
        // A plain object takes any property.
        let _ = Reflect::set(&object, &name.into(), value);
    };
    let give = |name: &str, bytes: &[u8]| {
        let buffer = Uint8Array::from(bytes).buffer();
        set(name, &buffer);
        transfer.push(&buffer);
    };
    set("id", &id.into());
    give("message", &suishen_bridge::encode(message));
    if let Some(file) = file {
        give("bytes", &file);
    }
    let _ = scope().post_message_with_transfer(&object, &transfer);
}
