//! P-256 keys: the one kind that every signing tool of the field accepts.

use std::fmt;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::elliptic_curve::Generate;
use p256::pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use super::codes;
use super::sealed;
use crate::record::{Code, Digest, Fault};

/// The most bytes that a key's file may have; a sealed P-256 key has about 650.
pub const KEY_LIMIT_BYTES: u64 = 16 * 1024;

/// The half of a key that signs. Its bytes are wiped when it is dropped and never printed.
pub struct SigningKey(p256::ecdsa::SigningKey);

/// The half of a key that verifies. Two are equal if they verify the same signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(p256::ecdsa::VerifyingKey);

/// Why a key can't be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no key in a form that is read here.
    #[error("this is no key: {reason}")]
    Unreadable {
        /// What was found in its place.
        reason: String,
    },
    /// A key, but of another kind.
    #[error("this key is of a kind that is not used here ({kind}); only ECDSA P-256 is")]
    Unsupported {
        /// What it is.
        kind: String,
    },
    /// The password does not open it, or the file was damaged.
    #[error("the password does not open this key")]
    WrongPassword,
    /// The operating system gave no random bytes.
    #[error("the system gives no random numbers")]
    NoRandomness(#[source] getrandom::Error),
}

impl Fault for KeyError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unreadable { .. } => &codes::UNREADABLE_KEY,
            Self::Unsupported { .. } => &codes::UNSUPPORTED_KEY,
            Self::WrongPassword => &codes::WRONG_PASSWORD,
            Self::NoRandomness(_) => &codes::NO_RANDOMNESS,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Unreadable { .. } => {
                "a private key is PEM that `modelyard keys generate` or `cosign \
                 generate-key-pair` wrote, a public one PEM that begins `BEGIN PUBLIC KEY`"
            }
            Self::Unsupported { .. } => "make one with `modelyard keys generate`",
            Self::WrongPassword => {
                "give the key's password at the prompt, in COSIGN_PASSWORD or by --password-file"
            }
            Self::NoRandomness(_) => "check that the system offers getrandom or /dev/urandom",
        };
        Some(help.to_owned())
    }
}

impl SigningKey {
    /// A new key, from the system's random numbers.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        p256::ecdsa::SigningKey::try_generate()
            .map(Self)
            .map_err(KeyError::NoRandomness)
    }

    /// Reads a key that `password` seals: PEM `ENCRYPTED SIGSTORE PRIVATE KEY`, or
    /// `ENCRYPTED COSIGN PRIVATE KEY` as cosign 1 wrote it.
    ///
    /// # Errors
    /// [`KeyError`] if it is none, of another kind, or the password is another.
    pub fn from_encrypted_pem(pem: &[u8], password: &SecretString) -> Result<Self, KeyError> {
        sealed::open(pem, password).map(Self)
    }

    /// The key sealed by `password`, as cosign writes and reads it.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn to_encrypted_pem(&self, password: &SecretString) -> Result<String, KeyError> {
        sealed::seal(&self.0, password)
    }

    /// The half that verifies what this signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(*self.0.verifying_key())
    }

    /// The DER ECDSA signature over the SHA-256 of `message`; the same each time (RFC 6979).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

