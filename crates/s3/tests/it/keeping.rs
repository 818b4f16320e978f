//! What is kept when the process ends, and what is swept.

use crate::house::{Folder, House};

#[tokio::test]
async fn everything_is_there_again() {
    let folder = Folder::new("again");
    let large = vec![7; 3_000_000];
    {
        let house = House::open(Some(folder.path()), None);
        house.must("PUT", "/bucket", "").await;
        house.must("PUT", "/bucket/small", "hello").await;
        house.must("PUT", "/bucket/large", large.clone()).await;
        let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        house.must("PUT", "/bucket?versioning", versioning).await;
        house.must("PUT", "/bucket/small", "again").await;
    }
    let house = House::open(Some(folder.path()), None);
    assert_eq!(house.must("GET", "/bucket/small", "").await.body, "again");
    assert_eq!(house.must("GET", "/bucket/small?versionId=null", "").await.body, "hello");
    assert_eq!(house.must("GET", "/bucket/large", "").await.body, large);
    // Numbers go on where they were: nothing new stands where something is.
    house.must("PUT", "/bucket/other", vec![8; 3_000_000]).await;
    assert_eq!(house.must("GET", "/bucket/large", "").await.body, large);
}

#[tokio::test]
async fn what_nothing_names_goes() {
    let folder = Folder::new("sweep");
    let house = House::open(Some(folder.path()), None);
    house.must("PUT", "/bucket", "").await;
    let bodies = |folder: &Folder| folder.files().iter().filter(|(name, _)| name.starts_with("bodies/")).count();
    house.must("PUT", "/bucket/k", vec![1; 100_000]).await;
    assert_eq!(bodies(&folder), 1);
    house.must("PUT", "/bucket/k", vec![2; 100_000]).await;
    assert_eq!(bodies(&folder), 1, "what is replaced goes");
    house.must("DELETE", "/bucket/k", "").await;
    assert_eq!(bodies(&folder), 0, "what is deleted goes");
    let wrong = house.ask("PUT", "/none/k", vec![3; 100_000]).await;
    assert_eq!(wrong.code(), "NoSuchBucket");
    assert_eq!(bodies(&folder), 0, "what is refused leaves nothing");
    drop(house);
    // As a crash leaves it: bytes on the disk that no metadata names.
    let left = folder.path().join("bodies/00000003/0000000000000fff");
    std::fs::create_dir_all(left.parent().expect("a folder")).expect("a folder");
    std::fs::write(&left, "unacknowledged").expect("a file");
    let house = House::open(Some(folder.path()), None);
    assert_eq!(bodies(&folder), 0, "what a crash left is swept");
    drop(house);
}

#[tokio::test]
async fn who_reads_reads_to_the_end() {
    use http::Request;
    use http_body_util::{BodyExt as _, Full};

    let folder = Folder::new("held");
    let house = House::open(Some(folder.path()), None);
    house.must("PUT", "/bucket", "").await;
    let old = vec![1; 5_000_000];
    house.must("PUT", "/bucket/k", old.clone()).await;
    let request = Request::get("/bucket/k").body(Full::<bytes::Bytes>::default()).expect("a request");
    let reading = house.s3.answer(&crate::house::place(), request, crate::house::at(crate::house::NOW)).await;
    house.must("PUT", "/bucket/k", vec![2; 100_000]).await;
    let read = reading.into_body().collect().await.expect("a body").to_bytes();
    assert!(read == old, "the old bytes, whole");
    let bodies = folder.files().iter().filter(|(name, _)| name.starts_with("bodies/")).count();
    assert_eq!(bodies, 1, "and then they go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_takes_nothing_back() {
    use http::Request;
    use http_body_util::Full;

    let folder = Folder::new("leaving");
    let house = House::open(Some(folder.path()), None);
    house.must("PUT", "/bucket", "").await;
    for number in 0..60_u64 {
        let request = Request::put(format!("/bucket/{number}")).body(Full::new(bytes::Bytes::from(vec![1; 50_000])));
        let (place, now) = (crate::house::place(), crate::house::at(crate::house::NOW));
        let putting = house.s3.answer(&place, request.expect("a request"), now);
        // Given up at every stage of the way.
        let _ = tokio::time::timeout(std::time::Duration::from_micros(number * 150), putting).await;
    }
    for number in 0..60_u64 {
        let told = house.ask("GET", &format!("/bucket/{number}"), "").await;
        assert!(told.code() == "NoSuchKey" || told.body.len() == 50_000, "{number}: {}", told.text());
    }
}
