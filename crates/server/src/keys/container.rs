//! Keys of a container, as ECS and EKS Pod Identity give them over HTTP.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Container credential provider", for variables, addresses and precedence.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hyper::Uri;

use super::{Looked, Search, answer};

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where ECS answers.
const ECS: &str = "http://169.254.170.2";

/// What may be asked without TLS beside the own machine: ECS, and EKS Pod Identity.
const HOSTS: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// How long an answer may take, and how often one is asked for.
const TIME: Duration = Duration::from_secs(5);
const TIMES_ASKED: u32 = 3;

pub(super) async fn find(search: &Search<'_>) -> Result<Looked, String> {
    let url = match (search.variable(RELATIVE), search.variable(FULL)) {
        (Some(path), _) => format!("{ECS}{path}"),
        (None, Some(url)) => {
            check(&url).await?;
            url
        }
        (None, None) => return Ok(Looked::Nothing(format!("neither {RELATIVE} nor {FULL} is set"))),
    };
    let token = token(search)?;
    let headers: Vec<(&str, &str)> = token.iter().map(|token| ("Authorization", token.as_str())).collect();
    let mut asked = 1;
    let answer = loop {
        match search.carrier.fetch("GET", &url, &headers, TIME).await {
            Ok(answer) if answer.status < 500 || asked == TIMES_ASKED => break answer,
            Err(reason) if asked == TIMES_ASKED => return Err(format!("{url} gave none: {reason}")),
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(100) * asked).await,
        }
        asked += 1;
    };
    if answer.status != 200 {
        return Err(format!("{url} answered {}", answer.status));
    }
    answer::of_document(&answer.body, "Token").map(Looked::Found).map_err(|reason| format!("asked {url}, {reason}"))
}

/// What proves to the endpoint who asks.
fn token(search: &Search<'_>) -> Result<Option<String>, String> {
    let token = match search.variable(TOKEN_FILE) {
        Some(file) => Some(
            std::fs::read_to_string(&file).map_err(|fault| format!("{TOKEN_FILE}, {file}, cannot be read: {fault}"))?,
        ),
        None => search.variable(TOKEN),
    };
    match token {
        Some(token) if token.trim_end().contains(['\r', '\n']) => {
            Err("the authorization token has a line break, which no header may have".to_owned())
        }
        token => Ok(token.map(|token| token.trim_end().to_owned())),
    }
}

/// Refuses to give the token to a stranger who could be listened to.
async fn check(url: &str) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|_| format!("{FULL} is no URL"))?;
    let host = uri.host().ok_or_else(|| format!("{FULL} names no host"))?.trim_matches(['[', ']']).to_owned();
    match uri.scheme_str() {
        Some("https") => return Ok(()),
        Some("http") => {}
        _ => return Err(format!("{FULL} is neither http nor https")),
    }
    let addresses: Vec<IpAddr> = match host.parse() {
        Ok(address) => vec![address],
        Err(_) => tokio::net::lookup_host((host.as_str(), 80))
            .await
            .map_err(|fault| format!("{FULL} names {host}, which is not known: {fault}"))?
            .map(|address| address.ip())
            .collect(),
    };
    let is_near = |address: &IpAddr| address.is_loopback() || HOSTS.contains(address);
    match !addresses.is_empty() && addresses.iter().all(is_near) {
        true => Ok(()),
        false => Err(format!(
            "{FULL} names {host}, which may be asked over https only; without TLS it is this machine, 169.254.170.2, \
             169.254.170.23 or [fd00:ec2::23]"
        )),
    }
}
