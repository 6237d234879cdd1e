//! Lists: which item is which, and how those that stay keep their bytes.
//!
//! A list's text is cut into its items, each with the comments that are its own, and put together
//! anew: an item that stays goes as it is, wherever it goes, and only a new one is written.

mod block;
mod flow;
mod origin;

use serde_json::Value;

use super::place::Text;
use crate::check::yaml::{Children, Style};

pub(super) use origin::origins;

/// What stands at a place of a list that is put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Slot<'v> {
    /// The item that stood at this place before.
    Old(usize),
    /// A new one.
    New(&'v Value),
}

impl Text<'_> {
    /// The text with the list at `pointer`, of which something stays, put together from `slots`.
    pub(super) fn arrange(&self, pointer: &str, slots: &[Slot<'_>]) -> Option<Vec<u8>> {
        let place = self.tree.place(pointer)?;
        let Children::Items(items) = &place.children else {
            return None;
        };
        match place.style {
            Style::Flow => self.arrange_flow(place, items, slots),
            _ => self.arrange_block(place, items, slots),
        }
    }
}
