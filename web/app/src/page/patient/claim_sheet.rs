//! A claim before it is made: which insurer, what it is shown, what stays hidden, what is missing.

use suishen_bridge::{
    ClaimChoice, ClaimGap, ClaimPaper, ClaimPiece, ClaimPieceKind, ClaimPreview, ClaimRequest,
    PatientRequest, PatientResponse, Payer, Request, Response, Topic,
};
use yew::{Callback, Html, Properties, UseStateHandle, component, html, use_state};

use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        work::use_work,
    },
    component::{Segments, Sheet, Status, fault_card, glyph, progress_card, status_line},
    view::{
        claim::{consent, gap_key, payer_key, piece_name, sum},
        record::day_text,
    },
    words::{Words, rich},
};

/// Whose.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The invoice's record.
    pub record: String,
    /// The payers whose earlier claim ends with a new one.
    pub ends: Vec<Payer>,
    /// Told of the share that was made.
    pub made: Callback<String>,
    /// Told when left.
    pub close: Callback<()>,
}

fn read(response: Response) -> Option<Box<ClaimPreview>> {
    match response {
        Response::Patient(PatientResponse::ClaimPreview(preview)) => Some(preview),
        _ => None,
    }
}

/// Draws it.
#[component]
pub fn ClaimSheet(props: &Props) -> Html {
    let (words, work) = (use_words(), use_work());
    let choice = use_state(|| ClaimChoice {
        record: props.record.clone(),
        payer: Payer::Commercial,
        policy: None,
        left_out: Vec::new(),
        along: Vec::new(),
        text: String::new(),
    });

    // What is left out or goes along changes nothing in the proposal.
    let asked = ClaimChoice { left_out: Vec::new(), along: Vec::new(), ..(*choice).clone() };
    let (preview, again) = use_asked(
        asked,
        &[Topic::Records],
        |choice: &ClaimChoice| Request::Patient(PatientRequest::Claim(ClaimRequest::Preview(choice.clone()))),
        read,
    );
    let body = match &preview {
        Asked::Waiting => html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
        Asked::Failed(fault) => fault_card(&words, fault, Some(&again), false),
        Asked::Here(preview) => {
            let kept = preview.shown.iter().filter(|piece| !choice.left_out.contains(&piece.number)).count();
            let along = &choice.along;
            let titles: Vec<String> = preview
                .along
                .iter()
                .filter(|paper| along.contains(&paper.record))
                .map(|paper| paper.title.clone())
                .collect();
            let hidden_now = preview.hidden.len() + preview.shown.len() - kept;
            let text =
                consent(&words, choice.payer, (kept, hidden_now), &titles, (preview.duration, preview.reads));
            let make = {
                let (work, made) = (work.clone(), props.made.clone());
                let choice = ClaimChoice { text: text.replace("**", ""), ..(*choice).clone() };
                Callback::from(move |_| {
                    let made = made.clone();
                    work.patient(
                        PatientRequest::Claim(ClaimRequest::Make(choice.clone())),
                        move |response| {
                            if let Response::Patient(PatientResponse::Share(share)) = response {
                                made.emit(share.share);
                            }
                        },
                    );
                })
            };
            html! {<>
                { sums(preview, &words) }
                { policies(preview, &choice, &words) }
                { for preview.gaps.iter().map(|gap| status_line(Status::Caution("warning-circle"), words.say(gap_key(*gap)), None, None, None)) }
                { pieces(preview, &choice, &words) }
                { hidden(preview, &choice, &words) }
                { going_along(preview, &choice, &words) }
                if props.ends.contains(&choice.payer) { <p class="quiet">{ words.say("claim-ends-before") }</p> }
                <div class="sentence"><p>{ rich(&text) }</p></div>
                if work.busy() { { progress_card(&words, work.progress()) } }
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
                <button class="button primary wide" onclick={make} disabled={work.busy() || preview.gaps.contains(&ClaimGap::Tag)}>{ glyph("qr-code") }{ words.say("claim-show") }</button>
            </>}
        }
    };
    let payers = [Payer::Commercial, Payer::Statutory];
    let turn = {
        let choice = choice.clone();
        Callback::from(move |index: usize| {
            choice.set(ClaimChoice {
                payer: payers[index.min(1)],
                policy: None,
                left_out: Vec::new(),
                ..(*choice).clone()
            });
        })
    };
    let chosen = payers.iter().position(|payer| *payer == choice.payer).unwrap_or(0);
    html! {
        <Sheet title={words.say("claim-title")} close={props.close.clone()}>
            <div class="stack">
                <Segments label={words.say("claim-payer")} names={payers.map(|payer| words.say(payer_key(payer))).to_vec()} {chosen} choose={turn} />
                { body }
            </div>
        </Sheet>
    }
}

