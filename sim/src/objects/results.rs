//! What is in the files in the end, held against what the Map Run says of itself.

use std::collections::BTreeSet;

use stepwell_json::Json;
use stepwell_spec::Text;
use stepwell_spec::shapes::{DescribeExecutionOutput, MapRunExecutionCounts, MapRunStatus};

use super::Objects;
use crate::world::World;

impl World {
    /// I7: an execution fails for its files only when it was told that something is wrong with them.
    pub(crate) fn check_given(&self, arn: &Text, described: &DescribeExecutionOutput) -> Result<(), String> {
        let given = self.objects.given.get(arn).copied().unwrap_or_default();
        let was_told = match described.error.as_deref() {
            Some("States.ItemReaderFailed") => given.0,
            Some("States.ResultWriterFailed") => given.1,
            _ => true,
        };
        match was_told {
            true => Ok(()),
            false => Err(format!("I7: {arn} failed with {:?}, which nobody told it", described.error)),
        }
    }

    /// I12: the files of a Map Run that is over have the result of each of its children, once.
    pub(crate) fn check_results(
        &self,
        arn: &Text,
        run: &Text,
        status: MapRunStatus,
        counts: &MapRunExecutionCounts,
    ) -> Result<(), String> {
        let was_disturbed = self.objects.given.get(arn).is_some_and(|given| given.0 || given.1);
        let are_there = match status {
            MapRunStatus::Succeeded => true,
            MapRunStatus::Failed => !was_disturbed,
            MapRunStatus::Running | MapRunStatus::Aborted => false,
        };
        if !are_there {
            return Ok(());
        }
        let results = self.objects.results_of(run)?;
        let succeeded = results.iter().filter(|(list, _)| list == "SUCCEEDED").count() as i64;
        if results.len() as i64 != counts.total || succeeded != counts.succeeded {
            return Err(format!(
                "I12: {run} has {} children of which {} succeeded, and writes {} and {succeeded}",
                counts.total,
                counts.succeeded,
                results.len()
            ));
        }
        let mut inputs = BTreeSet::new();
        for (list, result) in &results {
            let text = |name: &str| result.get(name).and_then(Json::as_str).unwrap_or_default();
            if !inputs.insert(text("Input")) {
                return Err(format!("I12: {run} writes the result of {} twice", text("Input")));
            }
            let is_fit = match &**list {
                "SUCCEEDED" => text("Status") == "SUCCEEDED" && text("Output") == text("Input"),
                "PENDING" => text("Status") == "PENDING",
                _ => matches!(text("Status"), "FAILED" | "ABORTED" | "TIMED_OUT"),
            };
            if !is_fit {
                return Err(format!("I12: {run} writes among {list}: {result}"));
            }
        }
        Ok(())
    }
}

impl Objects {
    /// The results that the manifest of a Map Run leads to, with the lists they are in.
    fn results_of(&self, run: &str) -> Result<Vec<(String, Json)>, String> {
        let folder = run.rsplit(':').next().unwrap_or_default();
        let json = |key: &str| {
            let body = self.written.get(&format!("out/{key}"));
            let body = body.ok_or_else(|| format!("I12: {run} has not written {key}"))?;
            let text = String::from_utf8_lossy(body);
            let json = Json::parse(&text).map_err(|fault| format!("I12: {key} is not JSON: {fault}"))?;
            Ok::<_, String>((json, body.len()))
        };
        let (manifest, _) = json(&format!("runs/{folder}/manifest.json"))?;
        let lists = manifest.get("ResultFiles").and_then(Json::as_object).cloned();
        let mut results = Vec::new();
        for (list, files) in lists.iter().flat_map(|lists| lists.iter()) {
            for file in files.as_array().into_iter().flat_map(|files| files.iter()) {
                let key = file.get("Key").and_then(Json::as_str).unwrap_or_default();
                let (all, bytes) = json(key)?;
                if file.get("Size").and_then(Json::as_i64) != Some(bytes as i64) {
                    return Err(format!("I12: {key} has {bytes} bytes, and its manifest says {file}"));
                }
                let all = all.as_array().cloned();
                results.extend(all.iter().flat_map(|all| all.iter().cloned()).map(|result| (list.to_string(), result)));
            }
        }
        Ok(results)
    }
}
