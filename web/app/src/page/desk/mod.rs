//! The desks: hospital, doctor, insurer, auditor.

mod ask;
mod audit;
mod auditor;
mod claim_card;
mod doctor;
mod enrol;
mod frame;
mod history;
mod hospital;
mod issued_list;
mod offer_list;
mod prepare;
mod reading;
mod settled;
mod ticket;
mod void_sheet;

pub use auditor::AuditorDesk;
pub use doctor::{INSURER, ReadingDesk};
pub use hospital::HospitalDesk;
