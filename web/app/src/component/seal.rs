//! The proof seal: five states, five shapes (LOOK "proof seal"). The tick shows only what this device has proven.

use yew::{Html, classes, html};

/// A state of proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Proven by this device: a solid tick.
    Proven,
    /// True as of an earlier time: a dashed clock.
    AsOf,
    /// Key released, no receipt: a bar.
    NoReceipt,
    /// Refused, as the relay reports: a cross.
    Refused,
    /// The proof is broken: "!".
    Broken,
}

/// Draws a seal; `label` is its sentence, where no text beside it says the same.
pub fn seal(proof: Proof, label: Option<String>) -> Html {
    let outline = html! { <rect x="1.8" y="1.8" width="20.4" height="20.4" rx="6" /> };
    let (class, shape) = match proof {
        Proof::Proven => (
            "proven",
            html! {<>
                <rect class="solid" x="1" y="1" width="22" height="22" rx="6.5" />
                <path class="on-solid" d="M6.8 12.6l3.5 3.5 7-7.6" />
            </>},
        ),
        Proof::AsOf => (
            "as-of",
            html! {<>
                <rect x="1.8" y="1.8" width="20.4" height="20.4" rx="6" stroke-dasharray="3.4 2.6" />
                <path d="M12 7.4v5l3.2 1.8" />
            </>},
        ),
        Proof::NoReceipt => ("no-receipt", html! {<>{ outline }<path d="M7.5 12h9" /></>}),
        Proof::Refused => ("refused", html! {<>{ outline }<path d="M8.5 8.5l7 7M15.5 8.5l-7 7" /></>}),
        Proof::Broken => (
            "broken",
            html! {<>
                <rect class="solid" x="1" y="1" width="22" height="22" rx="6.5" />
                <path class="on-solid" d="M12 6.6v6.6M12 17v.1" />
            </>},
        ),
    };
    html! {
        <svg
            class={classes!("seal", class, (proof == Proof::Proven).then_some("drawn"))}
            viewBox="0 0 24 24"
            role={label.is_some().then_some("img")}
            aria-label={label.clone()}
            aria-hidden={label.is_none().then_some("true")}
        >
            { shape }
        </svg>
    }
}
