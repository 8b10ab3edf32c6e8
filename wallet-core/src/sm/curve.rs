//! The one operation on the SM2 curve that keys are agreed with: private scalar times public point.
//!
//! Private to `sm`. Points were checked when they became a [`PublicKey`]; the curve has cofactor 1, so a point
//! on it that isn't the identity has full order.

use super::{PublicKey, SecretKey, SmError};
use sm2::elliptic_curve::{Group as _, point::AffineCoordinates as _};
use zeroize::{Zeroize as _, Zeroizing};

/// A shared point as x ‖ y, 32 bytes each.
pub(super) struct SharedPoint(Zeroizing<[u8; 64]>);

impl SharedPoint {
    pub(super) fn x(&self) -> &[u8] {
        &self.0[..32]
    }

    pub(super) fn y(&self) -> &[u8] {
        &self.0[32..]
    }

    pub(super) fn both(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// [secret] public, in constant time; the identity is refused.
pub(super) fn agree(secret: &SecretKey, public: &PublicKey) -> Result<SharedPoint, SmError> {
    let point = sm2::PublicKey::from_sec1_bytes(public.as_bytes()).map_err(|_| SmError::PublicKey)?;
    let mut shared = sm2::ProjectivePoint::from(point) * **secret.scalar();
    if shared.is_identity().into() {
        return Err(SmError::PublicKey);
    }
    let mut affine = shared.to_affine();
    let mut bytes = Zeroizing::new([0; 64]);
    bytes[..32].copy_from_slice(affine.x().as_slice());
    bytes[32..].copy_from_slice(affine.y().as_slice());
    affine.zeroize();
    shared.zeroize();
    Ok(SharedPoint(bytes))
}
