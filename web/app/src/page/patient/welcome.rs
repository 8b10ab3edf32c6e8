//! Welcome: what this is in three sentences, and the first scan. No account, no phone number.

use yew::{Html, component, html};

use crate::{
    browser::{language::use_words, offline, page},
    component::{LanguageSwitch, LinkTo, Status, glyph, logo, status_line},
    route::Route,
};

/// The squares of the picture: a code that is three eyes and a tick.
const DOTS: [(u8, u8); 43] = [
    (5, 0),
    (6, 0),
    (5, 1),
    (6, 1),
    (5, 2),
    (6, 2),
    (6, 3),
    (7, 3),
    (5, 4),
    (5, 5),
    (6, 5),
    (7, 5),
    (8, 5),
    (9, 5),
    (10, 5),
    (11, 5),
    (12, 5),
    (0, 5),
    (0, 6),
    (0, 7),
    (1, 7),
    (2, 7),
    (2, 6),
    (4, 6),
    (4, 7),
    (6, 6),
    (7, 6),
    (6, 7),
    (12, 6),
    (12, 7),
    (9, 7),
    (10, 7),
    (6, 8),
    (7, 8),
    (7, 9),
    (5, 10),
    (6, 10),
    (6, 11),
    (7, 11),
    (5, 12),
    (6, 12),
    (6, 9),
    (4, 5),
];

/// Draws it.
#[component]
pub fn WelcomePage() -> Html {
    let words = use_words();
    html! {
        <div class="phone bare">
            <header class="top">
                <span class="desk-name">{ logo() }{ words.say("suishen") }</span>
                <LanguageSwitch />
            </header>
            <main class="column">
                { hero() }
                <h1>{ words.say("welcome-title") }</h1>
                <ul class="promises">
                    <li>{ glyph("scan") }<span>{ words.say("welcome-scan") }</span></li>
                    <li>{ glyph("hand-palm") }<span>{ words.say("welcome-decide") }</span></li>
                    <li>{ glyph("eye") }<span>{ words.say("welcome-written") }</span></li>
                </ul>
                <div class="push stack close">
                    if offline::needs_home_screen(&page::agent()) {
                        { status_line(Status::Caution("export"), words.say("welcome-home-screen"), None, None, None) }
                    }
                    <p class="quiet centre">{ words.say("welcome-no-account") }</p>
                    <LinkTo to={Route::Scan} class="button primary wide">{ glyph("scan") }{ words.say("welcome-start") }</LinkTo>
                    <LinkTo to={Route::Restore} class="button wide">{ words.say("welcome-have") }</LinkTo>
                </div>
            </main>
        </div>
    }
}

fn hero() -> Html {
    let eye = |x: u32, y: u32| {
        html! {<>
            <rect class="frame" x={(x + 3).to_string()} y={(y + 3).to_string()} width="46" height="46" rx="15" />
            <rect class="eye" x={(x + 15).to_string()} y={(y + 15).to_string()} width="22" height="22" rx="6" />
        </>}
    };
    html! {
        <svg class="hero" viewBox="0 0 169 169" aria-hidden="true">
            { eye(0, 0) }{ eye(117, 0) }{ eye(0, 117) }
            { for DOTS.iter().map(|(x, y)| html! {
                <rect class="dot" x={(u32::from(*x) * 13 + 1).to_string()} y={(u32::from(*y) * 13 + 1).to_string()} width="11" height="11" rx="2.6" />
            }) }
            <rect class="eye" x="117" y="117" width="52" height="52" rx="16" />
            <path class="tick" d="M131 144.500l9 9 17-18.500" />
        </svg>
    }
}
