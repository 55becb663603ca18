//! How the fields of a flat record are written: as JSON, or as ` key=value`.
//!
//! Foreign text hides nothing in either: a character that is not printable becomes `\u202e`.

use std::fmt::{self, Display, Write as _};

use serde::Serialize;
use serde::ser::{Impossible, SerializeStruct, Serializer};

use super::LogFormat;
use crate::printable;

/// Appends the fields of a record to a line.
///
/// By hand, because `serde_json` searches the fixed names and every value for what it must escape,
/// byte by byte, which costs a twentieth of a warm click.
pub(super) struct Fields<'a> {
    pub(super) format: LogFormat,
    pub(super) line: &'a mut Vec<u8>,
    /// Joins the pieces of a text.
    pub(super) text: &'a mut String,
}

impl Fields<'_> {
    /// Nothing in the name of a field needs an escape.
    fn push_name(&mut self, name: &str) {
        match self.format {
            LogFormat::Json => {
                self.line.extend_from_slice(b",\"");
                self.line.extend_from_slice(name.as_bytes());
                self.line.extend_from_slice(b"\":");
            }
            LogFormat::Text => {
                self.line.push(b' ');
                self.line.extend_from_slice(name.as_bytes());
                self.line.push(b'=');
            }
        }
    }

    fn push_text(&mut self, text: &str) {
        let needs_escape = !is_plain(text);
        // As logfmt has it: a text is quoted if it could be taken for more than one value.
        let is_quoted = self.format == LogFormat::Json || (needs_escape && !is_word(text));
        if is_quoted {
            self.line.push(b'"');
        }
        if is_quoted && needs_escape {
            printable::push_quoted(self.line, text);
        } else {
            self.line.extend_from_slice(text.as_bytes());
        }
        if is_quoted {
            self.line.push(b'"');
        }
    }
}

/// Whether a text is one word of ASCII, in which nothing needs an escape in either format.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| IS_PLAIN[usize::from(byte)])
}

/// A table, because a few comparisons for each byte of a line are dear.
static IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        is_plain[byte as usize] = !matches!(byte, b'"' | b'=' | b'\\');
        byte += 1;
    }
    is_plain
};

/// Whether a text needs no quotation marks: one word, in which nothing looks like another field.
fn is_word(text: &str) -> bool {
    text.chars()
        .all(|c| printable::is_printable(c) && !matches!(c, ' ' | '"' | '=' | '\\'))
}

/// Methods for what a flat record of texts and unsigned numbers does not have.
macro_rules! unsupported {
    ($($method:ident($($argument:ty),*) -> $ok:ident;)+) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self::$ok, fmt::Error> {
            Err(fmt::Error)
        })+
    };
}

impl Serializer for &mut Fields<'_> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeStruct = Self;
    type SerializeSeq = Impossible<(), fmt::Error>;
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Impossible<(), fmt::Error>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_u8(self, number: u8) -> fmt::Result {
        self.serialize_u64(number.into())
    }

    fn serialize_u16(self, number: u16) -> fmt::Result {
        self.serialize_u64(number.into())
    }

    fn serialize_u32(self, number: u32) -> fmt::Result {
        self.serialize_u64(number.into())
    }

    fn serialize_u64(self, number: u64) -> fmt::Result {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number);
        self.line.extend_from_slice(digits.as_bytes());
        Ok(())
    }

    fn serialize_str(self, text: &str) -> fmt::Result {
        self.push_text(text);
        Ok(())
    }

    fn collect_str<T: ?Sized + Display>(self, value: &T) -> fmt::Result {
        let mut text = std::mem::take(self.text);
        text.clear();
        write!(text, "{value}")?;
        self.push_text(&text);
        *self.text = text;
        Ok(())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> fmt::Result {
        Err(fmt::Error)
    }

    unsupported! {
        serialize_bool(bool) -> Ok;
        serialize_i8(i8) -> Ok;
        serialize_i16(i16) -> Ok;
        serialize_i32(i32) -> Ok;
        serialize_i64(i64) -> Ok;
        serialize_f32(f32) -> Ok;
        serialize_f64(f64) -> Ok;
        serialize_char(char) -> Ok;
        serialize_bytes(&[u8]) -> Ok;
        serialize_none() -> Ok;
        serialize_unit() -> Ok;
        serialize_unit_struct(&'static str) -> Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> Ok;
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}

impl SerializeStruct for &mut Fields<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> fmt::Result {
        self.push_name(name);
        value.serialize(&mut **self)
    }

    fn end(self) -> fmt::Result {
        if self.format == LogFormat::Json {
            self.line.push(b'}');
        }
        Ok(())
    }
}