impl VerifyingKey {
    /// Reads PEM `PUBLIC KEY` (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// [`KeyError`] if it is none or not P-256.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let unreadable = |reason: &str| KeyError::Unreadable {
            reason: reason.to_owned(),
        };
        let text = std::str::from_utf8(pem).map_err(|_| unreadable("it is not text"))?;
        if text.contains("PRIVATE KEY-----") {
            return Err(unreadable(
                "it is a private key where a public one is meant",
            ));
        }
        let (label, der) = sealed::pem_block(text.as_bytes())?;
        if label != "PUBLIC KEY" {
            return Err(unreadable("its first line is not `BEGIN PUBLIC KEY`"));
        }
        let information = p256::pkcs8::SubjectPublicKeyInfoRef::try_from(der.as_slice())
            .map_err(|error| unreadable(&error.to_string()))?;
        sealed::expect_p256(&information.algorithm)?;
        p256::ecdsa::VerifyingKey::from_public_key_der(&der)
            .map(Self)
            .map_err(|error| unreadable(&error.to_string()))
    }

    /// PEM `PUBLIC KEY`, with a final newline.
    pub fn to_pem(&self) -> String {
        self.0
            .to_public_key_pem(LineEnding::LF)
            .expect("a P-256 point always has a PEM form")
    }

    /// The SHA-256 of the key's DER form (SubjectPublicKeyInfo), by which people tell keys apart.
    pub fn fingerprint(&self) -> Digest {
        let der = self
            .0
            .to_public_key_der()
            .expect("a P-256 point always has a DER form");
        Digest::from_bytes(Sha256::digest(der.as_bytes()).into())
    }

    /// Whether `signature`, DER ECDSA, is this key's over the SHA-256 of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        p256::ecdsa::Signature::from_der(signature)
            .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({:?}, …)", self.verifying_key())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by `COSIGN_PASSWORD=secret cosign generate-key-pair`, cosign 3.1.3.
    const COSIGN_KEY: &str = include_str!("known/cosign.key");
    const COSIGN_PUB: &str = include_str!("known/cosign.pub");

    fn password(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_key_that_cosign_made_opens_and_is_the_one_it_says() {
        let key = SigningKey::from_encrypted_pem(COSIGN_KEY.as_bytes(), &password("secret"));
        assert_eq!(key.unwrap().verifying_key().to_pem(), COSIGN_PUB);
        let old = COSIGN_KEY.replace("SIGSTORE", "COSIGN");
        SigningKey::from_encrypted_pem(old.as_bytes(), &password("secret")).unwrap();
    }

    #[test]
    fn a_sealed_key_opens_by_its_password_and_by_no_other() {
        let key = SigningKey::generate().unwrap();
        let sealed = key.to_encrypted_pem(&password("")).unwrap();
        let opened = SigningKey::from_encrypted_pem(sealed.as_bytes(), &password("")).unwrap();
        assert_eq!(opened.verifying_key(), key.verifying_key());
        let refused = SigningKey::from_encrypted_pem(sealed.as_bytes(), &password("x"));
        assert!(matches!(refused, Err(KeyError::WrongPassword)));
        assert!(!format!("{key:?}{opened:?}").contains("Scalar"));
    }

    #[test]
    fn a_signature_is_of_one_key_over_one_message() {
        let key = SigningKey::generate().unwrap();
        let signature = key.sign(b"message");
        assert!(key.verifying_key().verifies(b"message", &signature));
        assert!(!key.verifying_key().verifies(b"massage", &signature));
        let other = SigningKey::generate().unwrap().verifying_key();
        assert!(!other.verifies(b"message", &signature));
        assert_eq!(key.sign(b"message"), signature);
    }

    /// RFC 6979, appendix A.2.5: P-256 with SHA-256, message "sample".
    #[test]
    fn signatures_are_those_of_the_rfc() {
        let bytes = |hex: &str| format!("sha256:{hex}").parse::<Digest>().unwrap();
        let scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
        let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
        let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        let key = p256::ecdsa::SigningKey::from_slice(bytes(scalar).as_bytes()).unwrap();
        let expected =
            p256::ecdsa::Signature::from_scalars(*bytes(r).as_bytes(), *bytes(s).as_bytes());
        let expected = expected.unwrap().to_der();
        assert_eq!(SigningKey(key).sign(b"sample"), expected.as_bytes());
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        let reason = |pem: &str| {
            VerifyingKey::from_pem(pem.as_bytes())
                .unwrap_err()
                .to_string()
        };
        let ed25519 = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PUBLIC KEY-----\n";
        insta::assert_snapshot!(reason(ed25519), @"this key is of a kind that is not used here (Ed25519); only ECDSA P-256 is");
        insta::assert_snapshot!(reason(COSIGN_KEY), @"this is no key: it is a private key where a public one is meant");
        insta::assert_snapshot!(reason("ssh-ed25519 AAAA"), @"this is no key: it is not PEM text");
        let open = |pem: &str| {
            SigningKey::from_encrypted_pem(pem.as_bytes(), &password(""))
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(open(COSIGN_PUB), @"this is no key: it is PEM `PUBLIC KEY` and not `ENCRYPTED SIGSTORE PRIVATE KEY`");
    }

    /// A key file that asks scrypt for 2⁴⁰ rounds would take the machine's memory.
    #[test]
    fn a_hostile_key_file_gets_no_memory() {
        let sealed = |cost: u64, r: u32| {
            let json = serde_json::json!({
                "kdf": {"name": "scrypt", "params": {"N": cost, "r": r, "p": 1}, "salt": "AAAA"},
                "cipher": {"name": "nacl/secretbox", "nonce": "AAAA"},
                "ciphertext": "AAAA",
            });
            let json = json.to_string();
            let label = "ENCRYPTED SIGSTORE PRIVATE KEY";
            p256::pkcs8::der::pem::encode_string(label, LineEnding::LF, json.as_bytes()).unwrap()
        };
        for (cost, r) in [(1 << 40, 8), (1 << 16, 1 << 20), (0, 8), (65_535, 8)] {
            let refused = SigningKey::from_encrypted_pem(sealed(cost, r).as_bytes(), &password(""));
            assert!(matches!(refused, Err(KeyError::Unreadable { .. })));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            public in any::<bool>(),
        ) {
            let label = if public { "PUBLIC KEY" } else { "ENCRYPTED SIGSTORE PRIVATE KEY" };
            let pem = p256::pkcs8::der::pem::encode_string(label, LineEnding::LF, &body).unwrap();
            for text in [&body[..], pem.as_bytes()] {
                prop_assert!(VerifyingKey::from_pem(text).is_err());
                prop_assert!(SigningKey::from_encrypted_pem(text, &password("")).is_err());
            }
        }
    }
}
