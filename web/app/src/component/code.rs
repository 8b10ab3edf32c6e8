//! A QR code, black on white in every theme, with the countdown ring around it where its time runs out.

use yew::{AttrValue, Html, Properties, component, html, use_memo};

use crate::view::{
    code::{QUIET, draw},
    ring,
};

/// How the ring stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Seconds left.
    pub left: u64,
    /// Seconds in all.
    pub whole: u64,
    /// Dashed: works without the phone.
    pub offline: bool,
}

/// Which code.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its text. Secret; drawn, never written.
    pub text: AttrValue,
    /// What it is for: "二维码，给医生扫".
    pub label: AttrValue,
    /// Seconds left, of how many, and whether it works without the phone.
    #[prop_or_default]
    pub ring: Option<(u64, u64, bool)>,
}

const BOX: f64 = 300.0;
const EDGE: f64 = 5.0;

/// Draws it.
#[component]
pub fn Code(props: &Props) -> Html {
    let drawn = use_memo(props.text.clone(), |text| draw(text));
    let Some(drawn) = drawn.as_ref() else { return Html::default() };
    let ring = props.ring.map(|(left, whole, offline)| Ring { left, whole, offline });
    #[expect(clippy::cast_precision_loss, reason = "a code has at most 177 modules a side")]
    let modules = (drawn.modules + 2 * QUIET) as f64;
    let inset = if ring.is_some() { 3.0 * EDGE } else { 0.0 };
    let side = BOX - 2.0 * inset;
    let scale = side / modules;
    #[expect(clippy::cast_precision_loss, reason = "four modules")]
    let quiet = inset + QUIET as f64 * scale;
    html! {
        <svg class="code" viewBox={format!("0 0 {BOX} {BOX}")} role="img" aria-label={props.label.clone()} shape-rendering="crispEdges">
            <rect class="ground" width={BOX.to_string()} height={BOX.to_string()} rx="42" />
            <g transform={format!("translate({quiet:.3} {quiet:.3}) scale({scale:.5})")}>
                <path class="ink" d={drawn.path.clone()} />
            </g>
            if let Some(ring) = ring { { draw_ring(ring) } }
        </svg>
    }
}

fn draw_ring(ring: Ring) -> Html {
    let path = ring::path(EDGE, BOX - 2.0 * EDGE, 36.0);
    if ring.offline {
        return html! { <path class="ring-offline" d={path} stroke-width="5" stroke-dasharray="12 9" shape-rendering="auto" /> };
    }
    let (dash, offset) = ring::dash(ring.left, ring.whole);
    html! {
        <g shape-rendering="auto">
            <path class="ring-rest" d={path.clone()} stroke-width="6" />
            if ring.left > 0 {
                <path class="ring-left" d={path} stroke-width="6" pathLength="100" stroke-dasharray={dash} stroke-dashoffset={offset} />
            }
        </g>
    }
}
