//! The token that a cluster of EKS knows its callers by: a signed question of who they are, for the cluster to ask.
//!
//! Source: aws-iam-authenticator, "API Authorization from Outside a Cluster"; AWS's command line, `eks get-token`.

use stepwell_protocol::{HttpRequest, Keys, Payload, Scope, blob_text, presign};
use stepwell_spec::partition_of;

/// How long the question may be asked, in seconds, as AWS's command line has it. A cluster takes the token for a quarter of
/// an hour.
const SECONDS: u32 = 60;

/// The token for a cluster, of whoever has these keys, made at a moment written as `20150830T123600Z`.
pub fn bearer_token(cluster: &str, region: &str, keys: &Keys, timestamp: &str) -> String {
    let suffix = if partition_of(region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let host = format!("sts.{region}.{suffix}");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut question = HttpRequest {
        method: "GET".to_owned(),
        host_prefix: None,
        path: "/".to_owned(),
        query: vec![pair("Action", "GetCallerIdentity"), pair("Version", "2011-06-15")],
        headers: vec![pair("x-k8s-aws-id", cluster)],
        body: Vec::new(),
    };
    let scope = Scope { region, service: "sts", timestamp, payload: Payload::Signed };
    presign(&mut question, &host, keys, &scope, SECONDS);
    let url = blob_text(format!("https://{host}{}", question.target()).as_bytes());
    format!("k8s-aws-v1.{}", url.trim_end_matches('=').replace('+', "-").replace('/', "_"))
}
