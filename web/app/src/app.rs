//! The root: which role this origin plays, which page is shown, in which language, and what a link brought.

use wasm_bindgen_futures::spawn_local;
use yew::{Callback, ContextProvider, Html, Properties, component, html, use_effect_with, use_state};

use crate::{
    browser::{
        address::{self, Address},
        engine::{Part, WithEngine},
        language::{self, Change, Setting},
        ledger::WithLedger,
        offline, page,
    },
    component::Announcer,
    page::{
        StartPage, UnknownPage,
        desk::{AuditorDesk, HospitalDesk, INSURER, ReadingDesk},
        patient::PatientRoot,
    },
    role::Role,
    route::Route,
    words::{Language, Words},
};

/// The pages of a bundle: those of a role, opened with a link whose fragment was taken.
pub type Pages = fn(Role, Option<String>) -> Html;

/// Mounts the interface; `taken` is the fragment that `boot.js` took.
pub fn mount(taken: String, language: &str, texts: String, pages: Pages) {
    let Some(root) = page::document().get_element_by_id("app") else { return };
    root.set_inner_html("");
    let words = Words::read(Language::of_tag(language), texts, page::offset_minutes());
    yew::Renderer::<App>::with_root_and_props(root, Props { taken, words, pages: Bundle(pages) }).render();
}

/// What the page was opened with.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The fragment, without `#`; secret.
    pub taken: String,
    /// The texts in the language that the person chose last.
    pub words: Words,
    /// What is shown.
    pub pages: Bundle,
}

/// There is one a page.
#[derive(Clone, Copy)]
pub struct Bundle(Pages);

impl PartialEq for Bundle {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The app.
#[component]
pub fn App(props: &Props) -> Html {
    let (host, path) = (page::host(), page::path());
    let role = Role::of(&host, &path);
    let base = Role::base(&host, &path);
    let words = use_state(|| props.words.clone());
    let theme = use_state(language::stored_theme);
    let route = use_state({
        let base = base.clone();
        move || address::current(&base)
    });
    let opened = use_state({
        let taken = props.taken.clone();
        move || address::link_of(&taken)
    });

    use_effect_with((words.language(), *theme), |(language, theme)| language::apply(*language, *theme));
    use_effect_with((), {
        let (base, route, opened) = (base.clone(), route.setter(), opened.setter());
        move |()| {
            if role != Role::Start {
                offline::register();
            }
            page::set_root("data-desk", role.is_desk().then_some("yes"));
            let moved = Callback::from(move |to: Route| route.set(to));
            address::follow(&base, moved, Callback::from(move |link: String| opened.set(Some(link))));
        }
    });
    use_effect_with((*route).clone(), |_| page::focus_heading());

    let change = Callback::from({
        let (words, theme) = (words.setter(), theme.setter());
        move |change| match change {
            Change::Language(language) => {
                let words = words.clone();
                // Chosen is chosen, also by someone who leaves the page before its texts are here.
                page::set_setting("language", language.tag());
                spawn_local(async move {
                    // Without its file the page goes on in the language that it has.
                    if let Some(other) = language::fetch(language).await {
                        words.set(other);
                    }
                });
            }
            Change::Theme(chosen) => theme.set(chosen),
        }
    });
    let setting = Setting { words: (*words).clone(), theme: *theme, change };
    let go = Callback::from({
        let route = route.setter();
        move |to| route.set(to)
    });
    let address = Address::new(&base, (*route).clone(), go);
    html! {
        <ContextProvider<Setting> context={setting}>
            <ContextProvider<Address> context={address}>
                <Announcer>
                    { (props.pages.0)(role, (*opened).clone()) }
                </Announcer>
            </ContextProvider<Address>>
        </ContextProvider<Setting>>
    }
}

/// The patient's wallet, beside its engine.
pub fn wallet(_: Role, opened: Option<String>) -> Html {
    html! { <WithEngine part={Part::Wallet}><WithLedger><PatientRoot {opened} /></WithLedger></WithEngine> }
}

/// The desks, beside their engine, and the start page of a demonstration.
pub fn desk(role: Role, opened: Option<String>) -> Html {
    let pages = match role {
        Role::Start => return html! { <StartPage /> },
        Role::Hospital => html! { <HospitalDesk {opened} /> },
        Role::Doctor => html! { <ReadingDesk title="desk-doctor" {opened} /> },
        Role::Insurer => html! { <ReadingDesk title={INSURER} {opened} /> },
        Role::Auditor => html! { <AuditorDesk /> },
        Role::Patient => html! { <UnknownPage /> },
    };
    html! { <WithEngine part={Part::Desk}><WithLedger>{ pages }</WithLedger></WithEngine> }
}
