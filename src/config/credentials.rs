//! The company's ChatHub credentials: texts, or files that are watched.

use chathub::{CredentialSource, Credentials};

use crate::secret::SecretSource;

/// What the service authenticates with at ChatHub. The client gets what was last read; it never
/// reads a file itself.
#[derive(Clone, Debug)]
pub enum ChatHubCredentials {
    /// `CHATHUB_LOGIN` and `CHATHUB_PASSWORD`.
    Login {
        /// The company's login.
        login: SecretSource,
        /// Its password.
        password: SecretSource,
    },
    /// `CHATHUB_API_KEY`.
    ProfileKey(SecretSource),
}

impl ChatHubCredentials {
    /// The part that only the company has: the password, or the key.
    pub const fn secret(&self) -> &SecretSource {
        match self {
            Self::Login { password, .. } => password,
            Self::ProfileKey(key) => key,
        }
    }
}

impl CredentialSource for ChatHubCredentials {
    fn current(&self) -> Option<Credentials> {
        Some(match self {
            Self::Login { login, password } => Credentials::Login {
                login: login.last()?.into(),
                password: password.last()?.into(),
            },
            Self::ProfileKey(key) => Credentials::ProfileKey(key.last()?.into()),
        })
    }
}
