//! The records: one card a visit, newest first; search, kinds, own tags, hidden ones on demand.

use suishen_bridge::fhir::Kind;
use suishen_bridge::{
    Filter, PatientRequest, PatientResponse, RecordCard, RecordList, Request, Response, Topic,
};
use web_sys::{HtmlInputElement, InputEvent};
use yew::{Callback, Html, TargetCast, component, html, use_state};

use super::{root::use_wallet, status::WalletStatus};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        ledger::use_ledger,
    },
    component::{BottomBar, LinkTo, More, TopBar, chip, empty, fault_card, glyph, visit_card},
    route::Route,
    view::record::{KINDS, visits},
    words::Words,
};

/// Records that the list shows at first; each further time that its end is reached, twice as many.
const FIRST: u32 = 60;

/// The records in an answer.
pub fn records(response: Response) -> Option<RecordList> {
    match response {
        Response::Patient(PatientResponse::Records(records)) => Some(records),
        _ => None,
    }
}

/// Draws them.
#[component]
pub fn RecordsPage() -> Html {
    let (words, wallet, ledger) = (use_words(), use_wallet(), use_ledger());
    let this_year = ledger.now().map(|now| words.moment(now).year);
    let filter = use_state(Filter::default);
    let most = use_state(|| FIRST);
    let searching = use_state(|| false);
    let (found, again) = use_asked(
        Filter { most: Some(*most), ..(*filter).clone() },
        &[Topic::Records],
        |filter: &Filter| Request::Patient(PatientRequest::Records(filter.clone())),
        records,
    );
    let more = {
        let (most, shown) = (most.clone(), found.here().map_or(0, |list| list.cards.len()));
        Callback::from(move |()| {
            // What was asked for before is here.
            if u32::try_from(shown).is_ok_and(|shown| shown >= *most) {
                most.set(most.saturating_mul(2));
            }
        })
    };
    let search = {
        let (filter, most) = (filter.clone(), most.setter());
        Callback::from(move |event: InputEvent| {
            let search = event.target_unchecked_into::<HtmlInputElement>().value();
            most.set(FIRST);
            filter.set(Filter { search, ..(*filter).clone() });
        })
    };
    let turn_search = {
        let (searching, filter) = (searching.clone(), filter.clone());
        Callback::from(move |_| {
            if *searching {
                filter.set(Filter { search: String::new(), ..(*filter).clone() });
            }
            searching.set(!*searching);
        })
    };
    let change = {
        let (filter, most) = (filter.clone(), most.setter());
        Callback::from(move |new: Filter| {
            most.set(FIRST);
            filter.set(new);
        })
    };
    html! {<>
        <div class="phone">
            <TopBar name={wallet.name.clone()}>
                <button class="plain ink" onclick={turn_search} aria-expanded={searching.to_string()} aria-controls="search" aria-label={words.say("search")}>{ glyph("magnifying-glass") }</button>
            </TopBar>
            <main class="stack">
                <div class="page-head">
                    <h1>{ words.say("records") }</h1>
                    <span class="quiet">{ words.count("records-count", wallet.records) }</span>
                </div>
                <WalletStatus />
                if *searching {
                    <div class="field" id="search">
                        <label for="search-text">{ words.say("search-label") }</label>
                        <input id="search-text" class="input" type="search" value={filter.search.clone()} oninput={search} autocomplete="off" />
                    </div>
                }
                { chips(&filter, &change, found.here(), &words) }
                { match &found {
                    Asked::Waiting => html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
                    Asked::Failed(fault) => html! { { fault_card(&words, fault, Some(&again), false) } },
                    Asked::Here(found) => html! { <>{ list(&found.cards, &filter, this_year, &words) }<More left={found.more} {more} /></> },
                } }
            </main>
        </div>
        <BottomBar />
    </>}
}

fn list(found: &[RecordCard], filter: &Filter, this_year: Option<i64>, words: &Words) -> Html {
    if found.is_empty() && *filter == Filter::default() {
        return html! {
            { empty(words.say("empty-title"), words.say("empty-text"), html! { <>
                <LinkTo to={Route::Scan} class="button primary wide">{ glyph("scan") }{ words.say("scan") }</LinkTo>
            </> }) }
        };
    }
    if found.is_empty() {
        return html! { <p class="quiet" role="status">{ words.say("search-nothing") }</p> };
    }
    html! {
        { for visits(found).into_iter().map(|visit| {
            let records: Vec<RecordCard> = visit.records.into_iter().cloned().collect();
            html! { { visit_card(words, this_year, &records) } }
        }) }
    }
}

fn chips(filter: &Filter, change: &Callback<Filter>, found: Option<&RecordList>, words: &Words) -> Html {
    let kind = |kind: Option<Kind>| {
        let new = Filter { kind, tag: None, ..filter.clone() };
        let name = words.say(&format!("kind-{}", kind.map_or("all", Kind::name)));
        let on = filter.kind == kind && filter.tag.is_none();
        html! { { chip(name, on, &change.reform(move |()| new.clone())) } }
    };
    let mut tags: Vec<&String> = found.into_iter().flat_map(|list| &list.tags).chain(&filter.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    let tag = |tag: &String| {
        let on = filter.tag.as_ref() == Some(tag);
        let new = Filter { tag: (!on).then(|| tag.clone()), kind: None, ..filter.clone() };
        html! { { chip(tag.clone(), on, &change.reform(move |()| new.clone())) } }
    };
    let hidden = Filter { hidden: !filter.hidden, ..filter.clone() };
    html! {
        <div class="chips" role="group" aria-label={words.say("filter")}>
            { kind(None) }
            { for KINDS.into_iter().map(|name| kind(Some(name))) }
            { for tags.into_iter().map(tag) }
            { chip(words.say("filter-hidden"), filter.hidden, &change.reform(move |()| hidden.clone())) }
        </div>
    }
}
