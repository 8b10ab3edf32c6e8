//! What is asked and answered in JSON. Times are Unix seconds by the ledger's clock, sums decimal texts.

use super::reading;
use crate::claims::{
    ClaimsDesk, DeskError, Refusal,
    held::{Held, Said, Saying, decision_name},
    view::{InvoiceBody, PaperBody, plain},
};
use crate::http::Problem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use suishen_core::{consent::Answer, contract::ReversalReason};

/// `POST /v1/claims`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeBody {
    /// The patient's claim link.
    pub link: String,
}

/// `POST /v1/claims/{id}/decision`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// In the invoice's currency; 0 refuses.
    pub paid: String,
    /// Why not all.
    #[serde(default)]
    pub reason: String,
}

/// `POST /v1/claims/{id}/reversal`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversalBody {
    /// Everybody reads it on the ledger.
    pub why: WhyBody,
    /// For patient and auditor.
    pub words: String,
}

/// An insurer's reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyBody {
    /// Settled in error.
    Error,
    /// Paid for elsewhere.
    Duplicate,
    /// What was paid came back.
    PaidBack,
}

impl From<WhyBody> for ReversalReason {
    fn from(why: WhyBody) -> Self {
        match why {
            WhyBody::Error => Self::Error,
            WhyBody::Duplicate => Self::Duplicate,
            WhyBody::PaidBack => Self::PaidBack,
        }
    }
}

/// `POST /v1/claims/batch`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// 1 to 100; each is read by itself, so that one that can't be read takes nothing from the others.
    pub items: Vec<Box<RawValue>>,
}

/// One of a batch.
#[derive(Clone, Debug)]
pub enum ItemBody {
    /// Takes a claim.
    Take(TakeBody),
    /// Decides the one of this id.
    Decide(String, DecisionBody),
    /// Takes the settlement of this one back.
    Reverse(String, ReversalBody),
}

/// What an item is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Doing {
    Take,
    Decide,
    Reverse,
}

/// The member that says which of the three an item is.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "do")]
    doing: Doing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakeItem {
    #[serde(rename = "do")]
    _do: Doing,
    link: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecideItem {
    #[serde(rename = "do")]
    _do: Doing,
    id: String,
    paid: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReverseItem {
    #[serde(rename = "do")]
    _do: Doing,
    id: String,
    why: WhyBody,
    words: String,
}

impl ItemBody {
    /// Reads the item at this place.
    pub fn read(item: &RawValue, at: usize) -> Result<Self, Problem> {
        let (json, place) = (item.get().as_bytes(), format!("/items/{at}"));
        Ok(match reading::read::<Named>(json, &place)?.doing {
            Doing::Take => {
                let TakeItem { link, .. } = reading::read(json, &place)?;
                Self::Take(TakeBody { link })
            }
            Doing::Decide => {
                let DecideItem { id, paid, reason, .. } = reading::read(json, &place)?;
                Self::Decide(id, DecisionBody { paid, reason })
            }
            Doing::Reverse => {
                let ReverseItem { id, why, words, .. } = reading::read(json, &place)?;
                Self::Reverse(id, ReversalBody { why, words })
            }
        })
    }
}

/// A claim as it stands.
#[derive(Clone, Debug, Serialize)]
pub struct ClaimBody {
    /// Its id, 64 hexadecimal digits: the consent's on the ledger.
    pub id: String,
    /// Where it stands.
    pub state: &'static str,
    /// When its link came.
    pub received_at: u64,
    /// The end of the patient's consent, or before it is accepted, of the time to accept it.
    pub deadline: u64,
    /// Why it came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedBody>,
    /// What the patient shows; in lists left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceBody>,
    /// What goes along with the invoice; in lists left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub papers: Option<Vec<PaperBody>>,
    /// What was said last, or what is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<SaidBody>,
}

/// Why a claim came to nothing.
#[derive(Clone, Debug, Serialize)]
pub struct ClosedBody {
    /// A stable word.
    pub code: String,
    /// A sentence.
    pub detail: String,
}

/// A decision or a reversal.
#[derive(Clone, Debug, Serialize)]
pub struct SaidBody {
    /// `whole`, `partly`, `refused` or `reversed`.
    pub kind: &'static str,
    /// What is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<String>,
    /// Why: of a reversal its words.
    pub reason: String,
    /// A reversal's coded reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<WhyBody>,
    /// The number of its entry on the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// When it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// While it is on its way: by when it stands, or never will.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// While it is on its way: what the relay said against it last. It may come to stand all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
}

impl ClaimBody {
    /// A claim without its invoice.
    pub fn brief(held: &Held) -> Self {
        Self {
            id: held.grant.to_hex(),
            state: held.state().name(),
            received_at: held.since,
            deadline: if held.accepted { held.until } else { held.accept_until },
            closed: held
                .closed
                .as_ref()
                .map(|closed| ClosedBody { code: closed.code.clone(), detail: closed.detail.clone() }),
            invoice: None,
            papers: None,
            decision: last(held),
        }
    }

    /// A claim with what is shown of its invoice, and of what goes along.
    pub fn whole(desk: &ClaimsDesk, held: &Held) -> Result<Self, DeskError> {
        let Some(opened) = &held.opened else { return Ok(Self::brief(held)) };
        let invoice = InvoiceBody::of(&desk.seen(held)?, opened, desk.slot());
        let papers: Result<_, _> = opened.papers().iter().map(PaperBody::of).collect();
        let papers = Some(papers.map_err(|_| Refusal::Tag)?);
        Ok(Self { invoice: Some(invoice), papers, ..Self::brief(held) })
    }
}

/// What was said last, or is on its way.
fn last(held: &Held) -> Option<SaidBody> {
    match (&held.saying, &held.taken_back) {
        (Some(saying), _) => Some(on_its_way(saying)),
        (None, Some(reversal)) => Some(SaidBody {
            kind: "reversed",
            why: why(reversal.why),
            entry: Some(reversal.entry),
            at: Some(reversal.at),
            ..NOTHING
        }),
        (None, None) => held.said.as_ref().map(said),
    }
}

/// An insurer's reason; none where it is a hospital's.
const fn why(reason: ReversalReason) -> Option<WhyBody> {
    match reason {
        ReversalReason::Error => Some(WhyBody::Error),
        ReversalReason::Duplicate => Some(WhyBody::Duplicate),
        ReversalReason::PaidBack => Some(WhyBody::PaidBack),
        ReversalReason::Reversed | ReversalReason::OnPaper => None,
    }
}

const NOTHING: SaidBody = SaidBody {
    kind: "",
    paid: None,
    reason: String::new(),
    why: None,
    entry: None,
    at: None,
    until: None,
    against: None,
};

fn told(answer: &Answer) -> SaidBody {
    match answer {
        Answer::Settled(told, ..) | Answer::Refused(told) => SaidBody {
            kind: decision_name(told.decision()),
            paid: Some(plain(&told.paid)),
            reason: told.reason.clone(),
            ..NOTHING
        },
        Answer::Reversed(told, _) => {
            SaidBody { kind: "reversed", reason: told.words.clone(), why: why(told.why), ..NOTHING }
        }
    }
}

fn on_its_way(saying: &Saying) -> SaidBody {
    let until = saying.entry.as_ref().map(|(_, until)| *until);
    SaidBody { entry: saying.stands, until, against: saying.against.clone(), ..told(&saying.answer) }
}

fn said(said: &Said) -> SaidBody {
    SaidBody { entry: said.entry, at: Some(said.at), ..told(&said.answer) }
}
