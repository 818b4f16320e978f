//! A full disk is an answer, and not the end.
//!
//! The disk is a small file system in memory, which only root may mount; elsewhere the test says that it did nothing.

use std::process::Command;

use crate::house::{Folder, House};

/// Takes the file system away again.
struct Mounted<'a>(&'a Folder);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_and_passes() {
    let folder = Folder::new("full");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "none"]).arg(folder.path()).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: nothing can be mounted here");
        return;
    }
    let mounted = Mounted(&folder);
    let house = House::open(Some(folder.path()), None);
    house.must("PUT", "/bucket", "").await;
    house.must("PUT", "/bucket/before", "hello").await;
    // A file that does not fit, and then so many rows that the database does not.
    let told = house.ask("PUT", "/bucket/large", vec![1; 9_000_000]).await;
    assert_eq!((told.status.as_u16(), told.code().as_str()), (500, "InternalError"), "{}", told.text());
    let mut refused = None;
    for number in 0..2_000 {
        let told = house.ask("PUT", &format!("/bucket/{number}"), vec![2; 16_000]).await;
        if !told.status.is_success() {
            assert_eq!((told.status.as_u16(), told.code().as_str()), (500, "InternalError"), "{}", told.text());
            refused = Some(number);
            break;
        }
    }
    let refused = refused.expect("the disk is full at some time");
    assert_eq!(house.must("GET", "/bucket/before", "").await.body, "hello");
    assert_eq!(house.must("GET", &format!("/bucket/{}", refused - 1), "").await.body.len(), 16_000);
    assert_eq!(house.ask("GET", &format!("/bucket/{refused}"), "").await.code(), "NoSuchKey");
    // With room again it goes on.
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(folder.path()).status();
    assert!(grown.is_ok_and(|status| status.success()));
    house.must("PUT", "/bucket/after", vec![3; 16_000]).await;
    house.must("PUT", "/bucket/large", vec![4; 9_000_000]).await;
    drop(house);
    let house = House::open(Some(folder.path()), None);
    assert_eq!(house.must("GET", "/bucket/large", "").await.body.len(), 9_000_000);
    assert_eq!(house.must("GET", "/bucket/before", "").await.body, "hello");
    drop(house);
    drop(mounted);
}
