//! Authorization: which operator's panel a caller may open.

use std::path::PathBuf;

use super::{Authenticator, ClaimedBy, Denied, OperatorRequest, UnusableFile};
use crate::operators::{
    DeadAlias, DirectorySnapshot, OperatorMap, OperatorResolver, OperatorSelection, ResolveError,
};
use crate::reload::Reloadable;
use chathub::OperatorId;

/// Loads the operator map; an empty one, without a file.
pub(super) fn load_map(path: Option<PathBuf>) -> Result<Reloadable<OperatorMap>, UnusableFile> {
    let variable = "OPERATOR_MAP_FILE";
    let Some(path) = path else {
        return Ok(Reloadable::fixed(variable, OperatorMap::default()));
    };
    let missing = format!("the file {} has no alias", path.display());
    Reloadable::load_map(
        variable,
        move |files| {
            OperatorMap::parse(&files.read_map(&path)?)
                .map_err(|error| format!("the file {}: {error}", path.display()))
        },
        move |map| map.is_empty().then(|| missing.clone()),
    )
    .map_err(|problem| UnusableFile { variable, problem })
}

impl Authenticator {
    /// Resolves the operator whose panel may open, with the present knowledge of the operators.
    pub fn resolve_operator(
        &self,
        requested: &OperatorRequest<'_>,
        snapshot: Option<&DirectorySnapshot>,
    ) -> Result<OperatorSelection, Denied> {
        let map = self.operator_map.get();
        let resolver = self.resolver(&map, snapshot);
        let denied = |error| requested.denied(error);
        let selection = self.claimed(requested, resolver)?.map_err(denied)?;
        let is_in_scope = requested.scope.contains(&selection, resolver);
        if !is_in_scope.map_err(denied)? {
            return Err(requested.out_of_scope());
        }
        if requested.pinned.is_some() && requested.pinned != selection.operator() {
            return Err(Denied::PassMismatch);
        }
        check_url(requested, &selection, resolver)?;
        check_status(&selection, snapshot)?;
        Ok(selection)
    }

    /// The operator that decides, before any check.
    fn claimed(
        &self,
        requested: &OperatorRequest<'_>,
        resolver: OperatorResolver<'_>,
    ) -> Result<Result<OperatorSelection, ResolveError>, Denied> {
        Ok(match &requested.by {
            ClaimedBy::Url => resolver.resolve(requested.in_url.ok_or(Denied::OperatorMissing)?),
            ClaimedBy::Pass { operator, by_name } => resolver.resolve_claim(operator, *by_name),
            ClaimedBy::Identity(identity) => {
                resolver.resolve_identity(identity, self.config.sso_by_name)
            }
            ClaimedBy::Agent(name) => resolver.resolve_identity(name, false),
            ClaimedBy::Device(operator) => Ok(OperatorSelection::Operator(*operator)),
        })
    }

    /// The operator claim of a pass that is to open this panel later on: the operator's id, because
    /// a name may belong to another operator by then. `chosen` is the operator that the pass's
    /// client meets. It counts where the caller has a list of operators and asks for an
    /// organization (`auto:24`), which may have other operators by then.
    pub fn pass_operator(
        &self,
        requested: &OperatorRequest<'_>,
        selection: &OperatorSelection,
        chosen: Option<OperatorId>,
    ) -> Option<String> {
        let map = self.operator_map.get();
        let operator = selection
            .operator()
            .or_else(|| chosen.filter(|_| requested.scope.is_limited()))
            .filter(|id| !self.resolver(&map, None).is_shadowed(*id));
        operator.map_or_else(
            || {
                let named = requested.in_url.or_else(|| requested.agent());
                named.map(ToOwned::to_owned)
            },
            |id| Some(id.to_string()),
        )
    }

    /// Whether the operator map has this alias.
    pub fn is_alias(&self, name: &str) -> bool {
        self.operator_map.get().has(name)
    }

    /// Whether the operator map has an alias that begins so.
    pub fn has_aliases_with(&self, prefix: &str) -> bool {
        self.operator_map.get().has_prefix(prefix)
    }

    /// Resolves the operator in a URL, with the present knowledge of the operators.
    pub fn resolve_name(
        &self,
        text: &str,
        snapshot: Option<&DirectorySnapshot>,
    ) -> Result<OperatorSelection, ResolveError> {
        let map = self.operator_map.get();
        self.resolver(&map, snapshot).resolve(text)
    }

    /// The number of aliases, and those of them that lead to no operator who can open a chat.
    pub fn check_aliases(&self, snapshot: &DirectorySnapshot) -> (usize, Vec<DeadAlias>) {
        let map = self.operator_map.get();
        let resolver = self.resolver(&map, Some(snapshot));
        (map.len(), resolver.dead_aliases())
    }

