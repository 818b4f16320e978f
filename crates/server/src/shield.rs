//! Panics in what connections and calls do, caught where they happen: the one request or task fails, and nothing waits
//! for ever for an answer that will not come.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use stepwell_api::said;

/// Does the work; what it says when it panics, otherwise.
pub(crate) async fn shielded<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(said(&*panic))),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        assert_eq!(shielded(async { 7 }).await, Ok(7));
        let count = std::hint::black_box(0);
        let broken = async {
            tokio::task::yield_now().await;
            assert!(count > 0, "nothing in {count}");
        };
        assert_eq!(shielded(broken).await, Err("nothing in 0".to_owned()));
    }
}
