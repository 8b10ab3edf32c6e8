//! The FHIR R4 resources a report is made of, each with the fields that are shown and those whose absence
//! makes it nonsense (the 1..1 elements and the fixed value sets of R4).

use super::{
    FhirError, Json, Moment,
    datatype::{Annotation, Attachment, CodeableConcept, HumanName, Narrative, Period, Reference},
    element::{Element, Fields},
    invoice::{ChargeItem, Coverage, Invoice},
    observation::Observation,
};

const REPORT_STATUS: [&str; 10] = [
    "registered",
    "partial",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "appended",
    "cancelled",
    "entered-in-error",
    "unknown",
];
const COMPOSITION_STATUS: [&str; 4] = ["preliminary", "final", "amended", "entered-in-error"];
const ENCOUNTER_STATUS: [&str; 9] = [
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "entered-in-error",
    "unknown",
];

/// A resource by its type; what isn't shown stays what it is.
#[derive(Clone, Debug)]
pub(super) enum Resource {
    Report(Box<DiagnosticReport>),
    Composition(Box<Composition>),
    Observation(Box<Observation>),
    Patient(Patient),
    Practitioner(Practitioner),
    PractitionerRole(PractitionerRole),
    Organization(Organization),
    Encounter(Encounter),
    ImagingStudy(ImagingStudy),
    Condition(Condition),
    Medication(MedicationRequest),
    Specimen(Specimen),
    Document(Document),
    Invoice(Box<Invoice>),
    ChargeItem(ChargeItem),
    Coverage(Coverage),
    Other,
}

/// A resource with its names.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub type_name: String,
    pub id: Option<String>,
    pub full_url: Option<String>,
    pub resource: Resource,
    pub contained: Vec<Named>,
    /// JSON Pointer of the resource.
    pub pointer: String,
}

impl Named {
    pub(super) fn read(json: &Json, pointer: String) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        let type_name: String = f.required("resourceType")?;
        let mut contained = Vec::new();
        for (i, inner) in f.json("contained").and_then(Json::as_array).unwrap_or_default().iter().enumerate()
        {
            // Contained resources contain none (FHIR R4 §2.3.4.1), so this ends after one level.
            if inner.get("contained").is_some() {
                return Err(FhirError::wrong("a resource without contained ones", "one with them")
                    .within_index(i)
                    .within("contained"));
            }
            contained.push(
                Self::read(inner, format!("{pointer}/contained/{i}"))
                    .map_err(|e| e.within_index(i).within("contained"))?,
            );
        }
        let resource = read_resource(&type_name, f)?;
        if !matches!(resource, Resource::Other) {
            f.no_unknown_modifier()?;
        }
        Ok(Self { type_name, id: f.optional("id")?, full_url: None, resource, contained, pointer })
    }
}

fn read_resource(type_name: &str, f: Fields<'_>) -> Result<Resource, FhirError> {
    Ok(match type_name {
        "DiagnosticReport" => Resource::Report(Box::new(DiagnosticReport::read(f)?)),
        "Composition" => Resource::Composition(Box::new(Composition::read(f)?)),
        "Observation" => Resource::Observation(Box::new(Observation::read(f)?)),
        "Patient" => Resource::Patient(Patient::read(f)?),
        "Practitioner" => Resource::Practitioner(Practitioner { name: names(f, "name")? }),
        "PractitionerRole" => Resource::PractitionerRole(PractitionerRole::read(f)?),
        "Organization" => {
            Resource::Organization(Organization { name: f.optional("name")?, part_of: f.optional("partOf")? })
        }
        "Encounter" => Resource::Encounter(Encounter::read(f)?),
        "ImagingStudy" => Resource::ImagingStudy(ImagingStudy::read(f)?),
        "Condition" => Resource::Condition(Condition {
            code: f.optional("code")?,
            note: f.list("note")?,
            narrative: f.optional("text")?,
        }),
        "MedicationRequest" | "MedicationStatement" => Resource::Medication(MedicationRequest::read(f)?),
        "Specimen" => Resource::Specimen(Specimen::read(f)?),
        "DocumentReference" => Resource::Document(Document::of_reference(f)?),
        "Media" => Resource::Document(Document::of_media(f)?),
        "Invoice" => Resource::Invoice(Box::new(Invoice::read(f)?)),
        "ChargeItem" => Resource::ChargeItem(ChargeItem::read(f)?),
        "Coverage" => Resource::Coverage(Coverage::read(f)?),
        _ => Resource::Other,
    })
}

