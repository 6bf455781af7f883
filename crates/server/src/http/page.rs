//! `/`: the live page. One file, nothing from outside, no data in it: it signs in by itself.

use std::fmt::Write;

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

const PAGE: &str = include_str!("live.html");
/// Where the page wants its nonce.
const NONCE: &str = "NONCE_HERE";

pub(super) async fn page() -> Response {
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "no randomness for the page's nonce").into_response();
    }
    let nonce = random.iter().fold(String::new(), |mut nonce, byte| {
        // Writing to a string cannot fail.
        let _ = write!(nonce, "{byte:02x}");
        nonce
    });
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers: [(HeaderName, String); 6] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::X_FRAME_OPTIONS, "DENY".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (headers, PAGE.replace(NONCE, &nonce)).into_response()
}
