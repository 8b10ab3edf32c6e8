//! Requests to relays: fetch without cookies, problem+json back into a [`Fault`], the next relay when one is away.

use crate::platform::{scope, to_js};
use js_sys::{ArrayBuffer, Uint8Array};
use suishen_bridge::{Action, Fault};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestCache, RequestCredentials, RequestInit, Response};

/// One request, relative to a relay's origin.
#[derive(Clone, Debug)]
pub struct Call {
    /// `GET`, `PUT`, `POST`, `DELETE`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Vec<u8>>,
}

impl Call {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: None }
    }

    /// A request with a CBOR body.
    pub fn send(method: &'static str, path: impl Into<String>, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/cbor".to_owned())];
        Self { method, path: path.into(), headers, body: Some(body) }
    }
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// No relay answered: offline, or the relay is down.
    Unreachable,
    /// A relay's answer ended before it was whole.
    CutShort,
    /// A relay answered no.
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's stable code: a rejection's number or a name.
        code: String,
        /// What it says.
        detail: String,
    },
}

impl CallError {
    /// Whether this is an answer with that status.
    pub fn is(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreachable => Self::new("offline", Action::Retry),
            CallError::CutShort => Self::new("cut-short", Action::Retry),
            CallError::Refused { code, detail, .. } if code.bytes().all(|b| b.is_ascii_digit()) => {
                Self { key: format!("reject-{code}"), code, detail: Some(detail), action: Action::Nothing }
            }
            CallError::Refused { status, code, .. } => {
                Self::new("relay", Action::Retry).with_detail(format!("{status} {code}"))
            }
        }
    }
}

/// Sends a call to one relay.
pub async fn send(origin: &str, call: &Call) -> Result<Vec<u8>, CallError> {
    answered(&fetch(origin, call).await.ok_or(CallError::Unreachable)?).await
}

/// The same of whoever isn't trusted to keep an answer short: one that doesn't say that it has at most so many bytes isn't read.
pub async fn send_for(origin: &str, call: &Call, most: usize) -> Result<Vec<u8>, CallError> {
    let response = fetch(origin, call).await.ok_or(CallError::Unreachable)?;
    let length = response.headers().get("content-length").ok().flatten();
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if length.is_none_or(|length| length > most) {
        return Err(CallError::CutShort);
    }
    answered(&response).await
}

/// The answer's body, or why it is a no.
async fn answered(response: &Response) -> Result<Vec<u8>, CallError> {
    let body = body(response).await.ok_or(CallError::CutShort)?;
    if response.ok() { Ok(body) } else { Err(refusal(response.status(), &body)) }
}

async fn fetch(origin: &str, call: &Call) -> Option<Response> {
    let headers = Headers::new().ok()?;
    for (name, value) in &call.headers {
        headers.set(name, value).ok()?;
    }
    let init = RequestInit::new();
    init.set_method(call.method);
    init.set_headers(&headers);
    init.set_credentials(RequestCredentials::Omit);
    init.set_cache(RequestCache::NoStore);
    if let Some(body) = &call.body {
        init.set_body(&to_js(body));
    }
    let request = Request::new_with_str_and_init(&format!("{origin}{}", call.path), &init).ok()?;
    JsFuture::from(scope().fetch_with_request(&request)).await.ok()?.dyn_into().ok()
}

async fn body(response: &Response) -> Option<Vec<u8>> {
    let buffer: JsValue = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()).to_vec())
}

fn refusal(status: u16, body: &[u8]) -> CallError {
    #[derive(serde::Deserialize)]
    struct Problem {
        code: String,
        #[serde(default)]
        detail: String,
    }
    let problem = serde_json::from_slice(body)
        .unwrap_or_else(|_| Problem { code: "unreadable".into(), detail: String::new() });
    CallError::Refused { status, code: problem.code, detail: problem.detail }
}
