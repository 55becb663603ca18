//! Tracks a connection's current request: the server reports its progress to the stream that it
//! reads from.

use std::cell::Cell;
use std::rc::Rc;

use super::framing::Body;

/// How far a request has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head is awaited, or arriving.
    #[default]
    Head,
    /// The HTTP parser has the whole head, and has not called the application yet.
    Parsing,
    /// The application handles the request.
    Running,
    /// The application has answered. The answer may not be written yet.
    Answered,
    /// The answer is written, and the rest of the body is read and discarded.
    Draining,
}

/// The state of the current request, shared by the server and the stream of a connection.
#[derive(Clone, Default)]
pub(in crate::app) struct RequestTracker(Rc<Cell<RequestState>>);

#[derive(Clone, Copy, Default)]
pub(super) struct RequestState {
    pub(super) phase: Phase,
    /// The part of the body that has not arrived.
    pub(super) body: Body,
}

impl RequestTracker {
    /// The application starts to handle a request with this body. Dropping the guard ends that.
    pub(in crate::app) fn start(&self, body: Body) -> RunningRequest {
        self.set(Phase::Running, body);
        RunningRequest(self.clone())
    }

    pub(super) fn state(&self) -> RequestState {
        self.0.get()
    }

    pub(super) fn set(&self, phase: Phase, body: Body) {
        self.0.set(RequestState { phase, body });
    }
}

/// Marks the request as answered when dropped.
pub(in crate::app) struct RunningRequest(RequestTracker);

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let RequestState { body, .. } = self.0.state();
        self.0.set(Phase::Answered, body);
    }
}
