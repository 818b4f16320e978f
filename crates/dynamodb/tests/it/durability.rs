//! What was acknowledged is there after the process was killed; files that are no databases of ours are refused.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use stepwell_dynamodb::DynamoDb;

use crate::world::{World, directory};

const DIRECTORY: &str = "STEPWELL_DYNAMODB_TEST_DIRECTORY";

fn refused(directory: &Path) -> String {
    match DynamoDb::open(Some(directory)) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn tables_and_items_are_there_when_opened_again() {
    let directory = directory("again");
    let mut world = World::open(Some(&directory));
    world.table("tab");
    world.play(&[("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"1"},"v":{"S":"kept"}}}"#, "{}")]);
    let described = world.ask("DescribeTable", r#"{"TableName":"tab"}"#);
    drop(world);
    let mut world = World::open(Some(&directory));
    world.play(&[
        ("GetItem", r#"{"TableName":"tab","Key":{"k":{"S":"1"}}}"#, r#"{"Item":{"k":{"S":"1"},"v":{"S":"kept"}}}"#),
        ("DescribeTable", r#"{"TableName":"tab"}"#, &described),
    ]);
    fs::remove_dir_all(&directory).expect("removed");
}

/// The other half of the next test: writes, and says so, until it is killed.
#[test]
fn writes_until_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let mut world = World::open(Some(Path::new(&directory)));
    world.table("tab");
    let ask = world.asker();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let ask = &ask;
            scope.spawn(move || {
                for number in 0.. {
                    ask("PutItem", &format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{thread}-{number}"}}}}}}"#));
                    println!("written {thread}-{number}");
                }
            });
        }
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = directory("killed");
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "durability::writes_until_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, &directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let said = BufReader::new(child.stdout.take().expect("its output"));
    let mut acknowledged = Vec::new();
    for line in said.lines() {
        // The harness writes its own words in front of the first.
        if let Some((_, number)) = line.expect("a line").rsplit_once("written ") {
            acknowledged.push(number.to_owned());
        }
        if acknowledged.len() == 200 {
            child.kill().expect("killed");
            break;
        }
    }
    child.wait().expect("ended");
    assert_eq!(acknowledged.len(), 200);
    let mut world = World::open(Some(&directory));
    for number in acknowledged {
        let key = format!(r#"{{"k":{{"S":"{number}"}}}}"#);
        let get = format!(r#"{{"TableName":"tab","Key":{key}}}"#);
        world.play(&[("GetItem", &get, &format!(r#"{{"Item":{key}}}"#))]);
    }
    fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn files_that_are_none_of_ours_are_refused_and_left_alone() {
    let directory = directory("foreign");
    let path = directory.join("123456789012.us-east-1.sqlite");
    let mut world = World::open(Some(&directory));
    world.table("tab");
    drop(world);
    let ours = fs::read(&path).expect("a database");
    let not_sqlite = [b"not SQLite at all, whatever it is called".repeat(9), Vec::new()];
    let mut of_others = ours.clone();
    of_others[68..72].fill(0);
    for foreign in not_sqlite.into_iter().chain([of_others]) {
        fs::write(&path, &foreign).expect("written");
        let said = refused(&directory);
        assert_eq!(said, format!("{}: not a database of the local DynamoDB", path.display()));
        assert_eq!(fs::read(&path).expect("read"), foreign);
    }
    // Other files in the directory are nobody's business.
    fs::write(&path, &ours).expect("written");
    fs::write(directory.join("notes.sqlite"), b"notes").expect("written");
    World::open(Some(&directory)).play(&[("ListTables", "{}", r#"{"TableNames":["tab"]}"#)]);
    fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn a_damaged_database_is_an_error_and_no_panic() {
    let directory = directory("damaged");
    let path = directory.join("123456789012.us-east-1.sqlite");
    let mut world = World::open(Some(&directory));
    world.table("tab");
    for number in 0..200 {
        let put =
            format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{number}"}},"v":{{"S":"{}"}}}}}}"#, "x".repeat(300));
        assert_eq!(world.ask("PutItem", &put), "{}");
    }
    drop(world);
    let whole = fs::read(&path).expect("a database");
    // The schema is gone: nothing can be opened.
    let mut damaged = whole.clone();
    damaged[100..4096].fill(0xAA);
    fs::write(&path, &damaged).expect("written");
    let said = refused(&directory);
    assert!(
        said.contains("123456789012.us-east-1.sqlite: the database of the local DynamoDB cannot be opened: "),
        "{said}"
    );
    // Half of it is gone: whoever needs that half is told.
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..].fill(0xAA);
    fs::write(&path, &damaged).expect("written");
    let said = match DynamoDb::open(Some(&directory)) {
        Err(error) => error.to_string(),
        Ok(dynamodb) => {
            drop(dynamodb);
            World::open(Some(&directory)).ask("Scan", r#"{"TableName":"tab"}"#)
        }
    };
    assert!(said.contains("malformed"), "{said}");
    fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn a_file_begun_and_not_finished_is_begun_again() {
    let directory = directory("begun");
    fs::create_dir_all(&directory).expect("a directory");
    for name in ["123456789012.us-east-1.begun", "123456789012.us-east-1.begun-wal"] {
        fs::write(directory.join(name), b"half").expect("written");
    }
    let mut world = World::open(Some(&directory));
    world.table("tab");
    drop(world);
    World::open(Some(&directory)).play(&[("ListTables", "{}", r#"{"TableNames":["tab"]}"#)]);
    fs::remove_dir_all(&directory).expect("removed");
}
