//! What a function cannot do, whatever it tries; and that it could, were it not for the walls.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use stepwell_json::Json;
use stepwell_lambda::LambdaSettings;
use stepwell_protocol::blob_bytes;

use crate::room::{Room, has, home, settings, until};

/// Does what the event says, and gives `done` or the name of the error.
const CODE: &str = r#"
import ctypes, errno, os, signal, socket, sys, time, urllib.request
LIBC = ctypes.CDLL(None, use_errno=True)

def call(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result

def read(path):
    with open(path, "rb") as file:
        file.read(1)

def write(path):
    with open(path, "ab") as file:
        file.write(b"x")

def make(path):
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

def carry(path):
    own = os.environ["TMPDIR"] + "/carried"
    write(own)
    os.rename(own, path)

def link(path):
    own = os.environ["TMPDIR"] + "/link"
    os.symlink(path, own)
    read(own)

def trace(process):
    call(LIBC.ptrace(0x4206, int(process), 0, 0))

def peek(process):
    call(LIBC.process_vm_readv(int(process), None, 0, None, 0, 0))

def abstract(name):
    socket.socket(socket.AF_UNIX).connect("\0" + name)

def local(name):
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.environ["TMPDIR"] + "/" + name)
    server.listen()
    socket.socket(socket.AF_UNIX).connect(os.environ["TMPDIR"] + "/" + name)

def spaces(flags):
    if os.fork() == 0:
        os._exit(LIBC.unshare(int(flags, 16)) and ctypes.get_errno())
    raise_status(os.wait()[1])

def raise_status(status):
    if status:
        raise OSError(os.waitstatus_to_exitcode(status), "")

def limit(process):
    import resource
    resource.prlimit(int(process), resource.RLIMIT_NOFILE, resource.prlimit(int(process), resource.RLIMIT_NOFILE))

def run(program):
    raise_status(os.system(program + " >/dev/null 2>&1"))

PROBES = {
    "read": read, "list": os.listdir, "write": write, "make": make, "carry": carry, "link": link, "trace": trace, "peek": peek,
    "remove": os.unlink, "truncate": lambda path: os.truncate(path, 0),
    "signal": lambda process: os.kill(int(process), 0), "abstract": abstract, "local": local, "spaces": spaces, "limit": limit,
    "mount": lambda where: call(LIBC.mount(b"none", where.encode(), b"tmpfs", 0, None)), "run": run,
    "fetch": lambda url: urllib.request.urlopen(url).read(),
}

