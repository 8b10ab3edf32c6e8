//! How FHIR JSON is cut into disclosure groups: profile 1. Each element is in exactly one group.
//!
//! - *Head*: the bundle's own fields and the number of groups. Always shown.
//! - One group an entry: an Observation with its code, value, unit, range, status, date, subject and every
//!   modifier; **what belongs together is never cut apart**.
//! - Cut out of their entry, because they repeat others' content or name the patient elsewhere: the
//!   narrative, conclusion and originals of a `DiagnosticReport`, the sections of a `Composition`, patient and
//!   visit numbers, addresses. A reference in `result` goes with the Observation that it names, for its
//!   display text may hold the value.
//! - The lines of an `Invoice` go with the `ChargeItem` that they charge for, each line a group: what, how many of
//!   which unit, how much. Number, status, currency, total, payers' shares and date stay in the invoice's own group,
//!   and no line is shown without it.
//!
//! **Each resource's own group says which members the resource has**, so that whoever is shown it alone sees that none
//! of them lies in another group, which these rules don't cut out.

use super::ReportError;
use crate::fhir::Json;

/// The version of these rules.
pub const PROFILE: u8 = 2;

/// The reserved path under which the head says how many groups there are.
pub(super) const COUNT_PATH: &str = "#groups";

/// The reserved end of the path under which a resource's own group names the resource's members.
pub(super) const MEMBERS: &str = "#members";

/// An element: its JSON Pointer and its literal JSON text.
pub(super) type Element = (String, String);

/// What a group is, for the screen where the patient chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
    /// The bundle's own fields; always shown.
    Head,
    /// A whole resource, or what is left of it.
    Resource,
    /// The hospital's numbers for patient and visit; held back unless added.
    Numbers,
    /// Addresses, telephone numbers, relatives, photograph; held back unless added.
    Contact,
    /// The report retold in its own narrative.
    Narrative,
    /// Conclusion of a report.
    Conclusion,
    /// An original inside or beside the JSON, such as the PDF's entry.
    Original,
    /// A section of a document.
    Section,
    /// A line of an invoice that names no charge item.
    Line,
    /// A payer's claim tag; only ever shown in a claim to that class of insurer.
    Tag,
}

impl GroupKind {
    /// Whether the group is left out unless the patient adds it.
    pub const fn held_back(self) -> bool {
        matches!(self, Self::Numbers | Self::Contact | Self::Tag)
    }
}

/// The kind of the group that `member` of a resource of this type belongs to.
fn kind_of(resource_type: &str, member: &str) -> GroupKind {
    // `_x` carries the extensions of the primitive `x`.
    match (resource_type, member.trim_start_matches('_')) {
        ("Patient" | "Encounter" | "EpisodeOfCare" | "Account", "identifier" | "text") => GroupKind::Numbers,
        ("Patient", "telecom" | "address" | "contact" | "photo") => GroupKind::Contact,
        ("DiagnosticReport" | "Composition", "text") => GroupKind::Narrative,
        ("DiagnosticReport", "conclusion" | "conclusionCode") => GroupKind::Conclusion,
        ("DiagnosticReport", "presentedForm") => GroupKind::Original,
        ("Composition", "section") => GroupKind::Section,
        ("Invoice", "lineItem") => GroupKind::Line,
        _ => GroupKind::Resource,
    }
}

/// The kind of a group that was cut out of its entry, by the place of its first element.
pub(super) fn kind_at(resource_type: &str, path: &str) -> GroupKind {
    let member = match path.strip_prefix("/entry/") {
        Some(rest) => rest.split('/').nth(2),
        None => path.split('/').nth(1),
    };
    kind_of(resource_type, member.unwrap_or_default())
}

/// Whether an element may stand in a group: what isn't cut out stands whole in its resource's own group, `owned`; what
/// is cut out stands whole or item by item, wherever it belongs.
pub(super) fn may_stand(resource_type: &str, path: &str, owned: bool) -> bool {
    let (member, rest) = match path.strip_prefix("/entry/") {
        Some(inside) => {
            let mut tokens = inside.split('/').skip(1);
            match tokens.next() {
                Some("resource") => (tokens.next(), tokens.count()),
                // Beside the resource, or an entry without one.
                beside => (beside.map(|_| ""), tokens.count()),
            }
        }
        None => (path.split('/').nth(1), path.split('/').skip(2).count()),
    };
    let Some(member) = member else { return owned };
    if placed_with_its_target(resource_type, member) {
        return rest == 1 || rest == 0 && owned;
    }
    match kind_of(resource_type, member) {
        GroupKind::Resource | GroupKind::Head => owned && rest == 0,
        _ => rest <= 1,
    }
}

/// Whether a member stands in its resource's own group and nowhere else.
pub(super) fn stays(resource_type: &str, member: &str) -> bool {
    let kept = matches!(kind_of(resource_type, member), GroupKind::Resource | GroupKind::Head);
    kept && !placed_with_its_target(resource_type, member)
}

/// References that go with what they name, for their text may hold its value.
fn placed_with_its_target(resource_type: &str, member: &str) -> bool {
    matches!((resource_type, member), ("DiagnosticReport", "result") | ("Invoice", "lineItem"))
}

