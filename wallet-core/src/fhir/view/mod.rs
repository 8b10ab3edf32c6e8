//! A report as a screen shows it: names, rows with their verdicts, sections as plain text. Plain data that
//! crosses from engine to page; no HTML, no language of its own but the report's.

mod build;
mod range;
mod row;

use super::{FhirError, Json, Moment};
use serde::{Deserialize, Serialize};

pub(super) use row::{trend_unit, value_number};

/// What a report is, for its icon and its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 检验
    Laboratory,
    /// 检查, with pictures or a reading of them
    Imaging,
    /// 出院小结
    Discharge,
    /// 处方
    Prescription,
    /// 票据
    Invoice,
    /// 费用清单
    Fees,
    /// Anything else.
    Other,
}

impl Kind {
    /// Its name for machines, as in the names of texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Laboratory => "laboratory",
            Self::Imaging => "imaging",
            Self::Discharge => "discharge",
            Self::Prescription => "prescription",
            Self::Invoice => "invoice",
            Self::Fees => "fees",
            Self::Other => "other",
        }
    }
}

/// Sex as FHIR gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
    /// Neither.
    Other,
    /// Not known.
    Unknown,
}

/// Whom the report is about, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientView {
    /// Name.
    pub name: Option<String>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Date of birth, as precise as it is known.
    pub birth_date: Option<Moment>,
    /// Whole years at the report's date.
    pub age: Option<u16>,
}

impl PatientView {
    /// Whether both reports name the same person: everything that both say agrees, and both say the name. The age is
    /// the report's, not the person's.
    pub fn is_same_person(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(mine: Option<&T>, theirs: Option<&T>) -> bool {
            mine.is_none() || theirs.is_none() || mine == theirs
        }
        self.name.is_some()
            && self.name == other.name
            && agree(self.sex.as_ref(), other.sex.as_ref())
            && agree(self.birth_date.as_ref(), other.birth_date.as_ref())
    }
}

/// Who answers for the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performer {
    /// Name.
    pub name: String,
    /// What they are, where it is said.
    pub role: Option<String>,
}

/// In which kind of visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisitClass {
    /// 门诊
    Outpatient,
    /// 住院
    Inpatient,
    /// 急诊
    Emergency,
    /// 体检, at home, by video, or unsaid.
    Other,
}

/// The visit that a report belongs to: one card on the home page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Outpatient, inpatient, emergency.
    pub class: VisitClass,
    /// The department visited, which needn't be the one that made the report.
    pub department: Option<String>,
    /// From.
    pub start: Option<Moment>,
    /// Until.
    pub end: Option<Moment>,
}

/// A code with its system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// URI of the code system; none for a local code without one.
    pub system: Option<String>,
    /// The code.
    pub code: String,
}

/// What was found for one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The report's own text: `6.30`, `<0.5`, `A Rh(D) positive`.
    Text(String),
    /// True or false: present or not.
    YesNo(bool),
    /// No value, with the reason if there is one.
    Absent(Option<String>),
}

impl Value {
    /// The text, where there is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::YesNo(_) | Self::Absent(_) => None,
        }
    }
}

/// What the report says about a value. From its own code, else from its own range, else nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing is said: no code, no range.
    None,
    /// Within the range.
    Normal,
    /// Above.
    High,
    /// Below.
    Low,
    /// Far above, a doctor is told.
    CriticalHigh,
    /// Far below, a doctor is told.
    CriticalLow,
    /// Abnormal without a direction.
    Abnormal,
    /// Abnormal without a direction, a doctor is told.
    Critical,
}

impl Verdict {
    /// Above the range, however far.
    pub const fn is_high(self) -> bool {
        matches!(self, Self::High | Self::CriticalHigh)
    }

    /// Below the range, however far.
    pub const fn is_low(self) -> bool {
        matches!(self, Self::Low | Self::CriticalLow)
    }

    /// Anything that is to be looked at.
    pub const fn is_abnormal(self) -> bool {
        !matches!(self, Self::None | Self::Normal)
    }
}

/// The report's reference range, in its own figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeView {
    /// Lower limit.
    pub low: Option<String>,
    /// Upper limit.
    pub high: Option<String>,
    /// The range in the report's words, where it has some.
    pub text: Option<String>,
}

/// The shape of the mark on a range bar (LOOK.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// A dot.
    Inside,
    /// ▲
    Above,
    /// ▼
    Below,
}

/// Geometry of a range bar; 0 is its left end, 1 its right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Where the thick interval begins, with an end tick unless it is open there.
    pub start: f64,
    /// Where it ends, with an end tick unless it is open there.
    pub end: f64,
    /// Whether the interval has no lower limit.
    pub open_start: bool,
    /// Whether the interval has no upper limit.
    pub open_end: bool,
    /// Where the mark stands, centred.
    pub marker: f64,
    /// Its shape.
    pub shape: Marker,
}

