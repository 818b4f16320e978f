//! What tasks ask outside: HTTP and API Gateway tasks, endpoints over TLS, and what is refused on the way out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use stepwell_json::Json;
use stepwell_server::{Egress, Endpoints, Settings};

use crate::Running;
use crate::executions::{create, ended, quoted, start, text};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who gives every request the next of some answers, and tells the test what was asked.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    asked: Receiver<String>,
}

/// Status line, headers and body as they are sent.
type Answers = Arc<dyn Fn(&str) -> String + Send + Sync>;

impl Fake {
    pub(crate) fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Fake {
        Fake::over(None, answer)
    }

    /// The same behind TLS, as `localhost`.
    pub(crate) fn secure(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Fake {
        let certificates = CertificateDer::pem_file_iter(certificate("server.pem")).expect("a certificate");
        let certificates = certificates.map(|certificate| certificate.expect("a certificate")).collect();
        let key = PrivateKeyDer::from_pem_file(certificate("server.key")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("a certificate and its key");
        Fake::over(Some(Arc::new(config)), answer)
    }

    fn over(tls: Option<Arc<rustls::ServerConfig>>, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, asked) = channel();
        let answer: Answers = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), sender, answer, tls) = (stream, sender.clone(), answer.clone(), tls.clone()) else {
                    return;
                };
                std::thread::spawn(move || match tls {
                    None => serve(stream, &sender, &answer),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).expect("a connection");
                        serve(rustls::StreamOwned::new(connection, stream), &sender, &answer);
                    }
                });
            }
        });
        Fake { address, asked }
    }

    /// The next request: its head in small letters, an empty line, its body.
    pub(crate) fn next(&self) -> String {
        self.asked.recv_timeout(PATIENCE).expect("somebody asks")
    }

    pub(crate) fn try_next(&self) -> Option<String> {
        self.asked.try_recv().ok()
    }

    pub(crate) fn was_not_asked(&self) {
        assert!(self.asked.try_recv().is_err(), "nobody asks");
    }
}

fn serve(mut stream: impl Read + Write, asked: &Sender<String>, answer: &Answers) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8(head).expect("text");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().expect("a length"))
        });
        let mut body = vec![0; length.unwrap_or(0)];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        let (first, rest) = head.split_once("\r\n").expect("a first line");
        let request = format!("{first}\r\n{}{}", rest.to_ascii_lowercase(), String::from_utf8_lossy(&body));
        let said = answer(&request);
        let _ = asked.send(request);
        if stream.write_all(said.as_bytes()).is_err() {
            return;
        }
    }
}

/// An answer of JSON.
pub(crate) fn json(body: &str) -> String {
    answer("200 OK", "Content-Type: application/json\r\n", body)
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/certificates").join(name)
}

/// What this machine's own addresses need to be asked.
pub(crate) fn own_machine() -> Egress {
    Egress::allowing(vec!["127.0.0.0/8".parse().expect("a range"), "::1/128".parse().expect("a range")])
}

pub(crate) fn run(server: &Running, name: &str, resource: &str, parameters: &str) -> Json {
    let definition = format!(
        r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"arn:aws:states:::{resource}","Parameters":{parameters},"End":true}}}}}}"#
    );
    let execution = start(server, &create(server, name, "STANDARD", &definition));
    ended(server, &execution)
}

pub(crate) fn failure(ended: &Json) -> String {
    format!("{}: {}", text(ended, "error"), text(ended, "cause"))
}

