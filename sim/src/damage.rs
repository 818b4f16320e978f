//! I15: bytes that were durable and are not as they were written are found before anybody is told of them.

use stepwell_interpreter::Moment;

use crate::shell::Shell;
use crate::world::World;

/// Damages tried on the disk that a seed leaves behind.
const DAMAGES: usize = 3;

impl World {
    /// Damages copies of the disk, one place each. Whoever opens such a copy is refused, or told of the damage, or sees everything as
    /// it was.
    pub(crate) fn check_damage(&mut self, shown: &[String]) -> Result<(), String> {
        self.flush()?;
        let durable = self.shell().frames();
        let disk = self.disk.clone();
        let written = disk.names_ending(".log");
        let names = [disk.names_ending(".packed"), written.clone()].concat();
        for _ in 0..DAMAGES {
            let copy = disk.copy(self.random.fork());
            let Some(name) = self.random.one_of(&names).cloned() else { return Ok(()) };
            let mut bytes = copy.bytes(&name);
            let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else { continue };
            // The end of what is damaged.
            let mut end = 0;
            let what = match self.random.below(7) {
                0 => {
                    let at = self.random.below(last + 1);
                    bytes[at] ^= 1 << self.random.below(8);
                    format!("a bit of byte {at} flipped")
                }
                1 => {
                    let at = self.random.below(last + 1);
                    bytes.truncate(at);
                    format!("cut at {at}")
                }
                2 => {
                    // A sector that reads as zeroes, somewhere before the last.
                    let at = self.random.below(last + 1) / 512 * 512;
                    end = (at + 512).min(bytes.len());
                    if bytes[at..end].iter().all(|byte| *byte == 0) {
                        continue;
                    }
                    bytes[at..end].fill(0);
                    format!("the sector at {at} lost")
                }
                3 | 4 => {
                    // A whole segment in the place of another.
                    let Some(other) = self.random.one_of(&names).filter(|other| **other != name) else { continue };
                    bytes = disk.bytes(other);
                    end = bytes.len();
                    format!("what {other} has")
                }
                _ => {
                    // What belongs elsewhere: a stretch of another segment, or of this one.
                    let Some(other) = self.random.one_of(&names).cloned() else { continue };
                    let from = disk.bytes(&other);
                    let to = 64 + self.random.below(last) / 8 * 8;
                    let at = if other == name { self.random.below(last) / 8 * 8 } else { to };
                    let length = 512.min(bytes.len().saturating_sub(to)).min(from.len().saturating_sub(at));
                    if length == 0 || bytes[to..to + length] == from[at..at + length] {
                        continue;
                    }
                    end = to + length;
                    bytes[to..end].copy_from_slice(&from[at..at + length]);
                    format!("{length} bytes of {other} from {at} at {to}")
                }
            };
            self.tally.damages += 1;
            copy.set_bytes(&name, &bytes);
            // Of a log that is read from its beginning every frame has to follow the one before.
            if !what.starts_with("what ") && self.random.once_in(2) {
                copy.remove_file("index.redb");
            }
            let at = Moment { now: stepwell_spec::Timestamp(self.wall), entropy: self.random.draw() };
            let Ok((shell, outs)) = Shell::open(&copy, self.knobs.segment_bytes, self.knobs.retention, at) else {
                continue;
            };
            let tail = shell.frames();
            // A sector of the very last batch that was never written, or a batch whose end is gone, cannot be told from one that was
            // being written.
            let has_mark_behind =
                disk.bytes(&name).get(end..).is_some_and(|rest| rest.windows(4).any(|four| four == b"BTCH"));
            let looks_torn = written.last() == Some(&name) && end > 0;
            let is_last_batch = tail + self.last_batch >= durable || !has_mark_behind;
            if looks_torn && tail < durable && is_last_batch {
                continue;
            }
            if tail < durable {
                return Err(format!("I15: {name}: {what}: it opens with {tail} frames of {durable}"));
            }
            let before = self.shell.replace(shell);
            let kept = std::mem::replace(&mut self.disk, copy);
            drop(self.shell().deliver(outs));
            // Whoever asks for what is damaged is told so; everything else is as it was.
            let seen = match self.audit_all().and_then(|seen| self.check_local().map(|()| seen)) {
                Ok(seen) => self.shows_the_same(shown, &seen),
                Err(told) => {
                    told.contains("damaged") || told.contains("index failed") || told.contains("not as it was written")
                }
            };
            self.disk = kept;
            self.shell = before;
            if !seen {
                return Err(format!("I15: {name}: {what}: nobody is told, and something else is shown"));
            }
        }
        Ok(())
    }
}
