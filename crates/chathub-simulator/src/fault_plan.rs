//! Which answers go wrong: scripted, never random.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::endpoint::Endpoint;
use crate::fault::Fault;

/// Which answers go wrong: the next ones of an endpoint, or all of them.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    endpoints: Mutex<[Planned; Endpoint::ALL.len()]>,
    is_released: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Planned {
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

impl FaultPlan {
    pub(crate) fn next(&self, endpoint: Endpoint, fault: Fault) {
        self.with(endpoint, |planned| planned.next.push_back(fault));
    }

    pub(crate) fn always(&self, endpoint: Endpoint, fault: Option<Fault>) {
        self.with(endpoint, |planned| planned.always = fault);
    }

    /// The fault of this call, if it has one.
    pub(crate) fn take(&self, endpoint: Endpoint) -> Option<Fault> {
        self.with(endpoint, |planned| {
            planned.next.pop_front().or_else(|| planned.always.clone())
        })
    }

    /// Lets go of all that is [`Fault::Held`], now and later.
    pub(crate) fn release(&self) {
        self.is_released.send_replace(true);
    }

    /// Waits for [`Self::release`].
    pub(crate) async fn released(&self) {
        // The sender lives as long as this plan, so the only way out is the release.
        let _ = self.is_released.subscribe().wait_for(|is| *is).await;
    }

    fn with<T>(&self, endpoint: Endpoint, act: impl FnOnce(&mut Planned) -> T) -> T {
        let mut endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        act(&mut endpoints[endpoint as usize])
    }
}
