//! A company's credentials, and where they come from.

use std::fmt::Debug;

use secrecy::{ExposeSecret as _, SecretString};

/// What a company authenticates with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// A login and a password, which are exchanged for a company token.
    Login {
        /// The company's login.
        login: SecretString,
        /// Its password.
        password: SecretString,
    },
    /// The key that ChatHub's dashboard shows under Profile.
    ProfileKey(SecretString),
}

/// Where the credentials come from. [`Credentials`] are a source that never changes.
pub trait CredentialSource: Debug + Send + Sync {
    /// The credentials at this moment; `None` while they cannot be read, which leaves the last ones
    /// in use.
    ///
    /// Called on the way of calls, so it must not block: a source that is a file is read elsewhere,
    /// ahead of time.
    fn current(&self) -> Option<Credentials>;
}

impl CredentialSource for Credentials {
    fn current(&self) -> Option<Credentials> {
        Some(self.clone())
    }
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        match (self, other) {
            (
                Self::Login { login, password },
                Self::Login {
                    login: other_login,
                    password: other_password,
                },
            ) => same(login, other_login) && same(password, other_password),
            (Self::ProfileKey(key), Self::ProfileKey(other)) => same(key, other),
            _ => false,
        }
    }
}
