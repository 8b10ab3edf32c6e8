//! What is unusual is unusual by the thresholds that were said, and by nothing else. Boxes are opened in
//! `tests/flow/audit.rs`, out of a whole story.
