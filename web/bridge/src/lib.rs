//! The messages between interface and engine: all that the two share.
