//! EventBridge connections: what they add to a request so that it is let in.
//!
//! A connection says publicly how it authorizes, and keeps the rest in a secret. Two calls find both:
//! `events:DescribeConnection` and `secretsmanager:GetSecretValue`. What stands in the secret is not documented; what is read
//! here are the names EventBridge has been seen to use.

use stepwell_json::Json;
use stepwell_protocol::{AwsCall, AwsError, HttpRequest, blob_text};

use crate::web::Address;

/// What is added to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorization {
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Pairs of the query.
    pub query: Vec<(String, String)>,
    /// Members of the body.
    pub body: Vec<(String, String)>,
}

/// A connection, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Connection {
    /// This is added.
    Ready(Authorization),
    /// A token has to be asked for first: the request for it, and what is added beside the token.
    Token(TokenRequest, Authorization),
}

/// Why a connection cannot be used, as EventBridge names it.
///
/// Source: Developer Guide, "Call HTTPS APIs", Connection errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionFault {
    /// It is not authorized.
    InvalidConnectionState,
    /// It, or its secret, may not be read.
    AccessDenied,
    /// It does not exist.
    ResourceNotFound,
    /// It is being authorized.
    AuthInProgress,
    /// Anything else.
    InternalError,
}

impl ConnectionFault {
    /// As it ends an error name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ConnectionFault::InvalidConnectionState => "InvalidConnectionState",
            ConnectionFault::AccessDenied => "AccessDenied",
            ConnectionFault::ResourceNotFound => "ResourceNotFound",
            ConnectionFault::AuthInProgress => "AuthInProgress",
            ConnectionFault::InternalError => "InternalError",
        }
    }

    /// What it means that a service refused to tell of a connection.
    pub fn of(error: &AwsError) -> ConnectionFault {
        match &*error.code {
            "ResourceNotFoundException" => ConnectionFault::ResourceNotFound,
            "AccessDeniedException" | "AccessDenied" => ConnectionFault::AccessDenied,
            _ => ConnectionFault::InternalError,
        }
    }

    /// Why a connection in this state cannot be used. None when it can.
    pub fn of_state(described: &Json) -> Option<ConnectionFault> {
        match described.get("ConnectionState").and_then(Json::as_str) {
            None | Some("AUTHORIZED") => None,
            Some("AUTHORIZING" | "CREATING" | "UPDATING") => Some(ConnectionFault::AuthInProgress),
            Some(_) => Some(ConnectionFault::InvalidConnectionState),
        }
    }
}

/// How a token is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRequest {
    /// Where.
    pub address: Address,
    /// What is sent there.
    pub request: HttpRequest,
}

/// The call that describes a connection. Its name is the part of its ARN behind `connection/`.
pub fn describe_connection(arn: &str) -> AwsCall {
    let name = arn.split_once(":connection/").map_or(arn, |(_, rest)| rest);
    let name = name.split('/').next().unwrap_or(name);
    let input = Json::object([("Name", Json::from(name))]);
    AwsCall { service: "events".into(), action: "DescribeConnection".into(), input }
}

/// The call that reads its secret; `None` when it has none.
pub fn read_secret(described: &Json) -> Option<AwsCall> {
    let input = Json::object([("SecretId", Json::from(described.get("SecretArn")?.as_str()?))]);
    Some(AwsCall { service: "secretsmanager".into(), action: "GetSecretValue".into(), input })
}

