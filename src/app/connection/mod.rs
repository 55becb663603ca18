//! A client's connection, as the HTTP server reads from it and writes to it. Whatever the client
//! does, a connection holds little memory, and not for long.
//!
//! actix reads as much as a client sends, up to 128 KiB, queues every request in it, and waits for
//! ever for a client that does not read. So the connection hands the server one request at a time,
//! and the next one when the answer is written. A head has a longest size and a time to arrive, an
//! answer has a time to be read. actix's own timeouts are off: they cover the first head only, and
//! check the clock before the socket, so that a process that was stopped for a while disconnects
//! clients that have sent everything in time.

mod aborts;
mod accept;
mod address_limiter;
mod deadline;
mod framing;
mod limits;
mod memory_pool;
mod read;
mod read_ahead;
mod request_tracker;
mod write;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;

use self::aborts::AbortReason;
pub(super) use self::aborts::AbortRecorder;
pub(super) use self::accept::AcceptLimiter;
use self::address_limiter::ConnectionSlot;
use self::deadline::Deadline;
pub(super) use self::framing::Body;
use self::framing::Head;
pub(super) use self::limits::LINGER;
use self::limits::{HEAD_TIMEOUT, MEMORY_FACTOR, UNMETERED};
use self::memory_pool::Reservation;
use self::read_ahead::ReadAhead;
pub(super) use self::request_tracker::RequestTracker;

/// A connection. `read` and `write` hold its two directions.
pub(super) struct Connection {
    stream: TcpStream,
    request: RequestTracker,
    head: Head,
    ahead: ReadAhead,
    /// Bytes of the current body so far.
    body: usize,
    /// Bytes of the answer, all of which are kept until the client has read the last one.
    answer: usize,
    is_write_blocked: bool,
    deadline: Deadline,
    /// The client was refused here, and what it still sends is discarded.
    is_refused: bool,
    is_recorded: bool,
    reservation: Reservation,
    aborts: Arc<AbortRecorder>,
    /// Freed when the connection ends.
    _slot: Option<ConnectionSlot>,
}

impl Connection {
    /// Must be called within a Tokio runtime.
    fn new(
        stream: TcpStream,
        reservation: Reservation,
        aborts: &Arc<AbortRecorder>,
        slot: Option<ConnectionSlot>,
    ) -> Self {
        Self {
            stream,
            request: RequestTracker::default(),
            head: Head::default(),
            ahead: ReadAhead::default(),
            body: 0,
            answer: 0,
            is_write_blocked: false,
            deadline: Deadline::new(HEAD_TIMEOUT),
            is_refused: false,
            is_recorded: false,
            reservation,
            aborts: Arc::clone(aborts),
            _slot: slot,
        }
    }

    /// Where the server reports the progress of a request.
    pub(super) fn request(&self) -> RequestTracker {
        self.request.clone()
    }

    /// Answers in the server's place, and closes the connection soon. Nothing else waits to be
    /// written, so the answer fits into the socket's buffer.
    fn refuse(
        &mut self,
        reason: AbortReason,
        answer: &'static [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.record(reason);
        let _ = Pin::new(&mut self.stream).poll_write(cx, answer);
        let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.is_refused = true;
        self.ahead = ReadAhead::default();
        self.reservation.release();
        self.deadline.set(LINGER, cx);
        self.poll_refused(cx)
    }

    /// Reserves the memory that this connection makes the service keep. Most keep too little to be
    /// counted.
    fn reserve_memory(&mut self) -> io::Result<()> {
        let kept = self.head.length + self.ahead.size() + self.body + self.answer;
        let metered = (kept * MEMORY_FACTOR).saturating_sub(UNMETERED);
        if self.reservation.resize(metered) {
            return Ok(());
        }
        self.abort(AbortReason::Memory)
    }

    /// Ends the connection at once, and has the kernel drop what the client has not read.
    fn abort<T>(&mut self, reason: AbortReason) -> io::Result<T> {
        self.record(reason);
        let _ = self.stream.set_zero_linger();
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Records the first reason of a connection.
    fn record(&mut self, reason: AbortReason) {
        if !self.is_recorded {
            self.is_recorded = true;
            let peer = self.stream.peer_addr().ok();
            self.aborts.record(reason, peer.map(|peer| peer.ip()));
        }
    }
}