/// Cuts a bundle or a lone resource. The head comes first.
pub(super) fn cut(json: &Json) -> Result<Vec<Vec<Element>>, ReportError> {
    refuse_modifiers(json, "")?;
    let is_bundle = json.get("resourceType").and_then(Json::as_str) == Some("Bundle");
    let mut head: Vec<Element> = Vec::new();
    let mut groups: Vec<Vec<Element>> = Vec::new();
    if is_bundle {
        for (name, value) in json.as_object().unwrap_or_default() {
            match value.as_array() {
                Some(entries) if name == "entry" => cut_entries(entries, &mut groups),
                _ => head.push((pointer("", name), value.to_text())),
            }
        }
    } else {
        cut_resource(json, "", Vec::new(), &mut groups);
    }
    groups.retain(|group| !group.is_empty());
    head.push((COUNT_PATH.to_owned(), (groups.len() + 1).to_string()));
    groups.insert(0, head);
    Ok(groups)
}

fn cut_entries(entries: &[Json], groups: &mut Vec<Vec<Element>>) {
    // Where each entry's own group stands, for the references that go with it.
    let mut own_group = Vec::with_capacity(entries.len());
    for (i, entry) in entries.iter().enumerate() {
        let place = format!("/entry/{i}");
        own_group.push(groups.len());
        let members = entry.as_object().unwrap_or_default();
        let around: Vec<Element> = members
            .iter()
            .filter(|(name, _)| name != "resource")
            .map(|(name, value)| (pointer(&place, name), value.to_text()))
            .collect();
        match entry.get("resource") {
            Some(resource @ Json::Object(_)) => {
                cut_resource(resource, &format!("{place}/resource"), around, groups);
            }
            Some(_) | None => groups.push(vec![(place, entry.to_text())]),
        }
    }
    for (i, entry) in entries.iter().enumerate() {
        let resource = entry.get("resource");
        let list = |name| resource.and_then(|r| r.get(name)).and_then(Json::as_array).unwrap_or_default();
        match type_of(entry) {
            Some("DiagnosticReport") => {
                for (r, reference) in list("result").iter().enumerate() {
                    let home = target_of(reference, entries).map_or(own_group[i], |target| own_group[target]);
                    groups[home].push((format!("/entry/{i}/resource/result/{r}"), reference.to_text()));
                }
            }
            Some("Invoice") => {
                for (l, line) in list("lineItem").iter().enumerate() {
                    let element = (format!("/entry/{i}/resource/lineItem/{l}"), line.to_text());
                    let item = line.get("chargeItemReference").and_then(|item| target_of(item, entries));
                    let is_item = |target: &usize| type_of(&entries[*target]) == Some("ChargeItem");
                    match item.filter(is_item) {
                        Some(target) => groups[own_group[target]].push(element),
                        None => groups.push(vec![element]),
                    }
                }
            }
            _ => {}
        }
    }
}

fn type_of(entry: &Json) -> Option<&str> {
    entry.get("resource")?.get("resourceType")?.as_str()
}

/// The entry that a reference names, by full URL or by type and id.
pub(super) fn target_of(reference: &Json, entries: &[Json]) -> Option<usize> {
    let target = reference.get("reference").and_then(Json::as_str)?;
    entries.iter().position(|entry| {
        let text = |json: Option<&Json>| json.and_then(Json::as_str).map(str::to_owned);
        let resource = entry.get("resource");
        let relative = text(resource.and_then(|r| r.get("resourceType")))
            .zip(text(resource.and_then(|r| r.get("id"))))
            .map(|(kind, id)| format!("{kind}/{id}"));
        text(entry.get("fullUrl")).as_deref() == Some(target) || relative.as_deref() == Some(target)
    })
}

/// One resource: its own group with `around` it, then what is cut out.
fn cut_resource(resource: &Json, place: &str, around: Vec<Element>, groups: &mut Vec<Vec<Element>>) {
    let resource_type = resource.get("resourceType").and_then(Json::as_str).unwrap_or_default();
    let mut own = around;
    let mut out: Vec<(GroupKind, Vec<Element>)> = Vec::new();
    for (name, value) in resource.as_object().unwrap_or_default() {
        let path = pointer(place, name);
        match (kind_of(resource_type, name), value) {
            // Placed with their targets afterwards.
            (_, Json::Array(_))
                if placed_with_its_target(resource_type, name) && place.starts_with("/entry/") => {}
            (GroupKind::Resource | GroupKind::Head, value) => own.push((path, value.to_text())),
            (kind @ (GroupKind::Section | GroupKind::Original | GroupKind::Line), Json::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    out.push((kind, vec![(format!("{path}/{i}"), item.to_text())]));
                }
            }
            (kind, value) => {
                let element = (path, value.to_text());
                match out.iter_mut().find(|(k, _)| *k == kind) {
                    Some((_, group)) => group.push(element),
                    None => out.push((kind, vec![element])),
                }
            }
        }
    }
    let names = resource.as_object().unwrap_or_default().iter().map(|(name, _)| Json::String(name.clone()));
    own.push((format!("{place}{MEMBERS}"), Json::Array(names.collect()).to_text()));
    groups.push(own);
    groups.extend(out.into_iter().map(|(_, group)| group));
}

/// A JSON Pointer one step further (RFC 6901).
fn pointer(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Refuses modifier extensions and implicit rules anywhere: none is known, and each may turn a meaning around.
pub(super) fn refuse_modifiers(json: &Json, place: &str) -> Result<(), ReportError> {
    match json {
        Json::Object(members) => members.iter().try_for_each(|(name, value)| {
            let empty = matches!(value, Json::Array(items) if items.is_empty());
            if matches!(name.as_str(), "modifierExtension" | "implicitRules") && !empty {
                return Err(ReportError::Modifier(pointer(place, name).chars().take(120).collect()));
            }
            refuse_modifiers(value, &pointer(place, name))
        }),
        Json::Array(items) => {
            items.iter().enumerate().try_for_each(|(i, item)| refuse_modifiers(item, &format!("{place}/{i}")))
        }
        _ => Ok(()),
    }
}
