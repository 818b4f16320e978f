//! Keys that STS and IAM of a server with keys give away: they prove who calls, everywhere, for as long as they may.

use std::path::Path;

use stepwell_protocol::{HttpRequest, Keys, Payload, Scope, sign};
use stepwell_server::Settings;

use crate::credentials::{SECRET, file, now};
use crate::{Answer, Running};

fn settings(name: &str) -> Settings {
    let keys = format!(
        "[one]\naws_access_key_id = AKIDONE\naws_secret_access_key = {SECRET}\naws_account_id = 111111111111\n\
         [two]\naws_access_key_id = 222222222222\naws_secret_access_key = {SECRET}2\n"
    );
    Settings { credentials: Some(file(&format!("given-{name}"), &keys)), ..Settings::default() }
}

fn keys(id: &str, secret: &str, token: Option<&str>) -> Keys {
    let session_token = token.map(str::to_owned);
    Keys { access_key_id: id.to_owned(), secret_access_key: secret.to_owned(), session_token }
}

fn one() -> Keys {
    keys("AKIDONE", SECRET, None)
}

/// A request of a service, signed with these keys.
fn ask(
    server: &Running,
    keys: &Keys,
    service: &str,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Answer {
    let headers = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut request = HttpRequest::received(method, path, headers, body.as_bytes().to_vec()).expect("a request");
    let time = now().to_string().replace(['-', ':'], "");
    let timestamp = format!("{}Z", time.split('.').next().unwrap_or_default());
    let (payload, region) = match service {
        "s3" => (Payload::SignedInHeader, "us-east-1"),
        _ => (Payload::Signed, "eu-west-1"),
    };
    sign(&mut request, "localhost", keys, &Scope { region, service, timestamp: &timestamp, payload });
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    server.ask(method, path, &headers, body.as_bytes())
}

/// A call of STS or IAM, as a form.
fn form(server: &Running, keys: &Keys, service: &str, body: &str) -> Answer {
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
    ask(server, keys, service, "POST", "/", &kind, &format!("{body}&Version={version}"))
}

/// A call of Step Functions.
fn list(server: &Running, keys: &Keys) -> Answer {
    let kind = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "AWSStepFunctions.ListStateMachines")];
    ask(server, keys, "states", "POST", "/", &kind, "{}")
}

fn element<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let (_, rest) = answer.body.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0)
}

/// The keys in an answer.
fn given(answer: &Answer) -> Keys {
    let text = |name: &str| element(answer, name).unwrap_or_else(|| panic!("{name}: {answer:?}"));
    keys(text("AccessKeyId"), text("SecretAccessKey"), element(answer, "SessionToken"))
}

const ROLE: &str = "arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Fapp";

#[test]
fn a_sessions_keys_prove_who_calls_with_their_token_alone() {
    let server = Running::with(settings("session"));
    let assumed = given(&form(&server, &one(), "sts", &format!("Action=AssumeRole&RoleArn={ROLE}&RoleSessionName=me")));
    let session = given(&form(&server, &one(), "sts", "Action=GetSessionToken"));
    for keys in [&assumed, &session] {
        assert_eq!(list(&server, keys).status, 200);
        let who = form(&server, keys, "sts", "Action=GetCallerIdentity");
        assert_eq!(element(&who, "Account"), Some("111111111111"), "{who:?}");
        let named = ask(
            &server,
            keys,
            "sqs",
            "POST",
            "/",
            &[("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "AmazonSQS.ListQueues")],
            "{}",
        );
        assert_eq!(named.status, 200, "{named:?}");
    }
    let refused = |keys: &Keys, says: &str| {
        let answer = list(&server, keys);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains(says), "{answer:?}");
    };
    let Keys { access_key_id: id, secret_access_key: secret, session_token } = assumed;
    let other = session.session_token.as_deref();
    for token in [None, other, Some("T")] {
        refused(&keys(&id, &secret, token), "UnrecognizedClientException");
    }
    refused(&keys(&id, "wrong", session_token.as_deref()), "InvalidSignatureException");
    refused(&keys("ASIAQNZGKIQY56JQ7WML", &secret, session_token.as_deref()), "UnrecognizedClientException");
}

#[test]
fn s3_takes_the_same_keys() {
    let server = Running::with(settings("s3"));
    let session = given(&form(&server, &one(), "sts", "Action=GetSessionToken"));
    let made = ask(&server, &session, "s3", "PUT", "/bucket", &[], "");
    assert_eq!(made.status, 200, "{made:?}");
    let owner = ask(&server, &one(), "s3", "GET", "/bucket?location", &[], "");
    assert_eq!(owner.status, 200, "{owner:?}");
    let bare = Keys { session_token: None, ..session.clone() };
    let refused = ask(&server, &bare, "s3", "GET", "/bucket?location", &[], "");
    assert!(refused.body.contains("<Code>InvalidToken</Code>"), "{refused:?}");
    let wrong = Keys { secret_access_key: "wrong".to_owned(), ..session };
    let refused = ask(&server, &wrong, "s3", "GET", "/bucket?location", &[], "");
    assert!(refused.body.contains("<Code>SignatureDoesNotMatch</Code>"), "{refused:?}");
}

#[test]
fn a_role_of_another_account_is_for_whom_its_trust_policy_names() {
    let server = Running::with(settings("trust"));
    let two = keys("222222222222", &format!("{SECRET}2"), None);
    let assume = || form(&server, &two, "sts", &format!("Action=AssumeRole&RoleArn={ROLE}&RoleSessionName=me"));
    let refused = assume();
    assert_eq!((refused.status, element(&refused, "Code")), (403, Some("AccessDenied")), "{refused:?}");
    let role = |action: &str, name: &str, principal: &str, condition: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"{condition}}}]}}"#
        );
        let policy = stepwell_protocol::percent_encode(&policy, &[]);
        let made = form(&server, &one(), "iam", &format!("Action={action}&RoleName=app&{name}={policy}"));
        assert_eq!(made.status, 200, "{made:?}");
    };
    role("CreateRole", "AssumeRolePolicyDocument", "arn:aws:iam::333333333333:root", "");
    assert_eq!(assume().status, 403);
    let condition = r#","Condition":{"StringEquals":{"sts:ExternalId":"x"}}"#;
    role("UpdateAssumeRolePolicy", "PolicyDocument", "222222222222", condition);
    assert_eq!(assume().status, 403);
    role("UpdateAssumeRolePolicy", "PolicyDocument", "arn:aws:iam::222222222222:root", "");
    let who = form(&server, &given(&assume()), "sts", "Action=GetCallerIdentity");
    assert_eq!(element(&who, "Account"), Some("111111111111"), "{who:?}");
}