/// One item of a laboratory report, or one measured value of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabRow {
    /// Name for people.
    pub name: String,
    /// Short code such as `LDL-C`, where the report has one.
    pub short: Option<String>,
    /// The panel that it is part of, where it is.
    pub panel: Option<String>,
    /// What was found.
    pub value: Value,
    /// Unit in the report's spelling.
    pub unit: Option<String>,
    /// Unit as UCUM, where the report gives it.
    pub ucum: Option<String>,
    /// The range that holds for this value.
    pub range: Option<RangeView>,
    /// High, low, or nothing.
    pub verdict: Verdict,
    /// The range bar, where there are figures to draw.
    pub bar: Option<Bar>,
    /// All codes, by which trends join.
    pub codes: Vec<Code>,
    /// FHIR status of the observation: `final`, `preliminary`, `corrected`, `cancelled`…
    pub status: String,
    /// Remarks.
    pub note: Option<String>,
}

/// A part of a report in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Heading, as the report has it.
    pub title: String,
    /// Plain text, lines apart by `\n`, table cells by `\t`.
    pub text: String,
}

/// The one line under a report's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// How many of the items are out of range.
    Counts {
        /// All items.
        total: u32,
        /// Above.
        high: u32,
        /// Below.
        low: u32,
        /// Abnormal without direction.
        abnormal: u32,
        /// Those of the above that are critical.
        critical: u32,
        /// Items that have no verdict.
        unjudged: u32,
    },
    /// The first sentence of the conclusion, or of the first section.
    Sentence(String),
    /// Nothing to say in one line.
    Nothing,
}

/// Where the bytes of an attachment are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentSource {
    /// A part of the report with this name.
    Part(String),
    /// Base64 inside the JSON, at this JSON Pointer.
    Inline(String),
    /// A link elsewhere (cloud film): shown, never fetched by itself.
    Link(String),
}

/// A PDF, a picture, a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentView {
    /// Title for people.
    pub title: Option<String>,
    /// Media type as claimed; verify before showing.
    pub media_type: Option<String>,
    /// Size in bytes, where known.
    pub size: Option<u64>,
    /// Where it is.
    pub source: AttachmentSource,
}

/// A report as a screen shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportView {
    /// Kind.
    pub kind: Kind,
    /// Title.
    pub title: String,
    /// FHIR status of the report: `final`, `amended`, `entered-in-error`…
    pub status: String,
    /// Whom it is about.
    pub patient: Option<PatientView>,
    /// The hospital.
    pub organisation: Option<String>,
    /// The department that made it.
    pub department: Option<String>,
    /// The visit.
    pub visit: Option<Visit>,
    /// When what it describes was so: collected, examined, discharged.
    pub effective: Option<Moment>,
    /// When it was issued.
    pub issued: Option<Moment>,
    /// Specimen, in the report's words.
    pub specimen: Option<String>,
    /// Fasting or not, where the report says.
    pub fasting: Option<bool>,
    /// Who made and who checked it.
    pub performers: Vec<Performer>,
    /// Items with values, in the report's order.
    pub rows: Vec<LabRow>,
    /// Parts in words, in the report's order.
    pub sections: Vec<Section>,
    /// Conclusion or impression.
    pub conclusion: Option<String>,
    /// The one line.
    pub finding: Finding,
    /// Originals and pictures.
    pub attachments: Vec<AttachmentView>,
    /// Names of results that the report lists but doesn't contain.
    pub not_contained: Vec<String>,
}

impl ReportView {
    /// Reads FHIR R4 JSON: a bundle, or one `DiagnosticReport`, `Composition`, `Invoice` or `Observation`.
    ///
    /// ```
    /// use suishen_core::fhir::{ReportView, Verdict};
    /// let json = br#"{"resourceType":"Observation","status":"final","code":{"text":"LDL-C"},
    ///   "valueQuantity":{"value":4.10,"unit":"mmol/L"},"referenceRange":[{"high":{"value":3.40}}]}"#;
    /// let report = ReportView::from_json(json).unwrap();
    /// assert_eq!(report.rows[0].value.text(), Some("4.10"));
    /// assert_eq!(report.rows[0].verdict, Verdict::High);
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<Self, FhirError> {
        Self::from_tree(&Json::parse(bytes)?)
    }

    /// The same from JSON that was read before.
    pub fn from_tree(json: &Json) -> Result<Self, FhirError> {
        build::report(json)
    }

    /// The date that orders the report among others.
    pub fn date(&self) -> Option<&Moment> {
        self.effective.as_ref().or(self.issued.as_ref())
    }
}

/// The bytes of an attachment that lies inside the JSON, by the pointer of [`AttachmentSource::Inline`].
pub fn inline_attachment(json: &Json, pointer: &str) -> Result<Vec<u8>, FhirError> {
    let text = json.pointer(pointer).and_then(Json::as_str).ok_or_else(|| FhirError::missing(pointer))?;
    let compact: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    data_encoding::BASE64
        .decode(&compact)
        .map_err(|_| FhirError::wrong("base64 text", "another text").within(pointer))
}
