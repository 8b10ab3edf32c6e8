//! Shamir's secret sharing (1979) of 32-byte secrets over GF(2⁸), each byte its own polynomial (PROTOCOL §1).
//!
//! **Any t shares give the secret, t - 1 give nothing**: one half of a record's key lies with the gates like
//! this. Shares carry no proof; a wrong one is named by its salted commitment (PROTOCOL §7) before it comes
//! here, and surplus shares that don't fit are refused.
//!
//! Own code because no kept crate does it without tables indexed by secret bytes (blahaj, gf256) or without a
//! tree of big-integer crates (vsss-rs). Multiplication neither branches nor looks up on secrets; indices and
//! so the Lagrange coefficients are public. The field is that of AES, x⁸+x⁴+x³+x+1.

use super::{Key32, Random};
use zeroize::Zeroizing;

/// The greatest number of shares.
pub const MOST: u8 = 16;

/// Why a secret can't be split or put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShamirError {
    /// Not 1 ≤ threshold ≤ count ≤ 16.
    #[error("the threshold must lie between 1 and the number of shares, which is at most 16")]
    Bounds,
    /// Fewer shares than the threshold.
    #[error("fewer shares than the threshold")]
    TooFew,
    /// A share's index is 0 or above 16.
    #[error("a share has an index out of range")]
    Index,
    /// Two shares have the same index.
    #[error("two shares have the same index")]
    Repeated,
    /// More shares than the threshold, and they don't lie on one polynomial: at least one is wrong.
    #[error("the shares do not belong together")]
    Inconsistent,
}

/// One share of a secret.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
pub struct Share {
    /// Where the polynomials were evaluated, from 1.
    #[n(0)]
    pub index: u8,
    /// Their values there.
    #[n(1)]
    pub value: Key32,
}

/// Splits a secret into `count` shares, indices 1 to `count`, of which any `threshold` give it back.
pub fn split(
    secret: &Key32,
    threshold: u8,
    count: u8,
    random: &mut dyn Random,
) -> Result<Vec<Share>, ShamirError> {
    if threshold == 0 || threshold > count || count > MOST {
        return Err(ShamirError::Bounds);
    }
    // Coefficients of x¹ to x^(t-1); the secret is that of x⁰.
    let coefficients: Vec<Key32> = (1..threshold).map(|_| Key32::generate(random)).collect();
    let share = |index| {
        let mut value = Zeroizing::new([0; 32]);
        for coefficient in coefficients.iter().rev().chain([secret]) {
            for (sum, c) in value.iter_mut().zip(coefficient.as_bytes()) {
                *sum = multiply(*sum, index) ^ c;
            }
        }
        Share { index, value: Key32::from_bytes(*value) }
    };
    Ok((1..=count).map(share).collect())
}

/// The secret that these shares were split from, `threshold` being the one it was split with. Shares beyond
/// the threshold are checked against the others.
pub fn combine(threshold: u8, shares: &[Share]) -> Result<Key32, ShamirError> {
    if threshold == 0 || threshold > MOST {
        return Err(ShamirError::Bounds);
    }
    for (i, share) in shares.iter().enumerate() {
        if share.index == 0 || share.index > MOST {
            return Err(ShamirError::Index);
        }
        if shares[..i].iter().any(|earlier| earlier.index == share.index) {
            return Err(ShamirError::Repeated);
        }
    }
    let (basis, surplus) = shares.split_at_checked(threshold.into()).ok_or(ShamirError::TooFew)?;
    if surplus.iter().any(|share| value_at(basis, share.index) != share.value) {
        return Err(ShamirError::Inconsistent);
    }
    Ok(value_at(basis, 0))
}

