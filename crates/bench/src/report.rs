//! What is told of a run: a line of JSON for each measurement, and a table for people.

use std::fmt::Write as _;

use stepwell_json::Json;

use crate::histogram::Histogram;
use crate::load::Errors;

/// The median times of syncs, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SyncTimes {
    /// After an append.
    pub(crate) append_us: f64,
    /// After a write where the file already had its blocks.
    pub(crate) rewrite_us: f64,
}

impl SyncTimes {
    /// Between the one and the other.
    pub(crate) fn mean(self, other: SyncTimes) -> SyncTimes {
        let mean = |one: f64, other: f64| (one + other) / 2.0;
        SyncTimes {
            append_us: mean(self.append_us, other.append_us),
            rewrite_us: mean(self.rewrite_us, other.rewrite_us),
        }
    }
}

/// One measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) workload: &'static str,
    /// What distinguishes it from the others of its workload, such as a number of items.
    pub(crate) variant: Option<String>,
    pub(crate) clients: usize,
    pub(crate) seconds: f64,
    /// What was done and seen to be done. Errors are not among it.
    pub(crate) count: u64,
    pub(crate) errors: Errors,
    pub(crate) latency: Option<Histogram>,
    /// What the baseline answered in a second, under as many clients, around this measurement.
    pub(crate) baseline_per_s: Option<f64>,
    /// What the server used of the processors meanwhile.
    pub(crate) server_cpu_seconds: Option<f64>,
    /// And the generator.
    pub(crate) generator_cpu_seconds: Option<f64>,
    pub(crate) server_resident_bytes: Option<u64>,
    /// What a sync took in this run.
    pub(crate) syncs: Option<SyncTimes>,
    /// What this workload alone measures: a name with its unit at its end, and a number.
    pub(crate) figures: Vec<(&'static str, f64)>,
}

impl Line {
    /// Of something that does not wait for the disk, so that its syncs say nothing.
    pub(crate) fn beside_the_disk(self) -> Line {
        Line { syncs: None, ..self }
    }

    /// How often in a second it was done.
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.count as f64 / self.seconds } else { 0.0 }
    }

    /// Its rate as a part of the baseline's.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.baseline_per_s.filter(|baseline| *baseline > 0.0).map(|baseline| self.rate() / baseline)
    }

    /// The median as a multiple of such a time.
    fn p50_in(&self, time: impl Fn(SyncTimes) -> f64) -> Option<f64> {
        let latency = self.latency.as_ref().filter(|latency| !latency.is_empty())?;
        self.syncs.map(time).filter(|sync| *sync > 0.0).map(|sync| latency.quantile_us(0.5) / sync)
    }

    /// The median in syncs of an append.
    pub(crate) fn p50_in_syncs(&self) -> Option<f64> {
        self.p50_in(|syncs| syncs.append_us)
    }

    /// What the server used of the processors for each.
    pub(crate) fn server_cpu_us(&self) -> Option<f64> {
        self.per_operation_us(self.server_cpu_seconds)
    }

    fn per_operation_us(&self, seconds: Option<f64>) -> Option<f64> {
        seconds.filter(|_| self.count > 0).map(|seconds| seconds * 1e6 / self.count as f64)
    }

    /// For programs.
    pub(crate) fn json(&self) -> Json {
        let mut members: Vec<(&str, Json)> = vec![("workload", self.workload.into())];
        if let Some(variant) = &self.variant {
            members.push(("variant", variant.as_str().into()));
        }
        members.push(("clients", (self.clients as u64).into()));
        members.push(("seconds", number(self.seconds)));
        members.push(("count", self.count.into()));
        members.push(("errors", self.errors.count.into()));
        if !self.errors.samples.is_empty() {
            let samples = self.errors.samples.iter().map(|sample| sample.as_str().into());
            members.push(("error_samples", Json::array(samples.collect())));
        }
        members.push(("rate_per_s", number(self.rate())));
        if let Some(latency) = self.latency.as_ref().filter(|latency| !latency.is_empty()) {
            let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];
            let quantiles = quantiles.map(|(name, share)| (name, number(latency.quantile_us(share))));
            let longest = ("max", number(latency.longest_us()));
            members.push(("latency_us", Json::object(quantiles.into_iter().chain([longest]))));
        }
        let optional = [
            ("p50_in_syncs", self.p50_in_syncs()),
            ("p50_in_rewrites", self.p50_in(|syncs| syncs.rewrite_us)),
            ("baseline_per_s", self.baseline_per_s),
            ("ratio_to_baseline", self.ratio()),
            ("server_cpu_us_per_operation", self.server_cpu_us()),
            ("generator_cpu_us_per_operation", self.per_operation_us(self.generator_cpu_seconds)),
            ("sync_p50_us", self.syncs.map(|syncs| syncs.append_us)),
            ("rewrite_p50_us", self.syncs.map(|syncs| syncs.rewrite_us)),
        ];
        members.extend(optional.into_iter().filter_map(|(name, value)| Some((name, number(value?)))));
        if let Some(bytes) = self.server_resident_bytes {
            members.push(("server_resident_bytes", bytes.into()));
        }
        members.extend(self.figures.iter().map(|(name, value)| (*name, number(*value))));
        Json::object(members)
    }
}

/// A number with as many digits as it is worth.
fn number(value: f64) -> Json {
    let scale = match value.abs() {
        value if value >= 1_000.0 => 1.0,
        value if value >= 1.0 => 1e3,
        _ => 1e6,
    };
    Json::from_f64((value * scale).round() / scale).unwrap_or(Json::Null)
}

