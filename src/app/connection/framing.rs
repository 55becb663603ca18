//! Finds where a request's head and body end. It only decides how many bytes the HTTP parser gets
//! at a time; the parser judges every byte.

use actix_http::RequestHead;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};

/// The scanner of a head.
#[derive(Default)]
pub(super) struct Head {
    /// Bytes so far.
    pub(super) length: usize,
    /// Lines so far, without empty ones: the request's own, and one for each header.
    pub(super) lines: usize,
    /// Empty lines before a head do not end it.
    has_text: bool,
    is_line_empty: bool,
}

impl Head {
    /// Scans the next bytes. Returns how many of them belong to this head, and whether it ends with
    /// them.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> (usize, bool) {
        let ended = self.end_in(bytes);
        let own = ended.unwrap_or(bytes.len());
        self.length += own;
        (own, ended.is_some())
    }

    fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if self.has_text && self.is_line_empty => return Some(at + 1),
                b'\n' => {
                    self.lines += usize::from(self.has_text && !self.is_line_empty);
                    self.is_line_empty = true;
                }
                b'\r' => {}
                _ => (self.has_text, self.is_line_empty) = (true, false),
            }
        }
        None
    }
}

/// The part of a request's body that has not arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::app) enum Body {
    /// Nothing.
    #[default]
    Complete,
    /// This many bytes.
    Length(u64),
    /// Chunks, from this position on.
    Chunked(Chunk),
}

/// The position within a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Chunk {
    /// In the digits of a chunk's size.
    Size(u64),
    /// After them, before the end of the line.
    Extension(u64),
    /// Before this many bytes of data and of the line end after them.
    Data(u64),
    /// In the lines after the last chunk, in one that is empty so far.
    EmptyTrailer,
    /// In one of them that is not.
    Trailer,
}

/// The length of the line end after a chunk's data.
const LINE_END: u64 = 2;

impl Body {
    /// The body that belongs to this head, by the parser's own rules. The parser has refused heads
    /// that contradict themselves.
    pub(in crate::app) fn of(head: &RequestHead) -> Self {
        let headers = &head.headers;
        if headers.contains_key(TRANSFER_ENCODING) {
            return Self::Chunked(Chunk::Size(0));
        }
        // After an upgrade no body is read.
        let length = headers
            .get(CONTENT_LENGTH)
            .filter(|_| !headers.contains_key(UPGRADE))
            .and_then(|length| length.to_str().ok()?.trim().parse().ok());
        length
            .filter(|length| *length > 0)
            .map_or(Self::Complete, Self::Length)
    }

    pub(super) fn is_complete(self) -> bool {
        self == Self::Complete
    }

    /// Scans the next bytes. Returns how many of them belong to this body.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        match *self {
            Self::Complete => 0,
            Self::Length(left) => {
                let own = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - own as u64;
                *self = if left == 0 {
                    Self::Complete
                } else {
                    Self::Length(left)
                };
                own
            }
            Self::Chunked(chunk) => self.advance_chunks(chunk, bytes),
        }
    }

    fn advance_chunks(&mut self, mut chunk: Chunk, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            if let Chunk::Data(left) = &mut chunk {
                let more = (bytes.len() - at).min(usize::try_from(*left - 1).unwrap_or(usize::MAX));
                at += more;
                *left -= 1 + more as u64;
            } else if !chunk.step(*byte) {
                *self = Self::Complete;
                return at;
            }
            if chunk == Chunk::Data(0) {
                chunk = Chunk::Size(0);
            }
        }
        *self = Self::Chunked(chunk);
        at
    }
}

