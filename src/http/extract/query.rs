//! The strict reading of `/open-chat`'s query.
//!
//! A form decoder repairs what it cannot read; here the wrong chat could open, so everything that
//! is not plainly right is refused, in words for the person who set the link up. Parameters that
//! are not ours (trackers add them) are passed over.

use std::borrow::Cow;
use std::fmt;

use super::decode::{Undecodable, decode, decode_loosely};
use super::value;
use crate::access::{Denied, PassConstraints};
use crate::http::problem::{Detail, Kind, Problem};
use crate::parameter;
use crate::phone::{PhoneNumber, Region};
use crate::source::ChatSource;
use crate::unreserved::is_unreserved;

/// The longest query, in bytes.
const MAX_QUERY: usize = 4096;

pub(crate) const NAMES: [&str; 6] = ["operator", "phone", "chat_raw_id", "from", "source", "pass"];

/// What `&amp;` leaves before a name, where a link was escaped for a page and taken from its
/// source.
const ESCAPED: &str = "amp;";

/// The parameters of a click, decoded and read; `None` where absent. They are borrowed from the
/// request, so this is no actix extractor, which would have to copy them.
#[derive(Default)]
pub struct Query<'a> {
    values: [Option<Cow<'a, str>>; NAMES.len()],
}

impl<'a> Query<'a> {
    /// Reads a raw query string; the error is the kind of problem.
    pub fn of(text: &'a str) -> Result<Self, Kind> {
        Self::parse(text).map_err(|problem| problem.kind)
    }

    /// Reads a raw query string.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Problem> {
        if text.len() > MAX_QUERY {
            return Err(Problem::new(Kind::QueryTooLong, Detail::TooLong));
        }
        let mut query = Self::default();
        let mut seen = [false; NAMES.len()];
        let mut rest = text;
        while !rest.is_empty() {
            let (pair, others) = cut(rest, b'&');
            rest = others;
            let (name, value) = cut(pair, b'=');
            let Some(position) = position(name)? else {
                continue;
            };
            if std::mem::replace(&mut seen[position], true) {
                return Err(Problem::new(
                    Kind::ParameterRepeated,
                    Detail::Repeated(NAMES[position]),
                ));
            }
            query.values[position] = read(NAMES[position], value)?;
        }
        Ok(query)
    }

    pub(crate) fn operator(&self) -> Option<&str> {
        self.values[0].as_deref()
    }

    pub(crate) fn phone(&self) -> Option<&str> {
        self.values[1].as_deref()
    }

    pub(crate) fn chat_raw_id(&self) -> Option<&str> {
        self.values[2].as_deref()
    }

    pub(crate) fn from(&self) -> Option<&str> {
        self.values[3].as_deref()
    }

    pub(crate) fn source(&self) -> Option<&str> {
        self.values[4].as_deref()
    }

    pub(crate) fn pass(&self) -> Option<&str> {
        self.values[5].as_deref()
    }

    /// A pass's constraints that say the same.
    pub(crate) fn constraints(&self) -> PassConstraints {
        let own = |value: Option<&str>| value.map(ToOwned::to_owned);
        PassConstraints {
            phone: own(self.phone()),
            source: own(self.source()),
            from: own(self.from()),
            chat_raw_id: own(self.chat_raw_id()),
        }
    }

    /// Holds the query against what a pass fixes, which is read like a query: what differs is
    /// refused, what is missing is filled in.
    pub(crate) fn bind(
        &mut self,
        constraints: PassConstraints,
        region: Region,
    ) -> Result<(), Problem> {
        let constraints = value::read_bound(constraints)?;
        let (phone, chat) = (
            constraints.phone.as_deref(),
            constraints.chat_raw_id.as_deref(),
        );
        // A pass for one client must not open another's chat by the parameter that it leaves out.
        let has_target = phone.is_some() || chat.is_some();
        let adds_target = phone.is_none() && self.phone().is_some()
            || chat.is_none() && self.chat_raw_id().is_some();
        let read_phone = |text| PhoneNumber::parse(text, region).ok();
        let read_source = |text| ChatSource::parse(text).ok();
        let differs = differ(self.phone(), phone, read_phone)
            || differ(self.source(), constraints.source.as_deref(), read_source)
            || differ(self.chat_raw_id(), chat, Some)
            || differ(self.from(), constraints.from.as_deref(), Some);
        if has_target && adds_target || differs {
            return Err(Denied::PassMismatch.into());
        }
        let fixed = [
            constraints.phone,
            constraints.chat_raw_id,
            constraints.from,
            constraints.source,
        ];
        // What is given means the same, and a link's own phone may say the source besides.
        for (place, fixed) in self.values[1..5].iter_mut().zip(fixed) {
            if place.is_none() {
                *place = fixed.map(Cow::Owned);
            }
        }
        Ok(())
    }
}