fn sums(preview: &ClaimPreview, words: &Words) -> Html {
    html! {
        <dl class="terms sums">
            <dt>{ words.say("claim-total") }</dt><dd>{ sum(&preview.total) }</dd>
            <dt>{ words.say("claim-payable") }</dt>
            <dd>{ preview.payable.as_deref().map_or_else(|| words.say("claim-payable-unknown"), sum) }</dd>
        </dl>
    }
}

/// One is picked where there are several.
fn policies(preview: &ClaimPreview, choice: &UseStateHandle<ClaimChoice>, words: &Words) -> Html {
    if !preview.gaps.contains(&ClaimGap::WhichPolicy) && choice.policy.is_none() {
        return Html::default();
    }
    html! {
        <fieldset class="stack close">
            <legend>{ words.say("claim-which-policy") }</legend>
            { for preview.policies.iter().map(|policy| {
                let picked = choice.policy == Some(policy.number);
                let (choice, number) = (choice.clone(), policy.number);
                let onchange = Callback::from(move |_| choice.set(ClaimChoice { policy: Some(number), ..(*choice).clone() }));
                html! { <label class="choice"><input type="radio" name="policy" checked={picked} {onchange} /><span>{ policy.name.clone().unwrap_or_else(|| words.say("claim-piece-policy")) }</span></label> }
            }) }
        </fieldset>
    }
}

/// What the insurer sees; the patient may leave out what isn't fixed.
fn pieces(preview: &ClaimPreview, choice: &UseStateHandle<ClaimChoice>, words: &Words) -> Html {
    let row = |piece: &ClaimPiece| {
        let on = !choice.left_out.contains(&piece.number);
        let (choice, number) = (choice.clone(), piece.number);
        let onchange = Callback::from(move |_| {
            let mut next = (*choice).clone();
            if on {
                next.left_out.push(number);
            } else {
                next.left_out.retain(|out| *out != number);
            }
            choice.set(next);
        });
        html! { <label class="choice" key={piece.number}><input type="checkbox" checked={on} disabled={piece.kind.is_fixed()} {onchange} />
        <span class="grow"><span class="line">{ piece_name(words, piece) }</span>if piece.kind.is_fixed() { <span class="line quiet">{ words.say("claim-fixed") }</span> }</span></label> }
    };
    let (lines, others): (Vec<_>, Vec<_>) =
        preview.shown.iter().partition(|piece| piece.kind == ClaimPieceKind::Line);
    html! {
        <fieldset class="stack close">
            <legend class="row">{ glyph("eye") }<strong>{ words.say("claim-shown") }</strong></legend>
            { for others.into_iter().map(row) }
            if !lines.is_empty() {
                <details><summary>{ words.count("claim-lines", lines.len() as u64) }</summary>{ for lines.into_iter().map(row) }</details>
            }
        </fieldset>
    }
}

/// Other records of the same treatment, to pick from.
fn going_along(preview: &ClaimPreview, choice: &UseStateHandle<ClaimChoice>, words: &Words) -> Html {
    if preview.along.is_empty() {
        return Html::default();
    }
    let row = |paper: &ClaimPaper| {
        let on = choice.along.contains(&paper.record);
        let (choice, record) = (choice.clone(), paper.record.clone());
        let onchange = Callback::from(move |_| {
            let mut next = (*choice).clone();
            next.along.retain(|other| *other != record);
            if !on {
                next.along.push(record.clone());
            }
            choice.set(next);
        });
        html! { <label class="choice" key={paper.record.clone()}><input type="checkbox" checked={on} {onchange} /><span class="grow"><span class="line">{ &paper.title }</span><span class="line quiet">{ day_text(words, &paper.date) }</span></span></label> }
    };
    html! {
        <fieldset class="stack close">
            <legend class="row">{ glyph("paperclip") }<strong>{ words.say("claim-along") }</strong></legend>
            <p class="quiet">{ words.say("claim-along-text") }</p>
            { for preview.along.iter().map(row) }
        </fieldset>
    }
}

/// What of the invoice stays hidden, what the patient left out included.
fn hidden(preview: &ClaimPreview, choice: &ClaimChoice, words: &Words) -> Html {
    let left_out = preview.shown.iter().filter(|piece| choice.left_out.contains(&piece.number));
    let hidden: Vec<&ClaimPiece> = preview.hidden.iter().chain(left_out).collect();
    if hidden.is_empty() {
        return Html::default();
    }
    let mut names: Vec<String> = hidden.iter().map(|piece| piece_name(words, piece)).collect();
    names.sort();
    names.dedup();
    html! {
        <section class="stack close">
            <h3 class="row">{ glyph("eye-slash") }{ words.count("claim-hidden", hidden.len() as u64) }</h3>
            <p class="quiet">{ words.list(&names) }</p>
        </section>
    }
}
