//! What a run did: the figures that say how much was tried.

use std::collections::BTreeSet;
use std::fmt;

use stepwell_sim_disk::DiskTally;

/// Figures of one seed, or of many.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub(crate) seeds: u64,
    /// Seeds that were a random program.
    pub(crate) programs: u64,
    pub(crate) steps: u64,
    pub(crate) inputs: u64,
    pub(crate) frames: u64,
    pub(crate) crashes: u64,
    /// Crashes between the write of a batch and the end of its sync.
    pub(crate) crashes_in_window: u64,
    pub(crate) reopenings: u64,
    pub(crate) refused_openings: u64,
    pub(crate) executions: u64,
    pub(crate) histories: u64,
    pub(crate) duplicates: u64,
    pub(crate) late_or_lost: u64,
    pub(crate) foreign_tokens: u64,
    pub(crate) spent_tokens: u64,
    pub(crate) gone_callers: u64,
    pub(crate) repeated_calls: u64,
    pub(crate) races: u64,
    pub(crate) clock_jumps: u64,
    pub(crate) damages: u64,
    pub(crate) indexes_lost: u64,
    pub(crate) zombies: u64,
    /// Batches that the disk took its time for.
    pub(crate) slow_writes: u64,
    /// Panics of executions, and openings of the service after them.
    pub(crate) panics: u64,
    pub(crate) service_reopenings: u64,
    /// Answers of synchronous executions.
    pub(crate) sync_answers: u64,
    /// Questions to local services.
    pub(crate) local_calls: u64,
    /// Calls of an object store that went wrong.
    pub(crate) object_faults: u64,
    pub(crate) disk: DiskTally,
    /// Abstract states met, by hash.
    pub(crate) states: BTreeSet<u64>,
}

impl Tally {
    /// Everything that went wrong on purpose.
    pub fn faults(&self) -> u64 {
        let disk =
            self.disk.planned + self.disk.failed_reads + self.disk.no_room + self.disk.lost_or_torn + self.slow_writes;
        let callers = self.gone_callers + self.repeated_calls + self.races;
        let workers = self.duplicates + self.late_or_lost + self.foreign_tokens + self.spent_tokens;
        let process = self.crashes + self.panics + self.zombies;
        disk + callers + workers + self.object_faults + process + self.clock_jumps + self.damages + self.indexes_lost
    }

    /// Adds another's.
    pub fn add(&mut self, other: Tally) {
        let Tally {
            seeds,
            programs,
            steps,
            inputs,
            frames,
            crashes,
            crashes_in_window,
            reopenings,
            refused_openings,
            executions,
            histories,
            duplicates,
            late_or_lost,
            foreign_tokens,
            spent_tokens,
            gone_callers,
            repeated_calls,
            races,
            clock_jumps,
            damages,
            indexes_lost,
            zombies,
            slow_writes,
            panics,
            service_reopenings,
            sync_answers,
            local_calls,
            object_faults,
            disk,
            states,
        } = other;
        self.seeds += seeds;
        self.programs += programs;
        self.steps += steps;
        self.inputs += inputs;
        self.frames += frames;
        self.crashes += crashes;
        self.crashes_in_window += crashes_in_window;
        self.reopenings += reopenings;
        self.refused_openings += refused_openings;
        self.executions += executions;
        self.histories += histories;
        self.duplicates += duplicates;
        self.late_or_lost += late_or_lost;
        self.foreign_tokens += foreign_tokens;
        self.spent_tokens += spent_tokens;
        self.gone_callers += gone_callers;
        self.repeated_calls += repeated_calls;
        self.races += races;
        self.clock_jumps += clock_jumps;
        self.damages += damages;
        self.indexes_lost += indexes_lost;
        self.zombies += zombies;
        self.slow_writes += slow_writes;
        self.panics += panics;
        self.service_reopenings += service_reopenings;
        self.sync_answers += sync_answers;
        self.local_calls += local_calls;
        self.object_faults += object_faults;
        self.disk.planned += disk.planned;
        self.disk.power_losses += disk.power_losses;
        self.disk.lost_or_torn += disk.lost_or_torn;
        self.disk.failed_reads += disk.failed_reads;
        self.disk.no_room += disk.no_room;
        self.states.extend(states);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = 100 * self.crashes_in_window / self.crashes.max(1);
        writeln!(
            f,
            "{} seeds ({} of random programs), {} steps, {} inputs, {} frames, {} executions, {} histories read, {} distinct states",
            self.seeds,
            self.programs,
            self.steps,
            self.inputs,
            self.frames,
            self.executions,
            self.histories,
            self.states.len()
        )?;
        writeln!(
            f,
            "{} faults: {} crashes ({} between write and sync: {window} %), {} losses of power ({} took or tore something), {} disk faults, \
             {} failed reads, {} without room, {} slow batches, {} damages, {} lost indexes",
            self.faults(),
            self.crashes,
            self.crashes_in_window,
            self.disk.power_losses,
            self.disk.lost_or_torn,
            self.disk.planned,
            self.disk.failed_reads,
            self.disk.no_room,
            self.slow_writes,
            self.damages,
            self.indexes_lost
        )?;
        write!(
            f,
            "  {} duplicate answers, {} late or lost, {} spent and {} foreign tokens, {} callers gone, {} calls repeated, {} races, \
             {} clock jumps, {} writers of an old epoch, {} panics, {} faults of files; {} calls of local services; {} openings, {} refused while the disk failed, {} after a panic; \
             {} synchronous executions answered",
            self.duplicates,
            self.late_or_lost,
            self.spent_tokens,
            self.foreign_tokens,
            self.gone_callers,
            self.repeated_calls,
            self.races,
            self.clock_jumps,
            self.zombies,
            self.panics,
            self.object_faults,
            self.local_calls,
            self.reopenings,
            self.refused_openings,
            self.service_reopenings,
            self.sync_answers
        )
    }
}
