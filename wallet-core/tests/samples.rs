//! The samples under `samples/` as a reader sees them, and as LOOK.md's pictures have them.

use std::{fs, path::PathBuf};
use suishen_core::fhir::{
    AttachmentSource, Finding, Kind, Marker, ReportView, Series, Sex, Value, Verdict, VisitClass,
};

fn sample(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn report(name: &str) -> ReportView {
    ReportView::from_json(&sample(name)).unwrap()
}

#[test]
fn the_laboratory_report_reads_as_in_the_picture() {
    let view = report("laboratory/report.json");
    assert_eq!((view.kind, view.title.as_str()), (Kind::Laboratory, "血脂与肝功能"));
    assert_eq!(view.organisation.as_deref(), Some("安澜市人民医院"));
    assert_eq!(view.department.as_deref(), Some("检验科"));
    assert_eq!(view.fasting, Some(true));
    let patient = view.patient.as_ref().unwrap();
    assert_eq!(
        (patient.name.as_deref(), patient.sex, patient.age),
        (Some("林秀兰"), Some(Sex::Female), Some(68))
    );
    let visit = view.visit.as_ref().unwrap();
    assert_eq!((visit.class, visit.department.as_deref()), (VisitClass::Outpatient, Some("心内科")));
    assert_eq!(view.performers[0].name, "方静");
    assert_eq!(
        view.finding,
        Finding::Counts { total: 12, high: 3, low: 1, abnormal: 0, critical: 0, unjudged: 0 }
    );
    let of = |short: &str| view.rows.iter().find(|r| r.short.as_deref() == Some(short)).unwrap();
    let ldl = of("LDL-C");
    assert_eq!(
        (ldl.name.as_str(), ldl.value.text(), ldl.unit.as_deref()),
        ("低密度脂蛋白", Some("4.05"), Some("mmol/L"))
    );
    assert_eq!((ldl.verdict, ldl.bar.unwrap().shape), (Verdict::High, Marker::Above));
    assert_eq!(of("HDL-C").verdict, Verdict::Low);
    assert_eq!(of("TG").bar.unwrap().shape, Marker::Inside);
    // The last zeros of the report's own figures.
    assert_eq!(of("ALB").range.as_ref().unwrap().low.as_deref(), Some("40.0"));
    assert_eq!(of("ApoA1").range.as_ref().unwrap().high.as_deref(), Some("1.60"));
}

#[test]
fn the_five_earlier_reports_make_a_trend() {
    let names = [
        "history/2024-05",
        "history/2025-11",
        "laboratory/report",
        "history/2026-05",
        "history/2024-11",
        "history/2025-05",
    ];
    let reports: Vec<ReportView> = names.iter().map(|n| report(&format!("{n}.json"))).collect();
    let row = reports[2].rows.iter().position(|r| r.short.as_deref() == Some("LDL-C")).unwrap();
    let series = Series::of(&reports, 2, row).unwrap();
    let values: Vec<&str> = series.points.iter().map(|p| p.value.as_str()).collect();
    assert_eq!(values, ["3.60", "3.90", "3.20", "3.30", "3.70", "4.05"]);
    assert!(series.one_hospital && series.other_units.is_empty());
    assert_eq!(series.high.as_ref().unwrap().text, "3.40");
    assert_eq!(series.low, None);
    let marks: Vec<bool> = series.points.iter().map(|p| p.verdict.is_high()).collect();
    assert_eq!(marks, [true, true, false, false, true, true]);
}

#[test]
fn the_discharge_summary_keeps_its_sections_and_drugs() {
    let view = report("discharge/report.json");
    assert_eq!((view.kind, view.title.as_str()), (Kind::Discharge, "出院小结"));
    assert_eq!(view.visit.as_ref().unwrap().class, VisitClass::Inpatient);
    assert_eq!(view.performers[0].role.as_deref(), Some("主任医师"));
    let titles: Vec<&str> = view.sections.iter().map(|s| s.title.as_str()).collect();
    assert_eq!(titles, ["入院诊断", "出院诊断", "入院情况", "诊疗经过", "出院情况", "出院带药", "出院医嘱"]);
    let drugs = &view.sections[5].text;
    assert_eq!(drugs.lines().count(), 3);
    assert!(drugs.starts_with("利伐沙班片 10 mg，每次 10 mg"));
    assert!(view.sections.iter().all(|s| !s.text.contains('<')));
    assert!(matches!(&view.finding, Finding::Sentence(text) if text.contains("左膝骨关节炎")));
}

#[test]
fn the_imaging_report_says_what_was_seen_and_names_its_files() {
    let view = report("imaging/report.json");
    assert_eq!((view.kind, view.title.as_str()), (Kind::Imaging, "左膝关节 X 线片"));
    assert_eq!(view.sections[0].title, "影像所见");
    assert!(view.conclusion.as_deref().unwrap().starts_with("左膝骨关节炎"));
    assert!(view.rows.is_empty());
    let parts: Vec<&AttachmentSource> = view.attachments.iter().map(|a| &a.source).collect();
    assert_eq!(
        parts,
        [&AttachmentSource::Part("report.pdf".into()), &AttachmentSource::Part("knee.png".into())]
    );
}

#[test]
fn every_file_that_a_sample_names_is_there_in_its_size() {
    for folder in ["laboratory", "imaging"] {
        let view = report(&format!("{folder}/report.json"));
        assert!(!view.attachments.is_empty());
        for attachment in &view.attachments {
            let AttachmentSource::Part(name) = &attachment.source else { panic!("{attachment:?}") };
            let bytes = sample(&format!("{folder}/{name}"));
            assert_eq!(attachment.size, Some(bytes.len() as u64), "{folder}/{name}");
            let magic: &[u8] = if name == "knee.png" { b"\x89PNG" } else { b"%PDF" };
            assert!(bytes.starts_with(magic) && bytes.len() < 60_000, "{folder}/{name}");
        }
    }
}

#[test]
fn every_row_of_the_samples_has_a_value_and_a_code() {
    for name in ["laboratory/report", "history/2024-05", "history/2025-05"] {
        for row in report(&format!("{name}.json")).rows {
            assert!(matches!(row.value, Value::Text(_)), "{name} {}", row.name);
            assert!(
                row.codes.iter().any(|c| c.system.as_deref() == Some("http://loinc.org")),
                "{}",
                row.name
            );
            assert!(row.bar.is_some(), "{}", row.name);
        }
    }
}
