//! The patient's part of the engine.

use crate::engine::Engine;
use std::rc::Rc;
use suishen_bridge::{Action, Fault, PatientRequest, PatientResponse};

/// What this worker holds for the patient while it runs.
#[derive(Debug, Default)]
pub struct Session {}

impl Session {
    /// Answers one request.
    pub async fn answer(
        &self,
        _engine: &Rc<Engine>,
        _task: u32,
        _request: PatientRequest,
        _bytes: Option<Vec<u8>>,
    ) -> Result<(PatientResponse, Option<Vec<u8>>), Fault> {
        Err(Fault::new("request", Action::Nothing))
    }

    /// Asks the relays for everything that this part watches.
    pub async fn refresh(&self, _engine: &Rc<Engine>) -> Result<(), Fault> {
        Ok(())
    }

    /// Forgets all secrets.
    pub fn lock(&self) {}
}