    const fn resolver<'a>(
        &self,
        map: &'a OperatorMap,
        snapshot: Option<&'a DirectorySnapshot>,
    ) -> OperatorResolver<'a> {
        OperatorResolver {
            map,
            snapshot,
            auto: self.config.operator_auto,
        }
    }
}

/// Rejects a URL that contradicts the pass or the login. Without the directory a name may be the
/// same operator's, so it does not contradict yet.
fn check_url(
    requested: &OperatorRequest<'_>,
    selection: &OperatorSelection,
    resolver: OperatorResolver<'_>,
) -> Result<(), Denied> {
    let mismatch = match requested.by {
        ClaimedBy::Url => return Ok(()),
        ClaimedBy::Pass { .. } => Denied::PassMismatch,
        ClaimedBy::Identity(_) | ClaimedBy::Device(_) | ClaimedBy::Agent(_) => {
            Denied::OperatorNotAllowed
        }
    };
    match requested.in_url.map(|named| resolver.resolve(named)) {
        None => Ok(()),
        Some(Ok(named)) if named == *selection => Ok(()),
        Some(Err(ResolveError::DirectoryNeeded)) => Err(Denied::DirectoryNeeded),
        Some(_) => Err(mismatch),
    }
}

/// Rejects an operator that the directory lists as inactive or deleted.
fn check_status(
    selection: &OperatorSelection,
    snapshot: Option<&DirectorySnapshot>,
) -> Result<(), Denied> {
    let status = selection
        .operator()
        .zip(snapshot)
        .and_then(|(id, snapshot)| snapshot.status(id));
    if status.is_some_and(|status| !status.works()) {
        return Err(Denied::OperatorInactive);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::access::authenticator::tests::authenticator;
    use crate::access::scope::Scope;
    use crate::access::{AuthConfig, Mode};
    use crate::operators::snapshot;
    use chathub::OperatorStatus::{Active, Inactive};

    fn by_pass(operator: &str) -> ClaimedBy {
        ClaimedBy::Pass {
            operator: operator.into(),
            by_name: true,
        }
    }

    const JOHN: Result<u64, Denied> = Ok(101);

    #[rstest]
    #[case::by_url("url", Some("101"), JOHN)]
    #[case::by_url_and_name("url", Some("john smith"), JOHN)]
    #[case::none_in_the_url("url", None, Err(Denied::OperatorMissing))]
    #[case::an_unknown_one("url", Some("Nobody"), Err(Denied::OperatorUnknown))]
    #[case::an_inactive_one("url", Some("21"), Err(Denied::OperatorInactive))]
    #[case::an_id_that_only_chathub_knows("url", Some("999"), Ok(999))]
    #[case::by_pass("pass", None, JOHN)]
    #[case::the_same_in_the_url("pass", Some("101"), JOHN)]
    #[case::another_in_the_url("pass", Some("102"), Err(Denied::PassMismatch))]
    #[case::an_unknown_one_in_the_url("pass", Some("Nobody"), Err(Denied::PassMismatch))]
    #[case::by_login("identity", Some("101"), JOHN)]
    #[case::another_than_the_login("identity", Some("102"), Err(Denied::OperatorNotAllowed))]
    fn an_operator_is_resolved(
        #[case] by: &str,
        #[case] in_url: Option<&str>,
        #[case] expected: Result<u64, Denied>,
    ) {
        let snapshot = snapshot(&[
            (24, 101, "John Smith", Active),
            (24, 102, "Sarah Johnson", Active),
            (6, 21, "Inactive Ivan", Inactive),
        ]);
        let by = match by {
            "url" => ClaimedBy::Url,
            "pass" => by_pass("John Smith"),
            _ => ClaimedBy::Identity("John Smith".into()),
        };
        let requested = OperatorRequest::new(by, in_url, Scope::default());
        let authenticator = Authenticator::new(AuthConfig {
            modes: vec![Mode::Open],
            sso_by_name: true,
            ..AuthConfig::default()
        })
        .unwrap();
        let selection = authenticator.resolve_operator(&requested, Some(&snapshot));
        let operator = selection.map(|selection| selection.operator().unwrap().0);
        assert_eq!(operator, expected);
    }

    /// Without the directory a name in the URL may be the pass's operator.
    #[test]
    fn a_name_that_takes_the_directory_waits_for_it() {
        let authenticator = authenticator(&[Mode::Open]);
        let resolve = |in_url| {
            let requested = OperatorRequest::new(by_pass("101"), in_url, Scope::default());
            authenticator.resolve_operator(&requested, None)
        };
        let john = Ok(OperatorSelection::Operator(OperatorId(101)));
        assert_eq!(resolve(Some("John Smith")), Err(Denied::DirectoryNeeded));
        assert_eq!((resolve(Some("101")), resolve(None)), (john.clone(), john));
    }
}
