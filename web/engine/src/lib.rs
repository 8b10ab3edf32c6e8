//! The wallet engine (web worker): keys, vault, protocol.