impl Chunk {
    /// Scans a byte that is not data. Returns whether the body continues after it. An invalid byte
    /// ends the body: the parser refuses it.
    fn step(&mut self, byte: u8) -> bool {
        *self = match (*self, byte) {
            (Self::Size(0) | Self::Extension(0) | Self::Trailer, b'\n')
            | (Self::EmptyTrailer, b'\r') => Self::EmptyTrailer,
            (Self::Size(size) | Self::Extension(size), b'\n') => {
                Self::Data(size.saturating_add(LINE_END))
            }
            (Self::Size(size), digit) if digit.is_ascii_hexdigit() => {
                let value = char::from(digit).to_digit(16).unwrap_or_default();
                match size.checked_mul(16) {
                    Some(size) => Self::Size(size + u64::from(value)),
                    None => return false,
                }
            }
            (Self::Size(size) | Self::Extension(size), _) => Self::Extension(size),
            (Self::EmptyTrailer, b'\n') => return false,
            (Self::EmptyTrailer | Self::Trailer, _) => Self::Trailer,
            (Self::Data(left), _) => Self::Data(left),
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes are the head's, given piece by piece; `None` where it does not end.
    fn end_of(pieces: &[&str]) -> Option<usize> {
        let mut head = Head::default();
        pieces
            .iter()
            .any(|piece| head.advance(piece.as_bytes()).1)
            .then_some(head.length)
    }

    #[test]
    fn a_head_is_ended_by_an_empty_line_however_it_comes() {
        assert_eq!(end_of(&["GET / HTTP/1.1\r\nHost: x\r\n\r\n"]), Some(27));
        assert_eq!(end_of(&["GET / HTTP/1.1\r\n\r", "\n"]), Some(18));
        assert_eq!(end_of(&["GET / HTTP/1.1\r\n", "\r\n"]), Some(18));
        assert_eq!(end_of(&["GET / HTTP/1.1\n\n"]), Some(16));
        assert_eq!(end_of(&["\r\n\r\nGET / HTTP/1.1\n\nGET"]), Some(20));
        assert_eq!(
            end_of(&["GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"]),
            Some(19)
        );
    }

    #[test]
    fn lines_are_counted_however_they_come() {
        let lines_of = |pieces: &[&str]| {
            let mut head = Head::default();
            for piece in pieces {
                head.advance(piece.as_bytes());
            }
            head.lines
        };
        assert_eq!(lines_of(&["GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"]), 2);
        assert_eq!(lines_of(&["\r\n\r\nGET / HTTP/1.1\nHost: x\n\n"]), 2);
        assert_eq!(lines_of(&["GET / HTTP/1.1\r", "\nHost: x\r\n", "A: b"]), 2);
    }

    #[test]
    fn what_has_no_empty_line_does_not_end() {
        for pieces in [
            &[][..],
            &["G"],
            &["GET / HTTP/1.1\r\nHost: x\r\n"],
            &["\r\n\r\n"],
            &["\n", "\n\n"],
        ] {
            assert_eq!(end_of(pieces), None, "{pieces:?}");
        }
    }

    /// How many bytes are the body's, given in pieces of this size, and whether it has ended.
    fn body(mut body: Body, text: &str, piece: usize) -> (usize, bool) {
        let mut own = 0;
        for piece in text.as_bytes().chunks(piece) {
            let here = body.advance(piece);
            own += here;
            if here < piece.len() {
                break;
            }
        }
        (own, body.is_complete())
    }

    #[test]
    fn a_body_ends_where_its_length_says() {
        for piece in 1..8 {
            assert_eq!(body(Body::Length(5), "12345GET", piece), (5, true));
            assert_eq!(body(Body::Length(5), "1234", piece), (4, false));
            assert_eq!(body(Body::Complete, "GET", piece), (0, true));
        }
    }

    #[test]
    fn a_body_in_chunks_ends_behind_its_trailer() {
        for (whole, rest) in [
            ("0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"),
            ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
            ("00000a;name=\"0\"\r\n0123456789\r\n0;x\r\n\r\n", "5\r\n"),
            (
                "1\r\nx\r\nA\r\n0123456789\r\n0\r\nTrailer: 0\r\nOther: x\r\n\r\n",
                "\r\n",
            ),
        ] {
            let text = format!("{whole}{rest}");
            for piece in 1..text.len() {
                let (own, is_complete) = body(Body::Chunked(Chunk::Size(0)), &text, piece);
                assert_eq!((&text[..own], is_complete), (whole, true), "by {piece}");
                let (own, is_complete) = body(
                    Body::Chunked(Chunk::Size(0)),
                    &whole[..whole.len() - 1],
                    piece,
                );
                assert_eq!((own, is_complete), (whole.len() - 1, false), "by {piece}");
            }
        }
        let too_long = "f".repeat(17);
        assert_eq!(
            body(Body::Chunked(Chunk::Size(0)), &too_long, 3),
            (17, true)
        );
    }
}
