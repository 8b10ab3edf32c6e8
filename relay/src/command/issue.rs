//! `suishen issue`: reports from files to tickets, one by one or a folder at a time, or to a known patient.

use super::{Outcome, code, embedded::Embedded, invite, progress::Progress};
use crate::{
    client::Client,
    command::serve,
    config::Place,
    desk::{ORGANISATIONS, Organisation},
    issuing::{self, CommandDesk, Draft, Issued},
    keys::Keys,
    node::KEYS,
};
use anyhow::{Context as _, bail};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
};
use suishen_core::{
    cbor,
    contract::{Key, Party, Role},
    id::PartyId,
    qr::{IdentityOffer, Scanned, scan},
};

/// The folder of this command line's own keys, within the data folder's keys.
const DESK: &str = "desk";
/// The name on the certificate of this command line, enrolled with its organisation's own keys.
const NAME: &str = "suishen issue";

/// Options of `suishen issue`.
#[derive(Clone, Debug, Args)]
pub struct Issue {
    /// A FHIR R4 bundle (.json) and its attachments (.pdf, .png, .jpg, .webp); or one folder: each .json with
    /// the files of the same name, each folder in it with a .json as one report
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where the QR code goes: a file (.svg or .png), `terminal`, or `link` to print the link itself; for a
    /// folder of reports a folder
    #[arg(long, env = "SUISHEN_OUT", value_name = "FILE", default_value = "terminal")]
    pub out: String,
    /// The patient's identity link: the report goes to that wallet and needs no QR code
    #[arg(long, env = "SUISHEN_TO", value_name = "LINK")]
    pub to: Option<String>,
    /// Share only when the patient chooses it by hand
    #[arg(long, env = "SUISHEN_SENSITIVE")]
    pub sensitive: bool,
    /// The relay [default: the one of the data folder, started for this when it doesn't run]
    #[arg(long, env = "SUISHEN_RELAY", value_name = "URL")]
    pub relay: Option<String>,
    /// An invite link that enrols this command line as a desk of its organisation
    #[arg(long, env = "SUISHEN_INVITE", value_name = "LINK", hide_env_values = true)]
    pub invite: Option<String>,
    /// The organisation to issue for, where its keys are in the data folder [default: the first that may issue]
    #[arg(long, env = "SUISHEN_PARTY", value_name = "CODE")]
    pub party: Option<String>,
}

/// Issues, and prints what came of it.
pub fn run(place: &Place, issue: &Issue) -> anyhow::Result<Outcome> {
    let to = issue.to.as_deref().map(identity).transpose()?;
    let jobs = jobs(&issue.files)?;
    let bulk = issue.files.len() == 1 && issue.files[0].is_dir();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, own) = reach(place, issue).await?;
        let desk = desk(place, issue, &client).await?;
        let progress = Progress::new("reports");
        progress.total(jobs.len() as u64);
        let mut refused = 0;
        for (done, job) in (1u64..).zip(&jobs) {
            match one(&client, &desk, job, issue, to.as_ref()).await {
                Ok(issued) => show(&issued, job, issue, bulk)?,
                Err(error) if bulk || error.is_report() => {
                    refused += 1;
                    eprintln!("suishen: {}: {error}", job.name);
                }
                Err(error) => return Err(error.into()),
            }
            progress.at(done);
        }
        progress.done();
        if let Some(own) = own {
            own.stop().await;
        }
        Ok(if refused == 0 { Outcome::Well } else { Outcome::FoundWrong })
    })
}

async fn one(
    client: &Client,
    desk: &CommandDesk,
    job: &Job,
    issue: &Issue,
    to: Option<&IdentityOffer>,
) -> Result<Issued, issuing::IssueError> {
    let read = |path: &Path| {
        fs::read(path).map_err(|source| issuing::IssueError::File { path: path.to_owned(), source })
    };
    let mut attachments = Vec::new();
    for (path, kind) in &job.attachments {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        attachments.push((name, *kind, read(path)?));
    }
    let draft = Draft { fhir: read(&job.report)?, attachments, sensitive: issue.sensitive };
    issuing::issue(client, desk, &draft, to).await
}

fn identity(link: &str) -> anyhow::Result<IdentityOffer> {
    match scan(link) {
        Ok(Scanned::Identity { identity, .. }) => Ok(*identity),
        Ok(_) => bail!("--to takes a wallet's identity link, this is something else"),
        Err(error) => Err(error).context("--to takes a wallet's identity link"),
    }
}

/// One report's files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Job {
    name: String,
    report: PathBuf,
    attachments: Vec<(PathBuf, &'static str)>,
}

fn media_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "pdf" => Some("application/pdf"),
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

fn is_report(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"))
}

fn jobs(files: &[PathBuf]) -> anyhow::Result<Vec<Job>> {
    if let [folder] = files
        && folder.is_dir()
    {
        let jobs = folder_jobs(folder)?;
        return if jobs.is_empty() { bail!("there is no .json in {}", folder.display()) } else { Ok(jobs) };
    }
    let (reports, others): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|path| is_report(path));
    let [report] = reports.as_slice() else {
        bail!("name one report (.json) and its attachments, or a folder");
    };
    Ok(vec![job(report, others)?])
}

fn job(report: &Path, others: Vec<PathBuf>) -> anyhow::Result<Job> {
    let typed = |path: PathBuf| {
        let kind = media_type(&path)
            .with_context(|| format!("{}: only .pdf, .png, .jpg and .webp go along", path.display()))?;
        Ok((path, kind))
    };
    let attachments = others.into_iter().map(typed).collect::<anyhow::Result<_>>()?;
    let name = report.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Job { name, report: report.to_owned(), attachments })
}

