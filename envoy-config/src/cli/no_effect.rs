//! Flags that would do nothing, or of which one hides another: whoever gives one expects something of it.

use clap::error::ErrorKind;
use clap::{ArgMatches, Error};

use crate::proxy_options::RoleOption;

/// What only a sidecar has, by the names of the arguments.
const OF_SIDECARS: [(&str, &str); 4] = [
    ("app_ports", "--app-port"),
    ("app_host", "--app-host"),
    ("outbound_bind", "--outbound-bind"),
    ("direction", "--direction"),
];

/// Checks what was given to the command at the end of the line.
///
/// # Errors
/// A flag without effect, as wrong usage.
pub(super) fn check(matches: &ArgMatches) -> Result<(), Error> {
    if let Some((_, inner)) = matches.subcommand() {
        return check(inner);
    }
    let wrong = |message: String| Err(Error::raw(ErrorKind::ArgumentConflict, message + "\n"));
    let given = |name: &str| matches.try_contains_id(name).unwrap_or(false);
    let role = matches.try_get_one::<RoleOption>("role").ok().flatten();
    if role == Some(&RoleOption::Gateway)
        && let Some((_, flag)) = OF_SIDECARS.into_iter().find(|(name, _)| given(name))
    {
        return wrong(format!("`{flag}` has no effect on a gateway: it is for `--role sidecar`"));
    }
    let ports: Vec<(u16, u16)> =
        matches.try_get_many("ports").ok().flatten().into_iter().flatten().copied().collect();
    let mut seen = std::collections::HashSet::new();
    match ports.iter().find(|(port, _)| !seen.insert(*port)) {
        Some((port, _)) => wrong(format!("`--port {port}=…` is given twice")),
        None => Ok(()),
    }
}
