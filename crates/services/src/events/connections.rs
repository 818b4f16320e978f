//! Connections: how requests to elsewhere are let in. What is secret of one stands in a secret of Secrets Manager.
//!
//! A connection is authorized as soon as it is there: a token is asked for by whoever uses it.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;

use super::{Events, Outcome, invalid, is_name, misnamed, not_found, page_of, time};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::secrets::Secrets;
use crate::services::Request;

const NAME_MAX: usize = 64;

/// Who has the secrets.
const OWNER: &str = "events";

/// A connection.
pub(super) struct Connection {
    pub(super) name: Arc<str>,
    pub(super) arn: Arc<str>,
    /// `BASIC`, `API_KEY` or `OAUTH_CLIENT_CREDENTIALS`.
    pub(super) authorization: Arc<str>,
    /// What is shown of its parameters.
    pub(super) parameters: Json,
    /// The ARN and the name of its secret; none when it was deauthorized.
    pub(super) secret: Option<(Arc<str>, Arc<str>)>,
    pub(super) description: Option<Arc<str>>,
    pub(super) created: Timestamp,
    pub(super) changed: Timestamp,
}

pub(super) fn key(place: &Place, name: &str) -> String {
    format!("{}/{}/{name}", place.account, place.region)
}

/// What a connection's parameters come to: what is shown, and what is secret.
struct Parameters {
    shown: Json,
    secret: Json,
}

impl Connection {
    fn state(&self) -> Json {
        Json::from(if self.secret.is_some() { "AUTHORIZED" } else { "DEAUTHORIZED" })
    }

    /// What every answer about a connection says.
    fn told(&self, with_created: bool) -> [(&'static str, Option<Json>); 4] {
        [
            ("ConnectionArn", Some(Json::String(self.arn.clone()))),
            ("ConnectionState", Some(self.state())),
            ("CreationTime", with_created.then(|| time(self.created))),
            ("LastModifiedTime", Some(time(self.changed))),
        ]
    }
}

impl Events {
    fn connection(&self, request: &Request<'_>, input: Input<'_>) -> Result<&Connection, Refusal> {
        let name = input.required("Name")?;
        self.connections.get(&key(request.place, name)).ok_or_else(|| unknown(name))
    }