/// Each report with the files of its name; each folder within that has a report as one more.
fn folder_jobs(folder: &Path) -> anyhow::Result<Vec<Job>> {
    let listed = list(folder)?;
    let mut jobs = Vec::new();
    for path in &listed {
        if is_report(path) {
            let same =
                |other: &&PathBuf| other.file_stem() == path.file_stem() && media_type(other).is_some();
            jobs.push(job(path, listed.iter().filter(same).cloned().collect())?);
        } else if path.is_dir() {
            let inner = list(path)?;
            let reports: Vec<_> = inner.iter().filter(|path| is_report(path)).collect();
            if let [report] = reports.as_slice() {
                let others = inner.iter().filter(|path| media_type(path).is_some()).cloned().collect();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                jobs.push(Job { name, ..job(report, others)? });
            } else {
                for mut inner in folder_jobs(path)? {
                    let outer = path.file_name().unwrap_or_default().to_string_lossy();
                    inner.name = format!("{outer}-{}", inner.name);
                    jobs.push(inner);
                }
            }
        }
    }
    Ok(jobs)
}

fn list(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The relay that was named, the one that serves the data folder, or one started for this.
async fn reach(place: &Place, issue: &Issue) -> anyhow::Result<(Client, Option<Embedded>)> {
    if let Some(url) = &issue.relay {
        return Ok((Client::connect(url).await?, None));
    }
    let served = serve::last_url(&place.data);
    let ledger = invite::ledger_of(place)?;
    // Another relay may listen there by now.
    if let Some(url) = &served
        && let Ok(client) = Client::connect(url).await
        && client.ledger() == ledger
    {
        return Ok((client, None));
    }
    // Links lead to where the relay served its pages.
    let port = served.as_deref().and_then(|url| url.rsplit(':').next()?.parse().ok()).unwrap_or(8080);
    let own = Embedded::start(&place.data, &crate::config::serve_defaults(), port).await?;
    let client = Client::connect(own.url()).await?;
    Ok((client, Some(own)))
}

/// This command line as a desk: enrolled before, by an invite, or with the organisation's keys in the folder.
async fn desk(place: &Place, issue: &Issue, client: &Client) -> anyhow::Result<CommandDesk> {
    let keys = Keys::new(place.data.join(KEYS));
    let own = keys.folder(DESK);
    let now = client.info().await?.now;
    if let Some(link) = &issue.invite {
        return Ok(CommandDesk::enrol(&own, client, link, now).await?);
    }
    if let Some(desk) = CommandDesk::open(&own, client, now)? {
        return Ok(desk);
    }
    let organisation = organisation(&keys, issue.party.as_deref(), client).await?;
    let fragment = issuing::invite(&organisation, NAME, client, now);
    Ok(CommandDesk::enrol(&own, client, &fragment, now).await?)
}

/// The organisation that was named, or the first whose keys are here and that may issue.
async fn organisation(keys: &Keys, party: Option<&str>, client: &Client) -> anyhow::Result<Organisation> {
    if let Some(code) = party {
        let party = PartyId::new(code).context("--party takes an organisation's code")?;
        return Ok(Organisation::read(keys, &party)?);
    }
    let missing = "this desk is not enrolled: give it an invite link with --invite";
    let folders = list(keys.folder(ORGANISATIONS).path()).context(missing)?;
    for party in folders.iter().filter_map(|path| PartyId::new(path.file_name()?.to_str()?)) {
        let found = client.value(&Key::Party(party.clone())).await?.values.pop();
        let registered: Option<Party> = found.and_then(|found| cbor::decode(&found.value).ok());
        if registered.is_some_and(|registered| registered.roles.contains(&Role::Issuer)) {
            return Ok(Organisation::read(keys, &party)?);
        }
    }
    bail!(missing)
}

/// Shows a ticket's code, or says where the report went.
fn show(issued: &Issued, job: &Job, issue: &Issue, bulk: bool) -> anyhow::Result<()> {
    let Some(link) = &issued.link else {
        println!("{}: entry {}, delivered to the wallet", job.name, issued.entry);
        return Ok(());
    };
    match issue.out.as_str() {
        "terminal" => println!("{}\n{}: entry {}", code::terminal(link)?, job.name, issued.entry),
        "link" => println!("{}", link.as_str()),
        out => {
            let file = if bulk { Path::new(out).join(&job.name).with_extension("svg") } else { out.into() };
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&file, code::image(link, &file)?)
                .with_context(|| format!("could not write {}", file.display()))?;
            println!("{}: entry {}, {}", job.name, issued.entry, file.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_report_by_report_with_the_files_that_belong_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let touch = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for name in ["a.json", "a.pdf", "b.json", "other.pdf", "c/report.json", "c/scan.png", "c/notes.txt"] {
            touch(name);
        }
        let found = jobs(&[dir.path().to_owned()]).unwrap();
        let told: Vec<_> = found.iter().map(|job| (job.name.as_str(), job.attachments.len())).collect();
        assert_eq!(told, [("a", 1), ("b", 0), ("c", 1)]);
    }

    #[test]
    fn one_report_takes_attachments_that_can_be_shown_and_no_second_report() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| {
            let path = dir.path().join(name);
            fs::write(&path, "").unwrap();
            path
        };
        let (report, scan, other) = (path("a.json"), path("s.pdf"), path("b.json"));
        assert_eq!(jobs(&[report.clone(), scan]).unwrap()[0].attachments.len(), 1);
        assert!(jobs(&[report.clone(), other]).is_err());
        assert!(jobs(&[report, path("x.exe")]).is_err());
    }
}
