//! What is done about a panic by whoever owns the service that it ended: the service is opened again from what is durable, and those
//! who waited for it are told.
//!
//! Knows no thread and no log of a server: whoever catches the panic says what it said, and hears whom it was laid to.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use stepwell_spec::shapes::GetActivityTaskOutput;
use stepwell_spec::{Action, ProtocolError, Response};
use stepwell_store::{Index, StoreError};

use super::quarantine::{Laid, Ward};
use crate::refusal::Refusal;

impl Ward {
    /// Opens services over what is durable. What panics while that is done has a strike and is left alone in the end; `hears` is told of
    /// each panic. Fails when they cannot be opened, or panic whenever they are.
    pub fn open<T>(
        &mut self,
        index: &dyn Index,
        mut open: impl FnMut(&Ward) -> Result<T, String>,
        mut hears: impl FnMut(&str, &Result<Laid, StoreError>),
    ) -> Result<T, String> {
        loop {
            let panic = match catch_unwind(AssertUnwindSafe(|| open(self))) {
                Ok(opened) => return opened,
                Err(panic) => panic,
            };
            let because = said(&*panic);
            let laid = self.lay(None, index, &because, false);
            hears(&because, &laid);
            if laid.is_err() || !self.sees_a_way_on() {
                return Err("it panics whenever it is opened".to_owned());
            }
        }
    }
}

/// What a panic says.
pub fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

/// What the caller of an action is told whose call went with a service that panicked. `is_at_hand` says that it was this call.
///
/// A worker's poll that only waited ends as it does after a minute without a task; everybody else cannot know what became of the call.
pub fn told_after_panic(action: Action, is_at_hand: bool) -> Result<Response, Refusal> {
    match action == Action::GetActivityTask && !is_at_hand {
        true => Ok(Response::GetActivityTask(GetActivityTaskOutput { task_token: None, input: None })),
        false => Err(Refusal::silent(ProtocolError::InternalFailure)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stepwell_store::{MemoryStore, Store};

    use super::*;

    #[test]
    fn what_panics_without_end_is_given_up() {
        let store = MemoryStore::default();
        let index: Arc<dyn Index> = store.index();
        let mut heard = 0;
        let opened: Result<(), String> = Ward::default().open(
            &*index,
            |_| panic!("as always"),
            |because, _| heard += u32::from(because == "as always"),
        );
        assert_eq!((opened, heard), (Err("it panics whenever it is opened".to_owned()), 5));
        let mut times = 0;
        let opened = Ward::default().open(
            &*index,
            |_| {
                times += 1;
                assert!(times > 2, "once or twice");
                Ok(times)
            },
            |_, _| {},
        );
        assert_eq!(opened, Ok(3));
        assert_eq!(said(&7), "a panic without words");
    }

    #[test]
    fn polls_end_without_a_task() {
        assert!(told_after_panic(Action::GetActivityTask, false).is_ok());
        assert!(told_after_panic(Action::GetActivityTask, true).is_err());
        assert!(told_after_panic(Action::StartSyncExecution, false).is_err());
    }
}