#[test]
fn an_http_task_asks_its_address_and_sees_the_answer() {
    let fake = Fake::start(|_| json(r#"{"ok":true}"#));
    let server = Running::with(Settings { egress: own_machine(), ..Settings::default() });
    let parameters = format!(
        r#"{{"ApiEndpoint":"http://{}/a b?x=1","Method":"POST","QueryParameters":{{"q":"ä"}},"Headers":{{"X-Mine":"1"}},"RequestBody":{{"n":1}}}}"#,
        fake.address
    );
    let output = text(&run(&server, "m", "http:invoke", &parameters), "output");
    let expected = r#"{"Headers":{"content-type":["application/json"],"content-length":["11"]},"ResponseBody":{"ok":true},"StatusCode":200,"StatusText":"OK"}"#;
    assert_eq!(output, expected);
    let asked = fake.next();
    assert!(asked.starts_with("POST /a%20b?x=1&q=%C3%A4 HTTP/1.1\r\n"), "{asked}");
    for header in [
        format!("host: {}", fake.address).as_str(),
        "x-mine: 1",
        "content-type: application/json; charset=utf-8",
        "user-agent: amazon|stepfunctions|httpinvoke|us-east-1",
        "range: bytes=0-262144",
    ] {
        assert!(asked.contains(&format!("\r\n{header}\r\n")), "{header} in {asked}");
    }
    assert!(asked.ends_with("\r\n\r\n{\"n\":1}"), "{asked}");
}

#[test]
fn what_an_address_refuses_fails_the_task_by_its_status() {
    let fake = Fake::start(|asked| match asked.split(' ').nth(1) {
        Some("/slow") => answer("429 Too Many Requests", "", "slow down"),
        Some("/moved") => answer("302 Found", "Location: /other\r\n", ""),
        Some("/large") => json(&format!("\"{}\"", "x".repeat(262_144))),
        _ => "HTTP/1.1 2".to_owned(),
    });
    let server = Running::with(Settings { egress: own_machine(), ..Settings::default() });
    for (path, expected) in [
        ("slow", "States.Http.StatusCode.429: slow down"),
        ("moved", "States.Http.StatusCode.302: "),
        ("large", "States.DataLimitExceeded: The answer is larger than the 262144 bytes that a payload may have."),
    ] {
        let parameters = format!(r#"{{"ApiEndpoint":"http://{}/{path}","Method":"GET"}}"#, fake.address);
        assert_eq!(failure(&run(&server, path, "http:invoke", &parameters)), expected);
        // A redirect is not followed.
        fake.next();
        fake.was_not_asked();
    }
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let parameters = format!(r#"{{"ApiEndpoint":"http://{nobody}/","Method":"GET"}}"#);
    let expected = format!("States.Http.Socket: Connect to {nobody} failed: Connection refused");
    assert_eq!(failure(&run(&server, "nobody", "http:invoke", &parameters)), expected);
}

#[test]
fn addresses_that_are_not_public_are_not_asked() {
    let fake = Fake::start(|_| json("1"));
    let server = Running::start();
    let port = fake.address.port();
    for (number, (endpoint, says)) in [
        (format!("https://127.0.0.1:{port}/"), "--egress-allow 127.0.0.1/32"),
        (format!("https://localhost:{port}/"), "which is no public address"),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), "which is no public address"),
        (format!("https://2130706433:{port}/"), "is no host"),
        (format!("https://0x7f.0.0.1:{port}/"), "which is no public address|is no host"),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), "which is no public address"),
        ("https://10.0.0.1/".to_owned(), "which is no public address"),
    ]
    .into_iter()
    .enumerate()
    {
        for resource in ["http:invoke", "apigateway:invoke"] {
            let name = format!("m{number}-{}", resource.split(':').next().unwrap_or_default());
            let parameters = format!(r#"{{"ApiEndpoint":"{endpoint}","Method":"GET"}}"#);
            let said = failure(&run(&server, &name, resource, &parameters));
            let is_refused = says.split('|').any(|says| said.contains(says));
            assert!(said.starts_with("States.TaskFailed: ") && is_refused, "{endpoint}: {said}");
        }
    }
    fake.was_not_asked();
}

#[test]
fn a_connection_authorizes_an_http_task() {
    let services = Fake::start(|asked| {
        if asked.contains("x-amz-target: awsevents.describeconnection") {
            assert!(asked.ends_with(r#"{"Name":"mine"}"#), "{asked}");
            return json(
                r#"{"AuthorizationType":"API_KEY","SecretArn":"arn:aws:secretsmanager:us-east-1:000000000000:secret:s","AuthParameters":{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key"}}}"#,
            );
        }
        json(r#"{"SecretString":"{\"api_key_name\":\"X-Key\",\"api_key_value\":\"hidden\"}"}"#)
    });
    let api = Fake::start(|_| json("1"));
    let mut endpoints = Endpoints::default();
    for service in ["events", "secretsmanager"] {
        endpoints.set(service, &format!("http://{}", services.address)).expect("a URL");
    }
    let server = Running::with(Settings { endpoints, egress: own_machine(), ..Settings::default() });
    let arn = "arn:aws:events:us-east-1:000000000000:connection/mine/81210c42";
    let parameters = format!(
        r#"{{"ApiEndpoint":"http://{}/","Method":"GET","Authentication":{{"ConnectionArn":"{arn}"}}}}"#,
        api.address
    );
    let shown = run(&server, "m", "http:invoke", &parameters);
    assert_eq!(text(&shown, "status"), "SUCCEEDED", "{shown}");
    assert!(api.next().contains("\r\nx-key: hidden\r\n"));
    // A test shows what was asked, and what the connection added to who wants to see it.
    for (reveals, key) in [(false, ""), (true, "X-Key: hidden, ")] {
        let state = format!(
            r#"{{"Type":"Task","Resource":"arn:aws:states:::http:invoke","Parameters":{parameters},"End":true}}"#
        );
        let body = format!(
            r#"{{"definition":{},"roleArn":"arn:aws:iam::000000000000:role/r","inspectionLevel":"TRACE","revealSecrets":{reveals}}}"#,
            quoted(&state)
        );
        let tested = Json::parse(&server.call("TestState", &body).body).expect("JSON");
        let data = tested.get("inspectionData").expect("data");
        let asked = data.get("request").expect("a request");
        assert_eq!(text(asked, "url"), format!("http://{}/", api.address));
        let headers = format!("[{key}User-Agent: Amazon|StepFunctions|HttpInvoke|us-east-1, Range: bytes=0-262144]");
        assert_eq!((text(asked, "method"), text(asked, "headers")), ("GET".to_owned(), headers));
        let answered = data.get("response").expect("a response");
        assert_eq!((text(answered, "statusCode"), text(answered, "body")), ("200".to_owned(), "1".to_owned()));
        assert!(api.next().contains("\r\nx-key: hidden\r\n"));
    }
    // Nobody is configured to tell of it.
    let alone = Running::with(Settings { egress: own_machine(), ..Settings::default() });
    let said = failure(&run(&alone, "m", "http:invoke", &parameters));
    assert!(said.starts_with("Events.ConnectionResource."), "{said}");
    api.was_not_asked();
}

/// A connection made here, whose secret is kept here.
#[test]
fn a_connection_of_this_server_authorizes_too() {
    let api = Fake::start(|_| json("1"));
    let server = Running::with(Settings { egress: own_machine(), ..Settings::default() });
    let made = |name: &str, kind: &str, parameters: &str| {
        let headers = [
            ("Host", "localhost"),
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", "AWSEvents.CreateConnection"),
        ];
        let body = format!(r#"{{"Name":"{name}","AuthorizationType":"{kind}","AuthParameters":{parameters}}}"#);
        let answer = server.ask("POST", "/", &headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        text(&Json::parse(&answer.body).expect("JSON"), "ConnectionArn")
    };
    let key = r#"{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"k-1"},"InvocationHttpParameters":{"HeaderParameters":[{"Key":"X-More","Value":"m","IsValueSecret":true}]}}"#;
    let basic = r#"{"BasicAuthParameters":{"Username":"u","Password":"p"}}"#;
    for (name, kind, parameters, sent) in [
        ("keyed", "API_KEY", key, &["\r\nx-key: k-1\r\n", "\r\nx-more: m\r\n"][..]),
        ("named", "BASIC", basic, &["\r\nauthorization: basic dtpw\r\n"][..]),
    ] {
        let arn = made(name, kind, parameters);
        let parameters = format!(
            r#"{{"ApiEndpoint":"http://{}/","Method":"GET","Authentication":{{"ConnectionArn":"{arn}"}}}}"#,
            api.address
        );
        let shown = run(&server, name, "http:invoke", &parameters);
        assert_eq!(text(&shown, "status"), "SUCCEEDED", "{shown}");
        let asked = api.next();
        for header in sent {
            assert!(asked.contains(header), "{asked}");
        }
    }
}

#[test]
fn a_connection_may_have_to_ask_for_a_token_first() {
    let tokens = Fake::start(|_| json(r#"{"access_token":"t-1","token_type":"Bearer"}"#));
    let address = tokens.address;
    let services = Fake::start(move |asked| {
        if asked.contains("x-amz-target: awsevents.describeconnection") {
            return json(&format!(
                r#"{{"ConnectionState":"AUTHORIZED","AuthorizationType":"OAUTH_CLIENT_CREDENTIALS","SecretArn":"s","AuthParameters":{{"OAuthParameters":{{"ClientParameters":{{"ClientID":"i"}},"AuthorizationEndpoint":"http://{address}/token","HttpMethod":"POST"}}}}}}"#
            ));
        }
        json(r#"{"SecretString":"{\"client_id\":\"i\",\"client_secret\":\"hidden\"}"}"#)
    });
    let api = Fake::start(|_| json("1"));
    let mut endpoints = Endpoints::default();
    for service in ["events", "secretsmanager"] {
        endpoints.set(service, &format!("http://{}", services.address)).expect("a URL");
    }
    let parameters = format!(
        r#"{{"ApiEndpoint":"http://{}/","Method":"GET","InvocationConfig":{{"ConnectionArn":"arn:aws:events:us-east-1:000000000000:connection/mine/1"}}}}"#,
        api.address
    );
    let server = Running::with(Settings { endpoints: endpoints.clone(), egress: own_machine(), ..Settings::default() });
    let shown = run(&server, "m", "http:invoke", &parameters);
    assert_eq!(text(&shown, "status"), "SUCCEEDED", "{shown}");
    let asked = tokens.next();
    assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with("grant_type=client_credentials&client_id=i&client_secret=hidden"), "{asked}");
    assert!(api.next().contains("\r\nauthorization: bearer t-1\r\n"));
    // The address that gives tokens is held to the same rules.
    let closed = Running::with(Settings { endpoints, ..Settings::default() });
    let said = failure(&run(&closed, "m", "http:invoke", &parameters));
    assert!(said.contains("no public address"), "{said}");
    tokens.was_not_asked();
}

#[test]
fn a_request_larger_than_a_payload_is_not_sent() {
    let fake = Fake::start(|_| json("1"));
    let server = Running::with(Settings { egress: own_machine(), ..Settings::default() });
    // A form is longer than the JSON it is made of.
    let body = "ä".repeat(60_000);
    let parameters = format!(
        r#"{{"ApiEndpoint":"http://{}/","Method":"POST","RequestBody":{{"a":"{body}"}},"Transform":{{"RequestBodyEncoding":"URL_ENCODED"}}}}"#,
        fake.address
    );
    let said = failure(&run(&server, "m", "http:invoke", &parameters));
    assert!(said.starts_with("States.TaskFailed: the request is larger than the 262144 bytes"), "{said}");
    fake.was_not_asked();
}

#[test]
fn api_gateway_is_asked_at_its_endpoint_under_the_apis_name() {
    let fake =
        Fake::start(|_| answer("200 OK", "content-type: application/json\r\nx-amzn-requestid: r\r\n", r#"{"id":7}"#));
    let mut endpoints = Endpoints::default();
    endpoints.set("apigateway", &format!("http://{}/base", fake.address)).expect("a URL");
    let server = Running::with(Settings { endpoints, ..Settings::default() });
    let parameters = r#"{"ApiEndpoint":"abc.execute-api.us-east-1.amazonaws.com","Method":"POST","Stage":"prod","Path":"bills/add","Headers":{"K":["1","2"]},"QueryParameters":{"q":["1","2"]},"RequestBody":{"b":1},"AuthType":"IAM_ROLE"}"#;
    let output = text(&run(&server, "m", "apigateway:invoke", parameters), "output");
    let expected = r#"{"Headers":{"Content-Type":["application/json"],"x-amzn-RequestId":["r"],"Content-Length":["8"]},"ResponseBody":{"id":7},"StatusCode":200,"StatusText":"OK"}"#;
    assert_eq!(output, expected);
    let asked = fake.next();
    assert!(asked.starts_with("POST /base/prod/bills/add?q=1&q=2 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nhost: abc.execute-api.us-east-1.amazonaws.com\r\n"), "{asked}");
    assert!(asked.contains("/us-east-1/execute-api/aws4_request"), "{asked}");
    assert!(asked.ends_with("\r\n\r\n{\"b\":1}"), "{asked}");
}

#[test]
fn parameters_that_fit_no_call_fail_before_the_task_is_scheduled() {
    let server = Running::start();
    let parameters = r#"{"ApiEndpoint":"a","Method":"GET","Headers":{"h":"one"},"QueryParameters":"q"}"#;
    let shown = run(&server, "m", "apigateway:invoke", parameters);
    let expected = format!(
        "States.Runtime: An error occurred while executing the state 'T' (entered at the event id #2). The Parameters \
         '{parameters}' could not be used to start the Task: [The value of the field 'Headers' has an invalid format, The \
         value of the field 'QueryParameters' has an invalid format]"
    );
    assert_eq!(failure(&shown), expected);
}

#[test]
fn services_are_asked_over_tls_by_who_is_trusted() {
    let fake = Fake::secure(|_| json(r#"{"MessageId":"m-1"}"#));
    let mut endpoints = Endpoints::default();
    endpoints.set("sqs", &format!("https://localhost:{}", fake.address.port())).expect("a URL");
    let parameters = r#"{"QueueUrl":"http://q/1/q","MessageBody":"m"}"#;
    let trusting = Settings {
        endpoints: endpoints.clone(),
        ca_bundle: Some(certificate("authority.pem")),
        egress: own_machine(),
        ..Settings::default()
    };
    let server = Running::with(trusting);
    let shown = run(&server, "m", "sqs:sendMessage", parameters);
    assert_eq!(text(&shown, "status"), "SUCCEEDED", "{shown}");
    fake.next();
    // An HTTP Task's connection is secured in the same way.
    let http = format!(r#"{{"ApiEndpoint":"https://localhost:{}/p","Method":"GET"}}"#, fake.address.port());
    assert_eq!(text(&run(&server, "h", "http:invoke", &http), "status"), "SUCCEEDED");
    assert!(fake.next().starts_with("GET /p HTTP/1.1\r\n"));
    // Its authority is no machine's.
    let strict = Running::with(Settings { endpoints, egress: own_machine(), ..Settings::default() });
    let said = failure(&run(&strict, "m", "sqs:sendMessage", parameters));
    assert!(said.starts_with("SQS.SdkClientException: Unable to execute HTTP request: "), "{said}");
    let said = failure(&run(&strict, "h", "http:invoke", &http));
    assert!(said.starts_with("States.Http.Socket: "), "{said}");
    fake.was_not_asked();
}

#[test]
fn a_role_is_asked_for_by_its_account() {
    let fake = Fake::start(|_| answer("200 OK", "X-Amz-Executed-Version: $LATEST\r\n", "1"));
    let mut endpoints = Endpoints::default();
    endpoints.set("lambda", &format!("http://{}", fake.address)).expect("a URL");
    let server = Running::with(Settings { endpoints, ..Settings::default() });
    let definition = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"Credentials":{"RoleArn":"arn:aws:iam::222222222222:role/r"},"End":true}}}"#;
    let execution = start(&server, &create(&server, "m", "STANDARD", definition));
    assert_eq!(text(&ended(&server, &execution), "status"), "SUCCEEDED");
    let asked = fake.next();
    // Unless the environment of the test has keys of its own.
    let has_keys = std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
    assert!(has_keys || asked.contains("credential=222222222222/"), "{asked}");
}

/// A stream that ends in the middle is not left waiting for.
#[test]
fn a_connection_that_ends_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream: TcpStream = stream;
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let server = Running::with(Settings { egress: own_machine(), ..Settings::default() });
    let parameters = format!(r#"{{"ApiEndpoint":"http://{address}/","Method":"GET"}}"#);
    let said = failure(&run(&server, "m", "http:invoke", &parameters));
    assert!(said.starts_with("States.Http.Socket: "), "{said}");
}
