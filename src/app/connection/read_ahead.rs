//! Buffers what a client has sent ahead of its current request.

use tokio::io::ReadBuf;

/// Bytes that arrived in one read with those of the current request. Nothing more is read while the
/// buffer holds any, so it never exceeds one read.
#[derive(Default)]
pub(super) struct ReadAhead {
    bytes: Vec<u8>,
    used: usize,
}

impl ReadAhead {
    pub(super) fn store(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.bytes = bytes.to_vec();
            self.used = 0;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The memory that the bytes take.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Moves the bytes that `part` claims into `buf`, as far as it has room.
    pub(super) fn take_into(&mut self, buf: &mut ReadBuf<'_>, part: impl FnOnce(&[u8]) -> usize) {
        let rest = &self.bytes[self.used..];
        let room = rest.len().min(buf.remaining());
        let own = part(&rest[..room]);
        buf.put_slice(&rest[..own]);
        self.used += own;
        if self.used == self.bytes.len() {
            *self = Self::default();
        }
    }
}
