//! Accepts connections: each address gets a limited number of slots, unless it is a trusted proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_http::Protocol;
use actix_http::error::DispatchError;
use tokio::net::TcpStream;

use super::address_limiter::AddressLimiter;
use super::memory_pool::MemoryPool;
use super::{AbortReason, AbortRecorder, Connection, ConnectionSlot};
use crate::http::AppState;

/// Accepts the connections of a port, one by one.
#[derive(Clone)]
pub(in crate::app) struct AcceptLimiter {
    state: Arc<AppState>,
    aborts: Arc<AbortRecorder>,
    memory: MemoryPool,
    addresses: Option<AddressLimiter>,
}

/// What actix's HTTP service takes.
type Accepted = (Connection, Protocol, Option<SocketAddr>);

impl AcceptLimiter {
    /// Without `max_per_address` one address may take all connections.
    pub(in crate::app) fn new(
        state: &Arc<AppState>,
        aborts: &Arc<AbortRecorder>,
        max_per_address: Option<usize>,
    ) -> Self {
        Self {
            state: Arc::clone(state),
            aborts: Arc::clone(aborts),
            memory: MemoryPool::default(),
            addresses: max_per_address.map(AddressLimiter::new),
        }
    }

    /// Must be called within a Tokio runtime.
    pub(in crate::app) fn accept(&self, stream: TcpStream) -> Result<Accepted, DispatchError> {
        let peer = stream.peer_addr().ok();
        let slot = self.slot(peer)?;
        let connection = Connection::new(stream, self.memory.reservation(), &self.aborts, slot);
        Ok((connection, Protocol::Http1, peer))
    }

    fn slot(&self, peer: Option<SocketAddr>) -> Result<Option<ConnectionSlot>, DispatchError> {
        let (Some(addresses), Some(peer)) = (&self.addresses, peer) else {
            return Ok(None);
        };
        if self.state.authenticator.is_trusted_proxy(peer.ip()) {
            return Ok(None);
        }
        let slot = addresses.acquire(peer.ip());
        if slot.is_none() {
            self.aborts.record(AbortReason::TooMany, Some(peer.ip()));
            return Err(DispatchError::Io(io::ErrorKind::QuotaExceeded.into()));
        }
        Ok(slot)
    }
}
