//! What a state's data is after each step of its processing, for whoever tests a state.
//!
//! The states and their data flow tell it as they go; in an ordinary run nobody listens, and nothing is kept.

use stepwell_json::Json;

use crate::failure::Failure;

/// What was seen of one state. Steps that did not happen are absent, and so are those after a failure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// After `InputPath`.
    pub after_input_path: Option<Json>,
    /// After `Parameters`, or what there is without them.
    pub after_parameters: Option<Json>,
    /// After `Arguments`, or what there is without them.
    pub after_arguments: Option<Json>,
    /// What the state's work gave.
    pub result: Option<Json>,
    /// After `ResultSelector`, or what there is without it.
    pub after_result_selector: Option<Json>,
    /// After `ResultPath`: what `OutputPath` is applied to.
    pub after_result_path: Option<Json>,
    /// The items of a Map state in JSONPath.
    pub after_items_path: Option<Json>,
    /// What `ReaderConfig.ItemsPointer` leads to.
    pub after_items_pointer: Option<Json>,
    /// What `ItemSelector` makes of every item, in order.
    pub after_item_selector: Option<Json>,
    /// The batches that `ItemBatcher` makes.
    pub after_item_batcher: Option<Json>,
    /// How many children of a distributed Map state may fail, where that is said.
    pub tolerated_failure_count: Option<u64>,
    /// What share of them may, 0 to 100, where that is said.
    pub tolerated_failure_percentage: Option<f64>,
    /// How many iterations of a Map state may run at once; 0 is as many as there are.
    pub max_concurrency: Option<u64>,
    /// The last failure that `Retry` and `Catch` were asked about.
    pub failure: Option<Failure>,
}