/// The official name of those given, else the first.
fn names(f: Fields<'_>, field: &str) -> Result<Option<String>, FhirError> {
    let names: Vec<HumanName> = f.list(field)?;
    let best = names.iter().find(|n| n.official).or_else(|| names.first());
    Ok(best.and_then(HumanName::label))
}

/// `effective[x]` and other choices of date and period: beginning and end.
pub(super) fn period_choice(
    f: Fields<'_>,
    stem: &'static str,
) -> Result<(Option<Moment>, Option<Moment>), FhirError> {
    match f.choice(stem)? {
        Some((suffix @ ("DateTime" | "Instant"), json)) => {
            let moment = Moment::read(json).map_err(|e| e.within(&format!("{stem}{suffix}")))?;
            Ok((Some(moment), None))
        }
        Some((suffix @ "Period", json)) => {
            let period = Period::read(json).map_err(|e| e.within(&format!("{stem}{suffix}")))?;
            Ok((period.start, period.end))
        }
        _ => Ok((None, None)),
    }
}

#[derive(Clone, Debug)]
pub(super) struct DiagnosticReport {
    pub status: &'static str,
    pub category: Vec<CodeableConcept>,
    pub code: CodeableConcept,
    pub subject: Option<Reference>,
    pub encounter: Option<Reference>,
    pub effective: Option<Moment>,
    pub issued: Option<Moment>,
    pub performer: Vec<Reference>,
    pub interpreter: Vec<Reference>,
    pub specimen: Vec<Reference>,
    pub result: Vec<Reference>,
    pub conclusion: Option<String>,
    pub conclusion_code: Vec<CodeableConcept>,
    pub presented_form: Vec<Attachment>,
    pub narrative: Option<Narrative>,
}

