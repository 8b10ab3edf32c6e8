//! A live consultation: a doctor's desk asks the phone in the same room, directly.

use serde::{Deserialize, Serialize};

use crate::{Fault, Purpose};

/// What a desk asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultWants {
    /// What for.
    pub purpose: Purpose,
    /// How many months back; everything where none is said.
    pub months: Option<u32>,
    /// For how long, in seconds.
    pub duration: u64,
}

/// What the phone shows meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consultation {
    /// This person asks; [`crate::PatientRequest::AnswerDoctor`] answers.
    Asked(ConsultAsk),
    /// Whoever asked has gone.
    Ended,
    /// Something is wrong that the patient must know.
    Failed(Fault),
}

/// Who asks, by certificate, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultAsk {
    /// The key id of the one who asks, so that the tap answers this one.
    pub person: String,
    /// Name.
    pub name: String,
    /// Title and department.
    pub title: String,
    /// Organisation.
    pub organisation: String,
    /// What is asked for.
    pub wants: ConsultWants,
}