def daemon():
    """Leaves the group and the session, forgets its environment, and goes on. Gives the daemon's number."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, str(os.getpid()).encode())
            os.closerange(0, 64)
            os.execve("/bin/sleep", ["sleep", "600"], {})
        os._exit(0)
    os.wait()
    return int(os.read(reader, 64))

def handler(event, context):
    what = event.get("do")
    if what == "daemon":
        return daemon()
    if what == "bomb":
        started = 0
        try:
            while started < 3000:
                os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
                started += 1
        except OSError as error:
            return [started, errno.errorcode[error.errno]]
        return [started, "no bound"]
    if what == "flood":
        while True:
            os.write(1, b"and on it goes, in lines that are neither long nor short\n" * 1000)
    if what == "grow":
        kept = []
        for _ in range(160):
            kept.append(b"x" * (64 << 20))
        return len(kept)
    results = []
    for probe, argument in event["probes"]:
        try:
            PROBES[probe](argument.replace("$TMPDIR", os.environ["TMPDIR"]))
            results.append("done")
        except urllib.error.URLError as error:
            results.append(str(error))
        except OSError as error:
            results.append(errno.errorcode.get(error.errno, str(error)))
    return results
"#;

async fn room(home: PathBuf, settings: LambdaSettings) -> Room {
    let room = Room::at(home, settings);
    let more = r#","Timeout":20,"MemorySize":256"#;
    room.function("f", "python3.12", "app.handler", ("app.py", CODE), more).await;
    room
}

/// Whether this kernel can keep everything from functions that is looked at here.
fn has_walls() -> bool {
    use landlock::{Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
    let whole = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let whole = whole.handle_access(AccessFs::from_all(landlock::ABI::V5)).and_then(|of| of.scope(Scope::Signal));
    let has = whole.and_then(Ruleset::create).is_ok();
    if !has {
        println!("skipped: this kernel has no Landlock, or an early one");
    }
    has
}

fn without_walls() -> LambdaSettings {
    LambdaSettings { sandbox: false, ..settings() }
}

/// A directory nobody else has that is not below `/tmp`.
fn home_beside_tmp(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

/// What came of probes.
async fn try_all(room: &Room, probes: &[(&str, String)]) -> Vec<String> {
    let pair = |(probe, argument): &(&str, String)| Json::array(vec![Json::from(*probe), Json::from(&**argument)]);
    let probes = Json::array(probes.iter().map(pair).collect());
    let (results, is_error) = room.invoke("f", &Json::object([("probes", probes)]).to_string()).await;
    assert!(!is_error, "{results}");
    results.as_array().expect("results").iter().map(|result| result.as_str().expect("text").to_owned()).collect()
}

/// Each of these is refused, and none of them without walls.
async fn check_refused(
    home: impl Fn() -> PathBuf,
    make_probes: impl Fn(&Path) -> Vec<(&'static str, String)>,
    errors: &[&str],
) {
    for (settings, is_refused) in [(settings(), true), (without_walls(), false)] {
        let room = room(home(), settings).await;
        let probes = make_probes(&room.home);
        let results = try_all(&room, &probes).await;
        for (probe, result) in probes.iter().zip(results) {
            let is_right = if is_refused { errors.contains(&&*result) } else { result == "done" };
            assert!(is_right, "{probe:?} {}: {result}", if is_refused { "inside" } else { "outside" });
        }
        room.close().await;
    }
}

/// A process of somebody else.
struct Neighbour(Child);

impl Neighbour {
    fn new() -> Neighbour {
        Neighbour(Command::new("sleep").arg("600").spawn().expect("a process"))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.0.kill().expect("it lives");
        self.0.wait().expect("its end");
    }
}

fn is_alive(process: i64) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_directory_cannot_be_looked_into() {
    if !has("python3") || !has_walls() {
        return;
    }
    let server = std::process::id();
    check_refused(
        home,
        |home| {
            let data = home.join("lambda");
            std::fs::write(data.join("secret"), "x").expect("a file");
            std::fs::create_dir(data.join("more")).expect("a directory");
            let (data, secret) = (data.display(), data.join("secret").display().to_string());
            let other_way = format!("{}/f/../lambda/./secret", home.display());
            vec![
                ("read", secret.clone()),
                ("read", other_way),
                ("link", secret.clone()),
                ("list", data.to_string()),
                ("list", format!("{data}/more")),
                ("read", format!("/proc/{server}/root{secret}")),
                ("read", format!("/proc/{server}/environ")),
                ("read", format!("/proc/{server}/maps")),
                ("write", secret.clone()),
                ("make", format!("{data}/new")),
                ("carry", format!("{data}/carried")),
                ("truncate", secret.clone()),
                ("remove", secret),
            ]
        },
        &["EACCES", "EXDEV"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_outside() {
    if !has("python3") || !has_walls() {
        return;
    }
    check_refused(
        || home_beside_tmp("outside"),
        |home| {
            let at = |name: &str| home.join(name).display().to_string();
            std::fs::create_dir(home.join("near")).expect("a directory");
            vec![
                ("write", at("f/app.py")),
                ("make", at("f/new")),
                ("make", at("beside")),
                ("make", at("near/new")),
                ("carry", at("near/carried")),
                ("run", format!("touch {}", at("near/touched"))),
            ]
        },
        &["EACCES", "EXDEV", "EPERM"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_processes_are_out_of_reach() {
    if !has("python3") || !has_walls() {
        return;
    }
    use std::os::linux::net::SocketAddrExt;
    let neighbour = Neighbour::new();
    let name = format!("stepwell-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).expect("a name");
    let _listener = std::os::unix::net::UnixListener::bind_addr(&address).expect("a socket");
    let (server, neighbour) = (std::process::id().to_string(), neighbour.0.id().to_string());
    check_refused(
        home,
        |_| {
            vec![
                ("signal", server.clone()),
                ("signal", neighbour.clone()),
                ("trace", neighbour.clone()),
                ("peek", neighbour.clone()),
                ("read", format!("/proc/{neighbour}/environ")),
                ("limit", server.clone()),
                ("abstract", name.clone()),
            ]
        },
        &["EPERM", "EACCES"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_no_function_needs_are_refused() {
    if !has("python3") {
        return;
    }
    let room = room(home(), settings()).await;
    // Mounts, names of the host, processes, users.
    for flags in ["0x20000", "0x04000000", "0x20000000", "0x10000000"] {
        assert_eq!(try_all(&room, &[("spaces", flags.to_owned())]).await, ["EPERM"], "{flags}");
    }
    assert_eq!(try_all(&room, &[("mount", "$TMPDIR".to_owned())]).await, ["EPERM"]);
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_needs_it_can_do() {
    if !has("python3") {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    // Where nothing that is hidden is below `/tmp`, code that names it works.
    let home = home_beside_tmp("needs");
    let room = room(home.clone(), settings()).await;
    let in_tmp = format!("/tmp/stepwell-test-{}", std::process::id());
    let probes = [
        ("read", home.join("f/app.py").display().to_string()),
        ("list", home.join("f").display().to_string()),
        ("make", "$TMPDIR/file".to_owned()),
        ("carry", "$TMPDIR/other".to_owned()),
        ("truncate", "$TMPDIR/other".to_owned()),
        ("remove", "$TMPDIR/other".to_owned()),
        ("make", in_tmp.clone()),
        ("remove", in_tmp),
        ("write", "/dev/null".to_owned()),
        ("read", "/dev/urandom".to_owned()),
        ("read", "/etc/passwd".to_owned()),
        ("read", "/proc/self/environ".to_owned()),
        ("read", "/proc/meminfo".to_owned()),
        ("local", "socket".to_owned()),
        ("fetch", url),
        ("run", "cp /bin/true \"$TMPDIR/true\" && chmod 700 \"$TMPDIR/true\" && \"$TMPDIR/true\" && kill -0 $$ && echo x | cat".to_owned()),
    ];
    let results = try_all(&room, &probes).await;
    for (probe, result) in probes.iter().zip(results) {
        assert_eq!(result, "done", "{probe:?}");
    }
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_with_the_data_directory_in_it_is_a_function() {
    if !has("python3") {
        return;
    }
    let room = Room::at(home(), settings());
    crate::room::write(
        &room.home.join("app.py"),
        "import beside\ndef handler(event, context):\n    return beside.WORD\n",
    );
    crate::room::write(&room.home.join("beside.py"), "WORD = 'found'\n");
    room.lambda.register_directory(&crate::room::place(), "f", &room.home, None).await.expect("a function");
    assert_eq!(room.invoke("f", "{}").await, (Json::from("found"), false));
    room.close().await;
}

/// With control groups, where there are any, and without.
fn both_ways() -> [LambdaSettings; 2] {
    [settings(), LambdaSettings { control_groups: false, ..settings() }]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_does_not_outlive_the_end() {
    if !has("python3") {
        return;
    }
    for settings in both_ways() {
        let room = room(home(), settings).await;
        let (daemon, is_error) = room.invoke("f", r#"{"do":"daemon"}"#).await;
        assert!(!is_error, "{daemon}");
        let daemon = daemon.as_i64().expect("a number");
        assert!(is_alive(daemon), "it lives as long as the process that started it");
        assert_eq!(try_all(&room, &[("list", "/proc".to_owned())]).await, ["done"]);
        assert!(is_alive(daemon));
        room.close().await;
        assert!(!is_alive(daemon), "{daemon} is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_have_a_bound() {
    if !has("python3") {
        return;
    }
    for settings in both_ways() {
        let room = room(home(), settings).await;
        let (document, is_error) = room.invoke("f", r#"{"do":"bomb"}"#).await;
        // Refused where the system counts, or else the end of the process that started them.
        match document.as_array() {
            Some(bound) => {
                assert_eq!(bound[1].as_str(), Some("EAGAIN"), "{document}");
                assert!(bound[0].as_i64().is_some_and(|started| started < 2_900), "{document}");
            }
            None => assert!(is_error && document.to_string().contains("signal: killed"), "{document}"),
        }
        room.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_words_is_cut_and_ends_in_time() {
    if !has("python3") {
        return;
    }
    let room = Room::new();
    room.function("f", "python3.12", "app.handler", ("app.py", CODE), r#","Timeout":1"#).await;
    let began = std::time::Instant::now();
    let output = room.invoke_whole("f", r#"{"do":"flood"}"#, r#","LogType":"Tail""#).await.expect("an answer");
    assert!(output.to_string().contains("FunctionError"), "{output}");
    let log = output.get("LogResult").and_then(Json::as_str).and_then(blob_bytes).expect("a log");
    assert!(log.len() <= 4_096, "{} bytes", log.len());
    // Less than it takes to give up the wait for the first event.
    assert!(began.elapsed() < std::time::Duration::from_secs(9), "{:?}", began.elapsed());
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_gigabytes_are_too_much() {
    if !has("python3") {
        return;
    }
    for settings in both_ways() {
        let room = room(home(), settings).await;
        let (document, is_error) = room.invoke("f", r#"{"do":"grow"}"#).await;
        assert!(is_error);
        let message = document.get("errorMessage").and_then(Json::as_str).unwrap_or_default();
        assert!(message.ends_with("Runtime exited with error: signal: killed"), "{document}");
        assert_eq!(document.get("errorType").and_then(Json::as_str), Some("Runtime.ExitError"));
        // The next one has a process of its own.
        assert_eq!(try_all(&room, &[("list", "/usr".to_owned())]).await, ["done"]);
        room.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_that_was_killed_left_is_ended_by_the_next() {
    let groups = || -> BTreeSet<String> {
        let parents = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
        let entries = parents.iter().flat_map(|parent| std::fs::read_dir(parent).into_iter().flatten().flatten());
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("stepwell-")).collect()
    };
    let before = groups();
    let home = home();
    let room = Room::at(home.clone(), settings());
    crate::own_runtime::echo(&room, "f", "").await;
    room.invoke("f", "1").await;
    let Some(group) = groups().difference(&before).next().cloned() else {
        println!("skipped: no control group can be made here, or not where this test looks");
        return room.close().await;
    };
    let prefix = group.rsplit_once('-').expect("a name").0.to_owned();
    room.close().await;
    // As a server would leave it that ended without a word: somebody is still in it, and has no mark.
    let parent = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(PathBuf::from);
    let parent = parent.into_iter().find(|parent| parent.join("cgroup.procs").exists()).expect("one of them");
    let left = parent.join(format!("{prefix}-left"));
    std::fs::create_dir(&left).expect("a group");
    let mut child = Command::new("sleep").arg("600").env_clear().stdin(Stdio::null()).spawn().expect("a process");
    std::fs::write(left.join("cgroup.procs"), child.id().to_string()).expect("moved");
    std::fs::create_dir_all(&home).expect("a directory");
    let room = Room::at(home, settings());
    until("its end", || child.try_wait().expect("a status").is_some()).await;
    assert!(!left.exists());
    room.close().await;
}
