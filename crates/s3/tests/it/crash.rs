//! kill -9: what was acknowledged is there, what was not leaves nothing to see.
//!
//! The test starts itself again as the process that is killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::house::{Folder, House};

const FOLDER: &str = "STEPWELL_S3_CRASH_FOLDER";

/// Small ones stand in the database, large ones in files.
fn body(number: usize) -> Vec<u8> {
    let size = if number.is_multiple_of(3) { 50_000 } else { 100 };
    vec![u8::try_from(number % 251).unwrap_or(0); size]
}

/// Not a test: puts objects and says so, until it is killed.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let house = House::open(Some(folder.as_ref()), None);
    runtime.block_on(async {
        house.must("PUT", "/bucket", "").await;
        for number in 0..100_000 {
            house.must("PUT", &format!("/bucket/{number:06}"), body(number)).await;
            println!("acknowledged {number}");
        }
    });
}

#[test]
fn acknowledged_objects_survive() {
    for round in [20, 75] {
        let folder = Folder::new(&format!("crash-{round}"));
        let mut victim = Command::new(std::env::current_exe().expect("this program"))
            .args(["crash::victim", "--exact", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(victim.stdout.take().expect("its output")).lines();
        let mut acknowledged = None;
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("acknowledged ") {
                acknowledged = number.parse::<usize>().ok();
            }
            if acknowledged == Some(round) {
                victim.kill().expect("it can be killed");
            }
        }
        victim.wait().expect("it ended");
        let last = acknowledged.expect("something was acknowledged");
        assert!(last >= round);
        let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
        runtime.block_on(async {
            let house = House::open(Some(folder.path()), None);
            for number in 0..=last {
                let told = house.must("GET", &format!("/bucket/{number:06}"), "").await;
                assert!(told.body == body(number), "object {number} is not what was put");
            }
            // One more may have been written and not yet told; none is half there.
            let next = house.ask("GET", &format!("/bucket/{:06}", last + 1), "").await;
            assert!(next.code() == "NoSuchKey" || next.body == body(last + 1));
            let extra = usize::from(next.code() != "NoSuchKey");
            let large = (0..=last + extra).filter(|number| number.is_multiple_of(3)).count();
            let large = if extra == 0 { (0..=last).filter(|number| number.is_multiple_of(3)).count() } else { large };
            let files = folder.files().iter().filter(|(name, _)| name.starts_with("bodies/")).count();
            assert_eq!(files, large, "no file but those of objects");
        });
    }
}
