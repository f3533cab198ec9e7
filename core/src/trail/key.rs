// SPDX-License-Identifier: Apache-2.0
//! The keys that seal a trail: Ed25519.

use std::fmt;

use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::sign::{Signer, Verifier};
use serde::{Deserialize, Serialize};

use crate::trail::digest::{Digest, hex, unhex};

const END_OF_PUBLIC_KEY: &str = "-----END PUBLIC KEY-----\n";

/// Why a key cannot be used.
#[derive(Debug)]
pub enum KeyError {
    /// It is of another kind than Ed25519.
    Kind,
    /// The cryptographic library refused.
    Library(ErrorStack),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Kind => f.write_str("not an Ed25519 key in PEM form"),
            KeyError::Library(cause) => write!(f, "cannot use the key: {cause}"),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<ErrorStack> for KeyError {
    fn from(cause: ErrorStack) -> Self {
        KeyError::Library(cause)
    }
}

/// The name of a key: the digest of its public half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Digest);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The half that verifies. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a PEM file's text.
    ///
    /// # Errors
    /// If it is not an Ed25519 public key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let key = PKey::public_key_from_pem(pem)?;
        if key.id() == Id::ED25519 { Self::from_raw(&key.raw_public_key()?) } else { Err(KeyError::Kind) }
    }

    /// Reads the text of a PEM file with several keys, in their order.
    ///
    /// # Errors
    /// If one of them is not an Ed25519 public key, or there is none.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, KeyError> {
        let pem = std::str::from_utf8(pem).map_err(|_| KeyError::Kind)?;
        let blocks = pem.split_inclusive(END_OF_PUBLIC_KEY).filter(|block| !block.trim().is_empty());
        let keys: Vec<_> = blocks.map(|block| Self::from_pem(block.as_bytes())).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeyError::Kind) } else { Ok(keys) }
    }

    /// The text of a PEM file.
    ///
    /// # Errors
    /// If the cryptographic library cannot represent it.
    pub fn to_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.key()?.public_key_to_pem()?)
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        KeyId(Digest::of(&self.0))
    }

    /// Whether the signature over the message was made by this key's private half.
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let verify = || Verifier::new_without_digest(&*self.key()?)?.verify_oneshot(&signature.0, message);
        verify().unwrap_or(false)
    }

    fn from_raw(raw: &[u8]) -> Result<Self, KeyError> {
        raw.try_into().map(Self).map_err(|_| KeyError::Kind)
    }

    fn key(&self) -> Result<Box<PKey<Public>>, ErrorStack> {
        PKey::public_key_from_raw_bytes(&self.0, Id::ED25519).map(Box::new)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let raw = unhex(text.as_bytes()).and_then(|raw| raw.try_into().ok());
        raw.map(Self).ok_or_else(|| format!("`{text}` is not a public key"))
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        hex(&key.0)
    }
}

/// A signature, written as 128 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature(Vec<u8>);

impl TryFrom<String> for Signature {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = unhex(text.as_bytes()).filter(|bytes| bytes.len() == 64);
        bytes.map(Self).ok_or_else(|| format!("`{text}` is not a signature"))
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> String {
        hex(&signature.0)
    }
}

/// The half that signs. It never shows its contents.
pub struct SigningKey {
    private: PKey<Private>,
    public: PublicKey,
}

impl SigningKey {
    /// Makes a new one from the operating system's randomness.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        Self::new(PKey::generate_ed25519()?)
    }

    /// Reads a PEM file's text.
    ///
    /// # Errors
    /// If it is not an Ed25519 private key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        Self::new(PKey::private_key_from_pem(pem)?)
    }

    /// The text of a PEM file, which is secret.
    ///
    /// # Errors
    /// If the cryptographic library cannot represent it.
    pub fn to_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.private.private_key_to_pem_pkcs8()?)
    }

    /// The half that verifies.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a message.
    ///
    /// # Errors
    /// If the cryptographic library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        Ok(Signature(Signer::new_without_digest(&self.private)?.sign_oneshot_to_vec(message)?))
    }

    fn new(private: PKey<Private>) -> Result<Self, KeyError> {
        if private.id() != Id::ED25519 {
            return Err(KeyError::Kind);
        }
        let public = PublicKey::from_raw(&private.raw_public_key()?)?;
        Ok(Self { private, public })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_and_message_verify() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let signature = key.sign(b"message").unwrap();
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"massage", &signature));
        assert!(!other.public().verifies(b"message", &signature));
    }

    #[test]
    fn keys_survive_their_files() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), key.public());
        let public = PublicKey::from_pem(&key.public().to_pem().unwrap()).unwrap();
        assert_eq!(public.id(), key.public().id());
    }

    #[test]
    fn several_keys_keep_their_order() {
        let keys = [(); 3].map(|()| SigningKey::generate().unwrap().public());
        let pem: String = keys.iter().map(|key| String::from_utf8(key.to_pem().unwrap()).unwrap()).collect();
        assert_eq!(PublicKey::all_from_pem(pem.as_bytes()).unwrap(), keys);
        assert!(PublicKey::all_from_pem(b"").is_err());
        assert!(PublicKey::all_from_pem(format!("{pem}junk").as_bytes()).is_err());
    }

    #[test]
    fn another_kind_of_key_is_refused() {
        let other = PKey::generate_x25519().unwrap();
        let pem = other.private_key_to_pem_pkcs8().unwrap();
        assert!(matches!(SigningKey::from_pem(&pem), Err(KeyError::Kind)));
        assert!(PublicKey::from_pem(&other.public_key_to_pem().unwrap()).is_err());
    }

    #[test]
    fn the_secret_half_does_not_print() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().id()));
    }
}
