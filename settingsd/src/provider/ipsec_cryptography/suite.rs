// SPDX-License-Identifier: Apache-2.0
//! The suites as strongSwan writes them: AES in CBC or Galois mode for IKE (FCS_IPSEC_EXT.1.6), in Galois mode for ESP
//! (.1.4), groups 19 and 20 (.1.11), and no ESP that is stronger than its IKE (.1.14).

use virtwarden_core::setting::IpsecSuite;

/// One suite.
pub(super) struct Suite {
    /// What IKE proposes.
    pub(super) ike: &'static [&'static str],
    /// What ESP proposes.
    pub(super) esp: &'static [&'static str],
}

const PROFILE: Suite = Suite {
    ike: &[
        "aes256-aes128-sha384-sha256-ecp384-ecp256",
        "aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384-ecp256",
    ],
    esp: &["aes128gcm16-ecp384-ecp256"],
};

const PROFILE_256: Suite =
    Suite { ike: &["aes256-sha384-ecp384", "aes256gcm16-prfsha384-ecp384"], esp: &["aes256gcm16-ecp384"] };

/// The suite of this name; none where strongSwan's own holds.
pub(super) fn of(suite: IpsecSuite) -> Option<Suite> {
    match suite {
        IpsecSuite::Distribution => None,
        IpsecSuite::Profile => Some(PROFILE),
        IpsecSuite::Profile256 => Some(PROFILE_256),
    }
}

/// What proposals are not a choice from those that are allowed; none if all are.
pub(super) fn outside(proposals: &[String], allowed: &[&str]) -> Option<String> {
    let is_within = |proposal: &str| {
        let chosen =
            |whole: &str| proposal.split('-').all(|word| whole.split('-').any(|known| known == word));
        allowed.iter().any(|whole| chosen(whole))
    };
    match proposals.iter().find(|proposal| !is_within(proposal)) {
        _ if proposals.is_empty() => Some("no proposals, so that it takes strongSwan's own".to_owned()),
        Some(other) => Some(format!("the proposal `{other}`, which is not in the suite")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_choice_is_within_and_anything_else_is_not() {
        let outside = |proposals: &[&str], allowed| {
            outside(&proposals.iter().map(|&proposal| proposal.to_owned()).collect::<Vec<_>>(), allowed)
        };
        for good in [PROFILE.ike, &["aes128-sha256-ecp256"], &["aes256gcm16-prfsha384-ecp384"]] {
            assert_eq!(outside(good, PROFILE.ike), None, "{good:?}");
        }
        for bad in [
            &[][..],
            &["default"],
            &["aes256-sha384-modp1024"],
            &["aes128-sha256-ecp256", "3des-sha1-modp1024"],
            &["aes128-prfsha256-ecp256"],
            &[""],
        ] {
            assert!(outside(bad, PROFILE.ike).is_some(), "{bad:?}");
        }
        assert!(outside(PROFILE.ike, PROFILE_256.ike).is_some());
        assert_eq!(outside(PROFILE_256.ike, PROFILE.ike), None);
    }

    #[test]
    fn what_carries_data_is_never_stronger_than_what_agreed_on_its_keys() {
        assert!(
            PROFILE.esp.iter().all(|proposal| !proposal.contains("256gcm") && !proposal.contains("aes256"))
        );
        assert!(PROFILE_256.ike.iter().all(|proposal| !proposal.contains("aes128")));
    }
}
