//! Keys for a token that somebody else has signed, as Kubernetes gives pods one: `AssumeRoleWithWebIdentity`.

use std::path::Path;

use stepwell_json::Json;

use super::{Found, Looked, Search, answer, said};

const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const ROLE: &str = "AWS_ROLE_ARN";

pub(super) async fn find(search: &Search<'_>) -> Result<Looked, String> {
    let Some(file) = search.variable(FILE) else { return Ok(Looked::Nothing(format!("{FILE} is not set"))) };
    let role = search.variable(ROLE).ok_or_else(|| format!("{FILE} is set and {ROLE} is not; set both or neither"))?;
    let session = search.variable("AWS_ROLE_SESSION_NAME");
    assume(search, Path::new(&file), &role, session.as_deref(), None).await.map(Looked::Found)
}

/// The keys of a role for the token in a file, which is read each time: it is replaced before it ends.
pub(super) async fn assume(
    search: &Search<'_>,
    file: &Path,
    role: &str,
    session: Option<&str>,
    region: Option<&str>,
) -> Result<Found, String> {
    let token = std::fs::read_to_string(file)
        .map_err(|fault| format!("the token in {} cannot be read: {fault}", file.display()))?;
    let input = Json::object([
        ("RoleArn", Json::from(role)),
        ("RoleSessionName", Json::from(session.unwrap_or("stepwell"))),
        ("WebIdentityToken", Json::from(token.trim())),
    ]);
    let given = search.ask(("sts", "AssumeRoleWithWebIdentity"), input, region, None).await;
    let given = given.map_err(|error| format!("{role} cannot be assumed: {}", said(&error)))?;
    answer::of_sts(&given.output)
}
