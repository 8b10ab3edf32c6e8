//! The scanner's worker: a picture in, the codes in it out (`web/scanner/scanner.js`).

use std::{cell::Cell, cell::RefCell, collections::HashMap, rc::Rc};

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ImageBitmap, MessageEvent, Worker, WorkerOptions, WorkerType};

/// What a frame held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No code.
    Nothing,
    /// A code's text. Secret: it may carry a ticket.
    Code(String),
    /// A code that isn't text.
    NoText,
}

/// The worker; ended when dropped.
pub struct Scanner {
    worker: Worker,
    waiting: Rc<RefCell<HashMap<u32, Function>>>,
    last: Cell<u32>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Scanner {
    /// Starts it; none where the browser can't.
    pub fn start() -> Option<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("/scanner.js", &options).ok()?;
        let waiting: Rc<RefCell<HashMap<u32, Function>>> = Rc::default();
        let on_message = Closure::new({
            let waiting = waiting.clone();
            move |event: MessageEvent| {
                let data = event.data();
                let id = Reflect::get(&data, &"id".into()).ok().and_then(|id| id.as_f64());
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "ids are counted here"
                )]
                let resolve = id.and_then(|id| waiting.borrow_mut().remove(&(id as u32)));
                if let Some(resolve) = resolve {
                    let _ = resolve.call1(&JsValue::NULL, &data);
                }
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Self { worker, waiting, last: Cell::new(0), _on_message: on_message })
    }

    /// Looks for codes in a picture, which is handed over.
    pub async fn look(&self, picture: &ImageBitmap) -> Seen {
        let id = self.last.get() + 1;
        self.last.set(id);
        let message = Object::new();
        let _ = Reflect::set(&message, &"id".into(), &id.into());
        let _ = Reflect::set(&message, &"bitmap".into(), picture);
        let promise = Promise::new(&mut |resolve, _| {
            self.waiting.borrow_mut().insert(id, resolve);
        });
        if self.worker.post_message_with_transfer(&message, &Array::of1(picture)).is_err() {
            return Seen::Nothing;
        }
        let data = JsFuture::from(promise).await.unwrap_or(JsValue::NULL);
        seen(&data)
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn seen(data: &JsValue) -> Seen {
    let codes = Reflect::get(data, &"codes".into()).ok().and_then(|codes| codes.dyn_into::<Array>().ok());
    let Some(codes) = codes else { return Seen::Nothing };
    let text = |code: JsValue| Reflect::get(&code, &"text".into()).ok().and_then(|text| text.as_string());
    match codes.iter().find_map(text) {
        Some(text) => Seen::Code(text),
        None if codes.length() > 0 => Seen::NoText,
        None => Seen::Nothing,
    }
}
