//! Scanning: camera, picture, paste. What it is, the next page says.

use yew::{Callback, Html, Properties, component, html};

use crate::{
    browser::language::use_words,
    component::{BottomBar, LanguageSwitch, ScanBox, back_bar},
    route::Route,
};

/// Told of what.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// A text. Secret.
    pub found: Callback<String>,
    /// Before there is a wallet: without the bar.
    #[prop_or_default]
    pub bare: bool,
}

/// Draws it.
#[component]
pub fn ScanPage(props: &Props) -> Html {
    let words = use_words();
    html! {<>
        <div class={if props.bare { "phone bare" } else { "phone" }}>
            if props.bare { { back_bar(&words, Route::Home, String::new(), html! { <><LanguageSwitch /></> }) } }
            <main>
                <div class="page-head"><h1>{ words.say("scan") }</h1></div>
                <ScanBox found={props.found.clone()} camera={true} label={words.say("scan-paste")} />
            </main>
        </div>
        if !props.bare { <BottomBar /> }
    </>}
}
