//! A client's connection, as the HTTP server reads from it and writes to it: whatever the client
//! does, it holds little memory, and not for long.
//!
//! actix reads as much as a client sends, up to 128 KiB, queues every request in it, and waits for
//! ever for a client that does not read. So here the server gets one request at a time, and the
//! next when the answer to the one before is written; a head has a longest size and a time to
//! arrive, an answer a time to be read. actix's own deadlines are left off: they cover the first
//! head only, and look at the clock before the socket, so that a process that was stopped for a
//! while sends away whoever waited.

mod ahead;
mod bounds;
mod deadline;
mod framing;
mod in_hand;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use self::ahead::Ahead;
pub(super) use self::bounds::LINGER;
use self::bounds::{
    FREE, HEAD_TIME, HEAD_TIMEOUT, HEAD_TOO_LARGE, KEEP_ALIVE, LOOK_AHEAD, MAX_BODY, MAX_HEAD,
    WEIGHT, WRITE_TIME,
};
use self::deadline::Deadline;
pub(super) use self::framing::Body;
use self::framing::Head;
pub(super) use self::in_hand::InHand;
use self::in_hand::{Phase, State};
use super::budget::Share;
use super::cuts::{Cuts, Reason};
use super::peers::Place;

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
    in_hand: InHand,
    head: Head,
    ahead: Ahead,
    /// Bytes of the current body so far.
    body: usize,
    /// Bytes of the answer, all of which are kept until the client has taken the last one.
    answer: usize,
    is_waiting_for_reader: bool,
    deadline: Deadline,
    /// The client has been refused here, and whatever it still sends is thrown away.
    is_refused: bool,
    is_counted: bool,
    share: Share,
    cuts: Arc<Cuts>,
    /// Given back when the connection ends.
    _place: Option<Place>,
}

impl Connection {
    /// Must be called within a Tokio runtime.
    pub(super) fn new(
        stream: TcpStream,
        share: Share,
        cuts: &Arc<Cuts>,
        place: Option<Place>,
    ) -> Self {
        Self {
            stream,
            in_hand: InHand::default(),
            head: Head::default(),
            ahead: Ahead::default(),
            body: 0,
            answer: 0,
            is_waiting_for_reader: false,
            deadline: Deadline::new(HEAD_TIME),
            is_refused: false,
            is_counted: false,
            share,
            cuts: Arc::clone(cuts),
            _place: place,
        }
    }

    /// Where the server says how far a request is.
    pub(super) fn in_hand(&self) -> InHand {
        self.in_hand.clone()
    }

