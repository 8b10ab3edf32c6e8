//! The other language, one tap away, named in its own words.

use yew::{Callback, Html, component, html};

use crate::browser::language::{Change, use_setting};

/// Draws it.
#[component]
pub fn LanguageSwitch() -> Html {
    let setting = use_setting();
    let other = setting.words.language().other();
    let change = setting.change.clone();
    let tap = Callback::from(move |_| change.emit(Change::Language(other)));
    html! { <button class="plain" lang={other.tag()} onclick={tap}>{ setting.words.say("other-language") }</button> }
}
