//! How a company shows who it is.

use crate::secret::{Secret, SecretSource};

/// How a company shows who it is. A secret that stands in a file must have been read
/// ([`SecretSource::read`]) before the client needs it.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A login and a password, exchanged for a company token.
    Login {
        /// The company's login.
        login: SecretSource,
        /// Its password.
        password: SecretSource,
    },
    /// The key that ChatHub's dashboard shows under Profile.
    ProfileKey(SecretSource),
}

/// What the credentials say at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Login { login: Secret, password: Secret },
    ProfileKey(Secret),
}

impl Credentials {
    /// The part that nobody but the company has: the password, or the key.
    pub const fn secret(&self) -> &SecretSource {
        match self {
            Self::Login { password, .. } => password,
            Self::ProfileKey(key) => key,
        }
    }

    /// What they say now: what was last read of their files. Whoever has made them reads those
    /// again. None of them is read here, so that no call waits for one.
    pub(super) fn show(&self) -> Option<Shown> {
        Some(match self {
            Self::Login { login, password } => Shown::Login {
                login: login.last()?,
                password: password.last()?,
            },
            Self::ProfileKey(key) => Shown::ProfileKey(key.last()?),
        })
    }
}
