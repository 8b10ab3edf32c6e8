//! Which entries are of the days that were chosen: searched before a look is logged, and held against the days by the replay.

use super::entries;
use crate::ledger::Ledger;
use suishen_bridge::{Action, AuditPeriod, Fault};
use suishen_core::audit::{Days, NoPeriod, Period, Search, clock, time_of};

/// Searches them in the ledger as its newest checkpoint has it; none where all of it was chosen.
pub async fn find(ledger: &Ledger, chosen: &AuditPeriod) -> Result<Option<Period>, Fault> {
    let (size, time) = ledger.seen().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let today = clock::day(time);
    let days = match chosen {
        AuditPeriod::Whole => return Ok(None),
        AuditPeriod::ThisQuarter => Days::this_quarter(today),
        AuditPeriod::LastQuarter => Days::last_quarter(today),
        AuditPeriod::Days { from, to } => {
            let day = |text: &str| {
                clock::read_day(text).ok_or_else(|| Fault::new("audit-days", Action::Retry).with_detail(text))
            };
            Days::new(day(from)?, day(to)?, today).map_err(|why| fault(&why))?
        }
    };
    let mut search = Search::new(days, size, time);
    while let Some(wanted) = search.wanted() {
        let found = entries(ledger, wanted.clone()).await?;
        let times: Option<Vec<u64>> =
            wanted.zip(&found).map(|(number, bytes)| time_of(number, bytes)).collect();
        search.take(&times.unwrap_or_default()).map_err(|why| fault(&why))?;
    }
    search.found().map(Some).map_err(|why| fault(&why))
}

/// Why there is no such period, as a page says it.
pub fn fault(why: &NoPeriod) -> Fault {
    match why {
        NoPeriod::Order(..) => Fault::new("audit-order", Action::Retry),
        NoPeriod::Future(_, today) => {
            Fault::new("audit-future", Action::Retry).with_detail(clock::written(*today))
        }
        NoPeriod::Empty(days) => Fault::new("audit-empty", Action::Retry).with_detail(days.to_string()),
        NoPeriod::Unsound => Fault::new("audit-bounds", Action::Nothing),
        NoPeriod::Misled { at, .. } => {
            Fault::new("audit-bounds", Action::Nothing).with_detail(at.entry.to_string())
        }
    }
}
