//! Limits of a connection, and the answers to clients that exceed them.

use std::time::Duration;

/// How long a head may take from its first byte on, and a new connection for its first head, with
/// the silence before it. Browsers send a head at once.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// A kept connection outlives the idle time of a proxy in front (nginx: 60 s), so that it is the
/// proxy that closes it, never this service under a request.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long an answer may wait in all for a client that does not read it. The longest answers have
/// some 100 KB.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a refused client may go on sending, so that it reads the answer before the connection
/// is reset.
pub(in crate::app) const LINGER: Duration = Duration::from_secs(1);

/// The longest head, in bytes. Browsers and proxies send a tenth of it; a longer one is cookies.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// The most lines of a head: the request's own, and the 96 headers that actix reads.
pub(super) const MAX_LINES: usize = 1 + 96;

/// The longest body, in bytes, with what a chunked one has around its data.
pub(super) const MAX_BODY: usize = crate::http::MAX_BODY + (4 << 10);

/// Bytes of memory for a byte that is kept: buffers grow by doubling, and copies are made on the
/// way. Measured with half bodies, the worst case: 3.2.
pub(super) const MEMORY_FACTOR: usize = 3;

/// Bytes that every connection may keep without a reservation in the memory pool.
pub(super) const UNMETERED: usize = 4 << 10;

/// How many bytes of the next request are read during the current one, to notice that the client
/// has closed the connection.
pub(super) const LOOK_AHEAD: usize = 1 << 10;

/// An answer that the connection writes in the server's place. A test checks the length.
macro_rules! response {
    ($status:literal, $body:literal, $length:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\n",
            "content-length: ",
            $length,
            "\r\n",
            "content-type: text/plain; charset=utf-8\r\n",
            "cache-control: no-store\r\n",
            "referrer-policy: no-referrer\r\n",
            "x-content-type-options: nosniff\r\n",
            "x-robots-tag: noindex\r\n",
            "connection: close\r\n\r\n",
            $body
        )
        .as_bytes()
    };
}

pub(super) const HEAD_TOO_LARGE_RESPONSE: &[u8] = response!(
    "431 Request Header Fields Too Large",
    "The request's head is over 16 KiB or 96 headers. Most often that is cookies: delete those of this site.\n",
    "104"
);

pub(super) const HEAD_TIMEOUT_RESPONSE: &[u8] = response!(
    "408 Request Timeout",
    "The request's head has not come to its end within 5 seconds.\n",
    "61"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_the_length_of_its_body() {
        for response in [HEAD_TOO_LARGE_RESPONSE, HEAD_TIMEOUT_RESPONSE] {
            let text = std::str::from_utf8(response).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let length = format!("\r\ncontent-length: {}\r\n", body.len());
            assert!(head.contains(&length), "{text}");
        }
    }
}
