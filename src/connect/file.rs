//! `CONNECTORS_FILE` as it is written: TOML, a section for each installation, with its secrets or
//! the files that hold them.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use jsonwebtoken::DecodingKey;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::section::{Common, MIN_SECRET, Place, secret};
use super::{Bitrix24, Connectors, Hubspot, Kommo, Pipedrive, Vendor, Zendesk};
use crate::access::{TomlFormat, toml_problem};
use crate::reload::Files;
use crate::secret::Secret;

const FORMAT: TomlFormat = TomlFormat {
    what: "a list of connectors",
    page: "docs/connectors.md has the settings of each CRM",
    form: "a section begins with its CRM, such as [kommo]",
};

/// The least length of a secret that people choose themselves, in bytes.
const MIN_CHOSEN_SECRET: usize = 32;

/// Reads the file, and those that it names.
pub(super) fn read(files: &mut Files, path: &Path) -> Result<Connectors, String> {
    let text = files.read(path)?;
    let file: File =
        toml::from_str(&text).map_err(|error| toml_problem(&error, &text, path, FORMAT))?;
    Ok(Connectors {
        bitrix24: all(file.bitrix24, Vendor::Bitrix24, files, path)?,
        kommo: all(file.kommo, Vendor::Kommo, files, path)?,
        zendesk: all(file.zendesk, Vendor::Zendesk, files, path)?,
        hubspot: all(file.hubspot, Vendor::Hubspot, files, path)?,
        pipedrive: all(file.pipedrive, Vendor::Pipedrive, files, path)?,
    })
}

/// Its sections.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    bitrix24: OneOrMany<Bitrix24Entry>,
    #[serde(default)]
    kommo: OneOrMany<KommoEntry>,
    #[serde(default)]
    zendesk: OneOrMany<ZendeskEntry>,
    #[serde(default)]
    hubspot: OneOrMany<HubspotEntry>,
    #[serde(default)]
    pipedrive: OneOrMany<PipedriveEntry>,
}

/// `[kommo]`, or `[[kommo]]` any number of times.
struct OneOrMany<T>(Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

/// An untagged enum would lose what is wrong, and where.
struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
    }
}

/// A section as it is written.
trait Entry {
    type Connector;

    fn read(self, files: &mut Files) -> Result<Self::Connector, String>;
}

fn all<T: Entry>(
    entries: OneOrMany<T>,
    vendor: Vendor,
    files: &mut Files,
    path: &Path,
) -> Result<Vec<T::Connector>, String> {
    let read = |entry: T| {
        entry
            .read(files)
            .map_err(|why| format!("the file {}: [{}]: {why}", path.display(), vendor.name()))
    };
    entries.0.into_iter().map(read).collect()
}

/// Declares a section as it is written, with the settings that all sections have.
macro_rules! entry {
    ($Entry:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)+ }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $Entry {
            prefix: Option<String>,
            #[serde(default)]
            by_email: bool,
            #[serde(default)]
            operators: crate::access::Scope,
            $($(#[$attribute])* $field: $type,)+
        }

        impl $Entry {
            fn common(&mut self) -> Common {
                Common {
                    prefix: self.prefix.take(),
                    by_email: self.by_email,
                    operators: std::mem::take(&mut self.operators),
                }
            }
        }
    };
}

entry! { Bitrix24Entry {
    portals: Vec<String>,
    client_id: String,
    application_token: Option<String>,
    application_token_file: Option<PathBuf>,
} }

entry! { KommoEntry {
    accounts: Vec<String>,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    account_id: Option<u64>,
} }

entry! { ZendeskEntry {
    accounts: Vec<String>,
    public_key_file: PathBuf,
    installation: Option<u64>,
} }

entry! { HubspotEntry {
    portals: Vec<u64>,
    app_id: u64,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
} }

entry! { PipedriveEntry {
    companies: Vec<Company>,
    jwt_secret: Option<String>,
    jwt_secret_file: Option<PathBuf>,
    api_token: Option<String>,
    api_token_file: Option<PathBuf>,
} }

/// A company of Pipedrive: its number and its host.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Company {
    id: u64,
    host: String,
}

