//! One-time passes: whether one has been used, using it up, and giving it back where that led to no chat.
//!
//! All replicas agree on them where they share a store. While that is away no such pass is taken, because another replica may have taken it.

use std::net::IpAddr;

use super::detail::Detail;
use super::kind::Kind;
use super::reasons::RETRY_SOON;
use super::refusal::Refusal;
use super::{Desk, door};
use crate::access::{Denied, Once};
use crate::shared_store::Away;

/// Turns away who shows one that has been used. It is used up later, when nothing else can go wrong; but who shows a used one has not been let in,
/// and must not count as the operator.
pub(super) async fn check(once: &Once, client: IpAddr, desk: &Desk) -> Result<(), Refusal> {
    let is_used = match &desk.shared {
        None => desk.access.is_used(once),
        // While the store is away, using it up says so.
        Some(shared) => shared.is_used(&once.fingerprint()).await == Ok(true),
    };
    if is_used {
        return Err(door::turn_away(Denied::PassUsed, client, desk).await);
    }
    Ok(())
}

/// Uses it up, if this is the first use.
pub(super) async fn use_up(once: &Once, desk: &Desk) -> Result<(), Refusal> {
    let Some(shared) = &desk.shared else {
        return Ok(desk.access.use_up(once)?);
    };
    match shared.use_up(&once.fingerprint(), once.lives()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Denied::PassUsed.into()),
        Err(Away) => {
            Err(Refusal::new(Kind::Overloaded, Detail::OnceUnknown).retry_after(RETRY_SOON))
        }
    }
}

/// Makes it good again: ChatHub had no token, and trying again should open the chat.
pub(super) async fn give_back(once: &Once, desk: &Desk) {
    match &desk.shared {
        None => desk.access.give_back(once),
        Some(shared) => shared.give_back(&once.fingerprint()).await,
    }
}
