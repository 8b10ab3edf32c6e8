//! What is being done and how far (LOOK "progress").

use suishen_bridge::Step;
use yew::{Html, html};

use crate::{
    browser::work::Progress,
    words::{Words, figure},
};

/// A step's key.
fn key(step: Step) -> &'static str {
    match step {
        Step::Fetching => "step-fetching",
        Step::Checking => "step-checking",
        Step::Sending => "step-sending",
        Step::Sealing => "step-sealing",
        Step::Unlocking => "step-unlocking",
        Step::Anchoring => "step-anchoring",
    }
}

/// Draws it; no progress while nothing was heard yet.
pub fn progress_card(words: &Words, progress: Option<Progress>) -> Html {
    let known = progress.filter(|progress| progress.total > 0);
    let percent = known.map(|progress| progress.done.min(progress.total) * 100 / progress.total);
    let name = progress.map_or_else(|| words.say("step-working"), |progress| words.say(key(progress.step)));
    html! {
        <section class="card padded stack close" aria-live="polite">
            <div class="row">
                <span class="grow">{ &name }</span>
                if let Some(percent) = percent { <strong>{ words.with("percent", &[("n", figure(percent))]) }</strong> }
            </div>
            <svg class="meter" role="progressbar" aria-label={name.clone()} aria-valuemin="0" aria-valuemax="100" aria-valuenow={percent.map(|p| p.to_string())}>
                <rect class="rest" width="100%" height="100%" rx="4" />
                <rect class="done" width={format!("{}%", percent.unwrap_or(8))} height="100%" rx="4" />
            </svg>
            if let Some(progress) = known.filter(|progress| matches!(progress.step, Step::Fetching | Step::Sending)) {
                <p class="quiet">{ words.with("step-of", &[("done", words.size(progress.done).into()), ("total", words.size(progress.total).into())]) }</p>
            }
        </section>
    }
}
