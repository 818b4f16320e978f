//! One binary for all benches; one file per subject.

mod json;
mod jsonata;
mod jsonpath;

/// Counts what each iteration allocates.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
