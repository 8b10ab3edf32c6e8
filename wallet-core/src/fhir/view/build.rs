//! From the resources of a bundle to one view: the report or composition at its head, what it refers to, and
//! nothing that it doesn't say.

use super::super::{
    FhirError, Json,
    bundle::Bundle,
    datatype::{Attachment, CodeableConcept, Reference},
    resource::{Composition, CompositionSection, DiagnosticReport, Named, Resource},
};
use super::{
    AttachmentSource, AttachmentView, Finding, Kind, LabRow, PatientView, Performer, ReportView, Section,
    Sex, Value, Visit, VisitClass, row,
};
use std::collections::BTreeSet;

mod invoice;

/// A text this long is a paragraph, not a value in a row.
const LONG_TEXT: usize = 40;
/// Panels in panels in panels: enough.
const MAX_PANEL_DEPTH: usize = 4;
/// Sections within sections.
const MAX_SECTION_DEPTH: usize = 8;

pub(super) fn report(json: &Json) -> Result<ReportView, FhirError> {
    let bundle = Bundle::read(json)?;
    let composition = bundle.first(|r| match r {
        Resource::Composition(c) => Some(c.as_ref()),
        _ => None,
    });
    let reports: Vec<(&Named, &DiagnosticReport)> = bundle
        .entries
        .iter()
        .filter_map(|named| match &named.resource {
            Resource::Report(report) => Some((named, report.as_ref())),
            _ => None,
        })
        .collect();
    let mut build = Build { bundle: &bundle, seen: BTreeSet::new(), view: empty() };
    match (composition, reports.first()) {
        (Some((named, composition)), _) => build.composition(named, composition),
        (None, Some((named, report))) => build.head_of_report(named, report),
        (None, None) => {}
    }
    for (named, report) in &reports {
        build.body_of_report(named, report, composition.is_some());
    }
    build.loose_observations();
    if composition.is_none() && reports.is_empty() && !build.head_of_invoice() {
        build.head_of_observations()?;
    }
    build.documents();
    Ok(build.finish())
}

fn empty() -> ReportView {
    ReportView {
        kind: Kind::Other,
        title: String::new(),
        status: String::new(),
        patient: None,
        organisation: None,
        department: None,
        visit: None,
        effective: None,
        issued: None,
        specimen: None,
        fasting: None,
        performers: Vec::new(),
        rows: Vec::new(),
        sections: Vec::new(),
        conclusion: None,
        finding: Finding::Nothing,
        attachments: Vec::new(),
        not_contained: Vec::new(),
    }
}

struct Build<'a> {
    bundle: &'a Bundle,
    /// Pointers of observations that have their row: none appears twice, no circle has no end.
    seen: BTreeSet<&'a str>,
    view: ReportView,
}

