//! One field of a form or a query. Others' fields beside it are passed over.

use url::form_urlencoded;

use crate::http::problem::{Detail, Kind, Problem};

/// The value of a field that is there once at most.
pub(crate) fn field(form: &[u8], name: &'static str) -> Result<Option<String>, Problem> {
    let mut values = form_urlencoded::parse(form).filter(|(found, _)| found == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() {
        let detail = Detail::Repeated(name);
        return Err(Problem::new(Kind::ParameterRepeated, detail));
    }
    Ok(value)
}
