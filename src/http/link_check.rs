//! Reads a link as a click on it would, for commands that make links outside a request.

use super::context::ClientRecord;
use super::extract::Query;
use super::pages::Language;
use super::problem::{Kind, Problem};
use super::target::target;
use crate::access::{Denied, PassConstraints};
use crate::config::LinkConfig;

/// Reads the query of a link, and gives back the operator and the values as a click reads them. A
/// link without a client is good: the CRM adds the client. The error is the sentence that the click
/// would get.
pub fn check_link(query: &str, links: &LinkConfig) -> Result<(String, PassConstraints), String> {
    read(query, links).map_err(|problem| problem.sentence(Language::English))
}

fn read(query: &str, links: &LinkConfig) -> Result<(String, PassConstraints), Problem> {
    let query = Query::parse(query)?;
    let operator = query.operator().ok_or(Denied::OperatorMissing)?.to_owned();
    match target(&query, links, &mut ClientRecord::default()) {
        Err(problem) if problem.kind != Kind::TargetMissing => Err(problem),
        _ => Ok((operator, query.constraints())),
    }
}
