//! The reading side: hands the server the bytes of one request, and no more.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::limits::{
    HEAD_TIMEOUT, HEAD_TIMEOUT_RESPONSE, HEAD_TOO_LARGE_RESPONSE, KEEP_ALIVE, LOOK_AHEAD, MAX_BODY,
    MAX_HEAD, MAX_LINES,
};
use super::request_tracker::{Phase, RequestState};
use super::{AbortReason, Body, Connection, Head};

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_refused {
            return self.poll_refused(cx);
        }
        let state = self.request.state();
        match state.phase {
            Phase::Head => self.poll_head(cx, buf),
            Phase::Draining => self.poll_body(cx, buf, state),
            Phase::Running if !state.body.is_complete() && self.body < MAX_BODY => {
                self.poll_body(cx, buf, state)
            }
            Phase::Parsing | Phase::Running | Phase::Answered => self.poll_ahead(cx, buf),
        }
    }
}

impl Connection {
    /// Reads the bytes that `part` assigns to the current request, and buffers the others.
    fn poll_part(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        part: impl FnOnce(&mut Self, &[u8]) -> usize,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
            let new = &buf.filled()[before..];
            let own = part(self, new);
            self.ahead.store(&new[own..]);
            buf.set_filled(before + own);
        } else {
            let mut ahead = std::mem::take(&mut self.ahead);
            ahead.take_into(buf, |bytes| part(self, bytes));
            self.ahead = ahead;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let mut is_whole = false;
        let read = self.poll_part(cx, buf, |connection, bytes| {
            let (own, has_ended) = connection.head.advance(bytes);
            is_whole = has_ended;
            own
        });
        if read.is_pending() {
            return if self.deadline.is_expired(cx) {
                self.head_timed_out(cx)
            } else {
                Poll::Pending
            };
        }
        if self.head.length > MAX_HEAD || self.head.lines > MAX_LINES {
            buf.set_filled(before);
            return self.refuse(AbortReason::HeadTooLarge, HEAD_TOO_LARGE_RESPONSE, cx);
        }
        if is_whole {
            self.head = Head::default();
            self.request.set(Phase::Parsing, Body::Complete);
            self.deadline.clear();
        } else if buf.filled().len() > before {
            self.deadline.shorten(HEAD_TIMEOUT, cx);
        }
        self.reserve_memory()?;
        read
    }

    fn head_timed_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.head.length > 0 {
            return self.refuse(AbortReason::HeadTimeout, HEAD_TIMEOUT_RESPONSE, cx);
        }
        // To the server it is as if the client had closed the connection.
        Poll::Ready(Ok(()))
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        RequestState { phase, mut body }: RequestState,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = self.poll_part(cx, buf, |_, bytes| body.advance(bytes));
        if read.is_pending() {
            // The application has a timeout of its own.
            if phase == Phase::Draining && self.deadline.is_expired(cx) {
                return Poll::Ready(Ok(()));
            }
            return Poll::Pending;
        }
        if phase == Phase::Draining && body.is_complete() {
            self.request.set(Phase::Head, body);
            self.deadline.set(KEEP_ALIVE, cx);
        } else {
            self.request.set(phase, body);
        }
        if phase == Phase::Running {
            self.body += buf.filled().len() - before;
        }
        self.reserve_memory()?;
        read
    }

    /// Notices that the client has closed the connection. The server gets no bytes: it is busy with
    /// the request before.
    fn poll_ahead(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            return Poll::Pending;
        }
        let mut little = buf.take(LOOK_AHEAD);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut little))?;
        if little.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.ahead.store(little.filled());
        Poll::Pending
    }

    /// Discards what a refused client still sends.
    pub(super) fn poll_refused(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scrap = [0; LOOK_AHEAD];
        loop {
            let mut scrap = ReadBuf::new(&mut scrap);
            match Pin::new(&mut self.stream).poll_read(cx, &mut scrap)? {
                Poll::Ready(()) if scrap.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(()) => {}
                Poll::Pending if self.deadline.is_expired(cx) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
