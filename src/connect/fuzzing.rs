//! The way in for `fuzz/`, which cannot see what is private here. Built with `--cfg fuzzing` alone.

use super::bitrix24::{AgentAndPhones, Button};
use super::client::CrmAnswer;
use super::{CrmClient, Refusal, pipedrive};

/// What the portal's answer to a button makes of it.
pub fn bitrix24(
    button: &Button<'_>,
    client: &CrmClient,
    status: u16,
    body: &[u8],
) -> Result<AgentAndPhones, Refusal> {
    button.answered_by(&answer(status, body), client)
}

/// Reads Pipedrive's list of the users who may see a record.
pub fn pipedrive_users(status: u16, body: &[u8]) -> Result<Vec<u64>, Refusal> {
    pipedrive::users_of(&answer(status, body))
}

/// Reads the person of a deal in Pipedrive.
pub fn pipedrive_person(status: u16, body: &[u8]) -> Result<Option<u64>, Refusal> {
    pipedrive::person_of(&answer(status, body))
}

/// Reads the phones of a person in Pipedrive.
pub fn pipedrive_phones(status: u16, body: &[u8]) -> Result<Vec<String>, Refusal> {
    pipedrive::phones_of(&answer(status, body))
}

fn answer(status: u16, body: &[u8]) -> CrmAnswer {
    CrmAnswer::of(status, body.to_vec())
}
