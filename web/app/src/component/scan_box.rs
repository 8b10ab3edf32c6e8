//! Getting a code's text in: camera, picture file, paste, or a keyboard-wedge scanner that types and presses Enter.
//! What the text means is the engine's to say.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen_futures::spawn_local;
use web_sys::{
    HtmlInputElement, HtmlTextAreaElement, HtmlVideoElement, InputEvent, KeyboardEvent, SubmitEvent,
};
use yew::{
    AttrValue, Callback, Event, Html, NodeRef, Properties, TargetCast, UseStateSetter, component, hook, html,
    use_effect_with, use_node_ref, use_state,
};

use super::{glyph, use_voice};
use crate::{
    browser::{
        camera::{self, Camera},
        file,
        language::use_words,
        scanner::{Scanner, Seen},
    },
    words::Words,
};

/// How it looks.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Told of a text. Secret.
    pub found: Callback<String>,
    /// Whether the camera starts by itself (phone) or on a tap (desk).
    #[prop_or_default]
    pub camera: bool,
    /// Label of the text field.
    pub label: AttrValue,
}

/// Draws it.
#[component]
pub fn ScanBox(props: &Props) -> Html {
    let (words, voice) = (use_words(), use_voice());
    let video = use_node_ref();
    let on = use_state(|| props.camera);
    let note = use_state(|| None::<&'static str>);
    let typed = use_state(String::new);
    let found = {
        let (found, said) = (props.found.clone(), words.say("scan-found"));
        Callback::from(move |text: String| {
            voice.polite(said.clone());
            found.emit(text);
        })
    };
    use_camera(*on, video.clone(), found.clone(), note.setter());
    let submit = {
        let (typed, found) = (typed.clone(), found.clone());
        move || {
            let text = typed.trim().to_owned();
            if !text.is_empty() {
                typed.set(String::new());
                found.emit(text);
            }
        }
    };
    let onsubmit = {
        let submit = submit.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            submit();
        })
    };
    // A scanner that types ends with Enter.
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" && !event.shift_key() {
            event.prevent_default();
            submit();
        }
    });
    let oninput = {
        let typed = typed.setter();
        Callback::from(move |event: InputEvent| {
            typed.set(event.target_unchecked_into::<HtmlTextAreaElement>().value());
        })
    };
    let onpicture = looking_at_pictures(found, note.setter());
    let turn_on = {
        let on = on.clone();
        Callback::from(move |_| on.set(!*on))
    };
    html! {
        <div class="stack">
            if *on {
                { finder(video, *note, &words) }
            } else if let Some(key) = *note {
                <p class="note" role="status">{ glyph("warning-circle") }<span>{ words.say(key) }</span></p>
            }
            <div class="buttons">
                if !props.camera {
                    <button type="button" class="button small" onclick={turn_on} aria-pressed={on.to_string()}>{ glyph("camera") }{ words.say("scan-camera") }</button>
                }
                <label class="button small file-button">
                    { glyph("image") }{ words.say("scan-picture") }
                    <input class="heard" type="file" accept="image/*" onchange={onpicture} />
                </label>
            </div>
            <form class="field" {onsubmit}>
                <label for="scan-text">{ &props.label }</label>
                <textarea id="scan-text" class="input" rows="2" value={(*typed).clone()} {oninput} {onkeydown} autocomplete="off" autocapitalize="off" spellcheck="false" />
                <button class="button" disabled={typed.trim().is_empty()}>{ words.say("scan-go") }</button>
            </form>
        </div>
    }
}

/// The camera's picture, and what there is to say of it.
fn finder(video: NodeRef, key: Option<&'static str>, words: &Words) -> Html {
    html! {
        <div class="finder">
            <video ref={video} playsinline=true muted=true aria-label={words.say("scan-view")}></video>
            <svg class="frame" viewBox="0 0 100 100" aria-hidden="true">
                <path d="M4 24V14A10 10 0 0 1 14 4H24M76 4H86A10 10 0 0 1 96 14V24M96 76V86A10 10 0 0 1 86 96H76M24 96H14A10 10 0 0 1 4 86V76" />
            </svg>
            <p class="finder-note" role="status">{ words.say(key.unwrap_or("scan-hint")) }</p>
        </div>
    }
}

/// While `on`, looks at what the camera sees.
#[hook]
fn use_camera(on: bool, video: NodeRef, found: Callback<String>, note: UseStateSetter<Option<&'static str>>) {
    use_effect_with((on, video), move |(on, video): &(bool, NodeRef)| {
        let alive = Rc::new(Cell::new(true));
        if let Some(video) = video.cast::<HtmlVideoElement>().filter(|_| *on) {
            spawn_local(watch(video, alive.clone(), found, Callback::from(move |key| note.set(key))));
        }
        move || alive.set(false)
    });
}

fn looking_at_pictures(
    found: Callback<String>,
    note: UseStateSetter<Option<&'static str>>,
) -> Callback<Event> {
    Callback::from(move |event: Event| {
        let input = event.target_unchecked_into::<HtmlInputElement>();
        let picked = file::files(input.files()).into_iter().next();
        input.set_value("");
        let (found, note) = (found.clone(), note.clone());
        if let Some(picked) = picked {
            spawn_local(async move {
                match look_at(&picked).await {
                    Seen::Code(text) => found.emit(text),
                    Seen::Nothing => note.set(Some("scan-picture-nothing")),
                    Seen::NoText => note.set(Some("scan-no-text")),
                }
            });
        }
    })
}

async fn look_at(picked: &web_sys::File) -> Seen {
    let Some(scanner) = Scanner::start() else { return Seen::Nothing };
    match camera::picture(picked).await {
        Some(bitmap) => scanner.look(&bitmap).await,
        None => Seen::Nothing,
    }
}

/// Looks at one frame after the other, one in flight, until a code was found or the page has gone.
async fn watch(
    video: HtmlVideoElement,
    alive: Rc<Cell<bool>>,
    found: Callback<String>,
    note: Callback<Option<&'static str>>,
) {
    let Some(scanner) = Scanner::start() else { return note.emit(Some("camera-none")) };
    let camera = match Camera::open(video).await {
        Ok(camera) => camera,
        Err(key) => return note.emit(Some(key)),
    };
    while alive.get() {
        let Some(bitmap) = camera.frame().await else { continue };
        match scanner.look(&bitmap).await {
            Seen::Code(text) if alive.get() => return found.emit(text),
            Seen::NoText => note.emit(Some("scan-no-text")),
            Seen::Code(_) | Seen::Nothing => {}
        }
    }
}
