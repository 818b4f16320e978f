//! One line of control: its variables, its item, its time; and what an expression in one of its states can see.

use std::collections::BTreeMap;

use stepwell_json::Json;
use stepwell_jsonpath::Scope;

use super::outcome::ANY;

/// One line of control.
#[derive(Clone, Debug)]
pub(super) struct Thread {
    /// Variables, outermost workflow first. The last ones are its own.
    variables: Vec<BTreeMap<String, Json>>,
    /// The item of the innermost Map state it is part of: `Map.Item` of the context object.
    pub(super) item: Option<Json>,
    /// The input of the execution it is part of.
    pub(super) execution_input: Json,
    /// Milliseconds since the start.
    pub(super) now_ms: i64,
}

impl Thread {
    /// The first line of an execution that starts now.
    pub(super) fn of_execution(input: &Json, now_ms: i64) -> Thread {
        Thread { variables: vec![BTreeMap::new()], item: None, execution_input: input.clone(), now_ms }
    }

    /// A branch or an iteration that starts now: it sees the variables here, and has its own.
    pub(super) fn branch(&self) -> Thread {
        let mut branch = self.clone();
        branch.variables.push(BTreeMap::new());
        branch
    }

    pub(super) fn variable(&self, name: &str) -> Option<Json> {
        self.variables.iter().rev().find_map(|scope| scope.get(name)).cloned()
    }

    pub(super) fn assign(&mut self, assigned: Vec<(String, Json)>) {
        let own = self.variables.last_mut().expect("a thread has a scope of its own");
        own.extend(assigned);
    }

    /// The context object of a state.
    ///
    /// There is a number of retries for the states that can be retried alone.
    pub(super) fn context(&self, state: &str, retry_count: Option<u64>) -> Json {
        let any = || Json::from(ANY);
        let execution = Json::object([
            ("Id", any()),
            ("Input", self.execution_input.clone()),
            ("Name", any()),
            ("RoleArn", any()),
            ("StartTime", any()),
            ("RedriveCount", Json::from(0)),
        ]);
        let retry_count = retry_count.map(|count| ("RetryCount", Json::from(count)));
        let entered = [("EnteredTime", any()), ("Name", Json::from(state))].into_iter().chain(retry_count);
        let entered = Json::object(entered);
        let machine = Json::object([("Id", any()), ("Name", any())]);
        let mut members = vec![("Execution", execution), ("State", entered), ("StateMachine", machine)];
        if let Some(item) = &self.item {
            members.push(("Map", Json::object([("Item", item.clone())])));
        }
        Json::object(members)
    }
}

/// What JSONPath sees.
pub(super) struct Sight<'a> {
    pub(super) input: &'a Json,
    pub(super) context: Json,
    pub(super) thread: &'a Thread,
}

impl Scope for Sight<'_> {
    fn input(&self) -> &Json {
        self.input
    }

    fn context(&self) -> Json {
        self.context.clone()
    }

    fn variable(&self, name: &str) -> Option<Json> {
        self.thread.variable(name)
    }

    /// Programs draw nothing.
    fn draw(&self) -> u64 {
        0
    }
}
