//! A service of which one call answers with messages that are encoded already.
//!
//! A generated service encodes each answer for each caller. What many callers are told alike is encoded once instead, and
//! that call alone is answered here. Invariant: the bytes that `answer` gives are messages of the call's answer type.

use std::{
    convert::Infallible,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use axum::http::{Request, Response};
use bytes::{BufMut, Bytes};
use prost::Message;
use tonic::{
    Status,
    body::Body,
    codec::{Codec, EncodeBuf, Encoder},
    server::{Grpc, NamedService, ServerStreamingService},
};
use tonic_prost::ProstCodec;
use tower_service::Service;

use super::{Answers, Room};
use crate::options::MESSAGE_BYTES_MAX;

/// Answers a call with a stream of encoded messages.
pub(super) type Answer<R> = fn(Room, tonic::Request<R>) -> Result<Answers<Bytes>, Status>;

/// A generated service, one call of it apart.
pub(super) struct EncodedCall<S, R> {
    path: &'static str,
    room: Room,
    answer: Answer<R>,
    rest: S,
}

impl<S, R> EncodedCall<S, R> {
    /// `rest`, but that `answer` answers the call of this path.
    pub(super) fn new(path: &'static str, room: Room, answer: Answer<R>, rest: S) -> Self {
        Self { path, room, answer, rest }
    }
}

// Derived, it would ask for a request that can be cloned.
impl<S: Clone, R> Clone for EncodedCall<S, R> {
    fn clone(&self) -> Self {
        Self { path: self.path, room: self.room.clone(), answer: self.answer, rest: self.rest.clone() }
    }
}

impl<S: NamedService, R> NamedService for EncodedCall<S, R> {
    const NAME: &'static str = S::NAME;
}

impl<S, R> Service<Request<Body>> for EncodedCall<S, R>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
    R: Message + Default + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.rest.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() != self.path {
            return Box::pin(self.rest.call(request));
        }
        let answering = Answering { room: self.room.clone(), answer: self.answer };
        Box::pin(async move {
            let mut grpc = Grpc::new(EncodedCodec::<R>::new()).max_decoding_message_size(MESSAGE_BYTES_MAX);
            Ok(grpc.server_streaming(answering, request).await)
        })
    }
}

struct Answering<R> {
    room: Room,
    answer: Answer<R>,
}

impl<R: Message + Default + 'static> ServerStreamingService<R> for Answering<R> {
    type Response = Bytes;
    type ResponseStream = Answers<Bytes>;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<R>) -> Self::Future {
        let answer = (self.answer)(self.room.clone(), request).map(tonic::Response::new);
        Box::pin(std::future::ready(answer))
    }
}

/// Answers that are encoded already; requests of the type `R`.
struct EncodedCodec<R>(PhantomData<fn() -> R>);

impl<R> EncodedCodec<R> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

/// Writes bytes as they are.
struct AsTheyAre;

impl Encoder for AsTheyAre {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl<R: Message + Default + 'static> Codec for EncodedCodec<R> {
    type Encode = Bytes;
    type Decode = R;
    type Encoder = AsTheyAre;
    type Decoder = <ProstCodec<(), R> as Codec>::Decoder;

    fn encoder(&mut self) -> AsTheyAre {
        AsTheyAre
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<(), R>::default().decoder()
    }
}
