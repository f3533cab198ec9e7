// SPDX-License-Identifier: Apache-2.0
//! What the host's PAM stacks say, as far as our settings depend on it. Read, never written.

use std::fs;

use crate::host::Host;

const DIRECTORY: &str = "/etc/pam.d";

/// The lines of a service's file: not the ones that are commented out.
pub(super) fn lines(host: &Host, service: &str) -> Vec<String> {
    let text = host.text(&format!("{DIRECTORY}/{service}")).ok().flatten().unwrap_or_default();
    let text = text.replace("\\\n", " ");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().filter(|line| !line.trim_start().starts_with('#')).map(words).collect()
}

/// Every service that uses one of these modules, with the module.
pub(super) fn uses(host: &Host, modules: &[&str]) -> Vec<(String, String)> {
    let directory = host.place(DIRECTORY);
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut services: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    services.sort_unstable();
    let mut found = Vec::new();
    for service in services {
        let lines = lines(host, &service);
        let used = |module: &&&str| lines.iter().any(|line| line.contains(**module));
        found.extend(modules.iter().filter(used).map(|module| (service.clone(), (*module).to_owned())));
    }
    found
}
