// SPDX-License-Identifier: Apache-2.0
//! What happens when there is no room for the next segment: refuse, or let the oldest go.

use crate::trail::clock::Clock;
use crate::trail::config::{Config, WhenFull};
use crate::trail::removal::remove_oldest;
use crate::trail::spare::NoSpare;
use crate::trail::store::Store;
use crate::trail::trouble::Trouble;
use crate::trail::writer::Writer;

/// How many segments may go to make room for one.
const MOST: usize = 8;
/// What the record says of such a segment.
const MAKES_ROOM: &str = "the oldest segment makes room";

/// Goes over to the next segment, making room for it by the rule that is set.
pub(super) fn next_segment(
    writer: &mut Writer,
    store: &dyn Store,
    config: &Config,
    clock: &dyn Clock,
) -> Result<(), Trouble> {
    for _ in 0..MOST {
        match (writer.next_segment(&clock.now()), config.when_full) {
            (Ok(()), _) => return Ok(()),
            (Err(NoSpare::Room), WhenFull::OverwriteOldest) => {
                remove_oldest(writer, store, clock, MAKES_ROOM)?;
            }
            (Err(cause), _) => return Err(cause.into()),
        }
    }
    Err(Trouble::Room)
}
