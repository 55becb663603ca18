//! The kinds of refusal: name, status and title of each, fixed for those who build on them.

macro_rules! kinds {
    ($($kind:ident $name:literal $status:literal $title:literal;)+) => {
        /// Why a request is refused. The name is the problem's type, the metric's label and the
        /// log's field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Kind {
            $(#[doc = $title] $kind,)+
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

            /// A few words, the same for every refusal of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)+ }
            }
        }
    };
}

kinds! {
    OperatorMissing     "operator-missing"     400 "The link names no operator";
    TargetMissing       "target-missing"       400 "The link names no client";
    PhoneInvalid        "phone-invalid"        400 "This is not a phone number";
    SourceInvalid       "source-invalid"       400 "This is not a chat source";
    SenderMissing       "sender-missing"       400 "The source has no sender";
    ParameterInvalid    "parameter-invalid"    400 "A parameter cannot be read";
    ParameterRepeated   "parameter-repeated"   400 "A parameter is given twice";
    PlaceholderUnfilled "placeholder-unfilled" 400 "The CRM did not fill in the link";
    PassMissing         "pass-missing"         401 "The link has no pass";
    PassInvalid         "pass-invalid"         401 "The link's pass is not valid";
    PassExpired         "pass-expired"         401 "The link's pass has ended";
    IdentityMissing     "identity-missing"     401 "Nobody is logged in";
    ApiKeyInvalid       "api-key-invalid"      401 "The API key is not valid";
    OperatorNotAllowed  "operator-not-allowed" 403 "This operator is not allowed here";
    OperatorInactive    "operator-inactive"    403 "The operator does not work at present";
    IdentityUnknown     "identity-unknown"     403 "This login belongs to no operator";
    PassMismatch        "pass-mismatch"        403 "The link contradicts its pass";
    PassUsed            "pass-used"            403 "The link has been used already";
    NetworkNotAllowed   "network-not-allowed"  403 "This network is not allowed";
    NotANavigation      "not-a-navigation"     403 "This was not a click";
    OperatorUnknown     "operator-unknown"     404 "There is no such operator";
    NotFound            "not-found"            404 "There is nothing here";
    MethodNotAllowed    "method-not-allowed"   405 "Another method is wanted";
    OperatorAmbiguous   "operator-ambiguous"   409 "Several operators have this name";
    QueryTooLong        "query-too-long"       414 "The link is too long";
    HostNotAllowed      "host-not-allowed"     421 "This host name is not allowed here";
    RateLimited         "rate-limited"         429 "Too many clicks";
    ChathubBadAnswer    "chathub-bad-answer"   502 "ChatHub gave an answer that makes no sense";
    ChathubUnavailable  "chathub-unavailable"  503 "ChatHub is not available";
    ChathubThrottled    "chathub-throttled"    503 "ChatHub asks to slow down";
    CredentialsRejected "credentials-rejected" 503 "ChatHub does not accept this service's credentials";
    Overloaded          "overloaded"           503 "Too many clicks are waiting for ChatHub";
    ChathubTimeout      "chathub-timeout"      504 "ChatHub does not answer in time";
}
