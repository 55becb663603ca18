//! Reads the value of a parameter, wherever it comes from. Problems name the parameter.

use std::borrow::Cow;

use crate::access::PassConstraints;
use crate::http::problem::{Detail, Kind, Problem};
use crate::parameter::{self, Misread};
use crate::phone::PhoneError;

const PHONE: &str = "phone";

/// Reads a value that is no longer encoded; `None` where it is absent.
pub(crate) fn read<'a>(
    name: &'static str,
    text: Cow<'a, str>,
) -> Result<Option<Cow<'a, str>>, Problem> {
    let shorter = match text {
        Cow::Borrowed(text) => return Ok(find(name, text)?.map(Cow::Borrowed)),
        Cow::Owned(ref text) => match find(name, text)? {
            None => return Ok(None),
            Some(value) if value.len() == text.len() => None,
            Some(value) => Some(value.to_owned()),
        },
    };
    Ok(Some(shorter.map_or(text, Cow::Owned)))
}

/// Reads what a pass or a back end fixes.
pub(crate) fn read_bound(constraints: PassConstraints) -> Result<PassConstraints, Problem> {
    let read = |name, text: Option<String>| match text {
        Some(text) => Ok(read(name, Cow::Owned(text))?.map(Cow::into_owned)),
        None => Ok::<_, Problem>(None),
    };
    Ok(PassConstraints {
        phone: read(PHONE, constraints.phone)?,
        source: read("source", constraints.source)?,
        from: read("from", constraints.from)?,
        chat_raw_id: read("chat_raw_id", constraints.chat_raw_id)?,
    })
}

/// Checks a value without reading it.
pub(crate) fn check(name: &'static str, text: &str) -> Result<(), Problem> {
    find(name, text).map(|_| ())
}

fn find<'a>(name: &'static str, text: &'a str) -> Result<Option<&'a str>, Problem> {
    let value = if name == PHONE {
        parameter::read_phone(text)
    } else {
        parameter::read(text)
    };
    value.map_err(|misread| refused(name, misread))
}

/// Why a value is not taken, by its parameter's name.
fn refused(name: &'static str, misread: Misread) -> Problem {
    match misread {
        Misread::ControlCharacter => Problem::new(Kind::ParameterInvalid, Detail::Control(name)),
        Misread::Template => Problem::new(Kind::PlaceholderUnfilled, Detail::Unfilled(name)),
        Misread::Encoded if name == PHONE => PhoneError::EncodedTwice.into(),
        Misread::Encoded => Problem::new(Kind::ParameterInvalid, Detail::EncodedTwice(name)),
    }
}
