//! Security headers of every response (DESIGN §6), and the wider `connect-src` of the scripts that speak to relays.

use crate::post::Post;
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// The modules of the workers that speak to relays. A worker obeys the policy of its own response.
pub const REACHING: [&str; 2] = ["/engine.js", "/peer.js"];

const FIXED: [(&str, &str); 5] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(self)"),
];

/// The policy with what may be connected to beside the page's own origin.
pub fn policy(connect: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'{connect}; \
         style-src 'self'; img-src 'self' blob: data:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}

/// Adds the headers to every response, errors included.
pub async fn add(State(post): State<Post>, request: Request, next: Next) -> Response {
    let reaching = REACHING.contains(&request.uri().path());
    let connect = if reaching { post.origins.connect_sources(&post.others) } else { String::new() };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let policy = policy(&connect);
    let policy = HeaderValue::from_str(&policy).expect("origins were parsed and are ASCII");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