    fn connection_mut(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<&mut Connection, Refusal> {
        let name = input.required("Name")?;
        self.connections.get_mut(&key(request.place, name)).ok_or_else(|| unknown(name))
    }

    pub(super) fn create_connection(
        &mut self,
        secrets: &mut Secrets,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Outcome {
        let name = input.required("Name")?;
        if !is_name(name, NAME_MAX) {
            return Err(misnamed("name", name, NAME_MAX));
        }
        let authorization = input.required("AuthorizationType")?;
        let parameters = input.member("AuthParameters").ok_or_else(|| Refusal::missing("AuthParameters"))?;
        let parameters = read(authorization, Input(parameters))?;
        let key = key(request.place, name);
        if self.connections.contains(&key) {
            let message = format!("Connection {name} already exists.");
            return Err(Refusal::new("ResourceAlreadyExistsException", message));
        }
        let id = request.chance.uuid();
        let secret_name: Arc<str> = format!("events!connection/{name}/{id}").into();
        let secret_arn = secrets.keep_for(OWNER, request, &secret_name, &parameters.secret);
        let connection = Connection {
            name: name.clone(),
            arn: request.place.arn("events", &format!("connection/{name}/{id}")).into(),
            authorization: authorization.clone(),
            parameters: parameters.shown,
            secret: Some((secret_arn, secret_name)),
            description: input.text("Description")?.cloned(),
            created: request.now,
            changed: request.now,
        };
        let told = members(connection.told(true));
        self.connections.insert(key, connection);
        Ok(told)
    }

    /// Changes a connection. Parameters are given as a whole.
    pub(super) fn update_connection(
        &mut self,
        secrets: &mut Secrets,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Outcome {
        let connection = self.connection(request, input)?;
        let authorization = input.text("AuthorizationType")?.unwrap_or(&connection.authorization).clone();
        let parameters = match input.member("AuthParameters") {
            Some(parameters) => Some(read(&authorization, Input(parameters))?),
            None if authorization != connection.authorization => {
                return Err(invalid("AuthParameters must be given with another AuthorizationType."));
            }
            None => None,
        };
        let description = input.text("Description")?.cloned();
        let secret_name = match &connection.secret {
            Some((_, name)) => name.clone(),
            None => format!("events!connection/{}/{}", connection.name, request.chance.uuid()).into(),
        };
        let connection = self.connection_mut(request, input)?;
        if let Some(parameters) = parameters {
            let arn = secrets.keep_for(OWNER, request, &secret_name, &parameters.secret);
            connection.secret = Some((arn, secret_name));
            connection.parameters = parameters.shown;
            connection.authorization = authorization;
        }
        connection.description = description.or(connection.description.take());
        connection.changed = request.now;
        Ok(members(connection.told(true)))
    }

    pub(super) fn describe_connection(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let connection = self.connection(request, input)?;
        let text = |text: &Arc<str>| Json::String(text.clone());
        Ok(members([
            ("ConnectionArn", Some(text(&connection.arn))),
            ("Name", Some(text(&connection.name))),
            ("Description", connection.description.as_ref().map(text)),
            ("ConnectionState", Some(connection.state())),
            ("AuthorizationType", Some(text(&connection.authorization))),
            ("SecretArn", connection.secret.as_ref().map(|(arn, _)| text(arn))),
            ("AuthParameters", Some(connection.parameters.clone())),
            ("CreationTime", Some(time(connection.created))),
            ("LastModifiedTime", Some(time(connection.changed))),
            ("LastAuthorizedTime", Some(time(connection.changed))),
        ]))
    }

    pub(super) fn list_connections(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let prefix = input.text("NamePrefix")?.map_or("", |prefix| prefix);
        let state = input.text("ConnectionState")?;
        let all = self.connections.below(key(request.place, prefix));
        let all = all.filter(|(_, connection)| state.is_none_or(|state| connection.state().as_str() == Some(&**state)));
        page_of("Connections", input, all.map(|(key, _)| &**key), |key| {
            let connection = self.connections.get(key)?;
            let shown = members(connection.told(true));
            let shown = shown.as_object()?.with("Name", Json::String(connection.name.clone()));
            Some(Json::Object(shown.with("AuthorizationType", Json::String(connection.authorization.clone()))))
        })
    }

    pub(super) fn delete_connection(
        &mut self,
        secrets: &mut Secrets,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Outcome {
        let name = input.required("Name")?;
        let connection = self.connections.remove(&key(request.place, name)).ok_or_else(|| unknown(name))?;
        if let Some((arn, _)) = &connection.secret {
            secrets.forget_for(arn);
        }
        let told = members(connection.told(true));
        Ok(told
            .as_object()
            .map_or(Json::Null, |told| Json::Object(told.with("ConnectionState", Json::from("DELETING")))))
    }

    /// Takes away what lets requests in.
    pub(super) fn deauthorize_connection(
        &mut self,
        secrets: &mut Secrets,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Outcome {
        let connection = self.connection_mut(request, input)?;
        if let Some((arn, _)) = connection.secret.take() {
            secrets.forget_for(&arn);
        }
        connection.changed = request.now;
        Ok(members(connection.told(true)))
    }
}

fn unknown(name: &str) -> Refusal {
    not_found(format!("Failed to describe the connection(s). Connection '{name}' does not exist."))
}

/// Members of a secret are named as EventBridge has been seen to name them.
fn read(authorization: &str, parameters: Input<'_>) -> Result<Parameters, Refusal> {
    let group = |name: &'static str| {
        let missing = || invalid(format!("Parameter {name} must be given for the authorization type {authorization}."));
        parameters.member(name).map(Input).ok_or_else(missing)
    };
    let (mut shown, mut secret) = (ObjectBuilder::new(), ObjectBuilder::new());
    match authorization {
        "BASIC" => {
            let basic = group("BasicAuthParameters")?;
            let name = basic.required("Username")?;
            secret.insert("username", Json::String(name.clone()));
            secret.insert("password", Json::String(basic.required("Password")?.clone()));
            shown.insert("BasicAuthParameters", Json::object([("Username", Json::String(name.clone()))]));
        }
        "API_KEY" => {
            let key = group("ApiKeyAuthParameters")?;
            let name = key.required("ApiKeyName")?;
            secret.insert("api_key_name", Json::String(name.clone()));
            secret.insert("api_key_value", Json::String(key.required("ApiKeyValue")?.clone()));
            shown.insert("ApiKeyAuthParameters", Json::object([("ApiKeyName", Json::String(name.clone()))]));
        }
        "OAUTH_CLIENT_CREDENTIALS" => {
            let oauth = group("OAuthParameters")?;
            let client = oauth.member("ClientParameters").ok_or_else(|| Refusal::missing("ClientParameters"))?;
            let id = Input(client).required("ClientID")?;
            let (endpoint, method) = (oauth.required("AuthorizationEndpoint")?, oauth.required("HttpMethod")?);
            if !matches!(&**method, "GET" | "POST" | "PUT") {
                return Err(invalid(format!("A token is asked for by GET, POST or PUT, not {method}.")));
            }
            secret.insert("client_id", Json::String(id.clone()));
            secret.insert("client_secret", Json::String(Input(client).required("ClientSecret")?.clone()));
            secret.insert("authorization_endpoint", Json::String(endpoint.clone()));
            secret.insert("http_method", Json::String(method.clone()));
            let mut told = ObjectBuilder::new();
            told.insert("ClientParameters", Json::object([("ClientID", Json::String(id.clone()))]));
            told.insert("AuthorizationEndpoint", Json::String(endpoint.clone()));
            told.insert("HttpMethod", Json::String(method.clone()));
            if let Some(http) = oauth.member("OAuthHttpParameters") {
                let (public, kept) = http_parameters(Input(http))?;
                told.insert("OAuthHttpParameters", public);
                secret.insert("oauth_http_parameters", kept);
            }
            shown.insert("OAuthParameters", Json::Object(told.build()));
        }
        other => return Err(invalid(format!("There is no authorization type {other}."))),
    }
    if let Some(http) = parameters.member("InvocationHttpParameters") {
        let (public, kept) = http_parameters(Input(http))?;
        shown.insert("InvocationHttpParameters", public);
        secret.insert("invocation_http_parameters", kept);
    }
    Ok(Parameters { shown: Json::Object(shown.build()), secret: Json::Object(secret.build()) })
}

/// Parameters of requests: as they are shown, without the values that are secret, and as the secret has them.
fn http_parameters(http: Input<'_>) -> Result<(Json, Json), Refusal> {
    const LISTS: [(&str, &str); 3] = [
        ("HeaderParameters", "header_parameters"),
        ("QueryStringParameters", "query_string_parameters"),
        ("BodyParameters", "body_parameters"),
    ];
    let (mut public, mut kept) = (ObjectBuilder::new(), ObjectBuilder::new());
    for (shown_as, kept_as) in LISTS {
        let Some(list) = http.list(shown_as)? else { continue };
        let (mut shown, mut secret) = (Vec::new(), Vec::new());
        for entry in list.iter().map(Input) {
            let key = entry.text("Key")?.cloned().unwrap_or_else(|| "".into());
            let value = entry.text("Value")?.cloned().unwrap_or_else(|| "".into());
            let is_secret = entry.member("IsValueSecret").and_then(Json::as_bool).unwrap_or(true);
            shown.push(members([
                ("Key", Some(Json::String(key.clone()))),
                ("Value", (!is_secret).then(|| Json::String(value.clone()))),
                ("IsValueSecret", Some(Json::Bool(is_secret))),
            ]));
            secret.push(Json::object([
                ("key", Json::String(key)),
                ("value", Json::String(value)),
                ("is_value_secret", Json::Bool(is_secret)),
            ]));
        }
        public.insert(shown_as, Json::array(shown));
        kept.insert(kept_as, Json::array(secret));
    }
    Ok((Json::Object(public.build()), Json::Object(kept.build())))
}
