//! CRMs whose buttons ask this service, and what links for them take.

use super::{AccessConfig, EnvParser, Reported, Variable};
use crate::access::Mode;
use crate::connect::Connectors;
use crate::reload::Reloadable;

const FILE: &str = "CONNECTORS_FILE";

pub(super) const VARIABLES: &[Variable] = &[Variable::without_default(FILE)];

/// Reads the file, if one is set: with it, links are made that are one-time passes.
pub(super) fn parse(
    parser: &mut EnvParser,
    access: &AccessConfig,
) -> Result<Option<Reloadable<Connectors>>, Reported> {
    let Some(path) = parser.path(FILE) else {
        return Ok(None);
    };
    let authenticator = &access.authenticator;
    if parser.text("PUBLIC_URL").is_none() {
        let problem = "must be set with CONNECTORS_FILE: the links for CRMs lead there";
        parser.problem("PUBLIC_URL", problem);
    }
    if !authenticator.modes().contains(&Mode::Pass) || !authenticator.can_sign() {
        let problem = "must have `pass` in it with CONNECTORS_FILE, and a key that can sign (PASS_SECRET, or a plain HS256 key in PASS_KEYS_FILE): the links for CRMs are passes";
        parser.problem("ACCESS", problem);
    }
    let loaded = Connectors::load(path, authenticator.operator_prefixes());
    loaded
        .map(Some)
        .map_err(|problem| parser.problem(FILE, problem))
}
