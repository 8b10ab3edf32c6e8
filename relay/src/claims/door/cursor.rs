//! Places in a list, as they are given out: a number, and a check under a key of this server, so that a cursor that was
//! never given out is refused.

use super::Door;
use crate::claims::Refusal;
use data_encoding::BASE64URL_NOPAD;
use suishen_core::sm::{Digest, Label};

const CURSOR: Label = Label::new("list-cursor");
/// Bytes of the number, and of the check.
const NUMBER: usize = 8;
const CHECK: usize = 8;

/// A cursor of a list of this name.
pub fn give(door: &Door, list: &str, number: u64) -> String {
    let number = number.to_be_bytes();
    let check = check(door, list, number);
    BASE64URL_NOPAD.encode(&[number, check].concat())
}

/// Where a cursor of this list points; the beginning where there is none.
pub fn take(door: &Door, list: &str, cursor: Option<&str>) -> Result<u64, Refusal> {
    let Some(cursor) = cursor else { return Ok(0) };
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| Refusal::Cursor)?;
    let (number, told) = bytes.split_first_chunk::<NUMBER>().ok_or(Refusal::Cursor)?;
    if told != check(door, list, *number) {
        return Err(Refusal::Cursor);
    }
    Ok(u64::from_be_bytes(*number))
}

fn check(door: &Door, list: &str, number: [u8; NUMBER]) -> [u8; CHECK] {
    let secret = door.desk.rows.cursor_key();
    let digest = Digest::labelled(CURSOR, &[secret.as_bytes(), list.as_bytes(), &[0], &number]);
    let mut check = [0; CHECK];
    check.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
    check
}