impl<'a> Build<'a> {
    fn resolve(&self, holder: &'a Named, reference: &Reference) -> Option<&'a Named> {
        self.bundle.resolve(holder, reference)
    }

    fn composition(&mut self, named: &'a Named, composition: &'a Composition) {
        let mut codes: Vec<&CodeableConcept> = vec![&composition.code];
        codes.extend(&composition.category);
        self.view.kind = kind_of(&codes).unwrap_or(Kind::Other);
        self.view.title.clone_from(&composition.title);
        composition.status.clone_into(&mut self.view.status);
        self.view.issued = Some(composition.date.clone());
        // Before the visit: who made the report says which department, the visit only which hospital.
        self.performers(named, &composition.author);
        self.encounter(named, composition.encounter.as_ref());
        if self.view.kind == Kind::Discharge {
            self.view.effective = self.view.visit.as_ref().and_then(|v| v.end.clone());
        }
        self.patient(named, composition.subject.as_ref());
        if let Some(custodian) = &composition.custodian {
            self.organisation(named, custodian);
        }
        self.sections(named, &composition.section, 0);
        self.fees(named, &composition.section);
    }

    fn head_of_report(&mut self, named: &'a Named, report: &'a DiagnosticReport) {
        let mut codes: Vec<&CodeableConcept> = report.category.iter().collect();
        codes.push(&report.code);
        let study = self.bundle.first(|r| match r {
            Resource::ImagingStudy(study) => Some(study),
            _ => None,
        });
        self.view.kind = kind_of(&codes).unwrap_or(if study.is_some() { Kind::Imaging } else { Kind::Other });
        self.view.title = row::name(&report.code).unwrap_or_default();
        report.status.clone_into(&mut self.view.status);
        self.view.issued.clone_from(&report.issued);
        self.specimen(named, &report.specimen);
        self.view.effective = report
            .effective
            .clone()
            .or_else(|| self.view.effective.take())
            .or_else(|| study?.1.started.clone());
        self.patient(named, report.subject.as_ref());
        self.performers(named, &report.performer);
        self.performers(named, &report.interpreter);
        self.encounter(named, report.encounter.as_ref());
        if let (true, Some(description)) =
            (self.view.title.is_empty(), study.and_then(|s| s.1.description.clone()))
        {
            self.view.title = description;
        }
    }

    fn body_of_report(&mut self, named: &'a Named, report: &'a DiagnosticReport, nested: bool) {
        for reference in &report.result {
            match self.resolve(named, reference) {
                Some(target) => self.observation(target, None, 0),
                None => self.view.not_contained.extend(reference.display.clone()),
            }
        }
        if !nested {
            let codes: Vec<String> =
                report.conclusion_code.iter().filter_map(CodeableConcept::label).collect();
            let conclusion =
                report.conclusion.clone().or_else(|| (!codes.is_empty()).then(|| codes.join("；")));
            self.view.conclusion = self.view.conclusion.take().or(conclusion);
            if let (true, Some(narrative)) =
                (self.view.sections.is_empty() && self.view.rows.is_empty(), &report.narrative)
                && !narrative.0.is_empty()
            {
                let title = self.view.title.clone();
                self.view.sections.push(Section { title, text: narrative.0.clone() });
            }
        }
        for (i, form) in report.presented_form.iter().enumerate() {
            self.attachment(form, None, format!("{}/presentedForm/{i}/data", named.pointer));
        }
    }

    fn head_of_observations(&mut self) -> Result<(), FhirError> {
        let Some((named, observation)) = self.bundle.first(|r| match r {
            Resource::Observation(o) => Some(o.as_ref()),
            _ => None,
        }) else {
            return Err(FhirError::NoReport);
        };
        let codes: Vec<&CodeableConcept> = observation.category.iter().collect();
        self.view.kind = kind_of(&codes).unwrap_or(Kind::Other);
        self.view.title = row::name(&observation.measured.code).unwrap_or_default();
        observation.status.clone_into(&mut self.view.status);
        self.view.issued.clone_from(&observation.issued);
        if let Some(specimen) = &observation.specimen {
            self.specimen(named, core::slice::from_ref(specimen));
        }
        self.view.effective = observation.effective.clone().or_else(|| self.view.effective.take());
        self.patient(named, observation.subject.as_ref());
        self.performers(named, &observation.performer);
        self.encounter(named, observation.encounter.as_ref());
        Ok(())
    }

    /// Observations that no report lists still belong to what was handed over.
    fn loose_observations(&mut self) {
        for named in &self.bundle.entries {
            self.observation(named, None, 0);
        }
    }

    fn observation(&mut self, named: &'a Named, panel: Option<&str>, depth: usize) {
        let Resource::Observation(observation) = &named.resource else { return };
        if depth > MAX_PANEL_DEPTH || !self.seen.insert(&named.pointer) {
            return;
        }
        let own = row::name(&observation.measured.code);
        if observation.measured.value.is_some()
            || (observation.component.is_empty() && observation.member.is_empty())
        {
            self.push_row(row::row(observation, &observation.measured, panel));
        }
        for component in &observation.component {
            self.push_row(row::row(observation, component, own.as_deref()));
        }
        for member in &observation.member {
            if let Some(target) = self.resolve(named, member) {
                self.observation(target, own.as_deref(), depth + 1);
            }
        }
    }

    fn push_row(&mut self, row: LabRow) {
        let paragraph = match &row.value {
            Value::Text(text) if row.unit.is_none() && row.range.is_none() => {
                self.view.kind != Kind::Laboratory || text.chars().count() > LONG_TEXT
            }
            _ => false,
        };
        match row.value {
            Value::Text(text) if paragraph => self.view.sections.push(Section { title: row.name, text }),
            _ => self.view.rows.push(row),
        }
    }

    fn sections(&mut self, named: &'a Named, sections: &'a [CompositionSection], depth: usize) {
        if depth > MAX_SECTION_DEPTH {
            return;
        }
        for section in sections {
            let title = section.title.clone().or_else(|| section.code.as_ref()?.label()).unwrap_or_default();
            let narrative = section.narrative.as_ref().map(|n| n.0.clone()).filter(|t| !t.is_empty());
            let text = narrative.unwrap_or_else(|| {
                let lines: Vec<String> =
                    section.entry.iter().filter_map(|r| self.entry_line(named, r)).collect();
                lines.join("\n")
            });
            if !text.is_empty() || (!title.is_empty() && !section.section.is_empty()) {
                self.view.sections.push(Section { title, text });
            }
            for reference in &section.entry {
                if let Some(target) = self.resolve(named, reference) {
                    self.observation(target, None, 0);
                }
            }
            self.sections(named, &section.section, depth + 1);
        }
    }

    /// A line for an entry of a section without words of its own.
    fn entry_line(&self, holder: &'a Named, reference: &Reference) -> Option<String> {
        let Some(target) = self.resolve(holder, reference) else { return reference.display.clone() };
        match &target.resource {
            Resource::Condition(condition) => {
                let label = condition.code.as_ref().and_then(CodeableConcept::label);
                let narrative = condition.narrative.as_ref().map(|n| n.0.clone());
                let note = condition.note.first().map(|n| n.text.clone());
                label.or(narrative).or(note)
            }
            Resource::Medication(request) => {
                let name = request
                    .medication
                    .clone()
                    .or_else(|| request.reference.as_ref().and_then(|r| r.display.clone()));
                let words: Vec<String> = name.into_iter().chain(request.dosage.iter().cloned()).collect();
                (!words.is_empty()).then(|| words.join("，"))
            }
            // A row of its own.
            Resource::ChargeItem(_) => None,
            _ => reference.display.clone(),
        }
    }

    fn patient(&mut self, holder: &'a Named, subject: Option<&Reference>) {
        let resolved = subject.and_then(|r| self.resolve(holder, r)).and_then(patient_of);
        let patient = resolved.or_else(|| self.bundle.entries.iter().find_map(patient_of));
        let date = self.view.date().cloned();
        self.view.patient = match patient {
            Some(patient) => Some(PatientView {
                name: patient.name.clone().or_else(|| subject?.display.clone()),
                sex: patient.gender.map(|gender| match gender {
                    "male" => Sex::Male,
                    "female" => Sex::Female,
                    "other" => Sex::Other,
                    _ => Sex::Unknown,
                }),
                birth_date: patient.birth_date.clone(),
                age: patient.birth_date.as_ref().and_then(|birth| date?.years_since(birth)),
            }),
            None => subject.and_then(|s| s.display.clone()).map(|name| PatientView {
                name: Some(name),
                sex: None,
                birth_date: None,
                age: None,
            }),
        };
    }

    fn performers(&mut self, holder: &'a Named, references: &[Reference]) {
        for reference in references {
            match self.resolve(holder, reference).map(|n| (n, &n.resource)) {
                Some((_, Resource::Organization(_))) => self.organisation(holder, reference),
                Some((_, Resource::Practitioner(person))) => {
                    self.performer(person.name.clone().or_else(|| reference.display.clone()), None);
                }
                Some((named, Resource::PractitionerRole(role))) => {
                    let person = role.practitioner.as_ref().and_then(|r| match self.resolve(named, r) {
                        Some(Named { resource: Resource::Practitioner(p), .. }) => p.name.clone(),
                        _ => r.display.clone(),
                    });
                    let name = person.or_else(|| reference.display.clone());
                    self.performer(name, role.code.first().and_then(CodeableConcept::label));
                    if let Some(organisation) = &role.organization {
                        self.organisation(named, organisation);
                    }
                }
                _ => self.performer(reference.display.clone(), None),
            }
        }
    }

    fn performer(&mut self, name: Option<String>, role: Option<String>) {
        if let Some(name) = name.filter(|n| self.view.performers.iter().all(|p| p.name != *n)) {
            self.view.performers.push(Performer { name, role });
        }
    }

    /// The hospital, and the department where the organisation is part of one.
    fn organisation(&mut self, holder: &'a Named, reference: &Reference) {
        if self.view.organisation.is_some() {
            return;
        }
        let Some(named) = self.resolve(holder, reference) else {
            self.view.organisation.clone_from(&reference.display);
            return;
        };
        let Resource::Organization(organisation) = &named.resource else { return };
        let parent = organisation.part_of.as_ref().and_then(|part_of| match self.resolve(named, part_of) {
            Some(Named { resource: Resource::Organization(parent), .. }) => parent.name.clone(),
            _ => part_of.display.clone(),
        });
        if parent.is_some() {
            self.view.organisation = parent;
            self.view.department.clone_from(&organisation.name);
        } else {
            self.view.organisation.clone_from(&organisation.name);
        }
    }

    fn encounter(&mut self, holder: &'a Named, reference: Option<&Reference>) {
        let resolved = reference.and_then(|r| self.resolve(holder, r));
        let Some(Named { resource: Resource::Encounter(encounter), .. }) = resolved else { return };
        let class = match encounter.class.as_deref() {
            Some("AMB") => VisitClass::Outpatient,
            Some("IMP" | "ACUTE" | "NONAC") => VisitClass::Inpatient,
            Some("EMER") => VisitClass::Emergency,
            _ => VisitClass::Other,
        };
        self.view.visit = Some(Visit {
            class,
            department: encounter.service.as_ref().and_then(CodeableConcept::label),
            start: encounter.start.clone(),
            end: encounter.end.clone(),
        });
        if let (Some(provider), Some(named)) = (&encounter.provider, resolved) {
            self.organisation(named, provider);
        }
    }

    fn specimen(&mut self, holder: &'a Named, references: &[Reference]) {
        for reference in references {
            let Some(Named { resource: Resource::Specimen(specimen), .. }) = self.resolve(holder, reference)
            else {
                self.view.specimen = self.view.specimen.take().or_else(|| reference.display.clone());
                continue;
            };
            let kind = specimen.kind.as_ref().and_then(CodeableConcept::label);
            self.view.specimen = self.view.specimen.take().or(kind);
            self.view.effective = self.view.effective.take().or_else(|| specimen.collected.clone());
            if let Some(status) = &specimen.fasting {
                self.view.fasting = if status.has("F") {
                    Some(true)
                } else if status.has("NF") {
                    Some(false)
                } else {
                    self.view.fasting
                };
            }
        }
    }

    fn documents(&mut self) {
        for named in &self.bundle.entries {
            for inner in core::iter::once(named).chain(&named.contained) {
                let Resource::Document(document) = &inner.resource else { continue };
                for (at, attachment) in &document.attachments {
                    let pointer = format!("{}{at}/data", inner.pointer);
                    self.attachment(attachment, document.description.as_ref(), pointer);
                }
            }
        }
    }

    fn attachment(&mut self, attachment: &Attachment, description: Option<&String>, pointer: String) {
        let source = match (attachment.inline, &attachment.url) {
            (Some(_), _) => AttachmentSource::Inline(pointer),
            // A relative address names a part of the same report.
            (None, Some(url)) if !url.contains(':') => AttachmentSource::Part(url.clone()),
            (None, Some(url)) => AttachmentSource::Link(url.clone()),
            (None, None) => return,
        };
        self.view.attachments.push(AttachmentView {
            title: attachment.title.clone().or_else(|| description.cloned()),
            media_type: attachment.content_type.clone(),
            size: attachment.size.or_else(|| attachment.inline.map(|base64| base64 / 4 * 3)),
            source,
        });
    }

    fn finish(mut self) -> ReportView {
        if !matches!(self.view.kind, Kind::Invoice | Kind::Fees) {
            self.view.finding = finding(&self.view);
        }
        self.view
    }
}

fn patient_of(named: &Named) -> Option<&super::super::resource::Patient> {
    match &named.resource {
        Resource::Patient(patient) => Some(patient),
        _ => None,
    }
}

/// The kind by the codes that say it: HL7 v2-0074 sections, LOINC document types, observation categories,
/// WS/T 500 document codes.
fn kind_of(codes: &[&CodeableConcept]) -> Option<Kind> {
    codes.iter().flat_map(|c| &c.coding).find_map(|c| {
        Some(match c.code.as_deref()? {
            "LAB" | "CH" | "HM" | "MB" | "SR" | "BLB" | "IMM" | "TX" | "UA" | "laboratory" | "11502-2"
            | "LP29693-6" | "C0007" => Kind::Laboratory,
            "RAD" | "CT" | "RUS" | "NMR" | "VUS" | "NMS" | "CUS" | "RX" | "XRC" | "imaging" | "18748-4"
            | "LP29684-5" | "C0006" => Kind::Imaging,
            "18842-5" | "28655-9" | "34105-7" | "C0049" | "C0053" => Kind::Discharge,
            "57833-6" | "C0004" | "C0005" => Kind::Prescription,
            _ => return None,
        })
    })
}

fn finding(view: &ReportView) -> Finding {
    let judged = view.rows.iter().any(|r| r.verdict != super::Verdict::None);
    if view.kind == Kind::Laboratory && !view.rows.is_empty() && (judged || view.conclusion.is_none()) {
        let count = |pick: &dyn Fn(&LabRow) -> bool| {
            u32::try_from(view.rows.iter().filter(|r| pick(r)).count()).unwrap_or(u32::MAX)
        };
        return Finding::Counts {
            total: count(&|_| true),
            high: count(&|r| r.verdict.is_high()),
            low: count(&|r| r.verdict.is_low()),
            abnormal: count(&|r| matches!(r.verdict, super::Verdict::Abnormal | super::Verdict::Critical)),
            critical: count(&|r| {
                use super::Verdict::{Critical, CriticalHigh, CriticalLow};
                matches!(r.verdict, CriticalHigh | CriticalLow | Critical)
            }),
            unjudged: count(&|r| r.verdict == super::Verdict::None),
        };
    }
    let text = view.conclusion.as_deref().or_else(|| {
        let diagnosis = |s: &&Section| s.title.contains("诊断") || s.title.to_lowercase().contains("diagnos");
        let best = view.sections.iter().filter(|s| !s.text.is_empty()).find(diagnosis);
        best.or_else(|| view.sections.iter().find(|s| !s.text.is_empty())).map(|s| s.text.as_str())
    });
    text.and_then(first_sentence).map_or(Finding::Nothing, Finding::Sentence)
}

/// Up to the first full stop or line end; a number's point is none.
fn first_sentence(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|l| !l.is_empty())?;
    let end =
        line.find(['。', '！', '？', '；']).map(|i| i + line[i..].chars().next().map_or(0, char::len_utf8));
    let end = end.or_else(|| line.find(". ").map(|i| i + 1)).unwrap_or(line.len());
    Some(line[..end].trim_end_matches(['；', '。']).chars().take(120).collect())
}
