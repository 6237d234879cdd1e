//! The private key on disk, as cosign keeps it.
//!
//! PEM with the label [`LABEL`], whose bytes are JSON:
//!
//! ```json
//! {"kdf": {"name": "scrypt", "params": {"N": 65536, "r": 8, "p": 1}, "salt": "…"},
//!  "cipher": {"name": "nacl/secretbox", "nonce": "…"},
//!  "ciphertext": "…"}
//! ```
//!
//! The ciphertext is the key's PKCS #8 DER in NaCl's secretbox under the key that scrypt derives
//! from the password. Source: go-securesystemslib, package `encrypted`. As there, only three
//! scrypt parameter sets are taken, so that no file can ask for more than 128 MiB.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use crypto_secretbox::aead::{Aead, generic_array::GenericArray};
use crypto_secretbox::{KeyInit, XSalsa20Poly1305};
use p256::pkcs8::der::pem;
use p256::pkcs8::{
    AlgorithmIdentifierRef, DecodePrivateKey, EncodePrivateKey, ObjectIdentifier, PrivateKeyInfoRef,
};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::key::KeyError;

/// What cosign writes since 2.0; cosign 1 and 2 read it too.
const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// What cosign 1 wrote.
const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";
/// log₂ of scrypt's N in what we write: cosign's own choice, 64 MiB.
const LOG_N: u8 = 16;
/// What cosign ever wrote: 32, 64 or 128 MiB, always with r = 8 and p = 1.
const LOG_N_READ: [u8; 3] = [15, 16, 17];
const BLOCK_SIZE: u32 = 8;
const PARALLELISM: u32 = 1;
const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

#[derive(Serialize, Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Params {
    #[serde(rename = "N")]
    cost: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands in for closures in `map_err`"
)]
fn unreadable(reason: impl ToString) -> KeyError {
    KeyError::Unreadable {
        reason: reason.to_string(),
    }
}

/// Seals `key` by `password`, under a new salt and nonce.
pub(super) fn seal(
    key: &p256::ecdsa::SigningKey,
    password: &SecretString,
) -> Result<String, KeyError> {
    let plain = p256::SecretKey::from(key)
        .to_pkcs8_der()
        .expect("a P-256 scalar always has a DER form");
    let mut salt = [0; SALT_BYTES];
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut salt).map_err(KeyError::NoRandomness)?;
    getrandom::fill(&mut nonce).map_err(KeyError::NoRandomness)?;
    let ciphertext = secretbox(password, &salt, LOG_N)
        .encrypt(GenericArray::from_slice(&nonce), plain.as_bytes())
        .expect("a key is far below the cipher's limit");
    let sealed = Sealed {
        kdf: Kdf {
            name: "scrypt".to_owned(),
            params: Params {
                cost: 1 << LOG_N,
                r: BLOCK_SIZE,
                p: PARALLELISM,
            },
            salt: BASE64_STANDARD.encode(salt),
        },
        cipher: Cipher {
            name: "nacl/secretbox".to_owned(),
            nonce: BASE64_STANDARD.encode(nonce),
        },
        ciphertext: BASE64_STANDARD.encode(ciphertext),
    };
    let json = serde_json::to_vec(&sealed).expect("its keys are strings");
    Ok(pem::encode_string(LABEL, pem::LineEnding::LF, &json)
        .expect("a key is far below the encoder's limit"))
}

/// Opens what [`seal`] or cosign sealed.
pub(super) fn open(
    text: &[u8],
    password: &SecretString,
) -> Result<p256::ecdsa::SigningKey, KeyError> {
    let (label, json) = pem_block(text)?;
    if label != LABEL && label != OLD_LABEL {
        let reason = format!("it is PEM `{label}` and not `{LABEL}`");
        return Err(unreadable(reason));
    }
    let sealed: Sealed = serde_json::from_slice(&json).map_err(unreadable)?;
    let log_n = cost(&sealed)?;
    let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(unreadable);
    let salt = bytes(&sealed.kdf.salt)?;
    let nonce = bytes(&sealed.cipher.nonce)?;
    if nonce.len() != NONCE_BYTES {
        return Err(unreadable("its nonce has not 24 bytes"));
    }
    let plain = secretbox(password, &salt, log_n)
        .decrypt(
            GenericArray::from_slice(&nonce),
            bytes(&sealed.ciphertext)?.as_slice(),
        )
        .map_err(|_| KeyError::WrongPassword)?;
    let plain = Zeroizing::new(plain);
    let information = PrivateKeyInfoRef::try_from(plain.as_slice()).map_err(unreadable)?;
    expect_p256(&information.algorithm)?;
    p256::ecdsa::SigningKey::from_pkcs8_der(&plain).map_err(unreadable)
}

/// The label and the bytes of the one PEM block that `text` is.
pub(super) fn pem_block(text: &[u8]) -> Result<(&str, Vec<u8>), KeyError> {
    let text = text.trim_ascii();
    if !text.starts_with(b"-----BEGIN ") {
        return Err(unreadable("it is not PEM text"));
    }
    pem::decode_vec(text).map_err(unreadable)
}

/// log₂ of scrypt's N, if the algorithms and parameters are ones that cosign writes.
fn cost(sealed: &Sealed) -> Result<u8, KeyError> {
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(unreadable(
            "it is not sealed by scrypt and NaCl's secretbox",
        ));
    }
    let Params { cost, r, p } = sealed.kdf.params;
    LOG_N_READ
        .into_iter()
        .find(|log_n| (1 << log_n, BLOCK_SIZE, PARALLELISM) == (cost, r, p))
        .ok_or_else(|| unreadable("its scrypt parameters are none of those that cosign uses"))
}

fn secretbox(password: &SecretString, salt: &[u8], log_n: u8) -> XSalsa20Poly1305 {
    let parameters = scrypt::Params::new(log_n, BLOCK_SIZE, PARALLELISM)
        .expect("the three parameter sets are within scrypt's limits");
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(
        password.expose_secret().as_bytes(),
        salt,
        &parameters,
        key.as_mut(),
    )
    .expect("32 bytes are within scrypt's limits");
    XSalsa20Poly1305::new(GenericArray::from_slice(key.as_ref()))
}

/// Refuses every algorithm but ECDSA on P-256 (`id-ecPublicKey`, `secp256r1`).
pub(super) fn expect_p256(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), KeyError> {
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    const NAMES: [(ObjectIdentifier, &str); 4] = [
        (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"), "RSA"),
        (ObjectIdentifier::new_unwrap("1.3.101.112"), "Ed25519"),
        (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "ECDSA P-384"),
        (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "ECDSA P-521"),
    ];
    let curve = algorithm.parameters_oid().ok();
    if algorithm.oid == EC && curve == Some(P256) {
        return Ok(());
    }
    let named = NAMES
        .iter()
        .find(|(id, _)| algorithm.oid == *id || (algorithm.oid == EC && curve == Some(*id)));
    Err(KeyError::Unsupported {
        kind: match named {
            Some((_, name)) => (*name).to_owned(),
            None => format!("algorithm {}", algorithm.oid),
        },
    })
}
