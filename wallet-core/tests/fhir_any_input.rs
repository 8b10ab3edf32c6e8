//! No input makes the reader panic or run without end: random JSON made of FHIR's own names, and samples with
//! any one value replaced.

use proptest::prelude::*;
use suishen_core::fhir::{Json, ReportView, Series};

const NAMES: [&str; 40] = [
    "resourceType",
    "type",
    "entry",
    "resource",
    "fullUrl",
    "id",
    "contained",
    "status",
    "code",
    "coding",
    "system",
    "text",
    "div",
    "display",
    "subject",
    "reference",
    "performer",
    "result",
    "hasMember",
    "component",
    "valueQuantity",
    "value",
    "unit",
    "comparator",
    "valueString",
    "referenceRange",
    "low",
    "high",
    "interpretation",
    "effectiveDateTime",
    "effectivePeriod",
    "section",
    "title",
    "date",
    "name",
    "family",
    "birthDate",
    "presentedForm",
    "partOf",
    "category",
];
const TEXTS: [&str; 30] = [
    "Bundle",
    "collection",
    "DiagnosticReport",
    "Observation",
    "Patient",
    "Composition",
    "Organization",
    "Specimen",
    "Encounter",
    "PractitionerRole",
    "final",
    "a",
    "#a",
    "Observation/a",
    "Organization/a",
    "urn:uuid:a",
    "2026-11-12",
    "2026-11-12T08:26:00+08:00",
    "H",
    "<3.40",
    "＜3.40",
    "1.04～1.55",
    "-",
    "<div><p>安&#x6f9c;</p>",
    "mmol/L",
    "×10⁹/L",
    "male",
    "1958-03",
    "",
    "LAB",
];

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?".prop_map(Json::Number),
        prop::sample::select(&TEXTS[..]).prop_map(|t| Json::String(t.to_owned())),
        ".{0,12}".prop_map(Json::String),
    ];
    leaf.prop_recursive(8, 120, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::btree_map(prop::sample::select(&NAMES[..]), inner, 0..7)
                .prop_map(|m| Json::Object(m.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())),
        ]
    })
}

/// A bundle that gets past the first checks, so that the rest is reached.
fn bundle() -> impl Strategy<Value = Json> {
    let text = |t: &str| Json::String(t.to_owned());
    let resource = (
        prop::sample::select(
            &["DiagnosticReport", "Observation", "Composition", "Patient", "Organization"][..],
        ),
        json(),
    );
    let entry = resource.prop_map(move |(kind, rest)| {
        let mut members = vec![
            ("resourceType".to_owned(), text(kind)),
            ("id".to_owned(), text("a")),
            ("status".to_owned(), text("final")),
            ("code".to_owned(), Json::Object(vec![("text".to_owned(), text("x"))])),
        ];
        if let Json::Object(more) = rest {
            for (name, value) in more {
                if members.iter().all(|(n, _)| *n != name) {
                    members.push((name, value));
                }
            }
        }
        Json::Object(vec![("resource".to_owned(), Json::Object(members))])
    });
    prop::collection::vec(entry, 0..6).prop_map(move |entries| {
        Json::Object(vec![
            ("resourceType".to_owned(), text("Bundle")),
            ("type".to_owned(), text("collection")),
            ("entry".to_owned(), Json::Array(entries)),
        ])
    })
}

fn sample(name: &str) -> Json {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name).join("report.json");
    Json::parse(&std::fs::read(path).unwrap()).unwrap()
}

/// The `at`-th value in document order, or none when there are fewer.
fn nth<'a>(json: &'a mut Json, at: &mut usize) -> Option<&'a mut Json> {
    if *at == 0 {
        return Some(json);
    }
    *at -= 1;
    match json {
        Json::Array(items) => items.iter_mut().find_map(|item| nth(item, at)),
        Json::Object(members) => members.iter_mut().find_map(|(_, value)| nth(value, at)),
        _ => None,
    }
}

fn bars_are_on_the_screen(view: &ReportView) -> bool {
    view.rows.iter().filter_map(|r| r.bar).all(|b| {
        (0.0..=1.0).contains(&b.marker) && (0.0..=1.0).contains(&b.start) && b.start < b.end && b.end <= 1.0
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn random_json_is_read_or_refused(json in json()) {
        let _ = ReportView::from_tree(&json);
    }

    #[test]
    fn random_bundles_are_read_or_refused(json in bundle()) {
        if let Ok(view) = ReportView::from_tree(&json) {
            prop_assert!(bars_are_on_the_screen(&view));
            let rows = view.rows.len();
            let reports = [view.clone(), view];
            for row in 0..rows {
                if let Some(series) = Series::of(&reports, 0, row) {
                    let on = |n: f64| (0.0..=1.0).contains(&n);
                    prop_assert!(series.points.iter().all(|p| on(p.x) && on(p.y)));
                    prop_assert!(series.ticks.len() >= 2 && series.ticks.iter().all(|t| on(t.y)));
                }
            }
        }
    }

    #[test]
    fn a_sample_with_one_value_replaced_is_read_or_refused(
        which in 0usize..3, at in 0usize..1200, value in json()
    ) {
        let mut json = sample(["laboratory", "discharge", "imaging"][which]);
        let mut left = at;
        if let Some(place) = nth(&mut json, &mut left) {
            *place = value;
        }
        if let Ok(view) = ReportView::from_tree(&json) {
            prop_assert!(bars_are_on_the_screen(&view));
        }
    }
}