/// Which parameters are given, without their values: one is a credential, another a client's phone.
impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = NAMES.iter().zip(&self.values);
        let given = given.filter_map(|(name, value)| value.as_ref().map(|_| name));
        f.debug_set().entries(given).finish()
    }
}

/// Whether a value is both given and fixed, and the two are not read as the same.
fn differ<'a, T: PartialEq>(
    given: Option<&'a str>,
    fixed: Option<&'a str>,
    read: impl Fn(&'a str) -> Option<T>,
) -> bool {
    let (Some(given), Some(fixed)) = (given, fixed) else {
        return false;
    };
    let given = read(given);
    given.is_none() || given != read(fixed)
}

/// What stands before and behind a mark of ASCII; all of it before, where there is none. The pieces
/// are too short for a search to pay that makes itself ready first.
fn cut(text: &str, mark: u8) -> (&str, &str) {
    match text.bytes().position(|byte| byte == mark) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

/// The place of a parameter's name among ours.
fn position(name: &str) -> Result<Option<usize>, Problem> {
    let place = |name: &str| NAMES.iter().position(|known| *known == name);
    if let Some(place) = place(name) {
        return Ok(Some(place));
    }
    let name = decode(name).map_err(|why| unreadable(None, why))?;
    Ok(place(without_escaped(&name)))
}

/// A name behind any number of `amp;`, because a link may have been escaped more than once.
fn without_escaped(mut name: &str) -> &str {
    while let Some((head, rest)) = name.split_at_checked(ESCAPED.len())
        && head.eq_ignore_ascii_case(ESCAPED)
    {
        name = rest;
    }
    name
}

/// Reads one value, which is still encoded.
fn read<'a>(name: &'static str, raw: &'a str) -> Result<Option<Cow<'a, str>>, Problem> {
    if is_unreserved(raw) {
        return Ok(Some(Cow::Borrowed(raw)).filter(|_| !parameter::is_absent(raw)));
    }
    match decode(raw) {
        Ok(text) => value::read(name, text),
        // `%PHONE%` is no valid percent-encoding, and deserves the better message.
        Err(_) if parameter::is_template(&decode_loosely(raw)) => Err(unfilled(name)),
        Err(why) => Err(unreadable(Some(name), why)),
    }
}

fn unfilled(name: &'static str) -> Problem {
    Problem::new(Kind::PlaceholderUnfilled, Detail::Unfilled(name))
}

fn unreadable(name: Option<&'static str>, why: Undecodable) -> Problem {
    let detail = match why {
        Undecodable::PercentEncoding => Detail::NotEncoded(name),
        Undecodable::Utf8 => Detail::NotUtf8(name),
    };
    Problem::new(Kind::ParameterInvalid, detail)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn kind(query: &str) -> Option<Kind> {
        Query::of(query).err()
    }

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("operator=101&phone=+380501234567&from=A%26B&source=0").unwrap();
        assert_eq!(query.operator(), Some("101"));
        assert_eq!(query.phone(), Some(" 380501234567"));
        assert_eq!(query.from(), Some("A&B"));
        assert_eq!(query.source(), Some("0"));
        assert_eq!(query.chat_raw_id(), None);
    }

    #[test]
    fn debug_shows_no_value() {
        let query = Query::parse("operator=101&phone=0501234567&pass=canary-pass").unwrap();
        assert_eq!(format!("{query:?}"), r#"{"operator", "phone", "pass"}"#);
    }

    #[rstest]
    #[case("")]
    #[case("phone=")]
    #[case("phone")]
    #[case("phone=%20")]
    #[case("phone=+")]
    #[case("&&utm_source=x&utm_source=y&=z&bad=%zz")]
    fn blank_is_absent_and_foreign_is_passed_over(#[case] text: &str) {
        assert_eq!(Query::parse(text).unwrap().phone(), None);
    }

    #[rstest]
    #[case("phone=1&phone=1", Kind::ParameterRepeated)]
    #[case("phone=&%70hone=1", Kind::ParameterRepeated)]
    #[case("phone=%", Kind::ParameterInvalid)]
    #[case("phone=%2", Kind::ParameterInvalid)]
    #[case("phone=%2x", Kind::ParameterInvalid)]
    #[case("ph%one=1", Kind::ParameterInvalid)]
    #[case("from=%FF", Kind::ParameterInvalid)]
    #[case("from=%C0%AF", Kind::ParameterInvalid)]
    #[case("from=a%0d%0aLocation:x", Kind::ParameterInvalid)]
    #[case("from=a%00", Kind::ParameterInvalid)]
    #[case("from=a%C2%85", Kind::ParameterInvalid)]
    fn what_cannot_be_read_is_refused(#[case] text: &str, #[case] expected: Kind) {
        assert_eq!(kind(text), Some(expected));
    }

    #[rstest]
    #[case("{{phone}}")]
    #[case("{{contact.phone}}")]
    #[case("%7B%7Bphone%7D%7D")]
    #[case("+{{phone}}")]
    #[case("{!Contact.Phone}")]
    #[case("${lead.phone}")]
    #[case("{Lead.Phone}")]
    #[case("%23PHONE%23")]
    #[case("%PHONE%")]
    #[case("%DEAL_PHONE%")]
    #[case("%25PHONE%25")]
    #[case("[[phone]]")]
    fn a_template_left_unfilled_is_named_so(#[case] value: &str) {
        assert_eq!(
            kind(&format!("operator=101&phone={value}")),
            Some(Kind::PlaceholderUnfilled)
        );
    }

    #[rstest]
    #[case("Acme+%231", "Acme #1")]
    #[case("100%25+Acme", "100% Acme")]
    #[case("%7BAcme", "{Acme")]
    #[case("%5B24%5D+Acme", "[24] Acme")]
    #[case("%23A+b%23", "#A b#")]
    #[case("%231st%23", "#1st#")]
    fn what_only_resembles_a_template_is_a_value(#[case] text: &str, #[case] value: &str) {
        let text = format!("from={text}");
        assert_eq!(Query::parse(&text).unwrap().from(), Some(value));
    }

    fn constraints(text: &str) -> PassConstraints {
        Query::parse(text).unwrap().constraints()
    }

    #[rstest]
    #[case::nothing_fixed(
        "phone=1&from=A&source=0&chat_raw_id=c",
        "",
        "phone=1&from=A&source=0&chat_raw_id=c"
    )]
    #[case::all_filled_in(
        "",
        "phone=0501234567&from=A&source=0",
        "phone=0501234567&from=A&source=0"
    )]
    #[case::a_chat_filled_in("", "chat_raw_id=c", "chat_raw_id=c")]
    #[case::the_same_phone("phone=050-123-45-67", "phone=380501234567", "phone=050-123-45-67")]
    #[case::the_same_phone_as_a_link(
        "phone=tel:%2B380501234567",
        "phone=viber://chat?number%3D380501234567",
        "phone=tel:%2B380501234567"
    )]
    #[case::the_same_source("source=viber", "source=0", "source=viber")]
    #[case::the_same_words("from=A&chat_raw_id=c", "from=A&chat_raw_id=c", "from=A&chat_raw_id=c")]
    #[case::the_rest_is_free(
        "from=A&source=0&phone=0501234567",
        "phone=0501234567",
        "from=A&source=0&phone=0501234567"
    )]
    fn a_pass_fills_in_what_it_fixes(
        #[case] text: &str,
        #[case] fixed: &str,
        #[case] becomes: &str,
    ) {
        let mut query = Query::parse(text).unwrap();
        query.bind(constraints(fixed), Region::UA).unwrap();
        assert_eq!(query.values, Query::parse(becomes).unwrap().values);
    }

    #[rstest]
    #[case::another_phone("phone=0501234568", "phone=0501234567")]
    #[case::another_phone_in_a_link("phone=tel:0501234568", "phone=tel:0501234567")]
    #[case::no_phone("phone=1", "phone=0501234567")]
    #[case::neither_is_a_phone("phone=1", "phone=1")]
    #[case::another_source("source=1", "source=0")]
    #[case::no_source("source=fax", "source=0")]
    #[case::neither_is_a_source("source=fax", "source=fax")]
    #[case::another_sender("from=a", "from=A")]
    #[case::another_chat("chat_raw_id=c", "chat_raw_id=d")]
    #[case::a_chat_beside_the_phone("chat_raw_id=c", "phone=0501234567")]
    #[case::a_phone_beside_the_chat("phone=0501234567", "chat_raw_id=c")]
    #[case::both_beside("phone=0501234567&chat_raw_id=c", "phone=0501234567")]
    fn what_differs_from_a_pass_is_refused(#[case] text: &str, #[case] fixed: &str) {
        let problem = Query::parse(text)
            .unwrap()
            .bind(constraints(fixed), Region::UA);
        assert_eq!(problem.unwrap_err().kind, Kind::PassMismatch);
    }

    #[test]
    fn each_parameter_has_its_place() {
        let text = "pass=p&source=s&from=f&chat_raw_id=c&phone=1&operator=o";
        let query = Query::parse(text).unwrap();
        let values = [
            query.operator(),
            query.phone(),
            query.chat_raw_id(),
            query.from(),
            query.source(),
            query.pass(),
        ];
        assert_eq!(values, ["o", "1", "c", "f", "s", "p"].map(Some));
    }

    #[test]
    fn the_limit_is_4_kib() {
        let longest = format!("from={}", "a".repeat(4091));
        assert_eq!(kind(&longest), None);
        assert_eq!(kind(&format!("{longest}a")), Some(Kind::QueryTooLong));
    }
}
