//! Rules for holders (PROTOCOL §3): a vault's one object on the ledger.

use super::body::{MoveHolder, OpenHolder};
use super::party::following;
use super::state::{Key, Views as _};
use super::value::Holder;
use super::{Rejection, Step};
use crate::id::HolderId;

impl Step<'_> {
    /// The id is the root key's hash and the root key signs: nobody can take it first.
    pub(super) fn open_holder(&mut self, body: &OpenHolder) -> Result<(), Rejection> {
        let id = HolderId::of(&body.root);
        if self.state.holder(&id)?.is_some() {
            return Err(Rejection::HolderKnown);
        }
        let holder = Holder { root: body.root, authority: body.authority, manage: body.manage, sequence: 0 };
        self.put(&Key::Holder(id), &holder);
        Ok(())
    }

    /// The root overrides the manage key, but not the sequence.
    pub(super) fn move_holder(&mut self, body: &MoveHolder) -> Result<(), Rejection> {
        let mut holder = self.state.holder(&body.holder)?.ok_or(Rejection::UnknownHolder)?;
        if body.root.is_some_and(|root| root != holder.root) {
            return Err(Rejection::HolderRoot);
        }
        holder.sequence = following(holder.sequence, body.sequence)?;
        holder.authority = body.authority;
        holder.manage = body.manage;
        self.put(&Key::Holder(body.holder), &holder);
        Ok(())
    }
}
