//! The writing side: limits how long an answer waits for the client, and lets the next request in.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::limits::{HEAD_TIMEOUT, KEEP_ALIVE, WRITE_TIMEOUT};
use super::request_tracker::{Phase, RequestState};
use super::{AbortReason, Body, Connection};

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The server answers without the application only what is not HTTP.
        if matches!(self.request.state().phase, Phase::Head | Phase::Parsing) {
            self.record(AbortReason::Malformed);
        }
        self.answer = self.answer.max(bytes.len());
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if written.is_ready() {
            return written;
        }
        if !self.is_write_blocked {
            self.is_write_blocked = true;
            self.deadline.set(WRITE_TIMEOUT, cx);
        } else if self.deadline.is_expired(cx) {
            return Poll::Ready(self.abort(AbortReason::WriteTimeout));
        }
        self.reserve_memory()?;
        Poll::Pending
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The server flushes when everything is written.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.answer = 0;
        self.is_write_blocked = false;
        let RequestState { phase, body } = self.request.state();
        match phase {
            Phase::Answered => self.next_request(body, cx),
            // The parser needs more than this head, and more does not come by itself.
            Phase::Parsing => self.deadline.set(HEAD_TIMEOUT, cx),
            Phase::Running if !body.is_complete() && !self.ahead.is_empty() => {
                cx.waker().wake_by_ref();
            }
            _ => {}
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connection {
    /// The answer is written. The task is woken for what was read ahead, as no further byte need
    /// arrive.
    fn next_request(&mut self, body: Body, cx: &mut Context<'_>) {
        self.body = 0;
        if body.is_complete() {
            self.request.set(Phase::Head, body);
            self.deadline.set(KEEP_ALIVE, cx);
        } else {
            self.request.set(Phase::Draining, body);
            self.deadline.set(HEAD_TIMEOUT, cx);
        }
        self.reservation.release();
        if !self.ahead.is_empty() {
            cx.waker().wake_by_ref();
        }
    }
}
