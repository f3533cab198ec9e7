// SPDX-License-Identifier: Apache-2.0
//! A policy that somebody thinks of: the host's files with some of his own beside them or in their place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtwarden_core::control::PolicyFile as Sent;
use virtwarden_core::policy::{Policy, Source};

use crate::policies::{InForce, PolicyFile};

/// The host's policy with these files, as it would be if they were in its directory.
///
/// # Errors
/// What is wrong with them, for people.
pub fn with(host: Vec<PolicyFile>, sent: &[Sent]) -> Result<InForce, String> {
    let name = |path: &Path| path.file_name().map(ToOwned::to_owned).ok_or("a policy file has a name");
    let mut files = BTreeMap::new();
    for file in host {
        files.insert(name(&file.path)?, file);
    }
    for file in sent {
        let path = PathBuf::from(&file.path);
        if path.extension().is_none_or(|end| end != "toml") {
            return Err(format!(
                "`{}` would not be read: the names of policy files end in `.toml`",
                file.path
            ));
        }
        files.insert(name(&path)?, PolicyFile { path, text: file.text.clone() });
    }
    load(files.into_values().collect())
}

/// Exactly these files.
///
/// # Errors
/// As [`with`].
pub fn load(files: Vec<PolicyFile>) -> Result<InForce, String> {
    let names: Vec<_> = files.iter().map(|file| file.path.display().to_string()).collect();
    let sources: Vec<_> =
        names.iter().zip(&files).map(|(name, file)| Source { name, text: &file.text }).collect();
    match Policy::load(&sources) {
        Ok(policy) => Ok(InForce { policy, files }),
        Err(errors) => Err(errors.iter().map(|error| error.render(&sources)).collect::<Vec<_>>().join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> PolicyFile {
        PolicyFile { path: path.into(), text: text.to_owned() }
    }

    fn sent(path: &str, text: &str) -> Sent {
        Sent { path: path.to_owned(), text: text.to_owned() }
    }

    const ONE: &str = "[role.one]\ncolumn = \"user\"\n";
    const TWO: &str = "[role.two]\ncolumn = \"user\"\n";

    fn roles(sent: &[Sent]) -> Result<Vec<String>, String> {
        let loaded = with(vec![file("/etc/p/20-site.toml", ONE)], sent)?;
        Ok(loaded.policy.rules().map(|role| role.name.clone()).collect())
    }

    #[test]
    fn a_file_stands_in_the_place_of_the_one_of_its_name() {
        assert_eq!(roles(&[]).unwrap(), ["one"]);
        assert_eq!(roles(&[sent("/tmp/20-site.toml", TWO)]).unwrap(), ["two"]);
        assert_eq!(roles(&[sent("/tmp/30-more.toml", TWO)]).unwrap(), ["one", "two"]);
    }

    #[test]
    fn what_would_not_load_is_told() {
        assert!(roles(&[sent("/tmp/notes", TWO)]).unwrap_err().contains(".toml"));
        assert!(roles(&[sent("/tmp/30.toml", "[role.x]\ncolum = 1\n")]).unwrap_err().contains("30.toml"));
    }
}
