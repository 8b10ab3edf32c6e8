//! The recovery secret: 256 bits of entropy, spelled as a BIP-39 phrase in English or Simplified Chinese or
//! as the text of a printed QR code (PROTOCOL §3).
//!
//! **Keys come from the entropy by HKDF-SM3, never from the words**: both spellings give the same wallet.
//! A device keeps only the public halves ([`RecoveryPublic`]) once the phrase is written down: one that held
//! the entropy could never be removed.

use crate::id::{HolderId, VaultId};
use crate::sm::{Digest, Label, PublicKey, Random, SecretKey};
use crate::text::nfkd;
use core::fmt;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// What stands before the code in a recovery QR; upper case throughout, so that the QR stays small.
pub const CODE_PREFIX: &str = "SUISHEN:RECOVERY:";

/// Words of a phrase.
pub const WORDS: usize = 24;

const CHECKSUM: usize = 4;

/// Why a phrase or code isn't one. The words themselves are never in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Not 24 words.
    #[error("a recovery phrase has 24 words, these are {0}")]
    Length(usize),
    /// A word that isn't on the list.
    #[error("word {0} is not a word of recovery phrases: check how it is spelled")]
    Unknown(usize),
    /// All words are known, but they don't belong together.
    #[error("the words do not fit together: one is wrong, or two have changed places")]
    Checksum,
    /// A code that is cut short, mistyped or another kind of code.
    #[error("this recovery code is damaged or incomplete: scan it again, or type the 24 words")]
    Code,
}

/// A language of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 2048 English words.
    English,
    /// 2048 Chinese characters.
    Chinese,
}

impl Language {
    const fn bip39(self) -> bip39::Language {
        match self {
            Self::English => bip39::Language::English,
            Self::Chinese => bip39::Language::SimplifiedChinese,
        }
    }
}

/// The 2048 words of a language, in the order of BIP-39.
pub fn word_list(language: Language) -> &'static [&'static str; 2048] {
    language.bip39().word_list()
}

/// Three places, from 1, ascending, of which the words are asked for once the phrase is written down.
pub fn places_to_ask(random: &mut dyn Random) -> [u8; 3] {
    let mut places: [u8; 24] = core::array::from_fn(|i| u8::try_from(i + 1).unwrap_or(u8::MAX));
    let mut bytes = [0; 6];
    random.fill(&mut bytes);
    for (i, pair) in bytes.chunks_exact(2).enumerate() {
        let left = WORDS - i;
        places.swap(i, i + usize::from(u16::from_be_bytes([pair[0], pair[1]])) % left);
    }
    let mut asked = [places[0], places[1], places[2]];
    asked.sort_unstable();
    asked
}

/// The secret of which everything comes back. Wiped when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Entropy([u8; 32]);

impl Entropy {
    /// A fresh secret.
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        let entropy = Self(bytes);
        bytes.zeroize();
        entropy
    }

    /// A secret that was made before.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 24 words.
    pub fn words(&self, language: Language) -> Vec<&'static str> {
        let phrase = bip39::Mnemonic::from_entropy_in(language.bip39(), &self.0)
            .expect("32 bytes are one of the lengths that BIP-39 allows");
        phrase.words().collect()
    }

    /// The text of the recovery QR: prefix, then base32 of the entropy and four bytes of its digest.
    pub fn to_code(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([self.0.as_slice(), &code_checksum(&self.0)].concat());
        Zeroizing::new(format!("{CODE_PREFIX}{}", data_encoding::BASE32_NOPAD.encode(&bytes)))
    }

    /// Reads a phrase in either language or a recovery QR's text, as people type or paste it: any case, width
    /// and blanks, numbering, commas, Chinese with or without blanks.
    pub fn from_text(text: &str) -> Result<Self, PhraseError> {
        let text = nfkd(text);
        let compact = Zeroizing::new(
            text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase(),
        );
        match compact.strip_prefix(CODE_PREFIX) {
            Some(code) => Self::from_code(code),
            None => Self::from_phrase(&text.to_lowercase()),
        }
    }

    fn from_code(code: &str) -> Result<Self, PhraseError> {
        let bytes = data_encoding::BASE32_NOPAD.decode(code.as_bytes()).map_err(|_| PhraseError::Code)?;
        let bytes = Zeroizing::new(bytes);
        let (entropy, checksum) = bytes.split_first_chunk::<32>().ok_or(PhraseError::Code)?;
        if checksum != code_checksum(entropy) {
            return Err(PhraseError::Code);
        }
        Ok(Self(*entropy))
    }

    fn from_phrase(text: &str) -> Result<Self, PhraseError> {
        let (language, words) = split(text);
        if words.len() != WORDS {
            return Err(PhraseError::Length(words.len()));
        }
        let known = |word: &str| language.bip39().find_word(word).is_some();
        if let Some(unknown) = words.iter().position(|word| !known(word)) {
            return Err(PhraseError::Unknown(unknown + 1));
        }
        let phrase = Zeroizing::new(words.join(" "));
        let phrase = bip39::Mnemonic::parse_in_normalized(language.bip39(), &phrase)
            .map_err(|_| PhraseError::Checksum)?;
        let (mut bytes, _) = phrase.to_entropy_array();
        let mut entropy = Self([0; 32]);
        entropy.0.copy_from_slice(&bytes[..32]);
        bytes.zeroize();
        Ok(entropy)
    }

    /// Whether these are the words at these places (from 1), in either language, typed as people do. At least
    /// three different places must be given.
    pub fn has_words(&self, given: &[(u8, &str)]) -> bool {
        let mut places: Vec<_> = given.iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        places.dedup();
        let right = |language: Language| {
            let words = self.words(language);
            given.iter().all(|(place, typed)| {
                let typed = Zeroizing::new(nfkd(typed.trim()).to_lowercase());
                usize::from(*place).checked_sub(1).and_then(|at| words.get(at)) == Some(&typed.as_str())
            })
        };
        places.len() >= 3 && [Language::English, Language::Chinese].into_iter().any(right)
    }

    /// The three keys.
    pub fn keys(&self) -> RecoveryKeys {
        RecoveryKeys {
            encryption: SecretKey::derive(&self.0, Label::new("recovery-encryption")),
            vault_root: SecretKey::derive(&self.0, Label::new("vault-root")),
            holder_root: SecretKey::derive(&self.0, Label::new("holder-root")),
        }
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy([redacted])")
    }
}

