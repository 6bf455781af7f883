//! What every request passes first: an id, a span, a place among the many, a time limit if it is no lasting stream.
//!
//! Not for who may do what: that is `access`. Invariant: a place is held until the last byte of the answer is sent,
//! so the limits hold over all connections, streams included.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Code, Status};
use tracing::Instrument;

use crate::{
    options::{Limits, SHED_RETRY},
    request_id::{HEADER, RequestId},
    status,
};

/// The calls that last; all others are answered within the time limit.
const LASTING: [&str; 9] = [
    "/pegcount.v1.IngestService/StreamFacts",
    "/pegcount.v1.IngestService/ImportContacts",
    "/pegcount.v1.KpiService/WatchKpi",
    "/pegcount.v1.LogService/SubscribeLog",
    "/pegcount.v1.LogService/Consume",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    crate::http::LIVE_PATH,
];

/// Lasting calls of services that are not ours and know nothing of shutdown: the guard ends them.
const FOREIGN: [&str; 2] = ["/grpc.health.", "/grpc.reflection."];

/// The places that there are.
pub(crate) struct Guard {
    limits: Limits,
    closing: CancellationToken,
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Guard {
    pub(crate) fn new(limits: Limits, closing: CancellationToken) -> Self {
        Self {
            limits,
            closing,
            calls: Arc::new(Semaphore::new(limits.calls_max.min(Semaphore::MAX_PERMITS))),
            streams: Arc::new(Semaphore::new(limits.streams_max.min(Semaphore::MAX_PERMITS))),
        }
    }

    fn place(&self, lasting: bool) -> Result<OwnedSemaphorePermit, Status> {
        let (places, what, limit) = if lasting {
            (&self.streams, "streams", self.limits.streams_max)
        } else {
            (&self.calls, "calls", self.limits.calls_max)
        };
        Arc::clone(places).try_acquire_owned().map_err(|_| {
            metrics::counter!("pegcount_shed_requests_total", "what" => what).increment(1);
            status::shed(what, limit)
        })
    }
}

/// The middleware around every route.
pub(crate) async fn pass(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let path = request.uri().path();
    let lasting = LASTING.contains(&path);
    let ends = FOREIGN.iter().any(|prefix| path.starts_with(prefix));
    let ends = ends.then(|| Box::pin(guard.closing.clone().cancelled_owned()));
    let grpc = is_grpc(request.headers());
    let method = grpc.then(|| path.to_owned());
    let id = RequestId::of(request.headers());
    let span = tracing::info_span!("request", %id, path);
    request.extensions_mut().insert(id.clone());

    let mut response = match guard.place(lasting) {
        Err(status) => refused(status, grpc),
        Ok(place) => {
            let answer = next.run(request).instrument(span.clone());
            let answered = if lasting {
                Ok(answer.await)
            } else {
                tokio::time::timeout(guard.limits.call_timeout, answer).await
            };
            match answered {
                Ok(response) => response.map(|body| Body::new(Held { body, ends, _place: place })),
                Err(_) => refused(status::too_slow(guard.limits.call_timeout), grpc),
            }
        }
    };
    if grpc {
        response = with_promised_code(response);
    }
    if let Some(value) = id.header_value() {
        response.headers_mut().insert(HEADER, value);
    }
    if let Some(method) = method {
        note(&span, method, &response, started, lasting);
    }
    response
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/grpc"))
}

/// A refusal in the caller's own protocol.
fn refused(status: Status, grpc: bool) -> Response {
    if grpc {
        return status.into_http::<Body>().map(|_| Body::empty());
    }
    let code = if status.code() == Code::DeadlineExceeded {
        StatusCode::GATEWAY_TIMEOUT
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let retry = [(header::RETRY_AFTER, SHED_RETRY.as_secs().to_string())];
    (code, retry, status.message().to_owned()).into_response()
}

/// tonic refuses an oversized message before any service sees it, with a code that the contract does not promise.
fn with_promised_code(response: Response) -> Response {
    match Status::from_header_map(response.headers()) {
        Some(status) if status::is_too_long(status.code(), status.message()) => {
            refused(status::of_transport(status), true)
        }
        _ => response,
    }
}

fn note(span: &tracing::Span, method: String, response: &Response, started: Instant, lasting: bool) {
    // A code in the headers is a refusal; an answer's code comes with its trailers.
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    let known = code != Code::Unimplemented;
    let method = if known { method } else { "unknown".to_owned() };
    span.in_scope(|| tracing::debug!(?code, elapsed_us = started.elapsed().as_micros(), "answered"));
    let code = format!("{code:?}");
    metrics::counter!("pegcount_requests_total", "method" => method.clone(), "code" => code).increment(1);
    if !lasting {
        metrics::histogram!("pegcount_request_seconds", "method" => method)
            .record(started.elapsed().as_secs_f64());
    }
}

/// A body that keeps its place until it is sent or dropped.
struct Held {
    body: Body,
    /// If set, the stream is ended when this comes.
    ends: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.ends.as_mut().is_some_and(|ends| ends.as_mut().poll(context).is_ready()) {
            self.ends = None;
            self.body = Body::empty();
            let trailers = status::shutting_down().into_http::<Body>().into_parts().0.headers;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
