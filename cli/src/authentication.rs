// SPDX-License-Identifier: Apache-2.0
//! Who authenticated, how and from where, as people read it.

use virtwarden_core::authentication::{Authenticated, Authentication, Factor};

use crate::output::listed;

/// By what, and through which login program: `key ssh-ed25519 SHA256:... (sshd)`.
pub(crate) fn how(authenticated: &Authenticated) -> String {
    format!("{} ({})", listed(authenticated.factors.iter().map(factor)), authenticated.service)
}

/// The same without the keys themselves: `key (sshd)`.
pub(crate) fn how_in_short(authenticated: &Authenticated) -> String {
    let factors = authenticated.factors.iter().map(|known| match known {
        Factor::PublicKey { key: _ } => "key".to_owned(),
        Factor::Pam | Factor::Password | Factor::Other { name: _ } => factor(known),
    });
    format!("{} ({})", listed(factors), authenticated.service)
}

/// Whether a person stands behind a request; if not, why and what to do.
pub(crate) fn standing(authentication: &Authentication) -> String {
    match authentication {
        Authentication::Person(person) => format!("by {} from {}", how(person), person.origin),
        Authentication::Nobody(absence) => format!("no: {}", absence.advice()),
    }
}

/// What somebody proved himself by.
fn factor(factor: &Factor) -> String {
    match factor {
        Factor::Pam => "PAM".to_owned(),
        Factor::Password => "password".to_owned(),
        Factor::PublicKey { key } => format!("key {key}"),
        Factor::Other { name } => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use virtwarden_core::authentication::{Absence, Origin};

    use super::*;

    #[test]
    fn a_person_is_told_by_factors_program_and_place() {
        let origin = Origin::Remote { address: "192.0.2.7".to_owned() };
        let key = Factor::PublicKey { key: "ssh-ed25519 SHA256:abc".to_owned() };
        let person =
            Authenticated { origin, service: "sshd".to_owned(), factors: vec![key, Factor::Password] };
        assert_eq!(
            standing(&Authentication::Person(person)),
            "by key ssh-ed25519 SHA256:abc,password (sshd) from 192.0.2.7"
        );
    }

    #[test]
    fn where_nobody_is_the_way_out_is_told() {
        let told = standing(&Authentication::Nobody(Absence::NotRaised));
        assert!(told.starts_with("no: ") && told.contains("virtwarden session elevate"), "{told}");
    }
}
