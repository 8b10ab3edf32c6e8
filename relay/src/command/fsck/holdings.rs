//! What the relay holds for others, examined: each blob against its address, each slot of the tear file against its
//! checksums, each gate share against its slot, what mailboxes hold against its addresses.
//!
//! Rows of shares are in a database that a running relay holds; then they are left out, and the report says so.

use super::{Finding, Report};
use crate::{
    blob::{self, Blobs},
    command::progress::Progress,
    gate::{ROWS, TEAR_FILE},
    mailbox,
    node::{BLOBS, DATABASE},
    post::MAILBOXES,
    replica::looking::{Looked, look},
    store::StoreError,
};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableError};
use std::{
    collections::BTreeSet,
    convert::Infallible,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};
use suishen_core::{
    gate::{SLOT, SlotState, Slots, TearFile},
    id::BlobAddress,
    sm::Digest,
};

/// Examines blobs and shares.
pub fn examine(data: &Path, report: &mut Report, progress: &Progress) -> io::Result<()> {
    let present = blobs(&data.join(BLOBS), report, progress)?;
    let slots = slots(&data.join(TEAR_FILE), report)?;
    match look(&data.join(DATABASE)) {
        Ok(Looked::Open(database)) => {
            let examined = catch_unwind(AssertUnwindSafe(|| {
                missing_blobs(&database, &present, report)?;
                shares(&database, &slots, report)
            }));
            let why = match examined {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "its pages are damaged and cannot be read".into(),
            };
            report.findings.push(Finding::Holdings(why));
        }
        Ok(Looked::InUse | Looked::Absent) => {}
        Err(error) => report.findings.push(Finding::Holdings(format!("it cannot be read: {error}"))),
    }
    mailboxes(&data.join(MAILBOXES), report);
    Ok(())
}

/// Each event and each content of a mailbox has the SM3 that its address says.
fn mailboxes(folder: &Path, report: &mut Report) {
    let why = match look(&mailbox::database(folder)) {
        Ok(Looked::Open(database)) => {
            match catch_unwind(AssertUnwindSafe(|| mailbox::examine(&database, folder))) {
                Ok(Ok(examined)) => {
                    report.mailboxes = Some(examined.whole);
                    let wrong = examined.wrong.into_iter();
                    let named =
                        wrong.map(|(address, why)| Finding::Mailbox(Some(address.to_hex()), why.into()));
                    report.findings.extend(named);
                    return;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "their database's pages are damaged and cannot be read".into(),
            }
        }
        Ok(Looked::InUse | Looked::Absent) => return,
        Err(error) => format!("their database cannot be read: {error}"),
    };
    report.findings.push(Finding::Mailbox(None, why));
}

/// Each blob's content has the SM3 that its name says. Gives the addresses.
fn blobs(folder: &Path, report: &mut Report, progress: &Progress) -> io::Result<BTreeSet<BlobAddress>> {
    let mut files: Vec<_> = Vec::new();
    for part in entries(folder)?.into_iter().filter(|part| !Blobs::is_partial(part)) {
        files.extend(entries(&part)?);
    }
    files.sort();
    progress.total(files.len() as u64);
    let mut present = BTreeSet::new();
    for (done, file) in (0..).zip(&files) {
        progress.at(done);
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(address) = BlobAddress::from_hex(name) else {
            report.findings.push(Finding::Blob(name.to_owned(), "this is no blob's name".into()));
            continue;
        };
        match blob::address_of(file) {
            Ok(found) if found == address => {}
            Ok(_) => {
                let why = "its content was changed: it has another address".into();
                report.findings.push(Finding::Blob(address.to_hex(), why));
            }
            // The relay that runs has deleted it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => report.findings.push(Finding::Blob(address.to_hex(), error.to_string())),
        }
        present.insert(address);
    }
    report.blobs = present.len() as u64;
    Ok(present)
}

fn entries(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other?.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// The tear file as it is, in memory: what opening it mends stays there.
#[derive(Clone, Debug, Default)]
struct Read(Vec<[u8; SLOT]>);

impl Slots for Read {
    type Error = Infallible;

    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn read(&self, slot: u32) -> Result<[u8; SLOT], Infallible> {
        Ok(self.0.get(place(slot)).copied().unwrap_or([0; SLOT]))
    }

    fn write(&mut self, slot: u32, bytes: &[u8; SLOT]) -> Result<(), Infallible> {
        if place(slot) >= self.0.len() {
            self.0.resize(place(slot) + 1, [0; SLOT]);
        }
        self.0[place(slot)] = *bytes;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn hex(object: &Digest) -> String {
    data_encoding::HEXLOWER.encode(object.as_bytes())
}

fn place(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

fn slots(file: &Path, report: &mut Report) -> io::Result<Read> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let read = Read(bytes.as_chunks::<SLOT>().0.to_vec());
    for (number, slot) in (0..).zip(&read.0) {
        if let SlotState::Broken(object) = SlotState::of(number, slot) {
            let whose = object.map_or_else(String::new, |object| format!(" of {}", hex(&object)));
            let why = format!("it was changed, or a crash cut its writing short: the share{whose} is lost");
            report.findings.push(Finding::Slot(number, why));
        }
    }
    Ok(read)
}

/// Each row opens under the key of its slot. A row whose slot is torn is what a crash may leave of a destruction.
fn shares(database: &Database, slots: &Read, report: &mut Report) -> Result<(), StoreError> {
    let Ok(tear) = TearFile::open(slots.clone());
    let table = match database.begin_read()?.open_table(ROWS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        other => other?,
    };
    let mut whole = 0;
    for row in table.iter()? {
        let (object, row) = row?;
        let object = Digest::from_bytes(*object.value());
        match tear.live(&object) {
            Some(slot) if slot.open_row(&object, row.value()).is_ok() => whole += 1,
            Some(_) => {
                report
                    .findings
                    .push(Finding::Share(hex(&object), "it was changed and cannot be opened".into()));
            }
            None if tear.is_torn(&object) => {}
            None => {
                report.findings.push(Finding::Share(hex(&object), "the tear file has no slot of it".into()));
            }
        }
    }
    report.shares = Some(whole);
    Ok(())
}

/// Each blob that the database knows is there.
fn missing_blobs(
    database: &Database,
    present: &BTreeSet<BlobAddress>,
    report: &mut Report,
) -> Result<(), StoreError> {
    for address in Blobs::known(&database.begin_read()?)? {
        if !present.contains(&address) {
            report.findings.push(Finding::Blob(address.to_hex(), "it is missing".into()));
        }
    }
    Ok(())
}