/// The value at `x` of the polynomials of least degree through `shares` (Lagrange).
fn value_at(shares: &[Share], x: u8) -> Key32 {
    let mut value = Zeroizing::new([0; 32]);
    for share in shares {
        let others = shares.iter().map(|s| s.index).filter(|i| *i != share.index);
        // In this field subtraction is exclusive or.
        let weight = others
            .fold(1, |weight, other| multiply(weight, multiply(x ^ other, invert(share.index ^ other))));
        for (sum, byte) in value.iter_mut().zip(share.value.as_bytes()) {
            *sum ^= multiply(*byte, weight);
        }
    }
    Key32::from_bytes(*value)
}

/// a·b modulo x⁸+x⁴+x³+x+1, the same steps whatever the values.
const fn multiply(mut a: u8, b: u8) -> u8 {
    let (mut product, mut bit) = (0, 0);
    while bit < 8 {
        product ^= a & mask(b >> bit);
        a = (a << 1) ^ (0x1b & mask(a >> 7));
        bit += 1;
    }
    product
}

/// 0xff where the lowest bit is set, else 0.
const fn mask(bit: u8) -> u8 {
    0u8.wrapping_sub(bit & 1)
}

/// a⁻¹ = a²⁵⁴; 0 for 0, which no pair of unlike indices gives.
const fn invert(a: u8) -> u8 {
    let (mut power, mut result, mut i) = (a, 1, 1);
    while i < 8 {
        power = multiply(power, power);
        result = multiply(result, power);
        i += 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::seeded::Seeded;
    use super::*;
    use proptest::prelude::*;

    /// Long multiplication and division of polynomials, as one does it on paper.
    fn by_hand(a: u8, b: u8) -> u8 {
        let mut product = (0..8).filter(|i| b >> i & 1 == 1).fold(0u32, |p, i| p ^ u32::from(a) << i);
        for i in (8..16).rev() {
            if product >> i & 1 == 1 {
                product ^= 0x11b << (i - 8);
            }
        }
        u8::try_from(product).unwrap()
    }

    #[test]
    fn multiplication_is_that_of_the_field_for_all_pairs() {
        for (a, b) in (0..=255).flat_map(|a| (0..=255).map(move |b| (a, b))) {
            assert_eq!(multiply(a, b), by_hand(a, b), "{a} {b}");
        }
        // FIPS 197 §4.2.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
    }

    #[test]
    fn every_element_but_zero_has_its_inverse() {
        assert_eq!(invert(0), 0);
        for a in 1..=255 {
            assert_eq!(multiply(a, invert(a)), 1, "{a}");
        }
    }

    /// Gives bytes that were set before.
    struct Fixed(Vec<u8>);
    impl Random for Fixed {
        fn fill(&mut self, out: &mut [u8]) {
            let rest = self.0.split_off(out.len());
            out.copy_from_slice(&core::mem::replace(&mut self.0, rest));
        }
    }

    #[test]
    fn shares_are_the_values_of_the_polynomial() {
        // 0x2a + 0x53 x + 0xca x²; 0x53 and 0xca are each other's inverse.
        let random = &mut Fixed([[0x53; 32], [0xca; 32]].concat());
        let shares = split(&Key32::from_bytes([0x2a; 32]), 3, 3, random).unwrap();
        let expected = [1u8, 2, 3].map(|x| (x, 0x2a ^ by_hand(0x53, x) ^ by_hand(0xca, by_hand(x, x))));
        for (share, (index, byte)) in shares.iter().zip(expected) {
            assert_eq!((share.index, share.value.as_bytes()), (index, &[byte; 32]));
        }
    }

    #[test]
    fn one_share_of_two_fits_every_secret_equally_well() {
        // Over all coefficients, the value at any index takes each of 256 values once, whatever the secret.
        for (secret, index) in [(0, 1), (0, 2), (0x7f, 1), (0x7f, 2), (0xff, 2)] {
            let mut seen = [0; 256];
            for coefficient in 0..=255 {
                let random = &mut Fixed(vec![coefficient; 32]);
                let shares = split(&Key32::from_bytes([secret; 32]), 2, 2, random).unwrap();
                seen[usize::from(shares[index - 1].value.as_bytes()[0])] += 1;
            }
            assert_eq!(seen, [1; 256]);
        }
    }

    fn secret_and_shares(threshold: u8, count: u8) -> (Key32, Vec<Share>) {
        let random = &mut Seeded::new(u64::from(threshold) << 8 | u64::from(count));
        let secret = Key32::generate(random);
        let shares = split(&secret, threshold, count, random).unwrap();
        (secret, shares)
    }

    #[test]
    fn every_choice_of_t_shares_gives_the_secret_and_fewer_do_not() {
        for (threshold, count) in [(1, 1), (2, 2), (3, 3), (3, 4), (4, 5), (5, 7), (1, 4), (16, 16)] {
            let (secret, shares) = secret_and_shares(threshold, count);
            for choice in 0..1u32 << count {
                let chosen: Vec<Share> =
                    shares.iter().filter(|s| choice >> (s.index - 1) & 1 == 1).cloned().collect();
                let combined = combine(threshold, &chosen);
                if chosen.len() < usize::from(threshold) {
                    assert_eq!(combined, Err(ShamirError::TooFew));
                } else {
                    assert_eq!(combined.as_ref(), Ok(&secret));
                }
            }
        }
    }

    #[test]
    fn too_few_shares_under_a_false_threshold_give_another_secret() {
        let (secret, shares) = secret_and_shares(3, 4);
        assert_ne!(combine(2, &shares[..2]).unwrap(), secret);
    }

    #[test]
    fn a_single_share_of_one_is_the_secret() {
        let (secret, shares) = secret_and_shares(1, 1);
        assert_eq!(shares, [Share { index: 1, value: secret }]);
    }

    #[test]
    fn a_wrong_share_among_surplus_ones_is_noticed() {
        let (_, mut shares) = secret_and_shares(3, 4);
        shares[1].value = Key32::from_bytes([0; 32]);
        assert_eq!(combine(3, &shares), Err(ShamirError::Inconsistent));
    }

    #[test]
    fn bounds_indices_and_repetitions_are_checked() {
        let (secret, shares) = secret_and_shares(2, 3);
        let random = &mut Seeded::new(1);
        for (threshold, count) in [(0, 0), (0, 1), (2, 1), (1, 17), (17, 17)] {
            assert_eq!(split(&secret, threshold, count, random), Err(ShamirError::Bounds));
        }
        assert_eq!(combine(0, &shares), Err(ShamirError::Bounds));
        assert_eq!(combine(17, &shares), Err(ShamirError::Bounds));
        assert_eq!(combine(2, &[shares[0].clone(), shares[0].clone()]), Err(ShamirError::Repeated));
        for index in [0, 17] {
            let strange = Share { index, ..shares[0].clone() };
            assert_eq!(combine(2, &[shares[1].clone(), strange]), Err(ShamirError::Index));
        }
    }

    #[test]
    fn a_share_is_an_array_of_index_and_bytes_and_prints_no_value() {
        let share = Share { index: 2, value: Key32::from_bytes([0xab; 32]) };
        let bytes = crate::cbor::encode(&share);
        assert_eq!(bytes[..4], [0x82, 2, 0x58, 32]);
        assert_eq!(crate::cbor::decode::<Share>(&bytes).unwrap(), share);
        assert_eq!(format!("{share:?}"), "Share { index: 2, value: Key32([redacted]) }");
    }

    proptest! {
        #[test]
        fn shares_in_any_order_give_the_secret(
            seed: u64, threshold in 1..=16_u8, extra in 0..16_u8, turn in 0..16_usize,
        ) {
            let random = &mut Seeded::new(seed);
            let (secret, count) = (Key32::generate(random), (threshold + extra).min(MOST));
            let mut shares = split(&secret, threshold, count, random).unwrap();
            shares.rotate_left(turn % usize::from(count));
            shares.reverse();
            prop_assert_eq!(combine(threshold, &shares[..threshold.into()]).unwrap(), secret);
        }
    }
}
