//! A glibc that is linked in statically, as in the container image, still loads the machine's own
//! NSS modules where `/etc/nsswitch.conf` names them for host names, and dies of those of another
//! version.

const IS_STATIC: bool = cfg!(all(target_env = "gnu", target_feature = "crt-static"));

/// What is wrong where this program, being static, would load modules of this machine.
pub fn foreign_nss_modules() -> Option<String> {
    if !IS_STATIC {
        return None;
    }
    let settings = std::fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    let modules = modules_of_hosts(&settings);
    (!modules.is_empty()).then(|| {
        format!(
            "this program is the container image's, and /etc/nsswitch.conf names `{}` for hosts, of which it may die (SIGFPE) when it looks a name up",
            modules.join(" ")
        )
    })
}

/// The modules for host names, but for those that are a part of glibc itself.
fn modules_of_hosts(settings: &str) -> Vec<&str> {
    let line = settings
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("hosts:"));
    let words = line.unwrap_or_default().split('#').next();
    // What stands in brackets says when to go on: `[!UNAVAIL=return]`.
    let modules = words
        .unwrap_or_default()
        .split(['[', ']'])
        .step_by(2)
        .flat_map(str::split_whitespace);
    modules
        .filter(|module| !["files", "dns"].contains(module))
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::modules_of_hosts;

    #[rstest]
    #[case("passwd: files systemd\nhosts: files dns\n", &[])]
    #[case("hosts:  files myhostname resolve [!UNAVAIL=return] dns # as Fedora\n", &["myhostname", "resolve"])]
    #[case("  hosts: mdns4_minimal [NOTFOUND=return success=merge] dns", &["mdns4_minimal"])]
    #[case("# hosts: resolve\nnetworks: files\n", &[])]
    #[case("", &[])]
    fn modules_that_are_not_of_glibc(#[case] settings: &str, #[case] expected: &[&str]) {
        assert_eq!(modules_of_hosts(settings), expected);
    }
}
