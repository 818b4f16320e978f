//! What root may beside its own files, for a server that runs as root: its functions may not.

use std::io;

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// Directories of other users can hold functions. Where these may lead is for the rules of files.
const KEPT: CapabilitySet = CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH);

/// Gives up the capabilities of the thread that calls this. What it starts does not get them back, for it gave up gaining
/// privileges before.
pub(super) fn give_up() -> io::Result<()> {
    let had = capabilities(None)?;
    let kept = had.permitted & KEPT;
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() })?;
    Ok(())
}
