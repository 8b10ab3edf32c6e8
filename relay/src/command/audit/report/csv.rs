//! The CSV files of an audit, written as their lines come, so that their number doesn't matter.

use anyhow::Context as _;
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};
use suishen_core::{
    audit::{
        Finding, Row, Tables,
        report::{
            Language,
            csv::{self, Sheet},
        },
    },
    sm::Digest,
};

/// The files of an audit under way.
pub struct Csv {
    folder: PathBuf,
    language: Language,
    files: Vec<(Sheet, BufWriter<File>)>,
}

impl Csv {
    /// Begins all files in a folder, which is made.
    pub fn new(folder: &Path, language: Language) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
        let begun = |sheet: Sheet| {
            let path = folder.join(sheet.name());
            let file = File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
            let mut file = BufWriter::new(file);
            file.write_all(sheet.begin().as_bytes())?;
            anyhow::Ok((sheet, file))
        };
        let files = Sheet::ALL.into_iter().map(begun).collect::<anyhow::Result<_>>()?;
        Ok(Self { folder: folder.to_owned(), language, files })
    }

    fn write(&mut self, sheet: Sheet, line: &str) -> anyhow::Result<()> {
        let file = self.files.iter_mut().find(|(of, _)| *of == sheet).context("no such file")?;
        Ok(file.1.write_all(line.as_bytes())?)
    }

    /// One line.
    pub fn row(&mut self, row: &Row) -> anyhow::Result<()> {
        let (sheet, line) = csv::row(row, self.language);
        self.write(sheet, &line)
    }

    /// One finding.
    pub fn finding(&mut self, finding: &Finding, tables: &Tables) -> anyhow::Result<()> {
        self.write(Sheet::Findings, &csv::finding(finding, tables, self.language))
    }

    /// Ends all files, with who read how much, also in which month; their names and digests.
    pub fn end(mut self, tables: &Tables) -> anyhow::Result<Vec<(String, Digest)>> {
        for line in csv::readers(tables, self.language) {
            self.write(Sheet::Readers, &line)?;
        }
        for line in csv::months(tables, self.language) {
            self.write(Sheet::Months, &line)?;
        }
        let digest = |(sheet, mut file): (Sheet, BufWriter<File>)| {
            file.flush()?;
            let name = sheet.name();
            Ok((name.to_owned(), super::sign::digest_of(&self.folder.join(name))?))
        };
        self.files.into_iter().map(digest).collect()
    }
}
