//! Choosing what to issue: a FHIR R4 JSON file with its PDFs and pictures, dropped or picked, or one of the samples.

use std::rc::Rc;

use suishen_bridge::{Action, DeskRequest, DeskResponse, Fault, Preview, Request, Response};
use wasm_bindgen_futures::spawn_local;
use web_sys::{DragEvent, HtmlInputElement};
use yew::{Callback, Event, Html, Properties, TargetCast, component, html, use_state};

use crate::{
    browser::{
        engine::{Engine, unexpected, use_engine},
        file::{self, Picked},
        language::use_words,
    },
    component::{fault_card, glyph, progress_card},
    words::Words,
};

/// A prepared report.
#[derive(Clone)]
pub struct Chosen(pub Rc<Box<Preview>>);

/// Told of what.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// A prepared report.
    pub chosen: Callback<Chosen>,
}

/// A sample: name's key, icon, report, attachments with their media types.
type Sample = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const SAMPLES: [Sample; 5] = [
    (
        "laboratory",
        "test-tube",
        "/samples/laboratory/report.json",
        &[("/samples/laboratory/report.pdf", "application/pdf")],
    ),
    ("discharge", "article", "/samples/discharge/report.json", &[]),
    (
        "imaging",
        "bone",
        "/samples/imaging/report.json",
        &[("/samples/imaging/report.pdf", "application/pdf"), ("/samples/imaging/knee.png", "image/png")],
    ),
    ("invoice", "receipt", "/samples/invoice/report.json", &[]),
    ("fees", "list-checks", "/samples/fees/report.json", &[]),
];

/// Draws it.
#[component]
pub fn Prepare(props: &Props) -> Html {
    let (words, engine) = (use_words(), use_engine());
    let over = use_state(|| false);
    let busy = use_state(|| false);
    let fault = use_state(|| None::<Fault>);
    let take = {
        let (chosen, busy, fault) = (props.chosen.clone(), busy.setter(), fault.setter());
        Callback::from(move |picked: Option<Vec<Picked>>| {
            let (engine, chosen, busy, fault) = (engine.clone(), chosen.clone(), busy.clone(), fault.clone());
            busy.set(true);
            fault.set(None);
            spawn_local(async move {
                let prepared = match picked {
                    Some(picked) => prepare(&engine, picked).await,
                    None => Err(Fault::new("file-unread", Action::Retry)),
                };
                busy.set(false);
                match prepared {
                    Ok(preview) => chosen.emit(Chosen(Rc::new(preview))),
                    Err(why) => fault.set(Some(why)),
                }
            });
        })
    };
    let hover = |on: bool| {
        let over = over.setter();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(on);
        })
    };
    let ondrop = {
        let (over, take) = (over.setter(), take.clone());
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(false);
            take_files(event.data_transfer().and_then(|data| data.files()), &take);
        })
    };
    let onchange = {
        let take = take.clone();
        Callback::from(move |event: Event| {
            let input = event.target_unchecked_into::<HtmlInputElement>();
            take_files(input.files(), &take);
        })
    };
    html! {<>
        <section class={if *over { "drop over" } else { "drop" }} ondragover={hover(true)} ondragenter={hover(true)} ondragleave={hover(false)} {ondrop}>
            { glyph("file-plus") }
            <p><strong>{ words.say("prepare-drop") }</strong></p>
            <p class="quiet">{ words.say("prepare-drop-note") }</p>
            <label class="button small file-button">{ words.say("prepare-pick") }
                <input class="heard" type="file" multiple=true accept=".json,application/json,application/fhir+json,application/pdf,image/*" {onchange} />
            </label>
        </section>
        if *busy { { progress_card(&words, None) } }
        if let Some(fault) = (*fault).clone() { { fault_card(&words, &fault, None, true) } }
        <section class="stack close">
            <h2>{ words.say("prepare-samples") }</h2>
            <div class="samples">
                { for SAMPLES.iter().map(|sample| offered(sample, &take, *busy, &words)) }
            </div>
        </section>
    </>}
}

/// Reads the files and tells `take` of them: of none when one can't be read, of nothing when there are none.
fn take_files(list: Option<web_sys::FileList>, take: &Callback<Option<Vec<Picked>>>) {
    let (files, take) = (file::files(list), take.clone());
    if files.is_empty() {
        return;
    }
    spawn_local(async move {
        let mut picked = Vec::new();
        for one in files {
            match file::read(one).await {
                Some(one) => picked.push(one),
                None => return take.emit(None),
            }
        }
        take.emit(Some(picked));
    });
}

fn offered(sample: &'static Sample, take: &Callback<Option<Vec<Picked>>>, busy: bool, words: &Words) -> Html {
    let take = take.clone();
    let onclick = Callback::from(move |_| {
        let take = take.clone();
        spawn_local(async move { take.emit(fetch(sample).await) });
    });
    html! {
        <button class="sample" {onclick} disabled={busy}>
            { glyph(sample.1) }
            <span><span class="line name">{ words.say(&format!("sample-{}", sample.0)) }</span>
            <span class="line quiet">{ words.say(&format!("sample-{}-text", sample.0)) }</span></span>
        </button>
    }
}

async fn fetch(sample: &Sample) -> Option<Vec<Picked>> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut picked = vec![Picked {
        name: name(sample.2),
        media_type: "application/fhir+json".to_owned(),
        bytes: file::fetch(sample.2).await?,
    }];
    for (path, media_type) in sample.3 {
        let bytes = file::fetch(path).await?;
        picked.push(Picked { name: name(path), media_type: (*media_type).to_owned(), bytes });
    }
    Some(picked)
}

fn is_report(picked: &Picked) -> bool {
    picked.media_type.contains("json") || picked.name.to_ascii_lowercase().ends_with(".json")
}

/// Hands report and attachments to the engine; the last preview has all of it.
async fn prepare(engine: &Engine, picked: Vec<Picked>) -> Result<Box<Preview>, Fault> {
    let (reports, files): (Vec<Picked>, Vec<Picked>) = picked.into_iter().partition(is_report);
    let [report] = reports.as_slice() else { return Err(Fault::new("one-report", Action::Retry)) };
    engine.desk(DeskRequest::Clear).await?;
    let mut preview = send(engine, DeskRequest::Preview, &report.bytes).await?;
    for file in files {
        let request = DeskRequest::Attach { name: file.name, media_type: file.media_type };
        preview = send(engine, request, &file.bytes).await?.or(preview);
    }
    preview.ok_or_else(unexpected)
}

async fn send(engine: &Engine, request: DeskRequest, bytes: &[u8]) -> Result<Option<Box<Preview>>, Fault> {
    match engine.begin(&Request::Desk(request), Some(bytes)).1.await?.0 {
        Response::Desk(DeskResponse::Preview(preview)) => Ok(Some(preview)),
        _ => Ok(None),
    }
}
