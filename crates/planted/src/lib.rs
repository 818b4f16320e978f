//! Bugs that can be planted on purpose: the classic ones of workflow engines, each a line at the place where it would be made.
//!
//! Owns their names, and which one a thread has chosen. Whether they are found is the simulator's to show. Without the feature
//! `planted` nothing can be chosen, [`is`] is `false` when the code is compiled, and nothing of any bug is in the program.

macro_rules! bugs {
    ($($(#[doc = $text:literal])+ $name:ident,)+) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bug {
            $($(#[doc = $text])+ $name,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Bug] = &[$(Bug::$name,)+];

            /// What is wrong, in a line.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Bug::$name => concat!($($text,)+),)+
                }
            }
        }
    };
}

bugs! {
    /// A batch is acknowledged when it is written, not when it is synced.
    AckBeforeSync,
    /// A sync that failed is tried again, and believed.
    SyncAgain,
    /// The name of a new segment is not made durable.
    NamesNotSynced,
    /// The checksum of a frame's bytes is not looked at.
    FrameUnchecked,
    /// A frame that belongs somewhere else is taken for the one that should be there.
    MisplacedFrame,
    /// A writer of an epoch that is over may still write.
    EpochUnchecked,
    /// What a torn write left behind is not cut away.
    TailNotCut,
    /// What the last batch left on a system that lies is not written again.
    TailNotRewritten,
    /// An opening leaves out the first frame that the index does not know.
    SnapshotOneShort,
    /// What is carried forward out of an old segment is carried without its rows.
    CarriedWithoutRows,
    /// A packed segment takes the place of the one it was made of before it is synced.
    PackedNotSynced,
    /// Rows are kept with the frame after their own.
    RowsOneFrameLate,
    /// Answers leave while what they tell of is not durable.
    ReadsBeforeDurable,
    /// Tasks leave before the frame that asked for them is durable.
    DispatchBeforeDurable,
    /// Timers are not set again after an opening.
    TimersNotRearmed,
    /// Timers fire half a second early.
    TimersEarly,
    /// A timer that has fired stays.
    TimersStay,
    /// The timers of what has ended, or was given up, stay.
    StopLeavesTimers,
    /// Open tasks are not asked for again after an opening.
    TasksNotResumed,
    /// Time goes back when the clock does.
    ClockGoesBack,
    /// The slot of a child that succeeded is not given back.
    MapSlotLeak,
    /// A child that is taken up again is counted twice.
    MapChildTwice,
    /// One failure more than is tolerated is tolerated.
    ToleranceOffByOne,
    /// One child more than may runs at a time.
    MapOneTooMany,
    /// What the children of a Map Run have done is not taken up again after an opening.
    MapRunForgotten,
    /// A token completes whichever task of its execution is open.
    TokenUnchecked,
    /// An answer to one attempt completes the next.
    AttemptUnchecked,
    /// All attempts of an execution have the same token.
    TokenReused,
    /// One task of an activity goes to everybody who asks.
    ActivityGivenTwice,
    /// A poll whose caller is gone still takes a task.
    PollOfTheGone,
    /// A heartbeat begins the timeout of its task anew.
    HeartbeatMovesTimeout,
    /// What has ended can be stopped.
    StopAfterEnd,
    /// Branches are joined in the order they end.
    JoinInOrderOfEnd,
    /// When one branch fails the others go on.
    SiblingsGoOn,
    /// A state is tried again one time more than its Retrier says.
    RetryOnceMore,
    /// Retries made before an opening are not counted.
    RetriesForgotten,
    /// An execution that was taken up again began when it was.
    StartForgotten,
    /// Two executions get one name when the first is not durable yet.
    NameGivenTwice,
    /// A name that runs already is answered whatever the input.
    InputUnchecked,
    /// The list does not follow the status.
    ListingStale,
    /// A page of a history begins one event too late.
    PageSkipsOne,
    /// A redrive does not count.
    RedriveUncounted,
    /// A synchronous Express execution is written down.
    SyncKept,
    /// The end of a synchronous Express execution is answered twice.
    SyncAnsweredTwice,
    /// Express executions of one name have one ARN.
    ExpressNamesMeet,
    /// A history may have one event too many.
    EventTooMany,
    /// A payload may have one byte too many.
    ByteTooMany,
    /// An execution that panics is never left alone, and its shard does nothing else.
    PoisonStalls,
    /// That an execution is left alone is not written down.
    QuarantineForgotten,
    /// A panic between two turns is laid to whoever had the last one.
    BlameTheLast,
    /// Answers of local services leave while what they tell of is not durable.
    LocalReadsEarly,
    /// A new process writes to the shard of local services under the epoch of the one before.
    EpochOfTheLast,
    /// A message that was deleted is there again after an opening.
    DeletedComesBack,
    /// What is received is as if it was not, after an opening.
    ReceivesForgotten,
    /// Messages may be received half a second early.
    MessagesEarly,
    /// Numbers of messages are given again after an opening.
    NumbersAgain,
    /// A message sent twice is there twice, when an opening lies between.
    AcceptedForgotten,
    /// A queue in order gives messages of a group that somebody has messages of.
    GroupsMixed,
    /// The receipt of an earlier receive deletes a message of a queue in order.
    ReceiptUnchecked,
    /// A message that was received too often is nowhere.
    DeadLettersLost,
    /// Whoever waits at a queue is not told of a message that is sent.
    PollsNotServed,
    /// A part of items that is answered twice is taken twice.
    PartTwice,
    /// Each part of the items may have as many as all of them.
    MaxItemsEachTime,
    /// Items are not asked for again after an opening.
    ReadsNotResumed,
    /// Results are not written again after an opening.
    WritesNotResumed,
    /// The last child that was started is among the results a second time.
    ResultTwice,
}

#[cfg(not(feature = "planted"))]
mod choice {
    use super::Bug;

    /// Whether this thread has this bug.
    #[inline(always)]
    pub const fn is(_: Bug) -> bool {
        false
    }
}

#[cfg(feature = "planted")]
mod choice {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static CHOSEN: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Whether this thread has this bug.
    #[inline]
    pub fn is(bug: Bug) -> bool {
        CHOSEN.get() == Some(bug)
    }

    /// From now on this thread has this bug, or none.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.set(bug);
    }
}

pub use choice::*;
