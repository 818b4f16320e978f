//! A run: what the workloads are given, and what they tell.
//!
//! Around each measurement stands one of the baseline, before and after, under as many clients: the machine may be slower
//! by the minute, and the mean of both is what the measurement is held against.

use std::sync::Arc;
use std::time::Duration;

use crate::baseline_load::Baseline;
use crate::connection::Place;
use crate::disk::time_syncs;
use crate::endpoint::Endpoint;
use crate::load::{Measured, Operation, Until, drive};
use crate::process::Usage;
use crate::report::{Line, SyncTimes};
use crate::settings::{ANY_ROLE, Settings};
use crate::site::{Ledger, Names, Site};

/// The baseline is measured for a fifth of the time of a measurement, before it and after it, and within these.
const BASELINE_PART: u32 = 5;
const BASELINE_TIME: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(5);

/// What comes before a measurement, for caches and for the processor's clock, as a part of its time.
pub(crate) const WARM_UP_PART: u32 = 10;

/// Syncs of either kind are timed for a tenth of the time of a measurement, before it and after it, and no longer than this.
const SYNCS_PART: u32 = 10;
const SYNCS_MAX: Duration = Duration::from_millis(500);

/// What workloads are run with.
pub(crate) struct Bench<'a> {
    pub(crate) settings: &'a Settings,
    /// Where the load goes when it goes elsewhere.
    elsewhere: Option<Arc<Place>>,
    ledger: Ledger,
    names: Names,
    baseline: Option<Baseline>,
    /// What syncs take in the folder of the data.
    syncs: Option<SyncTimes>,
    lines: Vec<Line>,
    tell: &'a mut dyn FnMut(&str),
}

/// A measurement, and what the clients were left with.
pub(crate) struct Ran<O> {
    pub(crate) line: Line,
    pub(crate) operations: Vec<O>,
}

