//! Sets `OPEN_CHAT_REVISION` for the build: the commit that `--version` and the metric
//! `open_chat_build_info` name.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=OPEN_CHAT_REVISION");
    let revision = given()
        .or_else(of_the_crate_package)
        .or_else(of_the_checkout)
        .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=OPEN_CHAT_REVISION={revision}");
}

/// What the one who builds says: the Dockerfile, whose context has no `.git`.
fn given() -> Option<String> {
    let revision = std::env::var("OPEN_CHAT_REVISION").ok()?;
    (!revision.is_empty()).then_some(revision)
}

/// `cargo package` writes down the commit that it packs.
fn of_the_crate_package() -> Option<String> {
    let file = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    println!("cargo::rerun-if-changed=.cargo_vcs_info.json");
    let revision = file.split("\"sha1\": \"").nth(1)?.split('"').next()?;
    Some(revision.to_owned())
}

/// The commit that is checked out here. Sources that merely lie within another project's checkout
/// have none.
fn of_the_checkout() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let revision = git(&["rev-parse", "HEAD"])?;
    // What changes when another commit is checked out or made. A file that does not exist is not
    // named, because cargo would then build anew each time.
    let branch = git(&["rev-parse", "--symbolic-full-name", "HEAD"])?;
    for name in ["HEAD", "packed-refs", &branch] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    Some(revision)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
