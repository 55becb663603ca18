//! What a client has sent ahead of its turn.

use tokio::io::ReadBuf;

/// Bytes that came in one go with those of the current request. There are never more than were read
/// at once, and none is read while some are here.
#[derive(Default)]
pub(super) struct Ahead {
    bytes: Vec<u8>,
    used: usize,
}

impl Ahead {
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.bytes = bytes.to_vec();
            self.used = 0;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How much memory they take.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Moves as many of them as `part` says, and as there is room for.
    pub(super) fn hand_over(&mut self, buf: &mut ReadBuf<'_>, part: impl FnOnce(&[u8]) -> usize) {
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