/// What a connection adds, from its description and its secret.
pub fn connection_of(described: &Json, secret: Option<&Json>) -> Result<Connection, String> {
    let secret = secret.and_then(|answer| answer.get("SecretString")).and_then(Json::as_str);
    let secret = secret.and_then(|text| Json::parse(text).ok()).unwrap_or_else(Json::empty_object);
    let public = described.get("AuthParameters").cloned().unwrap_or_else(Json::empty_object);
    // What is secret stands in the secret, and what is public may stand in either.
    let find = |group: &str, member: &str, in_secret: &str| {
        let said = public.get(group).and_then(|group| group.get(member)).and_then(Json::as_str);
        secret.get(in_secret).and_then(Json::as_str).or(said).map(str::to_owned)
    };
    let require = |group: &str, member: &str, in_secret: &str| {
        find(group, member, in_secret).ok_or_else(|| format!("the connection has no {member}"))
    };
    let mut added = parameters(public.get("InvocationHttpParameters"), secret.get("invocation_http_parameters"));
    match described.get("AuthorizationType").and_then(Json::as_str).unwrap_or_default() {
        "BASIC" => {
            let username = require("BasicAuthParameters", "Username", "username")?;
            let password = require("BasicAuthParameters", "Password", "password")?;
            let value = format!("Basic {}", blob_text(format!("{username}:{password}").as_bytes()));
            added.headers.push(("Authorization".to_owned(), value));
            Ok(Connection::Ready(added))
        }
        "API_KEY" => {
            let name = require("ApiKeyAuthParameters", "ApiKeyName", "api_key_name")?;
            let value = require("ApiKeyAuthParameters", "ApiKeyValue", "api_key_value")?;
            if !is_plain_value(&value) || !is_plain_value(&name) {
                return Err("the connection's key is no header".to_owned());
            }
            added.headers.push((name, value));
            Ok(Connection::Ready(added))
        }
        "OAUTH_CLIENT_CREDENTIALS" => {
            let oauth = public.get("OAuthParameters").cloned().unwrap_or_else(Json::empty_object);
            let public_id = oauth.get("ClientParameters").and_then(|client| client.get("ClientID"));
            let id = secret.get("client_id").or(public_id).and_then(Json::as_str);
            let id = id.ok_or("the connection has no ClientID")?;
            let client_secret = secret.get("client_secret").and_then(Json::as_str);
            let client_secret = client_secret.ok_or("the connection has no ClientSecret")?;
            let endpoint = require("OAuthParameters", "AuthorizationEndpoint", "authorization_endpoint")?;
            let method = find("OAuthParameters", "HttpMethod", "http_method").unwrap_or_else(|| "POST".to_owned());
            let asked = parameters(oauth.get("OAuthHttpParameters"), secret.get("oauth_http_parameters"));
            Ok(Connection::Token(token_request(&endpoint, method, (id, client_secret), asked)?, added))
        }
        other => Err(format!("the connection authorizes by '{other}', which is not known")),
    }
}

fn token_request(
    endpoint: &str,
    method: String,
    (id, secret): (&str, &str),
    asked: Authorization,
) -> Result<TokenRequest, String> {
    let (address, mut query) = Address::parse(endpoint)?;
    let mut form = asked.body;
    let mut default = |name: &str, value: &str| {
        if !form.iter().any(|(known, _)| known == name) {
            form.push((name.to_owned(), value.to_owned()));
        }
    };
    default("grant_type", "client_credentials");
    default("client_id", id);
    default("client_secret", secret);
    query.extend(asked.query);
    let mut headers = asked.headers;
    let mut body = Vec::new();
    if method == "GET" {
        query.extend(form);
    } else {
        let members = form.iter().map(|(name, value)| (name.as_str(), Json::from(value.as_str())));
        body = crate::form::form_of(&Json::object(members), crate::form::ArrayFormat::default()).into_bytes();
        headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    }
    let request = HttpRequest { method, host_prefix: None, path: address.path.clone(), query, headers, body };
    Ok(TokenRequest { address, request })
}

/// What a token's answer adds to a request.
pub fn with_token(mut added: Authorization, answer: &[u8]) -> Result<Authorization, String> {
    let answer = std::str::from_utf8(answer).ok().and_then(|text| Json::parse(text).ok());
    let token = answer.as_ref().and_then(|answer| answer.get("access_token")).and_then(Json::as_str);
    let token = token.filter(|token| is_plain_value(token)).ok_or("the authorization endpoint gave no access_token")?;
    added.headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    Ok(added)
}

/// `InvocationHttpParameters` as the description shows them, and as the secret does, which also knows the secret ones.
fn parameters(public: Option<&Json>, secret: Option<&Json>) -> Authorization {
    let list = |shown: &str, kept: &str| {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let lists = [(public, shown, "Key", "Value"), (secret, kept, "key", "value")];
        for (from, list, key, value) in lists {
            for entry in
                from.and_then(|from| from.get(list)).and_then(Json::as_array).into_iter().flat_map(|list| list.iter())
            {
                let text = |name: &str| entry.get(name).and_then(Json::as_str).map(str::to_owned);
                let (Some(key), Some(value)) = (text(key), text(value)) else { continue };
                if is_plain_value(&key) && is_plain_value(&value) {
                    pairs.retain(|(known, _)| *known != key);
                    pairs.push((key, value));
                }
            }
        }
        pairs
    };
    Authorization {
        headers: list("HeaderParameters", "header_parameters"),
        query: list("QueryStringParameters", "query_string_parameters"),
        body: list("BodyParameters", "body_parameters"),
    }
}

