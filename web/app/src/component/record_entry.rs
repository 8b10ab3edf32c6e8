//! One record in a visit's card: icon of its kind, name, marks and tags, one finding in words.

use suishen_bridge::{RecordCard, RecordTag};
use yew::{Html, Properties, classes, component, html};

use super::{Icon, LinkTo};
use crate::{
    browser::language::use_words,
    route::Route,
    view::record::{icon, mark},
};

/// Which record.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The record.
    pub card: RecordCard,
}

/// Draws it as a link to the record.
#[component]
pub fn RecordEntry(props: &Props) -> Html {
    let card = &props.card;
    html! {
        <LinkTo to={Route::Record(card.record.clone())} class="entry parted">
            <span class="lead"><Icon name={icon(&card.kind)} /></span>
            <span class="grow">
                <span class="line"><span class="name">{ &card.title }</span>{ " " }<Marks card={card.clone()} /></span>
                <Findings card={card.clone()} />
            </span>
            <Icon name="caret-right-bold" />
        </LinkTo>
    }
}

/// The marks and tags of a record.
#[component]
pub fn Marks(props: &Props) -> Html {
    let words = use_words();
    let tag = |tag: &RecordTag| {
        let (key, class) = mark(*tag);
        html! { <span class={classes!("tag", class)}>{ words.say(key) }</span> }
    };
    html! {<>
        { for props.card.marks.iter().map(|mark| html! {<>{ tag(mark) }{ " " }</>}) }
        if props.card.hidden { <span class="tag">{ words.say("mark-hidden") }</span>{ " " } }
        { for props.card.tags.iter().map(|tag| html! {<><span class="tag">{ tag }</span>{ " " }</>}) }
    </>}
}

/// Its finding: counts with arrows, or a sentence.
#[component]
pub fn Findings(props: &Props) -> Html {
    let words = use_words();
    let card = &props.card;
    if card.high + card.low == 0 {
        return html! { <span class="line quiet">{ &card.finding }</span> };
    }
    html! {
        <span class="verdicts line">
            if card.high > 0 { <span class="verdict high"><Icon name="arrow-up-bold" />{ words.count("count-high", card.high) }</span> }
            if card.low > 0 { <span class="verdict low"><Icon name="arrow-down-bold" />{ words.count("count-low", card.low) }</span> }
        </span>
    }
}
