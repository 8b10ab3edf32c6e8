//! Conformance with FHIR that others wrote. The vectors lie beside the project, not in it: without them
//! these tests say so and end.

use std::{fs, path::PathBuf};
use suishen_core::fhir::{FhirError, Json, Kind, ReportView, Value, Verdict};

fn vectors(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("vectors/{folder} is not here: nothing was compared");
    None
}

fn view(path: &std::path::Path) -> Result<ReportView, FhirError> {
    ReportView::from_json(&fs::read(path).unwrap())
}

#[test]
fn each_us_core_laboratory_resource_is_read() {
    let Some(folder) = vectors("fhir/uscore-labs") else { return };
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()) {
        if file.extension().is_none_or(|e| e != "json") {
            continue;
        }
        seen += 1;
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        match view(&file) {
            Err(FhirError::NoReport) => assert!(name.starts_with("specimen-"), "{name}"),
            Err(error) => panic!("{name}: {error}"),
            Ok(view) => assert!(!view.title.is_empty(), "{name}"),
        }
    }
    assert!(seen >= 13);
}

#[test]
fn verdicts_are_those_that_the_reports_carry() {
    let Some(folder) = vectors("fhir/uscore-labs") else { return };
    let row = |name: &str| view(&folder.join(name)).unwrap().rows.remove(0);
    let potassium = row("observation-potassium-high.json");
    assert_eq!((potassium.value.text(), potassium.verdict), (Some("5.9"), Verdict::High));
    let haemoglobin = row("observation-hemoglobin-low.json");
    assert_eq!(haemoglobin.verdict, Verdict::Low);
    // 12.0 in the file, 12.0 on the screen.
    assert_eq!(haemoglobin.range.unwrap().low.as_deref(), Some("12.0"));
    let cancelled = row("observation-hba1c-cancelled.json");
    assert!(matches!(cancelled.value, Value::Absent(Some(why)) if why.contains("hemolyzed")));
    let titre = row("observation-ana-titer.json");
    assert_eq!((titre.value.text(), titre.verdict), (Some("1:160"), Verdict::None));
    assert_eq!(row("observation-urine-nitrite.json").value, Value::YesNo(true));
    assert_eq!(row("observation-urine-nitrite.json").verdict, Verdict::Abnormal);
}

#[test]
fn a_report_and_its_observations_meet_by_reference() {
    let Some(folder) = vectors("fhir/uscore-labs") else { return };
    let names = [
        "diagnosticreport-urinalysis",
        "observation-urine-color",
        "observation-urine-dipstick",
        "observation-urine-nitrite",
        "specimen-urine-clean-catch",
    ];
    let entries: Vec<String> = names
        .iter()
        .map(|n| {
            format!("{{\"resource\":{}}}", fs::read_to_string(folder.join(format!("{n}.json"))).unwrap())
        })
        .collect();
    let bundle =
        format!("{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{}]}}", entries.join(","));
    let view = ReportView::from_json(bundle.as_bytes()).unwrap();
    assert_eq!((view.kind, view.title.as_str()), (Kind::Laboratory, "Urinalysis, Complete"));
    assert_eq!(view.status, "preliminary");
    assert!(view.rows.len() >= 4 && view.not_contained.is_empty());
    assert!(view.rows.iter().any(|r| r.panel.as_deref() == Some("Urinalysis, Dipstick")));
    assert_eq!(view.specimen.as_deref(), Some("Urine, clean catch"));
}

#[test]
fn the_patient_summary_of_the_ips_is_read_whole() {
    let Some(folder) = vectors("smart-health-links") else { return };
    let path = folder.join("IPS_IG-bundle-01.json");
    let view = view(&path).unwrap();
    assert!(!view.title.is_empty() && view.patient.as_ref().unwrap().name.is_some());
    assert!(view.sections.len() >= 5, "{:?}", view.sections.iter().map(|s| &s.title).collect::<Vec<_>>());
    assert!(view.sections.iter().all(|s| !s.text.contains("</")));
}

#[test]
fn json_is_written_again_as_it_was_read_but_for_white_space() {
    let Some(folder) = vectors("smart-health-links") else { return };
    let source = fs::read(folder.join("IPS_IG-bundle-01.json")).unwrap();
    let json = Json::parse(&source).unwrap();
    assert_eq!(Json::parse(json.to_text().as_bytes()).unwrap(), json);
}
