//! What a browser's console said: errors fail a scene.

use thirtyfour::BrowserLogEntry;

/// The complaints among these entries, as lines.
///
/// An answer of `/v1` or `/p2p` that is an HTTP error is not one: refusals are what many scenes are about, and the page
/// has to show them. Everything else of level SEVERE is: an exception, an error printed by code, a file that did not
/// load, and all that the content security policy stopped.
pub fn complaints(entries: &[BrowserLogEntry]) -> Vec<String> {
    entries
        .iter()
        .filter(|entry| entry.level.as_str() == "SEVERE" || entry.message.contains("Content Security Policy"))
        .filter(|entry| !is_refusal(entry))
        .map(|entry| format!("{}: {}", entry.source.as_deref().unwrap_or_default(), entry.message))
        .collect()
}

/// Whether a complaint is what a browser says of a relay that is not running, or that ended in the middle of an answer.
pub fn is_of_an_ended_relay(line: &str) -> bool {
    let cut = [
        "net::ERR_CONNECTION_",
        "net::ERR_EMPTY_RESPONSE",
        "net::ERR_SOCKET_NOT_CONNECTED",
        "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
        "WebSocket connection",
    ];
    cut.iter().any(|text| line.contains(text))
}

fn is_refusal(entry: &BrowserLogEntry) -> bool {
    let from_api = entry.message.contains("/v1/") || entry.message.contains("/p2p");
    entry.source.as_deref() == Some("network")
        && from_api
        && entry.message.contains("responded with a status of 4")
}
