//! The patient's phone.

mod add_sheet;
mod claim_sheet;
mod claims;
mod consult_sheet;
mod devices;
mod embedded;
mod identity;
mod incoming;
mod join;
mod log_row;
mod pairing;
mod protect;
mod readers;
mod record;
mod records;
mod recovery;
mod remove_sheet;
mod restore;
mod revoke_sheet;
mod root;
mod scan;
mod settings;
mod share_sheet;
mod show;
mod status;
mod sync;
mod tag_sheet;
mod unlock;
mod welcome;
mod whose;

pub use root::PatientRoot;