#[test]
fn a_users_key_is_one_while_it_is_active_also_after_a_restart() {
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("given-users");
    let _ = std::fs::remove_dir_all(&data);
    let settings = || Settings { data: Some(data.clone()), ..settings("users") };
    let server = Running::with(settings());
    let iam = |server: &Running, body: &str| {
        let answer = form(server, &one(), "iam", body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    };
    iam(&server, "Action=CreateUser&UserName=u");
    let key = given(&iam(&server, "Action=CreateAccessKey&UserName=u"));
    let session = given(&form(&server, &key, "sts", "Action=GetSessionToken"));
    assert_eq!(list(&server, &key).status, 200);
    server.end().expect("a good end");
    let server = Running::with(settings());
    assert_eq!((list(&server, &key).status, list(&server, &session).status), (200, 200));
    let set = |status: &str| {
        iam(&server, &format!("Action=UpdateAccessKey&UserName=u&AccessKeyId={}&Status={status}", key.access_key_id));
    };
    set("Inactive");
    let refused = list(&server, &key);
    assert!(refused.status == 400 && refused.body.contains("UnrecognizedClientException"), "{refused:?}");
    set("Active");
    assert_eq!(list(&server, &key).status, 200);
    iam(&server, &format!("Action=DeleteAccessKey&UserName=u&AccessKeyId={}", key.access_key_id));
    assert_eq!(list(&server, &key).status, 400);
    drop(server);
    std::fs::remove_dir_all(data).expect("a directory");
}

#[cfg(feature = "lambda")]
#[test]
fn functions_have_keys_that_prove_their_account() {
    use stepwell_server::{FunctionSource, NamedFunction};
    let has_python = std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|directory| directory.join("python3").is_file()));
    if !has_python {
        println!("skipped: the program python3 is not on the PATH");
        return;
    }
    let path = std::env::temp_dir().join(format!("stepwell-{}-keys", std::process::id()));
    std::fs::create_dir_all(&path).expect("a directory");
    let path = path.canonicalize().expect("a path");
    let code = "import os\ndef handler(event, context):\n    return [os.environ['AWS_' + name] for name in \
                ('ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN')]\n";
    std::fs::write(path.join("app.py"), code).expect("a file");
    let runs = FunctionSource::Directory { path: path.clone(), entry: None };
    let functions = vec![NamedFunction { name: "keys".to_owned(), runs }];
    let server = Running::with(Settings {
        functions,
        account: "111111111111".to_owned(),
        region: "eu-west-1".to_owned(),
        ..settings("functions")
    });
    let answer = ask(&server, &one(), "lambda", "POST", "/2015-03-31/functions/keys/invocations", &[], "{}");
    assert_eq!(answer.status, 200, "{answer:?}");
    let told: Vec<&str> = answer.body.trim_matches(['[', ']']).split(", ").map(|text| text.trim_matches('"')).collect();
    let [id, secret, token] = told[..] else { panic!("{answer:?}") };
    let who = form(&server, &keys(id, secret, Some(token)), "sts", "Action=GetCallerIdentity");
    assert_eq!(element(&who, "Account"), Some("111111111111"), "{who:?}");
    drop(server);
    std::fs::remove_dir_all(path).expect("a directory");
}
