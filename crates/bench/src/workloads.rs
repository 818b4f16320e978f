//! What is measured: one file for each workload, and the list of them.

mod activity;
mod baseline;
mod callback;
mod chain;
mod choice_loop;
mod disk;
mod express;
mod history;
mod jsonata;
mod linear;
mod map;
mod start;
mod waiting;

use std::future::Future;
use std::pin::Pin;

use crate::bench::Bench;

/// A workload.
pub(crate) struct Workload {
    /// What it is called on the command line and in reports.
    pub(crate) name: &'static str,
    /// What it does and measures, in a line.
    pub(crate) about: &'static str,
    pub(crate) needs: Needs,
    /// Measures, and tells the run what it found. An error is what kept it from measuring.
    pub(crate) run: for<'a, 'b> fn(&'a mut Bench<'b>) -> Running<'a>,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// What a workload is run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Any endpoint.
    Endpoint,
    /// A server this run has started, whose process and files it can see.
    OwnServer,
    /// Such a server, minutes and gigabytes.
    Long,
}

/// All of them, in the order in which they are run.
pub(crate) const ALL: &[Workload] = &[
    baseline::WORKLOAD,
    chain::WORKLOAD,
    express::WORKLOAD,
    map::WORKLOAD,
    choice_loop::WORKLOAD,
    jsonata::WORKLOAD,
    activity::WORKLOAD,
    callback::WORKLOAD,
    history::WORKLOAD,
    start::WORKLOAD,
    waiting::WORKLOAD,
    disk::WORKLOAD,
    linear::WORKLOAD,
];
