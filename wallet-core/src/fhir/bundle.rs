//! A bundle as a set of resources that know each other by reference (FHIR R4 §2.36.4), or a lone resource
//! treated as a bundle of one.

use super::{
    FhirError, Json,
    datatype::Reference,
    element::Fields,
    resource::{Named, Resource},
};

const BUNDLE_TYPES: [&str; 9] = [
    "document",
    "message",
    "transaction",
    "transaction-response",
    "batch",
    "batch-response",
    "history",
    "searchset",
    "collection",
];

/// All resources of a file, in their order.
#[derive(Debug)]
pub(super) struct Bundle {
    pub entries: Vec<Named>,
}

impl Bundle {
    pub(super) fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        let type_name: String = f.required("resourceType")?;
        if type_name != "Bundle" {
            return Ok(Self { entries: vec![Named::read(json, String::new())?] });
        }
        f.no_unknown_modifier()?;
        f.code("type", &BUNDLE_TYPES)?;
        let entries = match f.json("entry") {
            None => &[],
            Some(Json::Array(items)) => items.as_slice(),
            Some(other) => return Err(FhirError::wrong("a list", other.kind()).within("entry")),
        };
        let mut read = Vec::with_capacity(entries.len());
        for (i, entry) in entries.iter().enumerate() {
            read.extend(read_entry(entry, i).map_err(|e| e.within_index(i).within("entry"))?);
        }
        Ok(Self { entries: read })
    }

    /// The resource that `reference`, written inside `holder`, names. None for what isn't in the bundle.
    pub(super) fn resolve<'a>(&'a self, holder: &'a Named, reference: &Reference) -> Option<&'a Named> {
        let target = reference.reference.as_deref()?;
        if let Some(local) = target.strip_prefix('#') {
            return holder.contained.iter().find(|r| r.id.as_deref() == Some(local));
        }
        // A version at the end names one state of the same resource.
        let target = target.split_once("/_history/").map_or(target, |(t, _)| t);
        self.entries.iter().find(|r| r.full_url.as_deref() == Some(target)).or_else(|| {
            let mut tail = target.rsplit('/');
            let (id, type_name) = (tail.next()?, tail.next()?);
            self.entries.iter().find(|r| r.type_name == type_name && r.id.as_deref() == Some(id))
        })
    }

    pub(super) fn first<'a, T>(&'a self, pick: impl Fn(&'a Resource) -> Option<T>) -> Option<(&'a Named, T)> {
        self.entries.iter().find_map(|r| Some((r, pick(&r.resource)?)))
    }
}

fn read_entry(entry: &Json, index: usize) -> Result<Option<Named>, FhirError> {
    let f = Fields::of(entry)?;
    f.no_unknown_modifier()?;
    let Some(json) = f.json("resource") else { return Ok(None) };
    let mut named =
        Named::read(json, format!("/entry/{index}/resource")).map_err(|e| e.within("resource"))?;
    named.full_url = f.optional("fullUrl")?;
    Ok(Some(named))
}
