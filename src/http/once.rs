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
pub(super) async fn check(
    once: Option<&Once>,
    client: IpAddr,
    desk: &Desk,
) -> Result<bool, Refusal> {
    let Some(once) = once else {
        return Ok(true);
    };
    // In a box, as below, because a click's own future is copied about, and most have none.
    let is_used = match &desk.shared {
        None => Ok(desk.access.is_used(once)),
        Some(shared) => Box::pin(shared.is_used(&once.fingerprint())).await,
    };
    match is_used {
        Ok(true) => Err(Box::pin(door::turn_away(Denied::PassUsed, client, desk)).await),
        Ok(false) => Ok(true),
        Err(Away) => Ok(false),
    }
}

/// Uses it up, if this is the first use.
pub(super) async fn use_up<'a>(
    once: Option<&'a Once>,
    desk: &'a Desk,
) -> Result<InUse<'a>, Refusal> {
    let is_first = match (once, &desk.shared) {
        (None, _) => true,
        (Some(once), None) => desk.access.use_up(once).is_ok(),
        (Some(once), Some(shared)) => Box::pin(shared.use_up(&once.fingerprint(), once.lives()))
            .await
            .map_err(unknown)?,
    };
    is_first
        .then_some(InUse { once, desk })
        .ok_or_else(|| Denied::PassUsed.into())
}

/// A one-time pass, where there is one, that has been used up for something that may still fail. Dropped, it is good again: the visitor has gone away
/// before there was a token.
pub(super) struct InUse<'a> {
    once: Option<&'a Once>,
    desk: &'a Desk,
}

impl InUse<'_> {
    /// It has opened what it is for.
    pub(super) fn keep(mut self) {
        self.once = None;
    }

    /// Makes it good again: ChatHub had no token, and trying again should open the chat.
    pub(super) async fn give_back(mut self) {
        if let (Some(once), Some(shared)) = (self.once, &self.desk.shared) {
            Box::pin(shared.give_back(&once.fingerprint())).await;
            self.once = None;
        }
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        match (self.once, &self.desk.shared) {
            (None, _) => {}
            (Some(once), None) => self.desk.access.give_back(once),
            (Some(once), Some(shared)) => Arc::clone(shared).give_back_soon(once.fingerprint()),
        }
    }
}

fn unknown(Away: Away) -> Refusal {
    Refusal::new(Kind::Overloaded, Detail::OnceUnknown).retry_after(RETRY_SOON)
}
