//! What another version of the program wrote is refused, and not misread.

use stepwell_api::{SHARD, Service, ServiceSettings};
use stepwell_interpreter::Moment;
use stepwell_spec::Timestamp;
use stepwell_store::{Append, MemoryStore, Row, Store};

const AT: Moment = Moment { now: Timestamp(1_700_000_000_000), entropy: 1 };

/// What opening says to a store with these facts about the whole.
fn refusal(facts: &[(&[u8], &[u8])]) -> Option<String> {
    let mut store = MemoryStore::new();
    let rows: Vec<Row<'_>> =
        facts.iter().map(|&(key, value)| Row { table: "about", key, value: Some(value) }).collect();
    let append = Append { shard: SHARD, epoch: 1, sequence: 1, executions: &[], rows: &rows, payload: &[] };
    store.append_batch(&[append], &mut Vec::new()).expect("appended");
    Service::open(&ServiceSettings::default(), store.index(), AT).err().map(|fault| fault.to_string())
}

#[test]
fn what_another_version_wrote_is_refused() {
    let seal: (&[u8], &[u8]) = (b"seal", &[7; 32]);
    let of_format = |format: u64| refusal(&[seal, (b"format", &format.to_be_bytes())]);
    assert_eq!(of_format(2), None);
    let older = refusal(&[seal]).expect("the first format said nothing of itself");
    assert!(older.starts_with("it was written by an older version of stepwell (its format is 1, this one reads 2)"));
    let newer = of_format(3).expect("not known yet");
    assert!(newer.starts_with("it was written by a newer version of stepwell (its format is 3, this one reads 2)"));
}
