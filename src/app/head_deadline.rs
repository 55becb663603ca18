//! A connection whose request heads must come to their end in time, the first as well as every later one.
//!
//! actix's own `client_request_timeout` covers the first head of a connection only: half a head on a kept connection would hold the
//! connection for as long as the client likes.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long a head may take from its first byte on. A browser sends it at once; only somebody who wants to hold connections is slow.
pub(super) const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// A stream that fails with [`io::ErrorKind::TimedOut`] once bytes have come and no request has come of them in time.
///
/// It runs neither while the connection is idle nor while a request is in hand, however long its answer takes. A request's body
/// counts as the beginning of the next head once the answer is written, so such a connection is kept for no longer than a head may take.
pub(super) struct HeadDeadline<S> {
    stream: S,
    in_hand: InHand,
    tail: Tail,
    deadline: Pin<Box<Sleep>>,
    is_running: bool,
}

impl<S> HeadDeadline<S> {
    /// Must be called within a Tokio runtime.
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            in_hand: InHand::default(),
            tail: Tail::default(),
            deadline: Box::pin(tokio::time::sleep(HEAD_DEADLINE)),
            is_running: false,
        }
    }

    /// Where the server says which time is its own.
    pub(super) fn in_hand(&self) -> InHand {
        self.in_hand.clone()
    }

    fn start(&mut self, cx: &mut Context<'_>) {
        self.deadline.as_mut().reset(Instant::now() + HEAD_DEADLINE);
        // Being polled once is what makes it wake the connection's task, should nothing else do so.
        self.is_running = self.deadline.as_mut().poll(cx).is_pending();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.in_hand.is_taken() {
            self.is_running = false;
        } else if self.is_running && self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.tail.follow(&buf.filled()[before..]);
        // Of a head that has come whole nothing more need come, so almost no request sets the clock.
        if self.tail.is_open && !self.is_running && !self.in_hand.is_taken() {
            self.start(cx);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadDeadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        // The answer is out. What came behind its request may be half of the next head, and the server has that already: no further
        // byte need come.
        if !self.in_hand.is_taken() {
            if self.tail.is_open || self.in_hand.has_chunks() {
                self.start(cx);
            } else {
                self.is_running = false;
            }
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Whether a request of this connection is in hand: its head has ended, its answer has not begun.
#[derive(Clone, Default)]
pub(super) struct InHand(Rc<Cell<Hand>>);

#[derive(Clone, Copy, Default)]
struct Hand {
    is_taken: bool,
    /// The request last taken has a body of unknown length.
    has_chunks: bool,
}

impl InHand {
    /// From now until the result is dropped. Of a body in chunks actix reads the rest behind the answer, and would wait for it for ever.
    pub(super) fn take(&self, has_chunks: bool) -> Taken {
        self.0.set(Hand {
            is_taken: true,
            has_chunks,
        });
        Taken(self.clone())
    }

    fn is_taken(&self) -> bool {
        self.0.get().is_taken
    }

    fn has_chunks(&self) -> bool {
        self.0.get().has_chunks
    }
}

/// A request in hand.
pub(super) struct Taken(InHand);

impl Drop for Taken {
    fn drop(&mut self) {
        let hand = &self.0.0;
        hand.set(Hand {
            is_taken: false,
            ..hand.get()
        });
    }
}

/// Where the bytes so far end: between two heads, or within one.
#[derive(Default)]
struct Tail {
    is_open: bool,
    /// Empty lines before a head do not end it.
    has_text: bool,
    is_line_empty: bool,
}

impl Tail {
    fn follow(&mut self, bytes: &[u8]) {
        // Almost every read ends exactly with a head, and then what it begins with does not matter.
        if let [.., last, b'\r', b'\n', b'\r', b'\n'] = bytes
            && !matches!(last, b'\r' | b'\n')
        {
            *self = Self::default();
            return;
        }
        for byte in bytes {
            match byte {
                b'\n' if self.has_text && self.is_line_empty => *self = Self::default(),
                b'\n' => (self.is_open, self.is_line_empty) = (true, true),
                b'\r' => self.is_open = true,
                _ => (self.is_open, self.has_text, self.is_line_empty) = (true, true, false),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tail;

    fn is_open(pieces: &[&str]) -> bool {
        let mut tail = Tail::default();
        for piece in pieces {
            tail.follow(piece.as_bytes());
        }
        tail.is_open
    }

    #[test]
    fn a_head_is_closed_by_an_empty_line_however_it_comes() {
        assert!(!is_open(&[]));
        assert!(!is_open(&["GET / HTTP/1.1\r\nHost: x\r\n\r\n"]));
        assert!(!is_open(&["GET / HTTP/1.1\r\n\r", "\n"]));
        assert!(!is_open(&["GET / HTTP/1.1\r\n", "\r\n"]));
        assert!(!is_open(&["GET / HTTP/1.1\n\n"]));
        assert!(!is_open(&[
            "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"
        ]));
        assert!(!is_open(&[
            "GET /a HTTP/1.1\r\n\r\nGE",
            "T /b HTTP/1.1\r\n\r\n"
        ]));
    }

    #[test]
    fn anything_behind_a_head_begins_the_next() {
        assert!(is_open(&["G"]));
        assert!(is_open(&["GET / HTTP/1.1\r\nHost: x\r\n"]));
        assert!(is_open(&["GET / HTTP/1.1\r\n\r\nGET"]));
        assert!(is_open(&["GET / HTTP/1.1\r\n\r\n\r\n"]));
        assert!(is_open(&["GET / HTTP/1.1\r\n\r\n", "\r\n\r\n"]));
        assert!(is_open(&["\r\n\r\n"]));
    }
}