    /// Reads what `part` says belongs to the current request, and keeps the rest for later.
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
            self.ahead.keep(&new[own..]);
            buf.set_filled(before + own);
        } else {
            let mut ahead = std::mem::take(&mut self.ahead);
            ahead.hand_over(buf, |bytes| part(self, bytes));
            self.ahead = ahead;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let mut is_whole = false;
        let read = self.poll_part(cx, buf, |connection, bytes| {
            let (own, has_ended) = connection.head.follow(bytes);
            is_whole = has_ended;
            own
        });
        if read.is_pending() {
            return if self.deadline.is_over(cx) {
                self.give_up(cx)
            } else {
                Poll::Pending
            };
        }
        if self.head.length > MAX_HEAD {
            buf.set_filled(before);
            return self.refuse(Reason::HeadTooLarge, HEAD_TOO_LARGE, cx);
        }
        if is_whole {
            self.head = Head::default();
            self.in_hand.set(Phase::Parsing, Body::Over);
            self.deadline.stop();
        } else if buf.filled().len() > before {
            self.deadline.shorten(HEAD_TIME, cx);
        }
        self.weigh()?;
        read
    }

    /// No head has come in time.
    fn give_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.head.length > 0 {
            return self.refuse(Reason::HeadTimeout, HEAD_TIMEOUT, cx);
        }
        // To the server it is as if the client had closed the connection.
        Poll::Ready(Ok(()))
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        State { phase, mut body }: State,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = self.poll_part(cx, buf, |_, bytes| body.follow(bytes));
        if read.is_pending() {
            // The application has a patience of its own.
            if phase == Phase::Draining && self.deadline.is_over(cx) {
                return Poll::Ready(Ok(()));
            }
            return Poll::Pending;
        }
        if phase == Phase::Draining && body.is_over() {
            self.in_hand.set(Phase::Head, body);
            self.deadline.set(KEEP_ALIVE, cx);
        } else {
            self.in_hand.set(phase, body);
        }
        if phase == Phase::Running {
            self.body += buf.filled().len() - before;
        }
        self.weigh()?;
        read
    }

    /// Notices that the client has gone, and reads nothing for the server, which is at the request
    /// before.
    fn poll_ahead(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            return Poll::Pending;
        }
        let mut little = buf.take(LOOK_AHEAD);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut little))?;
        if little.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.ahead.keep(little.filled());
        Poll::Pending
    }

    /// An answer is written. What has come ahead is looked at now, as no further byte need come.
    fn next_request(&mut self, body: Body, cx: &mut Context<'_>) {
        self.body = 0;
        if body.is_over() {
            self.in_hand.set(Phase::Head, body);
            self.deadline.set(KEEP_ALIVE, cx);
        } else {
            self.in_hand.set(Phase::Draining, body);
            self.deadline.set(HEAD_TIME, cx);
        }
        self.share.give_back();
        if !self.ahead.is_empty() {
            cx.waker().wake_by_ref();
        }
    }

    /// Answers in the server's place, and lets go of the client soon. Nothing else waits to be
    /// written, so this finds room.
    fn refuse(
        &mut self,
        reason: Reason,
        answer: &'static [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.count(reason);
        let _ = Pin::new(&mut self.stream).poll_write(cx, answer);
        let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.is_refused = true;
        self.ahead = Ahead::default();
        self.share.give_back();
        self.deadline.set(LINGER, cx);
        self.poll_refused(cx)
    }

    fn poll_refused(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scrap = [0; LOOK_AHEAD];
        loop {
            let mut scrap = ReadBuf::new(&mut scrap);
            match Pin::new(&mut self.stream).poll_read(cx, &mut scrap)? {
                Poll::Ready(()) if scrap.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(()) => {}
                Poll::Pending if self.deadline.is_over(cx) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Counts what this connection makes the service keep. Most keep nothing worth counting.
    fn weigh(&mut self) -> io::Result<()> {
        let held = self.head.length + self.ahead.size() + self.body + self.answer;
        if self.share.hold((held * WEIGHT).saturating_sub(FREE)) {
            return Ok(());
        }
        self.cut(Reason::Memory)
    }

    /// Ends the connection at once, and has the kernel forget what the client has not read.
    fn cut<T>(&mut self, reason: Reason) -> io::Result<T> {
        self.count(reason);
        let _ = self.stream.set_zero_linger();
        Err(io::ErrorKind::TimedOut.into())
    }

    fn count(&mut self, reason: Reason) {
        if !self.is_counted {
            self.is_counted = true;
            let peer = self.stream.peer_addr().ok();
            self.cuts.count(reason, peer.map(|peer| peer.ip()));
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_refused {
            return self.poll_refused(cx);
        }
        let state = self.in_hand.state();
        match state.phase {
            Phase::Head => self.poll_head(cx, buf),
            Phase::Draining => self.poll_body(cx, buf, state),
            Phase::Running if !state.body.is_over() && self.body < MAX_BODY => {
                self.poll_body(cx, buf, state)
            }
            Phase::Parsing | Phase::Running | Phase::Answered => self.poll_ahead(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The application is not asked about what is no HTTP.
        if matches!(self.in_hand.state().phase, Phase::Head | Phase::Parsing) {
            self.count(Reason::Malformed);
        }
        self.answer = self.answer.max(bytes.len());
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if written.is_ready() {
            return written;
        }
        if !self.is_waiting_for_reader {
            self.is_waiting_for_reader = true;
            self.deadline.set(WRITE_TIME, cx);
        } else if self.deadline.is_over(cx) {
            return Poll::Ready(self.cut(Reason::WriteTimeout));
        }
        self.weigh()?;
        Poll::Pending
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The server flushes when all that it has to say is written.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.answer = 0;
        self.is_waiting_for_reader = false;
        let State { phase, body } = self.in_hand.state();
        match phase {
            Phase::Answered => self.next_request(body, cx),
            // The head has not satisfied the parser, and more of it does not come by itself.
            Phase::Parsing => self.deadline.set(HEAD_TIME, cx),
            Phase::Running if !body.is_over() && !self.ahead.is_empty() => {
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
