//! Installations of CRMs whose secrets no input knows: two of each vendor, of which the second has
//! what the first leaves out.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use open_chat::connect::Connectors;

use crate::{DIRECTORY, random};

/// The application's id in the portals of Bitrix24.
pub const CLIENT_ID: &str = "local.0123456789abcdef.01234567";

/// What the installations have, and the other sides' secrets.
pub struct Installations {
    pub connectors: Arc<Connectors>,
    pub kommo: [String; 2],
    pub zendesk: [KeyPair; 2],
    pub hubspot: [String; 2],
    pub pipedrive: [String; 2],
    /// Of the second portal; the first sends none.
    pub application_token: String,
}

pub static INSTALLATIONS: LazyLock<Installations> = LazyLock::new(|| {
    let pair = || [random(), random()];
    let (kommo, hubspot, pipedrive) = (pair(), pair(), pair());
    let zendesk = [(); 2].map(|()| KeyPair::generate(KeySize::Rsa2048).unwrap());
    let application_token = random();
    let [first_pem, second_pem] = [0, 1].map(|at: usize| {
        let file = DIRECTORY.join(format!("zendesk-{at}.pem"));
        std::fs::write(&file, pem(&zendesk[at])).unwrap();
        file
    });
    let text = format!(
        r#"
[[bitrix24]]
portals = ["acme.bitrix24.com"]
client_id = "{CLIENT_ID}"
by_email = true
operators = [101]
[[bitrix24]]
portals = ["http://127.0.0.1:8080"]
client_id = "{CLIENT_ID}"
application_token = "{application_token}"
prefix = "b-"
[[kommo]]
accounts = ["acme.kommo.com"]
secret = "{}"
[[kommo]]
accounts = ["https://other.kommo.com"]
secret = "{}"
account_id = 7
prefix = "k-"
[[zendesk]]
accounts = ["acme.zendesk.com"]
public_key_file = {first_pem:?}
[[zendesk]]
accounts = ["other.zendesk.com"]
public_key_file = {second_pem:?}
installation = 9
prefix = "z-"
[[hubspot]]
portals = [12345]
app_id = 9
client_secret = "{}"
[[hubspot]]
portals = [54321]
app_id = 9
client_secret = "{}"
prefix = "h-"
[[pipedrive]]
companies = [{{id = 1, host = "acme.pipedrive.com"}}]
jwt_secret = "{}"
api_token = "canary-api-token"
[[pipedrive]]
companies = [{{id = 2, host = "other.pipedrive.com"}}]
jwt_secret = "{}"
api_token = "canary-api-token"
prefix = "p-"
"#,
        kommo[0], kommo[1], hubspot[0], hubspot[1], pipedrive[0], pipedrive[1],
    );
    let file = DIRECTORY.join("connectors.toml");
    std::fs::write(&file, text).unwrap();
    let connectors = Connectors::load(file, Vec::new()).unwrap().get();
    Installations {
        connectors: Arc::clone(&connectors),
        kommo,
        zendesk,
        hubspot,
        pipedrive,
        application_token,
    }
});

fn pem(key: &KeyPair) -> String {
    let der = key.public_key().as_der().unwrap();
    let lines = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
}

/// RS256
pub fn rs256(key: &KeyPair, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signature,
    )
    .unwrap();
    signature
}
