//! How the fields of a record are written: serde's formatters for JSON and for `key=value`.
//!
//! Foreign text hides nothing in either: a character that does not show becomes `\u202e`.

use std::io::{self, Write};

use serde_json::ser::{CharEscape, Formatter};

use crate::printable;

/// Compact JSON of a flat record, whose first fields are written already.
pub(super) struct Json;

impl Formatter for Json {
    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, line: &mut W, _: bool) -> io::Result<()> {
        line.write_all(b",")
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        line: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        write_quoted(line, unescaped(&escape).encode_utf8(&mut [0; 4]))
    }
}

/// ` key=value` for each field of a flat record, as logfmt has it: a text is quoted if it could be
/// taken for more than one value.
#[derive(Default)]
pub(super) struct KeyValue {
    /// The text that is being written.
    text: String,
}

impl Formatter for KeyValue {
    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, line: &mut W, _: bool) -> io::Result<()> {
        line.write_all(b" ")
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, line: &mut W) -> io::Result<()> {
        line.write_all(b"=")
    }

    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.text.clear();
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        _: &mut W,
        text: &str,
    ) -> io::Result<()> {
        self.text.push_str(text);
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        _: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.text.push(unescaped(&escape));
        Ok(())
    }

    fn end_string<W: ?Sized + Write>(&mut self, line: &mut W) -> io::Result<()> {
        if is_word(&self.text) {
            return line.write_all(self.text.as_bytes());
        }
        line.write_all(b"\"")?;
        write_quoted(line, &self.text)?;
        line.write_all(b"\"")
    }
}

/// Whether a text needs no quotation marks: one word, in which nothing looks like another field.
fn is_word(text: &str) -> bool {
    text.chars()
        .all(|c| printable::is_printable(c) && !matches!(c, ' ' | '"' | '=' | '\\'))
}

fn write_quoted<W: ?Sized + Write>(line: &mut W, text: &str) -> io::Result<()> {
    let mut quoted = Vec::with_capacity(text.len() + 16);
    printable::push_quoted(&mut quoted, text);
    line.write_all(&quoted)
}

/// The character that serde wants escaped.
const fn unescaped(escape: &CharEscape) -> char {
    match escape {
        CharEscape::Quote => '"',
        CharEscape::ReverseSolidus => '\\',
        CharEscape::Solidus => '/',
        CharEscape::Backspace => '\u{8}',
        CharEscape::FormFeed => '\u{c}',
        CharEscape::LineFeed => '\n',
        CharEscape::CarriageReturn => '\r',
        CharEscape::Tab => '\t',
        CharEscape::AsciiControl(byte) => *byte as char,
    }
}
