//! One record in a visit's card: icon of its kind, name, marks and tags, one finding in words.

use suishen_bridge::{RecordCard, RecordTag};
use yew::{Html, classes, html};

use super::{LinkTo, glyph};
use crate::{
    route::Route,
    view::{
        claim::sum_or_text,
        record::{icon, mark},
    },
    words::Words,
};

/// Draws a record as a link to it.
pub fn record_entry(words: &Words, card: &RecordCard) -> Html {
    html! {
        <LinkTo key={card.record.clone()} to={Route::Record(card.record.clone())} class="entry parted">
            <span class="lead">{ glyph(icon(card.kind)) }</span>
            <span class="grow">
                <span class="line"><span class="name">{ &card.title }</span>{ " " }{ marks(words, card) }</span>
                { findings(words, card) }
            </span>
            { glyph("caret-right-bold") }
        </LinkTo>
    }
}

/// The marks and tags of a record.
pub fn marks(words: &Words, card: &RecordCard) -> Html {
    let tag = |tag: &RecordTag| {
        let (key, class) = mark(*tag);
        html! { <span class={classes!("tag", class)}>{ words.say(key) }</span> }
    };
    html! {<>
        { for card.marks.iter().map(|mark| html! {<>{ tag(mark) }{ " " }</>}) }
        if card.hidden { <span class="tag">{ words.say("mark-hidden") }</span>{ " " } }
        { for card.tags.iter().map(|tag| html! {<><span class="tag">{ tag }</span>{ " " }</>}) }
    </>}
}

/// Its finding: counts with arrows, or a sentence.
fn findings(words: &Words, card: &RecordCard) -> Html {
    if card.high + card.low == 0 {
        return html! { <span class="line quiet">{ sum_or_text(&card.finding) }</span> };
    }
    html! {
        <span class="verdicts line">
            if card.high > 0 { <span class="verdict high">{ glyph("arrow-up-bold") }{ words.count("count-high", card.high) }</span> }
            if card.low > 0 { <span class="verdict low">{ glyph("arrow-down-bold") }{ words.count("count-low", card.low) }</span> }
        </span>
    }
}
