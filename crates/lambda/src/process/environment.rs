//! The environment a function sees: Lambda's, its own, and nothing of the server's.

use std::path::Path;
use std::sync::Arc;

use stepwell_spec::Timestamp;

use crate::clock;
use crate::configuration::log_group;
use crate::function::{Code, Version};
use crate::names::Key;
use crate::runtimes::Family;
use crate::settings::FunctionKeys;

/// Marks everything a process starts, by the private directory of the process.
pub(crate) const MARKER: &str = "STEPWELL_LAMBDA_PROCESS";

/// What a bootstrap writes into traces instead of the directory of the code, which it keeps from the function.
const SHOWN_ROOT: &str = "STEPWELL_SHOWN_ROOT";

/// Where uploaded code is on Lambda.
const TASK_ROOT: &str = "/var/task";

/// What all functions of a server have about them.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Where the services are.
    pub(crate) endpoint: Option<Arc<str>>,
    /// Who makes the keys for them.
    pub(crate) keys: Option<FunctionKeys>,
}

/// Every variable of a process.
pub(crate) fn variables(
    surroundings: &Surroundings,
    key: &Key,
    version: &Version,
    family: Family,
    paths: &Paths<'_>,
    runtime_api: &str,
) -> Vec<(String, String)> {
    let day = Timestamp::to_string(&clock::wall());
    let day = day.get(..10).unwrap_or_default().replace('-', "/");
    let stream = format!("{day}/[{}]{}", version.name, clock::hex(&clock::random::<16>()));
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let region = key.place.region.to_string();
    // The account, so that what a function asks of the services it asks of its own account.
    let [id, secret, token] = surroundings
        .keys
        .as_ref()
        .and_then(|keys| keys.of(&key.place.account))
        .unwrap_or_else(|| [key.place.account.to_string(), "stepwell".to_owned(), "stepwell".to_owned()]);
    let mut variables: Vec<(&str, String)> = vec![
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_REGION", region),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", token),
        ("AWS_LAMBDA_FUNCTION_NAME", key.name.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", version.name.to_string()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", version.memory_megabytes().to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", log_group(key, version).to_string()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("LAMBDA_RUNTIME_DIR", text(paths.runtime)),
        ("LAMBDA_TASK_ROOT", text(paths.task)),
        ("_HANDLER", version.entry().to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("TMPDIR", text(paths.temporary)),
        ("TZ", ":UTC".to_owned()),
    ];
    if let Some(endpoint) = &surroundings.endpoint {
        variables.push(("AWS_ENDPOINT_URL", endpoint.to_string()));
    }
    match family {
        Family::Provided => {}
        Family::Node => variables.push(("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", version.runtime()))),
        Family::Python => {
            variables.push(("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", version.runtime())));
            if let Code::Directory(_) = version.code {
                // Somebody's own directory is left as it is.
                variables.push(("PYTHONDONTWRITEBYTECODE", "1".to_owned()));
            }
        }
    }
    let mut variables: Vec<(String, String)> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, value) in version.variables() {
        variables.retain(|(known, _)| known != name);
        variables.push((name.to_owned(), value.to_owned()));
    }
    if let (Code::Zip { .. }, Family::Python | Family::Node) = (&version.code, family) {
        variables.push((SHOWN_ROOT.to_owned(), TASK_ROOT.to_owned()));
    }
    variables.push((MARKER.to_owned(), text(paths.private)));
    variables
}

/// Where a process finds what.
pub(crate) struct Paths<'a> {
    /// The function's code.
    pub(crate) task: &'a Path,
    /// What reads events for it.
    pub(crate) runtime: &'a Path,
    /// What is this process's alone.
    pub(crate) private: &'a Path,
    /// Its `/tmp`.
    pub(crate) temporary: &'a Path,
}