impl DiagnosticReport {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        Ok(Self {
            status: f.code("status", &REPORT_STATUS)?,
            category: f.list("category")?,
            code: f.required("code")?,
            subject: f.optional("subject")?,
            encounter: f.optional("encounter")?,
            effective: period_choice(f, "effective")?.0,
            issued: f.optional("issued")?,
            performer: f.list("performer")?,
            interpreter: f.list("resultsInterpreter")?,
            specimen: f.list("specimen")?,
            result: f.list("result")?,
            conclusion: f.optional("conclusion")?,
            conclusion_code: f.list("conclusionCode")?,
            presented_form: f.list("presentedForm")?,
            narrative: f.optional("text")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Composition {
    pub status: &'static str,
    pub code: CodeableConcept,
    pub category: Vec<CodeableConcept>,
    pub subject: Option<Reference>,
    pub encounter: Option<Reference>,
    pub date: Moment,
    pub author: Vec<Reference>,
    pub title: String,
    pub custodian: Option<Reference>,
    pub section: Vec<CompositionSection>,
}

impl Composition {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        Ok(Self {
            status: f.code("status", &COMPOSITION_STATUS)?,
            code: f.required("type")?,
            category: f.list("category")?,
            subject: f.optional("subject")?,
            encounter: f.optional("encounter")?,
            date: f.required("date")?,
            author: f.list("author")?,
            title: f.required("title")?,
            custodian: f.optional("custodian")?,
            section: f.list("section")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct CompositionSection {
    pub title: Option<String>,
    pub code: Option<CodeableConcept>,
    pub narrative: Option<Narrative>,
    pub entry: Vec<Reference>,
    pub section: Vec<CompositionSection>,
}

impl Element for CompositionSection {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        f.no_unknown_modifier()?;
        Ok(Self {
            title: f.optional("title")?,
            code: f.optional("code")?,
            narrative: f.optional("text")?,
            entry: f.list("entry")?,
            section: f.list("section")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Patient {
    pub name: Option<String>,
    pub gender: Option<&'static str>,
    pub birth_date: Option<Moment>,
}

impl Patient {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        let gender = f.json("gender").map(|_| f.code("gender", &["male", "female", "other", "unknown"]));
        Ok(Self {
            name: names(f, "name")?,
            gender: gender.transpose()?,
            birth_date: f.optional("birthDate")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Practitioner {
    pub name: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct PractitionerRole {
    pub practitioner: Option<Reference>,
    pub organization: Option<Reference>,
    pub code: Vec<CodeableConcept>,
}

impl PractitionerRole {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        Ok(Self {
            practitioner: f.optional("practitioner")?,
            organization: f.optional("organization")?,
            code: f.list("code")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Organization {
    pub name: Option<String>,
    pub part_of: Option<Reference>,
}

#[derive(Clone, Debug)]
pub(super) struct Encounter {
    pub class: Option<String>,
    pub service: Option<CodeableConcept>,
    pub provider: Option<Reference>,
    pub start: Option<Moment>,
    pub end: Option<Moment>,
}

impl Encounter {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        f.code("status", &ENCOUNTER_STATUS)?;
        let class: Option<super::datatype::Coding> = f.optional("class")?;
        let period: Option<Period> = f.optional("period")?;
        let (start, end) = period.map_or((None, None), |p| (p.start, p.end));
        Ok(Self {
            class: class.and_then(|c| c.code),
            service: f.optional("serviceType")?,
            provider: f.optional("serviceProvider")?,
            start,
            end,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct ImagingStudy {
    pub description: Option<String>,
    pub started: Option<Moment>,
}

impl ImagingStudy {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        f.code("status", &["registered", "available", "cancelled", "entered-in-error", "unknown"])?;
        Ok(Self { description: f.optional("description")?, started: f.optional("started")? })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub code: Option<CodeableConcept>,
    pub note: Vec<Annotation>,
    pub narrative: Option<Narrative>,
}

struct Dosage(Option<String>);

impl Element for Dosage {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        f.no_unknown_modifier()?;
        let text: Option<String> = f.optional("text")?;
        Ok(Self(text.or(f.optional("patientInstruction")?)))
    }
}

#[derive(Clone, Debug)]
pub(super) struct MedicationRequest {
    pub medication: Option<String>,
    pub reference: Option<Reference>,
    pub dosage: Vec<String>,
}

impl MedicationRequest {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        f.required::<String>("status")?;
        let (mut medication, mut reference) = (None, None);
        match f.choice("medication")? {
            Some(("CodeableConcept", json)) => {
                medication =
                    CodeableConcept::read(json).map_err(|e| e.within("medicationCodeableConcept"))?.label();
            }
            Some(("Reference", json)) => {
                reference = Some(Reference::read(json).map_err(|e| e.within("medicationReference"))?);
            }
            _ => return Err(FhirError::missing("medication[x]")),
        }
        let mut dosage: Vec<Dosage> = f.list("dosageInstruction")?;
        dosage.extend(f.list::<Dosage>("dosage")?);
        Ok(Self { medication, reference, dosage: dosage.into_iter().filter_map(|d| d.0).collect() })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Specimen {
    pub kind: Option<CodeableConcept>,
    pub collected: Option<Moment>,
    pub fasting: Option<CodeableConcept>,
}

impl Specimen {
    fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        let (collected, fasting) = match f.json("collection") {
            None => (None, None),
            Some(json) => {
                let c = Fields::of(json).map_err(|e| e.within("collection"))?;
                let read =
                    || Ok((period_choice(c, "collected")?.0, c.optional("fastingStatusCodeableConcept")?));
                read().map_err(|e: FhirError| e.within("collection"))?
            }
        };
        Ok(Self { kind: f.optional("type")?, collected, fasting })
    }
}

/// `DocumentReference` or `Media`: attachments with what they are of.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub description: Option<String>,
    /// Each attachment with its place inside the resource.
    pub attachments: Vec<(String, Attachment)>,
}

struct Content(Attachment);

impl Element for Content {
    fn read(json: &Json) -> Result<Self, FhirError> {
        Ok(Self(Fields::of(json)?.required("attachment")?))
    }
}

impl Document {
    fn of_reference(f: Fields<'_>) -> Result<Self, FhirError> {
        f.code("status", &["current", "superseded", "entered-in-error"])?;
        let contents: Vec<Content> = f.list("content")?;
        if contents.is_empty() {
            return Err(FhirError::missing("content"));
        }
        let attachments =
            contents.into_iter().enumerate().map(|(i, c)| (format!("/content/{i}/attachment"), c.0));
        Ok(Self { description: f.optional("description")?, attachments: attachments.collect() })
    }

    fn of_media(f: Fields<'_>) -> Result<Self, FhirError> {
        f.required::<String>("status")?;
        let body: Option<CodeableConcept> = f.optional("modality")?;
        Ok(Self {
            description: body.and_then(|b| b.label()),
            attachments: vec![("/content".to_owned(), f.required("content")?)],
        })
    }
}
