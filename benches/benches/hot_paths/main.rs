//! One binary for all benches; one file per subject.

mod definitions;
mod json;
mod jsonata;
mod jsonpath;
mod protocol;
mod transitions;

/// Counts what each iteration allocates.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