/// Letters make English words, every other letter-like character is a Chinese word; the rest separates.
fn split(text: &str) -> (Language, Vec<&str>) {
    let chinese = text.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
    if !chinese {
        let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        return (Language::English, words.collect());
    }
    let words = text.char_indices().filter(|(_, c)| c.is_alphabetic());
    (Language::Chinese, words.map(|(at, c)| &text[at..at + c.len_utf8()]).collect())
}

fn code_checksum(entropy: &[u8; 32]) -> [u8; CHECKSUM] {
    let digest = Digest::labelled(Label::new("recovery-code"), &[entropy]);
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&digest.as_bytes()[..CHECKSUM]);
    checksum
}

/// The three keys that the entropy yields.
#[derive(Clone, Debug)]
pub struct RecoveryKeys {
    /// Opens the epoch keys.
    pub encryption: SecretKey,
    /// Signs device certificates.
    pub vault_root: SecretKey,
    /// Opens the holder on the ledger and overrides its manage key.
    pub holder_root: SecretKey,
}

impl RecoveryKeys {
    /// What devices keep.
    pub fn public(&self) -> RecoveryPublic {
        RecoveryPublic {
            encryption: self.encryption.public(),
            vault_root: self.vault_root.public(),
            holder_root: self.holder_root.public(),
        }
    }
}

/// The public halves, which every device keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct RecoveryPublic {
    /// Epoch keys are sealed to it.
    #[n(0)]
    pub encryption: PublicKey,
    /// Device certificates verify with it.
    #[n(1)]
    pub vault_root: PublicKey,
    /// The holder's id is its hash.
    #[n(2)]
    pub holder_root: PublicKey,
}

impl RecoveryPublic {
    /// The mailbox address.
    pub fn vault(&self) -> VaultId {
        VaultId::of(&self.vault_root)
    }

