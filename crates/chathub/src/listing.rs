//! Lists whose records are read one by one: an unreadable record does not spoil the list.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::answer;
use crate::error::{BadAnswer, ErrorKind};
use crate::types::{OperatorId, OperatorStatus, OrganizationId};

/// A list without the records that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing<T> {
    /// What could be read.
    pub records: Vec<T>,
    /// How many further records were there.
    pub unreadable: usize,
}

/// The part of an operator's record that it takes to find the operator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ListedOperator {
    /// Its number.
    pub id: OperatorId,
    /// The display name; a deleted operator may have none.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether the operator works.
    pub status: OperatorStatus,
}

/// The part of an organization's record that it takes to list its operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ListedOrganization {
    /// Its number.
    pub id: OrganizationId,
}

/// Reads a JSON array. An array in which nothing can be read is no list.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Listing<T>, ErrorKind> {
    let unreadable = ErrorKind::BadAnswer(BadAnswer::NotDocumented);
    // A byte that is no UTF-8 spoils the name that it stands in, and nothing else.
    let text = String::from_utf8_lossy(answer::without_mark(body));
    let mut json = serde_json::Deserializer::from_str(&text);
    let listing = json
        .deserialize_seq(Records(PhantomData))
        .and_then(|listing| json.end().map(|()| listing))
        .map_err(|_| unreadable.clone())?;
    if listing.records.is_empty() && listing.unreadable > 0 {
        return Err(unreadable);
    }
    Ok(listing)
}

/// Reads each record as soon as it is there, so that a long list is in memory once.
struct Records<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Records<T> {
    type Value = Listing<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listing<T>, A::Error> {
        let (mut records, mut unreadable) = (Vec::new(), 0);
        while let Some(record) = list.next_element::<&RawValue>()? {
            match serde_json::from_str(record.get()) {
                Ok(record) => records.push(record),
                Err(_) => unreadable += 1,
            }
        }
        Ok(Listing {
            records,
            unreadable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &[u8]) -> Result<(Vec<u64>, usize), ErrorKind> {
        let Listing {
            records,
            unreadable,
        } = read::<ListedOperator>(body)?;
        Ok((records.iter().map(|one| one.id.0).collect(), unreadable))
    }

    #[test]
    fn an_odd_record_costs_itself() {
        let body = r#"[{"id":1,"name":"A","status":0}, null, {"id":2,"name":null,"status":2},
            {"id":3,"id":3,"name":"B","status":0}, {"id":4,"name":"C","status":-1}, [[[[]]]],
            {"id":5,"name":"D","status":0,"organization":null}]"#;
        assert_eq!(ids(body.as_bytes()), Ok((vec![1, 2, 5], 4)));
        let body = format!("\u{feff} {body} ");
        assert_eq!(ids(body.as_bytes()), Ok((vec![1, 2, 5], 4)));
        assert_eq!(
            ids(b"[{\"id\":1,\"name\":\"\xff\",\"status\":0}]"),
            Ok((vec![1], 0))
        );
        assert_eq!(ids(b"[]"), Ok((vec![], 0)));
    }

    #[test]
    fn what_is_no_list_is_none() {
        let deep = "[".repeat(100_000);
        for body in [
            "", "{}", "null", "[", "[1]", "[{},{}]", "[] []", "\"[]\"", &deep,
        ] {
            let expected = Err(ErrorKind::BadAnswer(BadAnswer::NotDocumented));
            assert_eq!(ids(body.as_bytes()), expected, "{body:.20}");
        }
        // Depth within one record is that record's.
        let body = format!("[{deep}{}, {{\"id\":1,\"status\":0}}]", "]".repeat(100_000));
        assert_eq!(ids(body.as_bytes()), Ok((vec![1], 1)));
    }
}
