//! What a link says, read as a click on it would be: for those who make links outside a request.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use super::click::Click;
use super::kind::Kind;
use super::open_chat::target;
use super::query::Query;
use super::refusal::Refusal;
use crate::access::{Denied, PassConstraints};
use crate::config::LinkConfig;
use crate::telemetry::Trace;

/// Reads the query of a link, and gives back the operator and the values as a click reads them. A
/// client may be missing, whom the CRM adds. The error is the sentence that the click would get.
pub fn check_link(query: &str, links: &LinkConfig) -> Result<(String, PassConstraints), String> {
    read(query, links).map_err(|refusal| refusal.sentence())
}

fn read(query: &str, links: &LinkConfig) -> Result<(String, PassConstraints), Refusal> {
    let query = Query::parse(query)?;
    let operator = query.operator().ok_or(Denied::OperatorMissing)?.to_owned();
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut click = Click::new(nowhere, Instant::now(), Trace::default());
    match target(&query, links, &mut click) {
        Err(refusal) if refusal.kind != Kind::TargetMissing => return Err(refusal),
        _ => {}
    }
    let own = |value: Option<&str>| value.map(ToOwned::to_owned);
    let constraints = PassConstraints {
        phone: own(query.phone()),
        source: own(query.source()),
        from: own(query.from()),
        chat_raw_id: own(query.chat_raw_id()),
    };
    Ok((operator, constraints))
}
