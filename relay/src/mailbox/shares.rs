//! How the room of all mailboxes is shared: what is left of it is never one vault's alone, however much it has paid.
//!
//! A vault may hold a part of what is free; the fuller the room, the less, down to what every vault may hold while there
//! is any. Content never takes the last eighth, so that changes still come through where attachments don't; and beginning a mailbox
//! costs the more the less is free.

use suishen_core::sync::MOST_WORK_BITS;

/// The parts of what is free of which one vault may hold one: of content, and of events.
const CONTENT_PARTS: u64 = 16;
const EVENT_PARTS: u64 = 64;
/// What a vault may hold while there is room at all, in bytes.
const LEAST_CONTENT: u64 = 16 << 20;
const LEAST_EVENTS: u64 = 4 << 20;
/// Content takes all of the room but one of so many parts.
const FOR_EVENTS: u64 = 8;

/// The room, and how much of it is taken, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    pub room: u64,
    pub used: u64,
}

impl Shares {
    /// Whether a vault may hold `own` bytes of events, of which `more` are new.
    pub const fn take_events(self, own: u64, more: u64) -> bool {
        fits(self.free(), own, more, EVENT_PARTS, LEAST_EVENTS)
    }

    /// Whether a vault may hold `own` bytes of content, of which `more` are new.
    pub const fn take_content(self, own: u64, more: u64) -> bool {
        fits(self.free_for_content(), own, more, CONTENT_PARTS, LEAST_CONTENT)
    }

    /// Bytes that are left.
    pub const fn free(self) -> u64 {
        self.room.saturating_sub(self.used)
    }

    /// Bytes that are left for content.
    pub const fn free_for_content(self) -> u64 {
        (self.room - self.room / FOR_EVENTS).saturating_sub(self.used)
    }

    /// What beginning a mailbox costs now: a bit more for each halving of what is free, as far as wallets go.
    pub fn work(self, least: u8) -> u8 {
        let halvings = self.room.checked_div(self.free()).unwrap_or(u64::MAX).max(1).ilog2();
        let bits = least.saturating_add(u8::try_from(halvings).unwrap_or(u8::MAX));
        bits.min(MOST_WORK_BITS).max(least)
    }
}

const fn fits(free: u64, own: u64, more: u64, parts: u64, least: u64) -> bool {
    if more > free {
        return false;
    }
    let share = (free + own.saturating_sub(more)) / parts;
    own <= if share > least { share } else { least }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;
    const ROOM: u64 = 64 * GIB;

    #[test]
    fn malicious_payers_leave_room_for_others_and_ever_less_to_themselves() {
        let mut shares = Shares { room: ROOM, used: 0 };
        // Each takes as much content as it may, by pieces.
        let mut payers = 0;
        while payers < 60 {
            let mut own = 0;
            while shares.take_content(own + (1 << 20), 1 << 20) {
                own += 1 << 20;
                shares.used += 1 << 20;
            }
            payers += 1;
        }
        assert!(shares.take_content(LEAST_CONTENT, LEAST_CONTENT), "the next one has its least");
        assert!(shares.take_events(64 << 20, 1000), "and changes come through as ever");
        assert!(shares.work(18) >= 20, "{}", shares.work(18));
    }

    #[test]
    fn an_empty_room_has_full_quotas_and_a_full_one_takes_nothing() {
        let empty = Shares { room: ROOM, used: 0 };
        assert!(empty.take_content(2 * GIB, 2 * GIB) && empty.take_events(64 << 20, 64 << 20));
        assert_eq!(empty.work(18), 18);
        let full = Shares { room: ROOM, used: ROOM };
        assert!(!full.take_content(1, 1) && !full.take_events(1, 1));
        assert_eq!(full.work(18), MOST_WORK_BITS);
        assert_eq!(Shares { room: ROOM, used: ROOM / 2 }.work(18), 19);
    }

    #[test]
    fn attachments_leave_the_last_eighth_to_changes() {
        let nearly = Shares { room: ROOM, used: ROOM / 8 * 7 };
        assert!(!nearly.take_content(1, 1));
        assert!(nearly.take_events(64 << 20, 1000));
    }
}
