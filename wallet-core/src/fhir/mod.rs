//! FHIR R4 as others issue it: reads a bundle or a lone resource and says what a screen shows, without a
//! screen (DESIGN §2, FIELD.md "Documents and codes").
//!
//! | need | call |
//! |---|---|
//! | a report for a screen | [`ReportView::from_json`] |
//! | one value over many reports | [`Series::of`] |
//! | the JSON itself, numbers as written | [`Json`] |
//! | the bytes of an attachment inside the JSON | [`inline_attachment`] |
//!
//! Unknown fields are kept out of sight, nonsense is refused with its place. **6.30 stays 6.30**: numbers are
//! their own text; a float is used for geometry only. **No range, no verdict**: high and low come from the
//! report, never from a table of ours. Nothing here makes HTML, and nothing fetches a link.

mod bundle;
mod datatype;
mod element;
mod invoice;
mod json;
mod moment;
mod narrative;
mod observation;
mod resource;
mod series;
mod view;

pub(crate) use invoice::INVOICE_STATUS;
pub use json::Json;
pub use moment::Moment;
pub use series::{OtherUnit, Point, Series, Tick};
pub use view::{
    AttachmentSource, AttachmentView, Bar, Code, Finding, Kind, LabRow, Marker, PatientView, Performer,
    RangeView, ReportView, Section, Sex, Value, Verdict, Visit, VisitClass, inline_attachment,
};

/// Why a file isn't a report that can be shown. Each says what is wrong, where, and what to do; none repeats
/// a patient's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FhirError {
    /// Larger than this program reads.
    #[error("the file has more than {max} bytes; attach pictures and PDFs as files of their own")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
    },
    /// Not JSON at all.
    #[error("this is not JSON (line {line}, column {column}: {problem}); export it again as FHIR R4 JSON")]
    NotJson {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
        /// What the parser met.
        problem: String,
    },
    /// Nested without end.
    #[error("the JSON is nested deeper than {max} levels, which no FHIR resource is; export it again")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// A field that FHIR R4 requires.
    #[error("{at} is missing; FHIR R4 requires it, add it and try again")]
    Missing {
        /// Path of the field.
        at: String,
    },
    /// A field of another type, or a code outside its value set.
    #[error("{at} should be {expected}, but is {found}; correct it and try again")]
    Wrong {
        /// Path of the field.
        at: String,
        /// What FHIR R4 asks for.
        expected: &'static str,
        /// What kind of thing is there instead.
        found: String,
    },
    /// The same field twice, or two alternatives of one choice.
    #[error("{at} stands twice; only one can be meant, remove the other")]
    Twice {
        /// Path of the field.
        at: String,
    },
    /// An element that may turn the meaning around, unknown to this program.
    #[error("{at} changes the meaning in a way that is not known here ({url}), so nothing of it is shown")]
    Modifier {
        /// Path of the modifier.
        at: String,
        /// Its name.
        url: String,
    },
    /// No report inside.
    #[error(
        "there is no report in it: a DiagnosticReport, a Composition, an Invoice or an Observation is needed"
    )]
    NoReport,
}

impl FhirError {
    /// The same fault, one level further out.
    pub(crate) fn within(mut self, segment: &str) -> Self {
        if let Self::Missing { at }
        | Self::Wrong { at, .. }
        | Self::Twice { at }
        | Self::Modifier { at, .. } = &mut self
        {
            let joint = if at.is_empty() || at.starts_with('[') { "" } else { "." };
            *at = format!("{segment}{joint}{at}");
        }
        self
    }

    pub(crate) fn within_index(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::Missing { at: name.to_owned() }
    }

    pub(crate) fn wrong(expected: &'static str, found: impl Into<String>) -> Self {
        Self::Wrong { at: String::new(), expected, found: found.into() }
    }
}
