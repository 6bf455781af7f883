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
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Code, Status};
use tower_layer::Layer;
use tower_service::Service;
use tracing::{Instrument, Span};

use crate::{
    options::{Limits, SHED_RETRY},
    request_id::{HEADER, RequestId},
    status,
    tally::Tally,
};

/// The calls that last; all others are answered within the time limit.
const LASTING: [&str; 10] = [
    "/pegcount.v1.IngestService/StreamFacts",
    "/pegcount.v1.IngestService/ImportContacts",
    "/pegcount.v1.IngestService/ImportTickets",
    "/pegcount.v1.KpiService/WatchKpi",
    "/pegcount.v1.LogService/SubscribeLog",
    "/pegcount.v1.LogService/Consume",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/pegcount.v1.WallboardService/WatchView",
];

/// Lasting calls of services that are not ours and know nothing of shutdown: the guard ends them.
const FOREIGN: [&str; 2] = ["/grpc.health.", "/grpc.reflection."];

/// The places that there are.
pub(crate) struct Guard {
    limits: Limits,
    closing: CancellationToken,
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    tally: Tally,
}

impl Guard {
    pub(crate) fn new(limits: Limits, closing: CancellationToken) -> Self {
        Self {
            limits,
            closing,
            calls: Arc::new(Semaphore::new(limits.calls_max.min(Semaphore::MAX_PERMITS))),
            streams: Arc::new(Semaphore::new(limits.streams_max.min(Semaphore::MAX_PERMITS))),
            tally: Tally::default(),
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

/// Puts every route behind the guard.
#[derive(Clone)]
pub(crate) struct GuardLayer(Arc<Guard>);

impl GuardLayer {
    pub(crate) fn new(guard: Guard) -> Self {
        Self(Arc::new(guard))
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: Arc::clone(&self.0), inner }
    }
}

/// A route behind the guard.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    guard: Arc<Guard>,
    inner: S,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let visit = Visit::begin(&self.guard, &request);
        match self.guard.place(visit.lasting) {
            Ok(place) => {
                let answer = visit.span.in_scope(|| self.inner.call(request));
                Box::pin(visit.answered(place, answer))
            }
            Err(status) => {
                let response = visit.end(refused(status, visit.grpc()));
                Box::pin(std::future::ready(Ok(response)))
            }
        }
    }
}

/// One request on its way through.
struct Visit {
    guard: Arc<Guard>,
    started: Instant,
    id: RequestId,
    span: Span,
    lasting: bool,
    /// The path, if it is a gRPC call.
    method: Option<String>,
    /// See [`Held`].
    ends: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Visit {
    fn begin<B>(guard: &Arc<Guard>, request: &Request<B>) -> Self {
        let path = request.uri().path();
        let ends = FOREIGN.iter().any(|prefix| path.starts_with(prefix));
        let id = RequestId::of(request.headers());
        Self {
            guard: Arc::clone(guard),
            started: Instant::now(),
            span: tracing::info_span!("request", %id, path),
            id,
            lasting: LASTING.contains(&path),
            method: is_grpc(request.headers()).then(|| path.to_owned()),
            ends: ends.then(|| Box::pin(guard.closing.clone().cancelled_owned())),
        }
    }

    fn grpc(&self) -> bool {
        self.method.is_some()
    }

    async fn answered<E>(
        mut self,
        place: OwnedSemaphorePermit,
        answer: impl Future<Output = Result<Response, E>>,
    ) -> Result<Response, E> {
        let answer = answer.instrument(self.span.clone());
        let limit = self.guard.limits.call_timeout;
        let answered =
            if self.lasting { Ok(answer.await) } else { tokio::time::timeout(limit, answer).await };
        let response = match answered {
            Ok(response) => {
                let ends = self.ends.take();
                response?.map(|body| Body::new(Held { body, ends, _place: place }))
            }
            Err(_) => refused(status::too_slow(limit), self.grpc()),
        };
        Ok(self.end(response))
    }

    /// What every answer gets, and a note of it.
    fn end(&self, mut response: Response) -> Response {
        if self.grpc() {
            response = with_promised_code(response);
        }
        if let Some(value) = self.id.header_value() {
            response.headers_mut().insert(HEADER, value);
        }
        if let Some(method) = &self.method {
            // A code in the headers is a refusal; an answer's code comes with its trailers.
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            let elapsed = self.started.elapsed();
            self.span.in_scope(|| tracing::debug!(?code, elapsed_us = elapsed.as_micros(), "answered"));
            self.guard.tally.count(method, code, (!self.lasting).then_some(elapsed));
        }
        response
    }
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
