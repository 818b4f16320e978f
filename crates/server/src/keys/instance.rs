//! Keys of an instance of EC2, from its metadata service: version 2 alone, which asks for a token first.
//!
//! Source: AWS SDKs and Tools Reference Guide, "IMDS credential provider"; EC2 User Guide, "Instance metadata".

use std::time::Duration;

use stepwell_protocol::HttpAnswer;

use super::{Looked, Search, answer};

const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

const IPV4: &str = "http://169.254.169.254";
const IPV6: &str = "http://[fd00:ec2::254]";

/// How long an answer may take: it is there at once, or nowhere.
const TIME: Duration = Duration::from_secs(1);

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

pub(super) async fn find(search: &Search<'_>) -> Result<Looked, String> {
    if search.variable(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(Looked::Nothing(format!("{DISABLED} is true")));
    }
    let endpoint = match (search.variable(ENDPOINT), search.variable(MODE)) {
        (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
        (None, Some(mode)) if mode.eq_ignore_ascii_case("IPv6") => IPV6.to_owned(),
        (None, Some(_) | None) => IPV4.to_owned(),
    };
    let url = format!("{endpoint}/latest/api/token");
    let lasts = [("X-aws-ec2-metadata-token-ttl-seconds", "21600"), ("Content-Length", "0")];
    let token = match search.carrier.fetch("PUT", &url, &lasts, TIME).await {
        Ok(HttpAnswer { status: 200, body, .. }) => String::from_utf8(body).map_err(|_| "its token is no text")?,
        Ok(answer) => return Ok(Looked::Nothing(format!("{endpoint} answered {}", answer.status))),
        Err(reason) => return Ok(Looked::Nothing(format!("{endpoint} is not there: {reason}"))),
    };
    let get = async |path: &str| {
        let url = format!("{endpoint}{path}");
        search.carrier.fetch("GET", &url, &[("X-aws-ec2-metadata-token", token.trim())], TIME).await
    };
    let role = match get(ROLES).await? {
        HttpAnswer { status: 200, body, .. } => String::from_utf8_lossy(&body).trim().to_owned(),
        HttpAnswer { status: 404, .. } => return Ok(Looked::Nothing("no role is attached to it".to_owned())),
        answer => return Err(format!("{endpoint} answered {} when asked for its role", answer.status)),
    };
    let role = role.lines().next().unwrap_or_default();
    match get(&format!("{ROLES}{role}")).await? {
        HttpAnswer { status: 200, body, .. } => answer::of_document(&body, "Token")
            .map(Looked::Found)
            .map_err(|reason| format!("asked for the keys of its role '{role}', {reason}")),
        answer => Err(format!("{endpoint} answered {} when asked for the keys of '{role}'", answer.status)),
    }
}
