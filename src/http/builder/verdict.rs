//! What a click on the sample would do, by the code that clicks go through and by the directory
//! that is in memory. ChatHub is not asked, and no pass or key of the visitor is looked at.

use actix_web::HttpRequest;

use crate::access::{AuthContext, Caller, Denied};
use crate::deep_link::DeepLink;
use crate::http::click::Click;
use crate::http::kind::Kind;
use crate::http::open_chat::target;
use crate::http::prose::Prose;
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::http::resolve::refused;
use crate::http::texts::Language;
use crate::http::{AppState, door, host};

/// What a click on the sample would do.
pub(super) enum Verdict {
    /// A chat opens.
    Opens {
        /// 1 to 4.
        format: u8,
        /// Why this one.
        why: Prose,
        /// Where the link leads, without its token.
        leads_to: String,
        /// What else it takes, or is not known here; then the verdict is not good yet.
        unless: Option<Prose>,
    },
    /// It is refused.
    Refused {
        /// As what.
        kind: Kind,
        /// And in which words.
        why: Prose,
    },
}

impl Verdict {
    /// Of the sample's query, as this page's visitor would click on it.
    pub(super) fn of(
        sample: &str,
        request: &HttpRequest,
        state: &AppState,
        click: &mut Click,
    ) -> Self {
        judge(sample, request, state, click).unwrap_or_else(|refusal| Self::Refused {
            kind: refusal.kind,
            why: refusal.detail(Language::English),
        })
    }
}

fn judge(
    sample: &str,
    request: &HttpRequest,
    state: &AppState,
    click: &mut Click,
) -> Result<Verdict, Refusal> {
    let query = Query::parse(sample)?;
    let unless = match door::authenticate_proxy(request, &query, state) {
        Ok(auth) => look_up(&auth, request, state)?,
        Err(denied) => Some(lacking(denied).ok_or_else(|| Refusal::from(denied))?),
    };
    let link = target(&query, &state.links, click)?;
    Ok(Verdict::Opens {
        format: link.format(),
        why: Prose::of(&why(&link, &query, click)),
        leads_to: link.url(&state.links.panel, None),
        unless: unless.map(Prose::of),
    })
}

/// What a click shows that this page does not, where that alone is lacking.
const fn lacking(denied: Denied) -> Option<&'static str> {
    match denied {
        Denied::PassMissing => Some(
            "That takes a pass. The sample has none, so a click on it is refused as it stands: 401 pass-missing.",
        ),
        Denied::IdentityMissing => Some(
            "That takes a login, and none has reached this page, so a click on the sample is refused: 401 identity-missing.",
        ),
        Denied::ApiKeyInvalid => Some(
            "But a click on the sample is refused, 401 api-key-invalid: no browser shows an API key, and ACCESS has nothing else.",
        ),
        _ => None,
    }
}

const NO_LOCK: &str = "But the operator is not checked here: this page stands behind no lock, such as ALLOWED_NETWORKS or `ACCESS=sso`. \
                       Try the sample.";
const NO_LIST: &str = "But the operator is not checked here: ChatHub's list of operators has not been read as a whole yet. Try the sample.";

/// Refuses an operator whom a click would not find. Else what keeps this page from knowing.
fn look_up(
    auth: &AuthContext<'_>,
    request: &HttpRequest,
    state: &AppState,
) -> Result<Option<&'static str>, Refusal> {
    if !is_behind_a_lock(auth, request, state) {
        return Ok(Some(NO_LOCK));
    }
    let directory = state.directory.known();
    let directory = directory.as_deref();
    let found = match state
        .authenticator
        .resolve_operator(&auth.requested, directory)
    {
        Err(Denied::DirectoryNeeded) => return Ok(Some(NO_LIST)),
        found => found.map_err(|denied| refused(denied, &auth.requested, state))?,
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

/// Whether strangers are kept out. They would learn here, without the limit on refused clicks, who
/// works for the company.
fn is_behind_a_lock(auth: &AuthContext<'_>, request: &HttpRequest, state: &AppState) -> bool {
    let is_logged_in = matches!(auth.caller, Caller::Sso(_));
    let is_narrow = state.authenticator.has_allowed_networks() || door::is_local(request);
    is_logged_in || is_narrow && host::check(request, state).is_ok()
}

fn why(link: &DeepLink<'_>, query: &Query<'_>, click: &Click) -> String {
    match link {
        DeepLink::Chat { .. } => "a chat id is given, which wins over the phone".into(),
        DeepLink::Phone { .. } => match click.source {
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