const COLUMNS: [&str; 10] =
    ["workload", "clients", "done", "errors", "per second", "p50", "p99", "of baseline", "CPU/op", "memory"];

/// For people.
pub(crate) fn table(lines: &[Line]) -> String {
    let rows: Vec<[String; 10]> = lines.iter().map(row).collect();
    let width = |column: usize| {
        let widest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        widest.max(COLUMNS[column].chars().count())
    };
    let widths: [usize; 10] = std::array::from_fn(width);
    let mut text = String::new();
    let mut write_row = |cells: &[&str]| {
        for (column, cell) in cells.iter().enumerate() {
            let width = widths[column];
            // Writing to a text cannot fail.
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    };
    write_row(&COLUMNS);
    for row in &rows {
        write_row(&row.each_ref().map(String::as_str));
    }
    let more =
        lines.iter().filter(|line| !line.figures.is_empty() || line.errors.count > 0 || line.p50_in_syncs().is_some());
    for line in more {
        let name = name(line);
        let mut figures: Vec<String> = Vec::new();
        if let Some(syncs) = line.p50_in_syncs().filter(|_| line.clients == 1) {
            figures.push(format!("p50 = {syncs:.2} syncs"));
        }
        figures.extend(line.figures.iter().map(|(name, value)| format!("{name} = {}", number(*value))));
        if !figures.is_empty() {
            let _ = writeln!(text, "{name}, {} clients: {}", line.clients, figures.join(", "));
        }
        for sample in &line.errors.samples {
            let _ = writeln!(text, "{name}, {} clients: error: {sample}", line.clients);
        }
    }
    text
}

fn name(line: &Line) -> String {
    match &line.variant {
        Some(variant) => format!("{} {variant}", line.workload),
        None => line.workload.to_owned(),
    }
}

fn row(line: &Line) -> [String; 10] {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let latency = line.latency.as_ref().filter(|latency| !latency.is_empty());
    let quantile = |share: f64| or_dash(latency.map(|latency| time(latency.quantile_us(share))));
    [
        name(line),
        line.clients.to_string(),
        line.count.to_string(),
        line.errors.count.to_string(),
        match line.rate() {
            _ if line.seconds <= 0.0 => "-".to_owned(),
            rate if rate >= 100.0 => format!("{rate:.0}"),
            rate => format!("{rate:.2}"),
        },
        quantile(0.5),
        quantile(0.99),
        or_dash(line.ratio().map(|ratio| format!("{:.1} %", ratio * 100.0))),
        or_dash(line.server_cpu_us().map(time)),
        or_dash(line.server_resident_bytes.map(|bytes| format!("{:.1} MB", bytes as f64 / 1e6))),
    ]
}

/// A time in the unit that suits it.
fn time(us: f64) -> String {
    match us {
        us if us < 1_000.0 => format!("{us:.1} µs"),
        us if us < 1_000_000.0 => format!("{:.2} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn line() -> Line {
        let mut latency = Histogram::default();
        (0..100).for_each(|_| latency.record(Duration::from_micros(3_000)));
        Line {
            workload: "chain",
            clients: 1,
            seconds: 2.0,
            count: 100,
            latency: Some(latency),
            baseline_per_s: Some(200.0),
            server_cpu_seconds: Some(0.01),
            server_resident_bytes: Some(20_000_000),
            syncs: Some(SyncTimes { append_us: 2_000.0, rewrite_us: 1_000.0 }),
            figures: vec![("bytes_per_execution", 4_321.5)],
            ..Line::default()
        }
    }

    #[test]
    fn a_line_says_what_follows_from_what_was_measured() {
        let json = line().json();
        let number =
            |name: &str| json.get(name).and_then(Json::as_f64).unwrap_or_else(|| panic!("no {name} in {json}"));
        assert_eq!(number("rate_per_s"), 50.0);
        assert_eq!(number("ratio_to_baseline"), 0.25);
        assert_eq!(number("server_cpu_us_per_operation"), 100.0);
        assert!((number("p50_in_syncs") - 1.5).abs() < 0.03);
        assert_eq!((number("errors"), json.get("error_samples")), (0.0, None));
        assert_eq!(number("bytes_per_execution"), 4_322.0);
    }

    #[test]
    fn what_was_not_measured_is_not_told() {
        let json = Line { workload: "express", errors: Errors::of("status 500".to_owned()), ..Line::default() }.json();
        assert_eq!(
            json.to_string(),
            r#"{"workload":"express","clients":0,"seconds":0,"count":0,"errors":1,"error_samples":["status 500"],"rate_per_s":0}"#
        );
    }

    #[test]
    fn the_table_stands_in_columns_and_shows_errors() {
        let failed =
            Line { workload: "express", clients: 64, errors: Errors::of("status 500".to_owned()), ..Line::default() };
        let table = table(&[line(), failed]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 5, "{table}");
        let width = |line: &str| line.chars().count();
        assert!(width(lines[0]) == width(lines[1]) && width(lines[1]) == width(lines[2]), "{table}");
        assert!(lines[1].contains("25.0 %") && lines[1].contains("3.00 ms"), "{table}");
        assert!(lines[3].starts_with("chain, 1 clients: p50 = 1.5"), "{table}");
        assert_eq!(lines[4], "express, 64 clients: error: status 500");
    }
}
