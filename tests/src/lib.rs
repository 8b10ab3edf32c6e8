//! End to end: a real relay, real Chromium, a real ledger.
