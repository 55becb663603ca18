//! Writes the address and the version of this service into the text of a source, as the syntax of
//! that file wants it.

use askama::filters::{Html, escape};
use chathub::HttpsUrl;

use super::PackageError;

/// What stands for the address in the sources, always inside of a string of their syntax.
const ADDRESS: &str = "https://chat.example";

/// What stands for the address without its path.
const ORIGIN: &str = "https://origin.chat.example";

/// What stands for the version.
const VERSION: &str = "0.0.0";

/// How a string is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    /// Between `"`, with backslashes: JSON, JavaScript, TypeScript, TOML and Deluge.
    Json,
    /// A text or an attribute of XML.
    Xml,
    /// Between `'`, with backslashes.
    Php,
    /// Between `"`, which is doubled: 1C.
    Bsl,
}

impl Syntax {
    /// By the end of a file's name; others have no string with the address.
    fn of(path: &str) -> Option<Self> {
        match path.rsplit('.').next()? {
            "json" | "js" | "ts" | "toml" | "dg" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            "php" => Some(Self::Php),
            "bsl" => Some(Self::Bsl),
            _ => None,
        }
    }

    fn encode(self, text: &str) -> Result<String, PackageError> {
        Ok(match self {
            Self::Json => {
                let quoted = serde_json::to_string(text)?;
                let inside = quoted.get(1..quoted.len() - 1);
                inside.unwrap_or_default().to_owned()
            }
            Self::Xml => {
                let Ok(safe) = escape(text, Html);
                safe.to_string()
            }
            Self::Php => text.replace('\\', r"\\").replace('\'', r"\'"),
            Self::Bsl => text.replace('"', "\"\""),
        })
    }
}

/// The address without what no chat's address has.
pub(super) fn service_address(public: &HttpsUrl) -> String {
    let mut url = public.as_url().clone();
    url.set_query(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// The content of a file with this service's address and version in it. What is no text stays as
/// it is.
pub(super) fn fill(
    path: &str,
    content: &[u8],
    public_url: &HttpsUrl,
    version: &str,
) -> Result<Vec<u8>, PackageError> {
    let Ok(text) = std::str::from_utf8(content) else {
        return Ok(content.to_owned());
    };
    // CRMs take numbers alone.
    let version = version.split(['-', '+']).next().unwrap_or_default();
    let mut filled = text.replace(VERSION, version);
    if let Some(syntax) = Syntax::of(path) {
        let origin = public_url.as_url().origin().ascii_serialization();
        filled = filled.replace(ADDRESS, &syntax.encode(&service_address(public_url))?);
        filled = filled.replace(ORIGIN, &syntax.encode(&origin)?);
    }
    Ok(filled.into_bytes())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// All that a URL may have and a string of some syntax may not.
    const ODD: &str = "https://chat.example/a&b'c";

    #[rstest]
    #[case(
        "a.json",
        r#"{"u": "https://chat.example"}"#,
        r#"{"u": "https://chat.example/a&b'c"}"#
    )]
    #[case(
        "a.js",
        r#"u = "https://chat.example";"#,
        r#"u = "https://chat.example/a&b'c";"#
    )]
    #[case(
        "a.ts",
        r#"const u = "https://chat.example";"#,
        r#"const u = "https://chat.example/a&b'c";"#
    )]
    #[case(
        "app.json",
        r#"["https://origin.chat.example"]"#,
        r#"["https://chat.example"]"#
    )]
    #[case(
        "a.xml",
        "<u>https://chat.example</u>",
        "<u>https://chat.example/a&#38;b&#39;c</u>"
    )]
    #[case(
        "a.php",
        "$u = 'https://chat.example';",
        r"$u = 'https://chat.example/a&b\'c';"
    )]
    #[case("a.bsl", "\"https://chat.example\"", "\"https://chat.example/a&b'c\"")]
    #[case("a.md", "such as https://chat.example", "such as https://chat.example")]
    #[case("a.py", "\"version\": \"0.0.0\"", "\"version\": \"1.2.3\"")]
    fn in_the_syntax_of_the_file(#[case] path: &str, #[case] source: &str, #[case] filled: &str) {
        let url = HttpsUrl::parse(ODD).unwrap();
        let made = fill(path, source.as_bytes(), &url, "1.2.3-rc.4").unwrap();
        assert_eq!(String::from_utf8(made).unwrap(), filled);
    }

    #[rstest]
    #[case(Syntax::Json, r#"a"b\c"#, r#"a\"b\\c"#)]
    #[case(Syntax::Xml, "a\"<b>", "a&#34;&#60;b&#62;")]
    #[case(Syntax::Php, r"a\'b", r"a\\\'b")]
    #[case(Syntax::Bsl, "a\"b", "a\"\"b")]
    fn what_would_end_a_string_does_not(
        #[case] syntax: Syntax,
        #[case] text: &str,
        #[case] encoded: &str,
    ) {
        assert_eq!(syntax.encode(text).unwrap(), encoded);
    }

    #[test]
    fn a_picture_stays_as_it_is() {
        let picture = b"\x89PNG 0.0.0";
        let url = HttpsUrl::parse(ODD).unwrap();
        assert_eq!(fill("a.png", picture, &url, "1.2.3").unwrap(), picture);
    }
}