/// Whether a text can stand in a header: no end of line, no other control.
pub(crate) fn is_plain_value(text: &str) -> bool {
    !text.chars().any(|letter| letter.is_control() && letter != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(described: &str, secret: &str) -> Result<Connection, String> {
        let secret = Json::object([("SecretString", Json::from(secret))]);
        connection_of(&Json::parse(described).expect("JSON"), Some(&secret))
    }

    #[test]
    fn a_connection_is_found_by_its_arn() {
        let call = describe_connection("arn:aws:events:us-east-1:000000000000:connection/stripe/81210c42");
        assert_eq!((&*call.action, call.input.to_string()), ("DescribeConnection", r#"{"Name":"stripe"}"#.to_owned()));
        let described = Json::parse(r#"{"SecretArn":"arn:s"}"#).expect("JSON");
        let call = read_secret(&described).expect("a call");
        assert_eq!((&*call.action, call.input.to_string()), ("GetSecretValue", r#"{"SecretId":"arn:s"}"#.to_owned()));
        assert!(read_secret(&Json::empty_object()).is_none());
    }

    #[test]
    fn keys_become_headers() {
        let basic = read(
            r#"{"AuthorizationType":"BASIC","AuthParameters":{"BasicAuthParameters":{"Username":"u"}}}"#,
            r#"{"username":"u","password":"p"}"#,
        );
        let expected = vec![("Authorization".to_owned(), "Basic dTpw".to_owned())];
        assert_eq!(basic, Ok(Connection::Ready(Authorization { headers: expected, ..Authorization::default() })));
        let key = read(
            r#"{"AuthorizationType":"API_KEY","AuthParameters":{"InvocationHttpParameters":{"QueryStringParameters":[{"Key":"q","Value":"1"}],"HeaderParameters":[{"Key":"s","IsValueSecret":true}]}}}"#,
            r#"{"api_key_name":"X-Key","api_key_value":"k","invocation_http_parameters":{"header_parameters":[{"key":"s","value":"hidden","is_value_secret":true}]}}"#,
        );
        let Ok(Connection::Ready(added)) = key else { panic!("{key:?}") };
        assert_eq!(added.query, [("q".to_owned(), "1".to_owned())]);
        let headers = [("s".to_owned(), "hidden".to_owned()), ("X-Key".to_owned(), "k".to_owned())];
        assert_eq!(added.headers, headers);
        assert!(read(r#"{"AuthorizationType":"BASIC"}"#, "{}").is_err());
        assert!(read(r#"{"AuthorizationType":"API_KEY"}"#, r#"{"api_key_name":"A","api_key_value":"x\ny"}"#).is_err());
        assert!(read("{}", "{}").is_err());
    }

    #[test]
    fn a_token_is_asked_for() {
        let connection = read(
            r#"{"AuthorizationType":"OAUTH_CLIENT_CREDENTIALS","AuthParameters":{"OAuthParameters":{"ClientParameters":{"ClientID":"i"},"AuthorizationEndpoint":"https://h/token","HttpMethod":"POST"}}}"#,
            r#"{"client_id":"i","client_secret":"s","oauth_http_parameters":{"body_parameters":[{"key":"scope","value":"a"}]}}"#,
        );
        let Ok(Connection::Token(token, added)) = connection else { panic!("{connection:?}") };
        assert_eq!((token.address.authority.as_str(), token.request.target().as_str()), ("h", "/token"));
        let body = String::from_utf8(token.request.body).expect("text");
        assert_eq!(body, "scope=a&grant_type=client_credentials&client_id=i&client_secret=s");
        let added = with_token(added, br#"{"access_token":"t","token_type":"Bearer"}"#).expect("a token");
        assert_eq!(added.headers, [("Authorization".to_owned(), "Bearer t".to_owned())]);
        assert!(with_token(Authorization::default(), b"no").is_err());
    }
}