impl Entry for Bitrix24Entry {
    type Connector = Bitrix24;

    fn read(mut self, files: &mut Files) -> Result<Bitrix24, String> {
        let place = Place::only("portals", &self.portals)?;
        let client_id = self.client_id.trim().to_owned();
        if client_id.len() < MIN_SECRET {
            return Err(format!(
                "`client_id` must have at least {MIN_SECRET} characters, as the application's form has"
            ));
        }
        let (text, file) = (
            self.application_token.take(),
            self.application_token_file.take(),
        );
        let application_token = secret(files, "application_token", text, file, MIN_SECRET)?;
        let token = application_token
            .as_ref()
            .map_or("", |token| token.expose());
        let vouching = Secret::new(format!("{client_id}\n{token}"));
        Ok(Bitrix24 {
            section: self.common().section(Vendor::Bitrix24, place, vouching)?,
            client_id,
            application_token,
        })
    }
}

impl Entry for KommoEntry {
    type Connector = Kommo;

    fn read(mut self, files: &mut Files) -> Result<Kommo, String> {
        let place = Place::only("accounts", &self.accounts)?;
        let (text, file) = (self.secret.take(), self.secret_file.take());
        let secret = required("secret", secret(files, "secret", text, file, MIN_SECRET)?)?;
        Ok(Kommo {
            section: self
                .common()
                .section(Vendor::Kommo, place, secret.clone())?,
            secret,
            account_id: self.account_id,
        })
    }
}

impl Entry for ZendeskEntry {
    type Connector = Zendesk;

    fn read(mut self, files: &mut Files) -> Result<Zendesk, String> {
        let place = Place::only("accounts", &self.accounts)?;
        let pem = files.read(&self.public_key_file)?;
        let public_key = DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| {
            "`public_key_file` is no RSA public key in PEM, as Zendesk shows it".to_owned()
        })?;
        Ok(Zendesk {
            section: self
                .common()
                .section(Vendor::Zendesk, place, Secret::new(pem))?,
            public_key,
            installation: self.installation,
        })
    }
}

impl Entry for HubspotEntry {
    type Connector = Hubspot;

    fn read(mut self, files: &mut Files) -> Result<Hubspot, String> {
        let [portal] = self.portals[..] else {
            return Err("`portals` must have one entry: another portal is another [[hubspot]], with a prefix of its own".into());
        };
        let (text, file) = (self.client_secret.take(), self.client_secret_file.take());
        let client_secret = secret(files, "client_secret", text, file, MIN_SECRET)?;
        let client_secret = required("client_secret", client_secret)?;
        let place = Place::number(portal);
        Ok(Hubspot {
            section: self
                .common()
                .section(Vendor::Hubspot, place, client_secret.clone())?,
            portal,
            app_id: self.app_id,
            client_secret,
        })
    }
}

impl Entry for PipedriveEntry {
    type Connector = Pipedrive;

    fn read(mut self, files: &mut Files) -> Result<Pipedrive, String> {
        let [Company { id, host }] = &self.companies[..] else {
            return Err("`companies` must have one entry: another company is another [[pipedrive]], with a prefix of its own".into());
        };
        let (company, host) = (*id, Place::of_host("host", host)?);
        let place = Place {
            installation: company.to_string(),
            ..host
        };
        let (text, file) = (self.jwt_secret.take(), self.jwt_secret_file.take());
        let jwt_secret = secret(files, "jwt_secret", text, file, MIN_CHOSEN_SECRET)?;
        let jwt_secret = required("jwt_secret", jwt_secret)?;
        let (text, file) = (self.api_token.take(), self.api_token_file.take());
        let api_token = secret(files, "api_token", text, file, MIN_SECRET)?;
        Ok(Pipedrive {
            section: self
                .common()
                .section(Vendor::Pipedrive, place, jwt_secret.clone())?,
            company,
            jwt_secret,
            api_token: required("api_token", api_token)?,
        })
    }
}

fn required(name: &str, secret: Option<Secret>) -> Result<Secret, String> {
    secret.ok_or_else(|| format!("`{name}` or `{name}_file` is missing"))
}
