// SPDX-License-Identifier: Apache-2.0
//! The suites as OpenSSL and GnuTLS write them: TLS 1.2, which the Functional Package for TLS 1.1 requires and beyond which
//! it does not go; of its ciphers those that keep past sessions secret (FCS_TLSC_EXT.1), and its groups (FCS_TLSC_EXT.5).

use virtwarden_core::setting::TlsSuite;

/// One suite.
pub(super) struct Suite {
    /// As OpenSSL names them, in the order of preference.
    pub(super) ciphers: &'static str,
    /// The same for GnuTLS, which puts them together itself.
    gnutls_ciphers: &'static str,
}

const PROFILE: Suite = Suite {
    ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384:\
              ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256",
    gnutls_ciphers: "+AES-256-GCM:+AES-128-GCM",
};

const PROFILE_256: Suite = Suite {
    ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384",
    gnutls_ciphers: "+AES-256-GCM",
};

/// RSA and ECDSA with SHA-2, in certificates and in what proves that a server has its key.
const OPENSSL_SIGNATURES: &str = "ECDSA+SHA384:ECDSA+SHA256:ECDSA+SHA512:rsa_pss_rsae_sha384:rsa_pss_rsae_sha256:\
     rsa_pss_rsae_sha512:RSA+SHA384:RSA+SHA256:RSA+SHA512";
const GNUTLS_SIGNATURES: &str = "+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA512:\
     +SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-SHA384:+SIGN-RSA-SHA256:\
     +SIGN-RSA-SHA512";

/// The suite of this name; none where the libraries' own holds.
pub(super) fn of(suite: TlsSuite) -> Option<Suite> {
    match suite {
        TlsSuite::Distribution => None,
        TlsSuite::Profile => Some(PROFILE),
        TlsSuite::Profile256 => Some(PROFILE_256),
    }
}

impl Suite {
    /// A configuration that OpenSSL takes before any program says otherwise. With a mistake in it nothing connects:
    /// without `config_diagnostics` it would be passed over.
    pub(super) fn openssl(&self) -> String {
        format!(
            "openssl_conf = virtwarden\nconfig_diagnostics = 1\n[virtwarden]\nssl_conf = tls\n[tls]\n\
             system_default = suite\n[suite]\nMinProtocol = TLSv1.2\nMaxProtocol = TLSv1.2\nCipherString = {}\nCiphersuites =\n\
             Groups = P-384:P-256:P-521:ffdhe3072:ffdhe2048\nSignatureAlgorithms = {OPENSSL_SIGNATURES}\n",
            self.ciphers
        )
    }

    /// A priority string that begins with nothing and allows these.
    pub(super) fn gnutls(&self) -> String {
        format!(
            "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA:{}:+AEAD:+GROUP-SECP384R1:+GROUP-SECP256R1:\
             +GROUP-SECP521R1:+GROUP-FFDHE3072:+GROUP-FFDHE2048:{GNUTLS_SIGNATURES}:+CTYPE-X509:+COMP-NULL",
            self.gnutls_ciphers
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_libraries_get_the_same() {
        for suite in [PROFILE, PROFILE_256] {
            let lengths =
                |text: &str| (text.contains("128"), text.contains("AES-256") || text.contains("AES256"));
            assert_eq!(lengths(suite.ciphers), lengths(suite.gnutls_ciphers));
            let kept = |name: &str| name.contains("DHE-") && name.contains("-GCM-SHA");
            assert!(suite.ciphers.split(':').all(kept), "{}", suite.ciphers);
        }
    }

    #[test]
    fn a_variable_of_a_unit_is_one_word() {
        assert!(PROFILE.gnutls().bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\%$".contains(&byte)));
        assert!(PROFILE.openssl().lines().all(|line| line.starts_with('[') || line.contains(" =")));
    }
}
