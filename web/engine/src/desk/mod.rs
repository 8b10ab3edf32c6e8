//! The desks' part of the engine: hospital (issue), doctor (read), insurer (read and settle), auditor.

mod audit;
mod fees;
mod issue;
mod line;
mod offer;
mod person;
mod read;
mod settle;
mod void;

pub use issue::open_delivery;
pub use read::series;

use crate::engine::Engine;
use crate::worker::tell;
use std::rc::Rc;
use suishen_bridge::{Action, DeskRequest, DeskResponse, Event, Fault, Topic};
use suishen_core::qr::{Scanned, scan};

/// What this worker holds for a desk while it runs.
#[derive(Debug, Default)]
pub struct Session {
    prepared: issue::Prepared,
    open: read::Open,
    lines: line::Lines,
    audit: audit::Keys,
}

impl Session {
    /// Answers one request.
    pub async fn answer(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        request: DeskRequest,
        bytes: Option<Vec<u8>>,
    ) -> Result<(DeskResponse, Option<Vec<u8>>), Fault> {
        let response = match request {
            DeskRequest::Desk => {
                let person = person::Person::load(engine.store().await?).await?;
                DeskResponse::Desk(person.map(|p| p.desk()))
            }
            DeskRequest::Enrol { text } => {
                DeskResponse::Desk(Some(person::Person::enrol(engine, &text).await?.desk()))
            }
            DeskRequest::Preview
            | DeskRequest::Attach { .. }
            | DeskRequest::Clear
            | DeskRequest::Issue { .. }
            | DeskRequest::Issued
            | DeskRequest::Cancel { .. }
            | DeskRequest::Void { .. } => self.at_hospital(engine, task, request, bytes).await?,
            DeskRequest::Accept { text } => match scan(&text) {
                Ok(Scanned::Consent { offer, .. }) => {
                    DeskResponse::Offer(offer::accept(engine, &self.open, *offer, None).await?)
                }
                Ok(Scanned::Live { .. }) => DeskResponse::Live,
                _ => return Err(Fault::new("not-a-consent", Action::AskPatient)),
            },
            DeskRequest::Ask { text, wants } => {
                DeskResponse::Offer(self.lines.ask(engine, &self.open, &text, wants).await?)
            }
            DeskRequest::HangUp => {
                self.lines.hang_up();
                DeskResponse::Done
            }
            DeskRequest::Offers => DeskResponse::Offers(offer::offers(engine, &self.open).await?),
            DeskRequest::Read { share } => {
                let reading = read::read(engine, task, (&self.open, &self.lines), &share).await?;
                DeskResponse::Reading(Box::new(reading))
            }
            DeskRequest::Reading { share } => {
                DeskResponse::Reading(Box::new(settle::reading(engine, &self.open, &share).await?))
            }
            DeskRequest::File { share, record, part } => {
                let (name, media_type, bytes) = self.open.file(&share, record, part)?;
                return Ok((DeskResponse::File { name, media_type }, Some(bytes)));
            }
            DeskRequest::Settle { share, amount, reason } => {
                let reading = settle::settle(engine, &self.open, &share, &amount, &reason).await?;
                DeskResponse::Reading(Box::new(reading))
            }
            DeskRequest::TakeBack { share, why, words } => {
                let reading = settle::take_back(engine, &self.open, &share, why, &words).await?;
                reading.map_or(DeskResponse::Done, |reading| DeskResponse::Reading(Box::new(reading)))
            }
            DeskRequest::Settled => DeskResponse::Settled(settle::settled(engine, &self.open).await?),
            DeskRequest::Audit(request) => {
                let (response, file) = self.audit.answer(engine, task, request, bytes).await?;
                return Ok((DeskResponse::Audit(response), file));
            }
            DeskRequest::Close { share } => {
                self.open.close(&share);
                DeskResponse::Done
            }
        };
        Ok((response, None))
    }

    /// Answers what only a hospital's desk asks.
    async fn at_hospital(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        request: DeskRequest,
        bytes: Option<Vec<u8>>,
    ) -> Result<DeskResponse, Fault> {
        let not_ours = || Fault::new("request", Action::Nothing);
        let file = |bytes: Option<Vec<u8>>| bytes.ok_or_else(not_ours);
        Ok(match request {
            DeskRequest::Preview => DeskResponse::Preview(Box::new(self.prepared.preview(file(bytes)?)?)),
            DeskRequest::Attach { name, media_type } => {
                DeskResponse::Preview(Box::new(self.prepared.attach(name, media_type, file(bytes)?)?))
            }
            DeskRequest::Clear => {
                self.prepared.clear();
                DeskResponse::Done
            }
            DeskRequest::Issue { sensitive, identity, corrects } => {
                let identity = identity.map(|text| identity_of(&text)).transpose()?;
                let way = issue::Way { sensitive, identity, corrects };
                let issued = issue::issue(engine, task, &self.prepared, way).await?;
                tell(&Event::Changed(Topic::Desk));
                DeskResponse::Issued(Box::new(issued))
            }
            DeskRequest::Issued => DeskResponse::IssuedList(issue::issued(engine).await?),
            DeskRequest::Cancel { report, why } => {
                issue::cancel(engine, &report, why).await?;
                DeskResponse::Done
            }
            DeskRequest::Void { report, on_paper, words } => {
                issue::void(engine, &report, on_paper, &words).await?;
                tell(&Event::Changed(Topic::Desk));
                DeskResponse::Done
            }
            _ => return Err(not_ours()),
        })
    }

    /// Forgets all content.
    pub fn lock(&self) {
        self.prepared.clear();
        self.open.close_all();
        self.lines.close_all();
        self.audit.forget();
    }
}

fn identity_of(text: &str) -> Result<suishen_core::qr::IdentityOffer, Fault> {
    match scan(text) {
        Ok(Scanned::Identity { identity, .. }) => Ok(*identity),
        Ok(_) => Err(Fault::new("not-an-identity", Action::ScanAgain)),
        Err(error) => Err(Fault::new(error.sentence(), Action::ScanAgain)),
    }
}