    /// The holder on the ledger.
    pub fn holder(&self) -> HolderId {
        HolderId::of(&self.holder_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm::seeded::Seeded;
    use proptest::prelude::*;

    fn entropy() -> Entropy {
        Entropy::generate(&mut Seeded::new(24))
    }

    #[test]
    fn both_spellings_and_the_code_give_the_same_keys() {
        let public = entropy().keys().public();
        for language in [Language::English, Language::Chinese] {
            let words = entropy().words(language);
            assert_eq!(words.len(), WORDS);
            assert_eq!(Entropy::from_text(&words.join(" ")).unwrap().keys().public(), public);
        }
        assert_eq!(Entropy::from_text(&entropy().to_code()).unwrap().keys().public(), public);
    }

    #[test]
    fn vault_and_holder_cannot_be_told_from_each_other() {
        let keys = entropy().keys();
        let public = keys.public();
        assert_ne!(public.vault_root, public.holder_root);
        assert_ne!(public.vault_root, public.encryption);
        assert_ne!(public.vault().as_bytes(), public.holder().as_bytes());
    }

    #[test]
    fn typing_is_forgiven() {
        let english = entropy().words(Language::English);
        let wide: String =
            english
                .join("　")
                .chars()
                .map(|c| {
                    if c.is_ascii_lowercase() { char::from_u32(c as u32 - 0x20 + 0xfee0).unwrap() } else { c }
                })
                .collect();
        let numbered: String = english
            .iter()
            .enumerate()
            .map(|(i, word)| format!("{}. {}\n", i + 1, word.to_uppercase()))
            .collect::<Vec<_>>()
            .concat();
        let chinese = entropy().words(Language::Chinese);
        for text in [
            wide,
            numbered,
            chinese.concat(),
            chinese.join("，"),
            chinese.join("\n"),
            entropy().to_code().to_lowercase(),
        ] {
            assert_eq!(Entropy::from_text(&text).unwrap().as_bytes(), entropy().as_bytes(), "{text}");
        }
    }

    #[test]
    fn the_unknown_word_is_named_by_its_place() {
        let mut words = entropy().words(Language::English);
        words[4] = "hospitel";
        assert_eq!(Entropy::from_text(&words.join(" ")).err(), Some(PhraseError::Unknown(5)));
        let mut words = entropy().words(Language::Chinese);
        words[23] = "鬱";
        assert_eq!(Entropy::from_text(&words.concat()).err(), Some(PhraseError::Unknown(24)));
        words.pop();
        assert_eq!(Entropy::from_text(&words.concat()).err(), Some(PhraseError::Length(23)));
        let mut words = entropy().words(Language::English);
        words.swap(0, 1);
        assert_eq!(Entropy::from_text(&words.join(" ")).err(), Some(PhraseError::Checksum));
    }

    #[test]
    fn every_mistyped_character_of_a_code_is_noticed() {
        let code = entropy().to_code();
        for at in CODE_PREFIX.len()..code.len() {
            let mut changed = code.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                Entropy::from_text(core::str::from_utf8(&changed).unwrap()).err(),
                Some(PhraseError::Code)
            );
        }
    }

    #[test]
    fn three_words_at_their_places_are_asked_for() {
        let entropy = entropy();
        for seed in 0..50 {
            let places = places_to_ask(&mut Seeded::new(seed));
            assert!(places[0] >= 1 && places[0] < places[1] && places[1] < places[2] && places[2] <= 24);
            for language in [Language::English, Language::Chinese] {
                let words = entropy.words(language);
                let mut given = places.map(|place| (place, words[usize::from(place) - 1]));
                assert!(entropy.has_words(&given));
                assert!(!entropy.has_words(&given[..2]));
                assert!(!entropy.has_words(&[given[0], given[0], given[0]]));
                given[1].1 = words[usize::from(places[2]) - 1];
                assert!(!entropy.has_words(&given));
            }
        }
        assert!(!entropy.has_words(&[(0, "a"), (25, "b"), (255, "c")]));
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert_eq!(format!("{:?}", entropy()), "Entropy([redacted])");
        let keys = format!("{:?}", entropy().keys());
        assert_eq!(keys.matches("SecretKey([redacted])").count(), 3);
    }

    #[test]
    fn the_word_lists_are_the_published_ones() {
        let folder = super::super::tests::Folder::new("words");
        for (language, sha256) in [
            (Language::English, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"),
            (Language::Chinese, "5c5942792bd8340cb8b27cd592f1015edf56a8c5b26276ee18a482428e7c5726"),
        ] {
            let file: String = language.bip39().word_list().iter().flat_map(|word| [word, "\n"]).collect();
            folder.write("list.txt", file);
            assert!(folder.run("dgst -sha256 list.txt").trim().ends_with(sha256), "{language:?}");
        }
    }

    #[test]
    fn python_mnemonics_vectors_hold_for_256_bits() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/bip39/vectors.json");
        let Ok(json) = std::fs::read(path) else {
            println!("skipped: no vectors at {path}");
            return;
        };
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let mut tried = 0;
        for (name, language) in [("english", Language::English), ("chinese_simplified", Language::Chinese)] {
            for case in json[name].as_array().unwrap() {
                let entropy = data_encoding::HEXLOWER.decode(case[0].as_str().unwrap().as_bytes()).unwrap();
                let Ok(entropy) = <[u8; 32]>::try_from(entropy) else { continue };
                let phrase = case[1].as_str().unwrap();
                assert_eq!(Entropy::from_bytes(entropy).words(language).join(" "), phrase);
                assert_eq!(Entropy::from_text(phrase).unwrap().as_bytes(), &entropy);
                tried += 1;
            }
        }
        assert_eq!(tried, 16);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = Entropy::from_text(&text);
        }

        #[test]
        fn any_entropy_comes_back(bytes: [u8; 32]) {
            let entropy = Entropy::from_bytes(bytes);
            for language in [Language::English, Language::Chinese] {
                let read = Entropy::from_text(&entropy.words(language).concat().replace(' ', ""));
                if language == Language::Chinese {
                    let read = read.unwrap();
                    prop_assert_eq!(read.as_bytes(), &bytes);
                }
            }
        }
    }
}
