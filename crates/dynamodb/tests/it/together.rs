//! Calls from many threads at once.

use crate::world::{World, directory};

const THREADS: u64 = 16;
const EACH: u64 = 25;

fn together(mut world: World) -> World {
    world.table("tab");
    let asker = world.asker();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let ask = &asker;
            scope.spawn(move || {
                for turn in 0..EACH {
                    ask(
                        "UpdateItem",
                        r#"{"TableName":"tab","Key":{"k":{"S":"sum"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}"#,
                    );
                    ask("PutItem", &format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{thread}-{turn}"}}}}}}"#));
                    ask("Scan", r#"{"TableName":"tab","Limit":3}"#);
                }
            });
        }
    });
    drop(asker);
    world
}

fn check(world: &mut World) {
    let sum = format!(r#"{{"Item":{{"n":{{"N":"{}"}}}}}}"#, THREADS * EACH);
    let count = THREADS * EACH + 1;
    world.play(&[
        ("GetItem", r#"{"TableName":"tab","Key":{"k":{"S":"sum"}},"ProjectionExpression":"n"}"#, &sum),
        ("Scan", r#"{"TableName":"tab","Select":"COUNT"}"#, &format!(r#"{{"Count":{count},"ScannedCount":{count}}}"#)),
    ]);
}

#[test]
fn sixteen_threads_lose_no_count() {
    check(&mut together(World::in_memory()));
}

#[test]
fn nor_do_they_on_a_disk() {
    let directory = directory("together");
    drop(together(World::open(Some(&directory))));
    check(&mut World::open(Some(&directory)));
    std::fs::remove_dir_all(&directory).expect("removed");
}
