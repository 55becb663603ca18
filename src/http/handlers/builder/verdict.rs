//! What a click on the sample would do, by the code that clicks run and by the directory in
//! memory. It calls no ChatHub, and reads no pass, key or identity of the visitor's: it must be no
//! place to guess them at.

use actix_web::HttpRequest;

use crate::access::{AuthContext, Credentials, Denied};
use crate::deep_link::DeepLink;
use crate::http::authorize::operator::unresolved;
use crate::http::context::ClientRecord;
use crate::http::extract::{Query, host, is_local};
use crate::http::problem::{Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::target;
use chathub;

/// What a click on the sample would do.
pub(super) enum Verdict {
    /// A chat opens.
    Opens {
        /// 1 to 4.
        format: u8,
        /// Why this one.
        why: String,
        /// Where the link leads, without its token.
        leads_to: String,
        /// What a click needs besides, or what is not known here; then the verdict is no success.
        unless: Option<&'static str>,
    },
    /// It is refused.
    Refused {
        /// As what.
        kind: Kind,
        /// The detail, in English.
        why: String,
    },
}

impl Verdict {
    /// Judges the sample's query as if this page's visitor had clicked on it without a credential.
    pub(super) fn of(sample: &str, request: &HttpRequest, state: &AppState) -> Self {
        judge(sample, request, state).unwrap_or_else(|refusal| Self::Refused {
            kind: refusal.kind,
            why: refusal.sentence(),
        })
    }
}

fn judge(sample: &str, request: &HttpRequest, state: &AppState) -> Result<Verdict, Problem> {
    let query = Query::parse(sample)?;
    let shown = Credentials {
        operator: query.operator(),
        ..Credentials::default()
    };
    let unless = match state.authenticator.authenticate(&shown) {
        Ok(auth) => look_up(&auth, request, state)?,
        Err(denied) => Some(lacking(denied).ok_or_else(|| Problem::from(denied))?),
    };
    // What is tried here is no click, so the request's own record does not name it.
    let mut client = ClientRecord::default();
    let link = target(&query, &state.links, &mut client)?;
    Ok(Verdict::Opens {
        format: link.format(),
        why: why(&link, &query, &client) + source_note(&query, &client),
        leads_to: link.url(&state.links.panel, None),
        unless,
    })
}

/// Says which credential is missing, where nothing else speaks against the click.
const fn lacking(denied: Denied) -> Option<&'static str> {
    match denied {
        Denied::PassMissing => Some(
            "That takes a pass. The sample has none, so a click on it is refused as it stands: 401 pass-missing.",
        ),
        Denied::DeviceMissing => Some(
            "That takes a paired browser, and this page asks for no pairing: the sample opens in a browser that is paired, and is refused in any other, 401 device-missing.",
        ),
        Denied::IdentityMissing => Some(
            "That takes a login, which this page does not look at. Without one a click on the sample is refused: 401 identity-missing. Try the sample.",
        ),
        Denied::ApiKeyInvalid => Some(
            "But a click on the sample is refused, 401 api-key-invalid: no browser shows an API key, and ACCESS has nothing else.",
        ),
        _ => None,
    }
}

const NO_LOCK: &str = "But the operator is not checked here: this page stands behind no lock, such as ALLOWED_NETWORKS. Try the sample.";
const NO_LIST: &str = "But the operator is not checked here: ChatHub's list of operators has not been read as a whole yet. Try the sample.";

/// Refuses an operator that a click would not find. Else says why this page cannot tell.
fn look_up(
    auth: &AuthContext<'_>,
    request: &HttpRequest,
    state: &AppState,
) -> Result<Option<&'static str>, Problem> {
    if !is_behind_a_lock(request, state) {
        return Ok(Some(NO_LOCK));
    }
    let directory = state.directory.current();
    let directory = directory.as_deref();
    let found = match state
        .authenticator
        .resolve_operator(&auth.requested, directory)
    {
        Err(Denied::DirectoryNeeded) => return Ok(Some(NO_LIST)),
        found => found.map_err(|denied| unresolved(denied, &auth.requested, state))?,
    };
    let Some(operator) = found.operator() else {
        return Ok(None);
    };
    match directory {
        Some(directory) if directory.status(operator).is_some() => Ok(None),
        Some(directory) if directory.is_complete() => Err(chathub::ErrorKind::NotFound.into()),
        _ => Ok(Some(NO_LIST)),
    }
}

/// Whether strangers are kept out. Here they could list the company's operators, without the limit
/// on refused clicks.
fn is_behind_a_lock(request: &HttpRequest, state: &AppState) -> bool {
    let is_narrow = state.authenticator.has_allowed_networks() || is_local(request);
    is_narrow && host::check(request, state).is_ok()
}

/// Where the source comes from, if not from the link's own parameter.
fn source_note(query: &Query<'_>, client: &ClientRecord) -> &'static str {
    if client.source.is_some() && query.source().is_none() {
        "; the source comes from the phone, which is a messenger's link"
    } else {
        ""
    }
}

fn why(link: &DeepLink<'_>, query: &Query<'_>, client: &ClientRecord) -> String {
    match link {
        DeepLink::Chat { .. } => "a chat id is given, which wins over the phone".into(),
        DeepLink::Phone { .. } => match client.source {
            Some(source) => format!(
                "the source {source} has no sender, neither `from=` nor one in SENDERS, so the phone alone counts"
            ),
            None => "the phone is all that is known".into(),
        },
        DeepLink::Sender { .. } => "phone and sender are known, and no source".into(),
        DeepLink::Source { sender, .. } => {
            let from = if query.from().is_some() {
                "`from=`"
            } else {
                "SENDERS"
            };
            format!("phone, source and sender are known; the sender {sender} comes from {from}")
        }
    }
}
