//! Attachments: opened only on a tap, pictures as pictures, PDFs in a frame without rights, all else only saved.

use std::rc::Rc;

use suishen_bridge::{DeskRequest, DeskResponse, PatientRequest, PatientResponse, Request, Response};
use yew::{Callback, Html, Properties, component, html, use_state};

use super::{Sheet, fault_card, glyph};
use crate::browser::{
    file::{BlobAddress, Shown, how_shown, save},
    language::use_words,
    work::use_work,
};

/// Whose files: the request that brings one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Of the wallet's record.
    Record(String),
    /// Of a record that a desk reads: the share, the record's number.
    Reading(String, u32),
}

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Where they are.
    pub source: Source,
    /// Part, name, media type, bytes.
    pub files: Vec<(u32, String, String, u64)>,
}

struct Open {
    name: String,
    media_type: String,
    bytes: Vec<u8>,
    address: Option<BlobAddress>,
}

/// Draws the list and the opened one.
#[component]
pub fn Attachments(props: &Props) -> Html {
    let words = use_words();
    let work = use_work();
    let open = use_state(|| None::<Rc<Open>>);
    let tap = |part: u32| {
        let (work, source, open) = (work.clone(), props.source.clone(), open.setter());
        Callback::from(move |_| {
            let open = open.clone();
            work.run(request(&source, part), None, move |response, bytes| {
                open.set(opened(response, bytes).map(Rc::new));
            });
        })
    };
    let close = {
        let open = open.setter();
        Callback::from(move |()| open.set(None))
    };
    html! {
        <section class="card" id="attachments">
            <h2 class="padded">{ words.say("attachments") }</h2>
            { for props.files.iter().map(|(part, name, media_type, size)| html! {
                <button key={*part} class="entry parted" onclick={tap(*part)} disabled={work.busy()}>
                    <span class="lead narrow">{ glyph(icon(media_type)) }</span>
                    <span class="grow"><span class="line name">{ name }</span><span class="line quiet">{ words.size(*size) }</span></span>
                    { glyph("caret-right-bold") }
                </button>
            }) }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
            if let Some(file) = open.as_ref() { <Sheet title={file.name.clone()} close={close}>{ view(file, &words) }</Sheet> }
        </section>
    }
}

fn request(source: &Source, part: u32) -> Request {
    match source {
        Source::Record(record) => Request::Patient(PatientRequest::File { record: record.clone(), part }),
        Source::Reading(share, record) => {
            Request::Desk(DeskRequest::File { share: share.clone(), record: *record, part })
        }
    }
}

fn opened(response: Response, bytes: Option<Vec<u8>>) -> Option<Open> {
    let (Response::Patient(PatientResponse::File { name, media_type })
    | Response::Desk(DeskResponse::File { name, media_type })) = response
    else {
        return None;
    };
    let bytes = bytes?;
    let address = match how_shown(&media_type) {
        Shown::Picture(kind) | Shown::Paper(kind) => BlobAddress::of(&bytes, kind),
        Shown::Saved => None,
    };
    Some(Open { name, media_type, bytes, address })
}

fn view(file: &Rc<Open>, words: &crate::words::Words) -> Html {
    let download = {
        let file = file.clone();
        Callback::from(move |_| save(&file.name, &file.bytes))
    };
    let href = file.address.as_ref().map(|address| address.href().to_owned());
    let shown = match (how_shown(&file.media_type), href) {
        (Shown::Picture(_), Some(src)) => html! { <img class="attachment" {src} alt={file.name.clone()} /> },
        (Shown::Paper(_), Some(href)) => html! {<>
            <p class="quiet">{ words.say("attachment-pdf") }</p>
            <a class="button wide" {href} target="_blank" rel="noopener noreferrer">{ glyph("file-pdf") }{ words.say("attachment-open") }</a>
        </>},
        _ => html! { <p class="quiet">{ words.say("attachment-unshown") }</p> },
    };
    html! {
        <div class="stack">
            { shown }
            <button class="button wide" onclick={download}>{ glyph("download-simple") }{ words.say("attachment-save") }</button>
        </div>
    }
}

fn icon(media_type: &str) -> &'static str {
    match how_shown(media_type) {
        Shown::Picture(_) => "image",
        Shown::Paper(_) => "file-pdf",
        Shown::Saved => "file",
    }
}
