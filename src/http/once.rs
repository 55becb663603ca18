//! One-time passes: whether one has been used, using it up, and giving it back where that led to no chat.
//!
//! All replicas agree on them where they share a store. While that is away no such pass is taken, because another replica may have taken it.

use std::net::IpAddr;
use std::sync::Arc;

use super::detail::Detail;
use super::kind::Kind;
use super::reasons::RETRY_SOON;
use super::refusal::Refusal;
use super::{Desk, door};
use crate::access::{Denied, Once};
use crate::shared_store::Away;

/// Turns away who shows one that has been used. It is used up later, when nothing else can go wrong; but who shows a used one has not been let in,
/// and must not count as the operator. Nor must who may be showing one: says whether it is known not to have been used.
pub(super) async fn check(once: &Once, client: IpAddr, desk: &Desk) -> Result<bool, Refusal> {
    let is_used = match &desk.shared {
        None => Ok(desk.access.is_used(once)),
        Some(shared) => shared.is_used(&once.fingerprint()).await,
    };
    match is_used {
        Ok(true) => Err(door::turn_away(Denied::PassUsed, client, desk).await),
        Ok(false) => Ok(true),
        Err(Away) => Ok(false),
    }
}

/// Uses it up, if this is the first use.
pub(super) async fn use_up<'a>(once: &'a Once, desk: &'a Desk) -> Result<InUse<'a>, Refusal> {
    let is_first = match &desk.shared {
        None => desk.access.use_up(once).is_ok(),
        Some(shared) => shared
            .use_up(&once.fingerprint(), once.lives())
            .await
            .map_err(unknown)?,
    };
    if is_first {
        Ok(InUse {
            once,
            desk,
            is_over: false,
        })
    } else {
        Err(Denied::PassUsed.into())
    }
}

/// A one-time pass that has been used up, for something that may still fail. Dropped, it is good again: the visitor has gone away before there was a
/// token.
pub(super) struct InUse<'a> {
    once: &'a Once,
    desk: &'a Desk,
    is_over: bool,
}

impl InUse<'_> {
    /// It has opened what it is for.
    pub(super) fn keep(mut self) {
        self.is_over = true;
    }

    /// Makes it good again: ChatHub had no token, and trying again should open the chat.
    pub(super) async fn give_back(mut self) {
        match &self.desk.shared {
            None => self.desk.access.give_back(self.once),
            Some(shared) => shared.give_back(&self.once.fingerprint()).await,
        }
        self.is_over = true;
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        match &self.desk.shared {
            None => self.desk.access.give_back(self.once),
            Some(shared) => Arc::clone(shared).give_back_soon(self.once.fingerprint()),
        }
    }
}

fn unknown(Away: Away) -> Refusal {
    Refusal::new(Kind::Overloaded, Detail::OnceUnknown).retry_after(RETRY_SOON)
}