/// What was there before a measurement.
pub(crate) struct Before {
    clients: usize,
    baseline_per_s: Option<f64>,
    syncs: Option<SyncTimes>,
    server: Usage,
    own: Usage,
    used: Option<(Usage, Usage)>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        elsewhere: Option<Arc<Place>>,
        ledger: Ledger,
        prefix: String,
        tell: &'a mut dyn FnMut(&str),
    ) -> Bench<'a> {
        let role_arn = settings.role_arn.clone().unwrap_or_else(|| ANY_ROLE.to_owned());
        let names = Names { prefix, role_arn };
        Bench { settings, elsewhere, ledger, names, baseline: None, syncs: None, lines: Vec::new(), tell }
    }

    /// Starts the baseline, unless what is measured is so far away that it says nothing.
    pub(crate) fn start_baseline(&mut self) -> Result<(), String> {
        let is_near = |place: &Arc<Place>| !place.endpoint.is_secure;
        if self.elsewhere.as_ref().is_none_or(is_near) {
            self.baseline = Some(Baseline::start(&self.settings.binary)?);
        }
        Ok(())
    }

    /// Ends the baseline, and answers what was told.
    pub(crate) fn end(self) -> Result<Vec<Line>, String> {
        if let Some(baseline) = self.baseline {
            baseline.end()?;
        }
        Ok(self.lines)
    }

    /// A word on how far it is, for whoever waits.
    pub(crate) fn say(&self, what: &str) {
        eprintln!("{what}");
    }

    pub(crate) fn set_syncs(&mut self, times: SyncTimes) {
        self.syncs = Some(times);
    }

    /// Something to put under load: a new server with nothing in it, or the endpoint.
    pub(crate) fn site(&self) -> Result<Site, String> {
        match &self.elsewhere {
            Some(place) => Ok(Site::at(place.clone(), self.settings.process, self.ledger.clone(), &self.names)),
            None => Site::own(&self.settings.binary, &self.settings.folder, &self.settings.region, &self.names),
        }
    }

    /// Begins a measurement.
    pub(crate) async fn begin(&mut self, site: &Site, clients: usize) -> Result<Before, String> {
        let baseline_per_s = self.baseline_rate(clients).await?;
        let syncs = self.sync_times(site, clients)?;
        Ok(Before { clients, baseline_per_s, syncs, server: site.usage(), own: Usage::own(), used: None })
    }

    /// Ends a measurement: what it came to, without what the workload alone knows.
    pub(crate) async fn finish<O>(
        &mut self,
        workload: &'static str,
        site: &Site,
        mut before: Before,
        measured: &Measured<O>,
    ) -> Result<Line, String> {
        before.stop(site);
        let (server, own) = before.used.unwrap_or_default();
        let after = self.baseline_rate(before.clients).await?;
        let syncs_after = self.sync_times(site, before.clients)?;
        let spent = |before: Option<f64>, after: Option<f64>| Some(after? - before?);
        Ok(Line {
            workload,
            clients: before.clients,
            seconds: measured.seconds,
            count: measured.count,
            errors: measured.errors.clone(),
            latency: Some(measured.latency.clone()),
            baseline_per_s: before.baseline_per_s.zip(after).map(|(before, after)| (before + after) / 2.0),
            server_cpu_seconds: spent(before.server.cpu_seconds, server.cpu_seconds),
            generator_cpu_seconds: spent(before.own.cpu_seconds, own.cpu_seconds),
            server_resident_bytes: server.resident_bytes,
            syncs: before.syncs.zip(syncs_after).map(|(before, after)| before.mean(after)).or(self.syncs),
            ..Line::default()
        })
    }

    /// Measures what clients do again and again, after a tenth of the time to warm up.
    pub(crate) async fn run<O: Operation>(
        &mut self,
        workload: &'static str,
        site: &Site,
        clients: usize,
        time: Duration,
        operation: &O,
    ) -> Result<Ran<O>, String> {
        drive(&site.place, clients, Until::Over(time / WARM_UP_PART), operation).await;
        let before = self.begin(site, clients).await?;
        let measured = drive(&site.place, clients, Until::Over(time), operation).await;
        let line = self.finish(workload, site, before, &measured).await?;
        Ok(Ran { line, operations: measured.operations })
    }

    /// Tells what was measured.
    pub(crate) fn tell(&mut self, line: Line) {
        (self.tell)(&line.json().to_string());
        self.lines.push(line);
    }

    /// Measures the baseline and tells what it came to.
    pub(crate) async fn tell_baseline(
        &mut self,
        workload: &'static str,
        clients: usize,
        time: Duration,
    ) -> Result<(), String> {
        let Some(baseline) = &self.baseline else {
            return Err("there is no baseline beside an endpoint that is reached through TLS".to_owned());
        };
        let before = (baseline.usage(), Usage::own());
        let measured = baseline.load(clients, time).await?;
        let after = (baseline.usage(), Usage::own());
        let spent = |before: Usage, after: Usage| Some(after.cpu_seconds? - before.cpu_seconds?);
        let line = Line {
            workload,
            clients,
            seconds: measured.seconds,
            count: measured.count,
            errors: measured.errors,
            latency: Some(measured.latency),
            server_cpu_seconds: spent(before.0, after.0),
            generator_cpu_seconds: spent(before.1, after.1),
            server_resident_bytes: after.0.resident_bytes,
            ..Line::default()
        };
        self.tell(line);
        Ok(())
    }

    /// What syncs take just now, where they are what a single client waits for.
    fn sync_times(&self, site: &Site, clients: usize) -> Result<Option<SyncTimes>, String> {
        match site.data().filter(|_| clients == 1) {
            Some(data) => Ok(Some(
                time_syncs(data.parent().unwrap_or(&data), (self.settings.time / SYNCS_PART).min(SYNCS_MAX))?.times(),
            )),
            None => Ok(None),
        }
    }

    async fn baseline_rate(&mut self, clients: usize) -> Result<Option<f64>, String> {
        let time = (self.settings.time / BASELINE_PART).clamp(*BASELINE_TIME.start(), *BASELINE_TIME.end());
        match &self.baseline {
            Some(baseline) => baseline.rate(clients, time).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Before {
    /// Notes what was used until now, when what follows is not part of the measurement.
    pub(crate) fn stop(&mut self, site: &Site) {
        self.used.get_or_insert_with(|| (site.usage(), Usage::own()));
    }
}

/// Where requests go when an endpoint was named.
pub(crate) fn place_of(settings: &Settings, endpoint: Endpoint) -> Arc<Place> {
    use crate::endpoint::Signing;
    let region = endpoint.aws_region().unwrap_or(&settings.region).into();
    let signing = match &settings.keys {
        Some(keys) if settings.signs || endpoint.is_aws() => Signing::Keys { keys: Arc::new(keys.clone()), region },
        _ => Signing::Constant { region },
    };
    Arc::new(Place { endpoint, signing })
}
