//! Every place keys may be at, with somebody of the test's own standing there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::carrier::Asker;
use crate::egress::Egress;
use crate::endpoints::Endpoints;
use crate::local::Local;

/// Somebody who answers each request as he is told to, and lets the test see what was asked: its first line, its headers in
/// small letters, its body.
struct Fake {
    address: SocketAddr,
    asked: Receiver<String>,
}

impl Fake {
    fn start(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (mut request, mut piece) = (String::new(), vec![0; 16 * 1024]);
                let is_whole = |request: &str| {
                    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                    body.len() >= length.unwrap_or(0)
                };
                while !is_whole(&request) {
                    let length = stream.read(&mut piece).expect("a request");
                    request.push_str(&String::from_utf8_lossy(&piece[..length]));
                }
                let (status, body) = answer(&request);
                sender.send(request).expect("somebody listens");
                let answer = format!(
                    "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).expect("it is taken");
            }
        });
        Fake { address, asked }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn next(&self) -> String {
        self.asked.try_recv().expect("it was asked")
    }

    fn was_not_asked(&self) {
        assert_eq!(self.asked.try_recv().ok(), None, "nobody asks");
    }
}

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("stepwell-keys-{}-{name}", std::process::id()));
        std::fs::create_dir_all(path.join(".aws/sso/cache")).expect("a folder");
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    fn home(&self) -> (&'static str, String) {
        ("HOME", self.0.display().to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A carrier in an environment of its own, whose services stand where a fake is.
struct World {
    carrier: Carrier,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new(variables: &[(&str, String)], services: &[(&str, &Fake)]) -> World {
        let mut variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        // The machine of the test is asked only where a test says so.
        if !variables.contains_key("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            variables.entry("AWS_EC2_METADATA_DISABLED".to_owned()).or_insert_with(|| "true".to_owned());
        }
        let mut endpoints = Endpoints::default();
        for (service, fake) in services {
            endpoints.set(service, &fake.url()).expect("a URL");
        }
        let chain = KeyChain::of(move |name| variables.get(name).cloned());
        let carrier = Carrier::with_keys(chain, endpoints, Local::nowhere(), Arc::default(), Egress::default());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        World { carrier, runtime }
    }

    /// `ID SECRET TOKEN`, or why there are none.
    fn keys(&self) -> Result<String, String> {
        let place = Place { account: "111111111111".into(), region: "eu-west-1".into() };
        let asker = Asker { place, role_arn: None, entropy: 1 };
        let keys = self.runtime.block_on(self.carrier.keys_for_aws(&asker))?;
        let token = keys.session_token.as_deref().unwrap_or("-");
        Ok(format!("{} {} {token}", keys.access_key_id, keys.secret_access_key))
    }

    fn fails(&self, says: &str) {
        let fault = self.keys().expect_err(says);
        assert!(fault.contains(says), "{fault}");
        assert!(!fault.contains("hush"), "{fault}");
    }
}

fn pair(name: &'static str, value: impl Into<String>) -> (&'static str, String) {
    (name, value.into())
}

/// What STS answers.
fn assumed(action: &str, id: &str, end: &str) -> (u16, String) {
    let body = format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>hush\
         </SecretAccessKey><SessionToken>T</SessionToken><Expiration>{end}</Expiration></Credentials></{action}Result>\
         </{action}Response>"
    );
    (200, body)
}

/// What a container, an instance and a program say.
fn document(id: &str, end: &str) -> String {
    format!(
        r#"{{"Code":"Success","Version":1,"AccessKeyId":"{id}","SecretAccessKey":"hush","Token":"T","SessionToken":"T","Expiration":"{end}"}}"#
    )
}

/// In so many minutes.
fn minutes(from_now: i64) -> String {
    Timestamp(clock::wall().0 + from_now * 60_000).to_string()
}

const LATE: &str = "2100-01-01T00:00:00Z";

#[test]
fn the_environment_goes_before_all_and_half_of_it_is_a_fault() {
    let id = || pair("AWS_ACCESS_KEY_ID", "A");
    let secret = || pair("AWS_SECRET_ACCESS_KEY", "hush");
    let everything = [id(), secret(), pair("AWS_SESSION_TOKEN", "T"), pair("AWS_PROFILE", "none")];
    assert_eq!(World::new(&everything, &[]).keys().as_deref(), Ok("A hush T"));
    assert_eq!(World::new(&[id(), secret()], &[]).keys().as_deref(), Ok("A hush -"));
    World::new(&[id()], &[]).fails("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
    World::new(&[secret()], &[]).fails("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not");
}

#[test]
fn without_keys_it_is_told_what_was_tried() {
    let folder = Folder::new("none");
    let fault = World::new(&[folder.home()], &[]).keys().expect_err("no keys");
    for part in [
        "Unable to load credentials from any of the providers in the chain: the environment: AWS_ACCESS_KEY_ID is not set; ",
        "a web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set; ",
        "the shared files: there is no profile 'default' in ",
        "the container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor ",
        "the instance: AWS_EC2_METADATA_DISABLED is true. Set AWS_ACCESS_KEY_ID and ",
    ] {
        assert!(fault.contains(part), "{fault}");
    }
}

#[test]
fn emulators_are_told_the_account_where_there_are_no_keys() {
    let place = Place { account: "123456789012".into(), region: "us-east-1".into() };
    assert_eq!(KeyChain::of(|_| None).emulated(&place).access_key_id, "123456789012");
    let set = KeyChain::of(|name| name.starts_with("AWS_").then(|| format!("{name}!")));
    assert_eq!(set.emulated(&place).access_key_id, "AWS_ACCESS_KEY_ID!");
}

#[test]
fn a_profile_has_keys_of_its_own() {
    let folder = Folder::new("static");
    let file =
        folder.write("keys", "[mine]\naws_access_key_id=F\naws_secret_access_key=hush\n[half]\naws_access_key_id=F\n");
    let world = |profile: &str| {
        World::new(&[pair("AWS_PROFILE", profile), pair("AWS_SHARED_CREDENTIALS_FILE", &*file), folder.home()], &[])
    };
    let mine = world("mine");
    assert_eq!(mine.keys().as_deref(), Ok("F hush -"));
    world("half").fails("the profile 'half' has one of aws_access_key_id and aws_secret_access_key");
    world("other").fails("there is no profile 'other' in ");
    folder.write("keys", "[mine]\naws_access_key_id=G\naws_secret_access_key=hush\n");
    assert_eq!(mine.keys().as_deref(), Ok("G hush -"), "what is written anew counts");
    folder.write("keys", "[mine]\nregion=x\n");
    mine.fails("the profile 'mine' says nothing of keys");
}

#[test]
fn a_profile_assumes_roles_one_after_the_other() {
    let folder = Folder::new("roles");
    folder.write(
        ".aws/config",
        "[profile app]\nrole_arn=arn:aws:iam::222222222222:role/app\nsource_profile=ops\nexternal_id=x-1\n\
         role_session_name=me\nduration_seconds=900\nregion=ap-south-1\n[profile ops]\n\
         role_arn=arn:aws:iam::333333333333:role/ops\nsource_profile=base\n[profile base]\naws_access_key_id=BASE\n\
         aws_secret_access_key=hush\n[profile self]\nrole_arn=arn:aws:iam::222222222222:role/self\nsource_profile=self\n\
         aws_access_key_id=SELF\naws_secret_access_key=hush\n[profile env]\nrole_arn=arn:aws:iam::222222222222:role/env\n\
         credential_source=EcsContainer\n[profile around]\nrole_arn=r\nsource_profile=about\n[profile about]\nrole_arn=r\n\
         source_profile=around\n[profile bare]\nrole_arn=r\n[profile lost]\nrole_arn=r\nsource_profile=gone\n[profile \
         code]\nrole_arn=r\nmfa_serial=m\n[profile both]\nrole_arn=r\nsource_profile=base\ncredential_source=Environment\n\
         [profile odd]\nrole_arn=r\ncredential_source=Moon\n[profile dry]\nrole_arn=r\ncredential_source=Environment\n",
    );
    let sts = Fake::start(|request| {
        if request.contains("role%2Fops") {
            assumed("AssumeRole", "OPS", LATE)
        } else {
            assumed("AssumeRole", "APP", LATE)
        }
    });
    let container = Fake::start(|_| (200, document("BOX", LATE)));
    let world = |profile: &str| {
        let url = pair("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url());
        World::new(&[pair("AWS_PROFILE", profile), folder.home(), url], &[("sts", &sts)])
    };
    let app = world("app");
    for _ in 0..2 {
        assert_eq!(app.keys().as_deref(), Ok("APP hush T"));
    }
    let first = sts.next();
    assert!(first.contains("Credential=BASE/") && first.contains("/eu-west-1/sts/"), "{first}");
    assert!(first.contains("RoleSessionName=stepwell"), "{first}");
    let second = sts.next();
    assert!(second.contains("Credential=OPS/") && second.contains("/ap-south-1/sts/"), "{second}");
    for part in ["ExternalId=x-1", "RoleSessionName=me", "DurationSeconds=900", "x-amz-security-token: T"] {
        assert!(second.contains(part), "{second}");
    }
    sts.was_not_asked();
    assert_eq!(world("self").keys().as_deref(), Ok("APP hush T"));
    assert!(sts.next().contains("Credential=SELF/"));
    assert_eq!(world("env").keys().as_deref(), Ok("APP hush T"));
    assert!(sts.next().contains("Credential=BOX/"));
    for (profile, says) in [
        ("around", "leads in a circle: around, about, around"),
        ("bare", "neither source_profile nor credential_source"),
        ("lost", "there is no profile 'gone', the source_profile of 'lost'"),
        ("code", "asks for a code of a device"),
        ("both", "has a source_profile and a credential_source"),
        ("odd", "'Moon' is no credential_source; there are Environment, "),
        ("dry", "the credential_source Environment has no keys: AWS_ACCESS_KEY_ID is not set"),
    ] {
        world(profile).fails(says);
    }
    sts.was_not_asked();
}

#[test]
fn a_web_identity_is_a_role_for_a_token() {
    let folder = Folder::new("identity");
    let token = folder.write("token", "hush-token\n");
    let sts = Fake::start(|_| assumed("AssumeRoleWithWebIdentity", "POD", LATE));
    let file = || pair("AWS_WEB_IDENTITY_TOKEN_FILE", &*token);
    let role = || pair("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/pod");
    let world = World::new(&[file(), role(), pair("AWS_ROLE_SESSION_NAME", "me")], &[("sts", &sts)]);
    assert_eq!(world.keys().as_deref(), Ok("POD hush T"));
    let asked = sts.next();
    for part in ["Action=AssumeRoleWithWebIdentity", "WebIdentityToken=hush-token&", "RoleSessionName=me", "role%2Fpod"]
    {
        assert!(format!("{asked}&").contains(part), "{asked}");
    }
    assert!(!asked.contains("authorization"), "there is nothing to sign it with: {asked}");
    World::new(&[file()], &[]).fails("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
    let gone = pair("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token");
    World::new(&[gone, role()], &[]).fails("the token in /nowhere/token cannot be read");
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token expired\
                   </Message></Error></ErrorResponse>";
    let sts = Fake::start(move |_| (400, refused.to_owned()));
    World::new(&[file(), role()], &[("sts", &sts)])
        .fails("role/pod cannot be assumed: ExpiredTokenException: Token expired");
    folder.write(
        ".aws/config",
        &format!("[profile pod]\nrole_arn=arn:aws:iam::222222222222:role/p\nweb_identity_token_file={token}\n"),
    );
    let sts = Fake::start(|_| assumed("AssumeRoleWithWebIdentity", "POD", LATE));
    let world = World::new(&[pair("AWS_PROFILE", "pod"), folder.home()], &[("sts", &sts)]);
    assert_eq!(world.keys().as_deref(), Ok("POD hush T"));
}

#[test]
fn a_container_is_asked_with_its_token_and_no_stranger_is() {
    let folder = Folder::new("container");
    let fake = Fake::start(|request| match request.starts_with("GET /keys?x=1 ") {
        true => (200, document("BOX", LATE)),
        false => (404, "hush".to_owned()),
    });
    let url = |path: &str| pair("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}{path}", fake.url()));
    let token = || pair("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t-1");
    assert_eq!(World::new(&[url("/keys?x=1"), token(), folder.home()], &[]).keys().as_deref(), Ok("BOX hush T"));
    assert!(fake.next().contains("authorization: t-1\r\n"));
    let file = pair("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", folder.write("token", "t-2\n"));
    let world = World::new(&[url("/keys?x=1"), token(), file, folder.home()], &[]);
    assert_eq!(world.keys().as_deref(), Ok("BOX hush T"));
    assert!(fake.next().contains("authorization: t-2\r\n"), "the file goes before the variable");
    let broken = pair("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush\r\nX: y");
    World::new(&[url("/keys?x=1"), broken, folder.home()], &[]).fails("a line break");
    fake.was_not_asked();
    World::new(&[url("/other"), folder.home()], &[]).fails("/other answered 404");
    for (url, says) in [
        ("http://192.0.2.1/", "names 192.0.2.1, which may be asked over https only"),
        ("http://169.254.169.254/", "may be asked over https only"),
        ("ftp://127.0.0.1/", "neither http nor https"),
        ("/path", "names no host"),
    ] {
        let url = pair("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
        World::new(&[url, token(), folder.home()], &[]).fails(says);
    }
    let silent = Fake::start(|_| (200, r#"{"AccessKeyId":"A","SecretAccessKey":""}"#.to_owned()));
    let url = pair("AWS_CONTAINER_CREDENTIALS_FULL_URI", silent.url());
    World::new(&[url, folder.home()], &[]).fails("its answer has no SecretAccessKey");
}

#[test]
fn a_container_that_is_not_well_is_asked_again() {
    let folder = Folder::new("unwell");
    let times = Mutex::new(0);
    let fake = Fake::start(move |_| {
        let mut times = times.lock().expect("no panic");
        *times += 1;
        if *times < 3 { (500, String::new()) } else { (200, document("BOX", LATE)) }
    });
    let url = pair("AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.url());
    assert_eq!(World::new(&[url, folder.home()], &[]).keys().as_deref(), Ok("BOX hush T"));
}

#[test]
fn an_instance_gives_keys_for_a_token() {
    let folder = Folder::new("instance");
    let fake = Fake::start(|request| {
        let line = request.lines().next().unwrap_or_default();
        match line.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["PUT", "/latest/api/token"] => (200, "imds".to_owned()),
            ["GET", _] if !request.contains("x-aws-ec2-metadata-token: imds\r\n") => (401, String::new()),
            ["GET", "/latest/meta-data/iam/security-credentials/"] => (200, "web".to_owned()),
            ["GET", "/latest/meta-data/iam/security-credentials/web"] => (200, document("EC2", LATE)),
            _ => (404, String::new()),
        }
    });
    let endpoint = || pair("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("{}/", fake.url()));
    let world = World::new(&[endpoint(), folder.home()], &[]);
    for _ in 0..2 {
        assert_eq!(world.keys().as_deref(), Ok("EC2 hush T"));
    }
    assert!(fake.next().contains("x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
    assert_eq!(fake.asked.try_iter().count(), 2, "what is good is not asked for again");
    let disabled = pair("AWS_EC2_METADATA_DISABLED", "TRUE");
    World::new(&[endpoint(), disabled, folder.home()], &[]).fails("the instance: AWS_EC2_METADATA_DISABLED is true");
    fake.was_not_asked();
    let bare = Fake::start(|request| match request.starts_with("PUT ") {
        true => (200, "imds".to_owned()),
        false => (404, String::new()),
    });
    let endpoint = pair("AWS_EC2_METADATA_SERVICE_ENDPOINT", bare.url());
    World::new(&[endpoint, folder.home()], &[]).fails("the instance: no role is attached to it");
}

#[cfg(unix)]
#[test]
fn a_program_prints_keys() {
    let folder = Folder::new("process");
    let keys = folder.write("keys.json", &document("RUN", LATE));
    let check = |command: &str, expected: Result<&str, &str>| {
        folder.write(".aws/config", &format!("[profile run]\ncredential_process = {command}\n"));
        let world = World::new(&[pair("AWS_PROFILE", "run"), folder.home()], &[]);
        match expected {
            Ok(keys) => assert_eq!(world.keys().as_deref(), Ok(keys), "{command}"),
            Err(says) => world.fails(says),
        }
    };
    check(&format!("cat '{keys}'"), Ok("RUN hush T"));
    check("echo hush >&2; exit 3", Err("credential_process ended with exit status: 3; run it by hand"));
    check("echo hush", Err("printed no JSON with a Version"));
    check(r#"echo '{"Version":2}'"#, Err("printed version 2, and 1 is known"));
    check(r#"echo '{"Version":1,"AccessKeyId":"A"}'"#, Err("its answer has no SecretAccessKey"));
    check("yes hush", Err("printed more than 65536 bytes"));
}

#[test]
fn single_sign_on_gives_keys_for_the_token_of_its_session() {
    let folder = Folder::new("sso");
    folder.write(
        ".aws/config",
        "[profile dev]\nsso_session=corp\nsso_account_id=222222222222\nsso_role_name=Admin\n[sso-session corp]\n\
         sso_start_url=https://corp.awsapps.com/start\nsso_region=us-west-2\n[profile old]\n\
         sso_start_url=https://corp.awsapps.com/start\nsso_region=us-west-2\nsso_account_id=222222222222\n\
         sso_role_name=Admin\n[profile lost]\nsso_session=gone\n[profile half]\nsso_session=corp\n",
    );
    let portal = Fake::start(|request| {
        if request.contains("x-amz-sso_bearer_token: old") {
            return (401, r#"{"message":"Session token not found or invalid"}"#.to_owned());
        }
        let end = clock::wall().0 + 3_600_000;
        let keys = format!(r#"{{"accessKeyId":"SSO","secretAccessKey":"hush","sessionToken":"T","expiration":{end}}}"#);
        (200, format!(r#"{{"roleCredentials":{keys}}}"#))
    });
    let oidc = Fake::start(|_| {
        (200, r#"{"accessToken":"fresh","tokenType":"Bearer","expiresIn":3600,"refreshToken":"r-2"}"#.to_owned())
    });
    let world = |profile: &str| {
        World::new(&[pair("AWS_PROFILE", profile), folder.home()], &[("sso", &portal), ("sso-oidc", &oidc)])
    };
    world("dev").fails("run: aws sso login --profile dev");
    // The digest of `corp`.
    let cache = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let token = |end: &str, more: &str| {
        folder.write(cache, &format!(r#"{{"accessToken":"held","expiresAt":"{end}","startUrl":"u"{more}}}"#))
    };
    token(LATE, "");
    let dev = world("dev");
    for _ in 0..2 {
        assert_eq!(dev.keys().as_deref(), Ok("SSO hush T"));
    }
    let asked = portal.next();
    assert!(asked.starts_with("GET /federation/credentials?"), "{asked}");
    for part in ["role_name=Admin", "account_id=222222222222", "x-amz-sso_bearer_token: held"] {
        assert!(asked.contains(part), "{asked}");
    }
    portal.was_not_asked();
    // One that ends soon is had anew, where there is something to have it with.
    token(&minutes(-1), r#","clientId":"c","clientSecret":"hush","refreshToken":"r-1""#);
    assert_eq!(world("dev").keys().as_deref(), Ok("SSO hush T"));
    let asked = oidc.next();
    assert!(asked.contains("r-1") && asked.contains("refresh_token"), "{asked}");
    assert!(portal.next().contains("x-amz-sso_bearer_token: fresh"));
    let kept = std::fs::read_to_string(folder.0.join(cache)).expect("a file");
    assert!(kept.contains(r#""accessToken":"fresh""#) && kept.contains(r#""refreshToken":"r-2""#), "{kept}");
    assert!(kept.contains(r#""startUrl":"u""#), "{kept}");
    token(&minutes(-1), "");
    world("dev").fails("the token has ended; run: aws sso login --profile dev");
    folder.write(cache, &format!(r#"{{"accessToken":"old","expiresAt":"{LATE}"}}"#));
    world("dev").fails("run: aws sso login --profile dev");
    world("lost").fails("names the sso-session 'gone', which the config file does not have");
    world("half").fails("signs on and has no sso_account_id");
    world("old").fails("run: aws sso login --profile old");
    // Without a session it is the digest of the URL.
    let cache = ".aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";
    folder.write(cache, &format!(r#"{{"accessToken":"held","expiresAt":"{LATE}"}}"#));
    assert_eq!(world("old").keys().as_deref(), Ok("SSO hush T"));
}

#[test]
fn keys_are_had_anew_before_they_end_and_kept_while_they_are_good() {
    let folder = Folder::new("refresh");
    let given = Arc::new(Mutex::new((200, String::new())));
    let give = given.clone();
    let fake = Fake::start(move |_| give.lock().expect("no panic").clone());
    let say = |status: u16, id: &str, end: &str| *given.lock().expect("no panic") = (status, document(id, end));
    let url = pair("AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.url());
    let world = World::new(&[url, folder.home()], &[]);
    say(200, "ONE", &minutes(4));
    assert_eq!(world.keys().as_deref(), Ok("ONE hush T"));
    say(404, "", "");
    assert_eq!(world.keys().as_deref(), Ok("ONE hush T"), "they are good for some minutes yet");
    say(200, "TWO", &minutes(60));
    assert_eq!(world.keys().as_deref(), Ok("TWO hush T"));
    let asked = fake.asked.try_iter().count();
    assert_eq!(world.keys().as_deref(), Ok("TWO hush T"));
    assert_eq!((asked, fake.asked.try_iter().count()), (3, 0));
}

#[test]
fn a_search_that_failed_is_not_made_again_at_once() {
    let folder = Folder::new("failed");
    let fake = Fake::start(|_| (404, String::new()));
    let url = pair("AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.url());
    let world = World::new(&[url, folder.home()], &[]);
    world.fails("answered 404");
    world.fails("answered 404");
    assert_eq!(fake.asked.try_iter().count(), 1);
}

#[test]
fn nothing_shows_a_secret() {
    let world = World::new(&[pair("AWS_ACCESS_KEY_ID", "A"), pair("AWS_SECRET_ACCESS_KEY", "hush")], &[]);
    world.keys().expect("keys");
    assert!(!format!("{:?}", world.carrier).contains("hush"));
}

#[test]
fn a_roles_keys_are_kept_until_shortly_before_their_end() {
    let answer = |seconds: f64| {
        let text = format!(
            r#"{{"Credentials":{{"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":{seconds}}}}}"#
        );
        Json::parse(&text).expect("JSON")
    };
    let now = clock::wall().seconds();
    let chain = KeyChain::new();
    let role: Arc<str> = "arn:aws:iam::222222222222:role/r".into();
    assert!(chain.assumed(&role).is_none());
    assert_eq!(chain.assume(&role, &answer(now + 3600.0)).map(|keys| keys.access_key_id), Ok("A".to_owned()));
    assert_eq!(chain.assumed(&role).and_then(|keys| keys.session_token).as_deref(), Some("T"));
    chain.assume(&role, &answer(now + 60.0)).expect("keys");
    assert!(chain.assumed(&role).is_none(), "they end too soon");
    assert!(chain.assume(&role, &Json::empty_object()).is_err());
}
