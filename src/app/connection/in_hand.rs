//! How far a connection's current request has come: what the server tells the stream that it reads
//! from.

use std::cell::Cell;
use std::rc::Rc;

use super::framing::Body;

/// How far a request has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its head is waited for, or on its way.
    #[default]
    Head,
    /// Its whole head is with the HTTP parser, which has not called the application yet.
    Parsing,
    /// The application works on it.
    Running,
    /// The application has answered. The answer may not be written yet.
    Answered,
    /// The answer is written, and the rest of the body still comes, to be thrown away.
    Draining,
}

/// The current request, shared by the server and the stream of a connection.
#[derive(Clone, Default)]
pub(in crate::app) struct InHand(Rc<Cell<State>>);

#[derive(Clone, Copy, Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// What is still to come of its body.
    pub(super) body: Body,
}

impl InHand {
    /// The application begins with a request of this body, and is at it until the result is
    /// dropped.
    pub(in crate::app) fn begin(&self, body: Body) -> Running {
        self.set(Phase::Running, body);
        Running(self.clone())
    }

    pub(super) fn state(&self) -> State {
        self.0.get()
    }

    pub(super) fn set(&self, phase: Phase, body: Body) {
        self.0.set(State { phase, body });
    }
}

/// A request that the application works on.
pub(in crate::app) struct Running(InHand);

impl Drop for Running {
    fn drop(&mut self) {
        let State { body, .. } = self.0.state();
        self.0.set(Phase::Answered, body);
    }
}
