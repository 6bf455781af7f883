//! `/` and `/assets/…`: the wallboard's page. No data in it: it signs in by itself, and asks by gRPC-web.
//!
//! Invariant: the page may load nothing from elsewhere and run no script but its own.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use pegcount_wallboard::{Asset, Form, Keep};

/// What the page may do; `data:` is its icon.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page itself.
pub(super) async fn page(headers: HeaderMap) -> Response {
    answer("index.html", &headers)
}

/// What it is made of.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&format!("assets/{name}"), &headers)
}

fn answer(path: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = pegcount_wallboard::find(path) else {
        let words = "there is no such file; the page is at /, and reloading it loads what it needs\n";
        return (StatusCode::NOT_FOUND, words).into_response();
    };
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = asset.form(text(header::ACCEPT_ENCODING));
    let etag = asset.etag(form);
    if text(header::IF_NONE_MATCH).split(',').any(|known| known.trim().trim_start_matches("W/") == etag) {
        return with_headers(StatusCode::NOT_MODIFIED, asset, form, Body::empty());
    }
    with_headers(StatusCode::OK, asset, form, Body::from(asset.bytes(form)))
}

fn with_headers(code: StatusCode, asset: &Asset, form: Form, body: Body) -> Response {
    let keep = match asset.keep {
        Keep::Forever => "public, max-age=31536000, immutable",
        Keep::AskAgain => "no-cache",
    };
    let fixed: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, keep),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut response = (code, fixed, body).into_response();
    if let Ok(etag) = HeaderValue::try_from(asset.etag(form)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    if let Some(encoding) = form.content_encoding() {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}
