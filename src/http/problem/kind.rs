//! The kinds of refusal: name and status of each, fixed for those who build on them.

use crate::http::pages::Language;

macro_rules! kinds {
    ($($kind:ident $name:literal $status:literal;)+) => {
        /// Why a request is refused. The name is the problem's type, the metric's label and the
        /// log's field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`")] $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: [Self; [$($status),+].len()] = [$(Self::$kind),+];

            /// `phone-invalid`
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)+ }
            }
        }
    };
}

kinds! {
    OperatorMissing     "operator-missing"     400;
    TargetMissing       "target-missing"       400;
    PhoneInvalid        "phone-invalid"        400;
    SourceInvalid       "source-invalid"       400;
    SenderMissing       "sender-missing"       400;
    ParameterInvalid    "parameter-invalid"    400;
    ParameterRepeated   "parameter-repeated"   400;
    PlaceholderUnfilled "placeholder-unfilled" 400;
    PassMissing         "pass-missing"         401;
    PassInvalid         "pass-invalid"         401;
    PassExpired         "pass-expired"         401;
    IdentityMissing     "identity-missing"     401;
    ApiKeyInvalid       "api-key-invalid"      401;
    DeviceMissing       "device-missing"       401;
    DeviceEnded         "device-ended"         401;
    InvitationInvalid   "invitation-invalid"   401;
    InvitationExpired   "invitation-expired"   401;
    ConnectorUnproven   "connector-unproven"   401;
    OperatorNotAllowed  "operator-not-allowed" 403;
    OperatorInactive    "operator-inactive"    403;
    IdentityUnknown     "identity-unknown"     403;
    InvitationUsed      "invitation-used"      403;
    PassMismatch        "pass-mismatch"        403;
    PassUsed            "pass-used"            403;
    NetworkNotAllowed   "network-not-allowed"  403;
    NotANavigation      "not-a-navigation"     403;
    PortalNotAllowed    "portal-not-allowed"   403;
    OperatorUnknown     "operator-unknown"     404;
    NotFound            "not-found"            404;
    MethodNotAllowed    "method-not-allowed"   405;
    OperatorAmbiguous   "operator-ambiguous"   409;
    QueryTooLong        "query-too-long"       414;
    HostNotAllowed      "host-not-allowed"     421;
    RateLimited         "rate-limited"         429;
    ChathubBadAnswer    "chathub-bad-answer"   502;
    CrmBadAnswer        "crm-bad-answer"       502;
    ChathubUnavailable  "chathub-unavailable"  503;
    ChathubThrottled    "chathub-throttled"    503;
    CredentialsRejected "credentials-rejected" 503;
    Overloaded          "overloaded"           503;
    CrmUnavailable      "crm-unavailable"      503;
    ChathubTimeout      "chathub-timeout"      504;
    CrmTimeout          "crm-timeout"          504;
}

impl Kind {
    /// The problem's type: `urn:open-chat:problem:phone-invalid`.
    pub fn urn(self) -> String {
        format!("urn:open-chat:problem:{}", self.name())
    }

    /// A few words in English, the same for every refusal of the kind.
    pub fn title(self) -> &'static str {
        Language::English.title(self)
    }
}
