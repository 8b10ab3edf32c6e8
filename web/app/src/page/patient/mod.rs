//! The patient's phone.

mod embedded;
mod identity;
mod incoming;
mod log_row;
mod protect;
mod readers;
mod record;
mod records;
mod recovery;
mod restore;
mod revoke_sheet;
mod root;
mod scan;
mod settings;
mod share_sheet;
mod show;
mod status;
mod tag_sheet;
mod unlock;
mod welcome;

pub use root::PatientRoot;
