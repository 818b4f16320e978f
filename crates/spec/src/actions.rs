//! The 37 actions of the API: what each asks for, answers and throws.
//!
//! One row gives routing, the typed request and response, and the compatibility page. A row holds facts of AWS's service
//! model; what an action does is written where requests are served.

use stepwell_json::Json;

use crate::exceptions::Exception;
use crate::shapes::*;

/// What AWS's model says of one action.
#[derive(Debug)]
pub struct ActionFacts {
    /// AWS's name.
    pub name: &'static str,
    /// What it asks for.
    pub request: &'static Shape,
    /// What it answers.
    pub response: &'static Shape,
    /// The exceptions its model names, beside those any action may answer.
    pub throws: &'static [Exception],
    /// Whether asking twice is the same as asking once.
    pub idempotent: bool,
    /// What its clients put before the host's name: `sync-` or nothing.
    pub host_prefix: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
}

impl ActionFacts {
    /// Whether it lists in pages: `maxResults` and `nextToken`.
    pub fn is_paginated(&self) -> bool {
        self.request.member("nextToken").is_some()
    }
}

macro_rules! actions {
    ($( $(#[doc = $doc:literal])+ $name:ident($request:ident) -> $response:ident [$($idempotent:ident)?]
        $(on host $prefix:literal)? throws [$($exception:ident),*]; )*) => {
        /// An action of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Action {
            $( $(#[doc = $doc])+ $name, )*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[ $( Action::$name, )* ];

            /// What AWS's model says of it.
            pub fn facts(self) -> &'static ActionFacts {
                match self {
                    $( Action::$name => {
                        const FACTS: &ActionFacts = &ActionFacts {
                        name: stringify!($name),
                        request: <$request as Structure>::SHAPE,
                        response: <$response as Structure>::SHAPE,
                        throws: &[ $( Exception::$exception, )* ],
                        idempotent: !stringify!($($idempotent)?).is_empty(),
                        host_prefix: concat!("", $( $prefix )?),
                        summary: concat!($( $doc, )+).trim_ascii(),
                        };
                        FACTS
                    } )*
                }
            }

            /// The action of this name.
            pub fn of(name: &str) -> Option<Action> {
                match name {
                    $( stringify!($name) => Some(Action::$name), )*
                    _ => None,
                }
            }
        }

        /// A request: an action and what it asks for.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "one request is held at a time, and moved once")]
        pub enum Request {
            $( $(#[doc = $doc])+ $name($request), )*
        }

        impl Request {
            /// Reads a request. `None` when a member has the wrong JSON type, a required one is missing, or a text is
            /// none of its set; other constraints are not judged.
            pub fn from_json(action: Action, json: &Json) -> Option<Request> {
                match action {
                    $( Action::$name => Structure::from_json(json).map(Request::$name), )*
                }
            }

            /// Writes what it asks for.
            pub fn to_json(&self) -> Json {
                match self {
                    $( Request::$name(request) => request.to_json(), )*
                }
            }

            /// The action.
            pub fn action(&self) -> Action {
                match self {
                    $( Request::$name(_) => Action::$name, )*
                }
            }
        }

        /// What an action answers when it throws nothing.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "one response is held at a time, and moved once")]
        pub enum Response {
            $( $(#[doc = $doc])+ $name($response), )*
        }

        impl Response {
            /// Reads a response, as [`Request::from_json`] reads a request.
            pub fn from_json(action: Action, json: &Json) -> Option<Response> {
                match action {
                    $( Action::$name => Structure::from_json(json).map(Response::$name), )*
                }
            }

            /// Writes it.
            pub fn to_json(&self) -> Json {
                match self {
                    $( Response::$name(response) => response.to_json(), )*
                }
            }

            /// The action.
            pub fn action(&self) -> Action {
                match self {
                    $( Response::$name(_) => Action::$name, )*
                }
            }
        }

        $(
            impl From<$request> for Request {
                fn from(request: $request) -> Request {
                    Request::$name(request)
                }
            }

            impl From<$response> for Response {
                fn from(response: $response) -> Response {
                    Response::$name(response)
                }
            }
        )*
    };
}

impl Action {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        self.facts().name
    }
}

actions! {
    /// Creates a state machine; asking twice for the same one is fine.
    CreateStateMachine(CreateStateMachineInput) -> CreateStateMachineOutput [idempotent]
        throws [InvalidArn, InvalidDefinition, InvalidName, InvalidLoggingConfiguration, InvalidTracingConfiguration,
        StateMachineAlreadyExists, StateMachineDeleting, StateMachineLimitExceeded, StateMachineTypeNotSupported,
        TooManyTags, ValidationException, ConflictException, InvalidEncryptionConfiguration, KmsAccessDeniedException,
        KmsThrottlingException];
    /// Changes the definition, role or configuration of a state machine.
    UpdateStateMachine(UpdateStateMachineInput) -> UpdateStateMachineOutput [idempotent]
        throws [InvalidArn, InvalidDefinition, InvalidLoggingConfiguration, InvalidTracingConfiguration,
        MissingRequiredParameter, StateMachineDeleting, StateMachineDoesNotExist, ServiceQuotaExceededException,
        ConflictException, ValidationException, InvalidEncryptionConfiguration, KmsAccessDeniedException,
        KmsThrottlingException];
    /// Shows a state machine, one of its versions, or what an alias stands for.
    DescribeStateMachine(DescribeStateMachineInput) -> DescribeStateMachineOutput []
        throws [InvalidArn, StateMachineDoesNotExist, KmsAccessDeniedException, KmsInvalidStateException,
        KmsThrottlingException];
    /// Shows the definition and configuration an execution was started with.
    DescribeStateMachineForExecution(DescribeStateMachineForExecutionInput) -> DescribeStateMachineForExecutionOutput []
        throws [ExecutionDoesNotExist, InvalidArn, KmsAccessDeniedException, KmsInvalidStateException,
        KmsThrottlingException];
    /// Lists the state machines.
    ListStateMachines(ListStateMachinesInput) -> ListStateMachinesOutput []
        throws [InvalidToken];
    /// Deletes a state machine with its versions and aliases.
    DeleteStateMachine(DeleteStateMachineInput) -> DeleteStateMachineOutput []
        throws [InvalidArn, ValidationException];
    /// Makes an unchangeable version of the current revision.
    PublishStateMachineVersion(PublishStateMachineVersionInput) -> PublishStateMachineVersionOutput [idempotent]
        throws [ValidationException, StateMachineDeleting, StateMachineDoesNotExist, ServiceQuotaExceededException,
        ConflictException, InvalidArn];
    /// Lists the versions of a state machine, newest first.
    ListStateMachineVersions(ListStateMachineVersionsInput) -> ListStateMachineVersionsOutput []
        throws [ValidationException, InvalidArn, InvalidToken];
    /// Deletes a version no alias routes to.
    DeleteStateMachineVersion(DeleteStateMachineVersionInput) -> DeleteStateMachineVersionOutput []
        throws [ValidationException, InvalidArn, ConflictException];
    /// Creates a name for one version, or for two with weights.
    CreateStateMachineAlias(CreateStateMachineAliasInput) -> CreateStateMachineAliasOutput []
        throws [InvalidArn, InvalidName, ValidationException, StateMachineDeleting, ResourceNotFound,
        ConflictException, ServiceQuotaExceededException];
    /// Changes where an alias routes to.
    UpdateStateMachineAlias(UpdateStateMachineAliasInput) -> UpdateStateMachineAliasOutput []
        throws [ValidationException, InvalidArn, ResourceNotFound, ConflictException, StateMachineDeleting];
    /// Shows an alias and where it routes to.
    DescribeStateMachineAlias(DescribeStateMachineAliasInput) -> DescribeStateMachineAliasOutput []
        throws [ValidationException, InvalidArn, ResourceNotFound];
    /// Lists the aliases of a state machine or of one version.
    ListStateMachineAliases(ListStateMachineAliasesInput) -> ListStateMachineAliasesOutput []
        throws [InvalidArn, InvalidToken, ResourceNotFound, StateMachineDoesNotExist, StateMachineDeleting];
    /// Deletes an alias.
    DeleteStateMachineAlias(DeleteStateMachineAliasInput) -> DeleteStateMachineAliasOutput []
        throws [ValidationException, InvalidArn, ResourceNotFound, ConflictException];
    /// Starts an execution.
    StartExecution(StartExecutionInput) -> StartExecutionOutput [idempotent]
        throws [ExecutionLimitExceeded, ExecutionAlreadyExists, InvalidArn, InvalidExecutionInput, InvalidName,
        StateMachineDoesNotExist, StateMachineDeleting, ValidationException, KmsAccessDeniedException,
        KmsInvalidStateException, KmsThrottlingException];
    /// Runs an Express execution and answers with its result.
    StartSyncExecution(StartSyncExecutionInput) -> StartSyncExecutionOutput [] on host "sync-"
        throws [InvalidArn, InvalidExecutionInput, InvalidName, StateMachineDoesNotExist, StateMachineDeleting,
        StateMachineTypeNotSupported, KmsAccessDeniedException, KmsInvalidStateException, KmsThrottlingException];
    /// Aborts a running execution.
    StopExecution(StopExecutionInput) -> StopExecutionOutput []
        throws [ExecutionDoesNotExist, InvalidArn, ValidationException, KmsAccessDeniedException,
        KmsInvalidStateException, KmsThrottlingException];
    /// Continues an execution that did not succeed from where it failed.
    RedriveExecution(RedriveExecutionInput) -> RedriveExecutionOutput [idempotent]
        throws [ExecutionDoesNotExist, ExecutionNotRedrivable, ExecutionLimitExceeded, InvalidArn,
        ValidationException];
    /// Shows an execution.
    DescribeExecution(DescribeExecutionInput) -> DescribeExecutionOutput []
        throws [ExecutionDoesNotExist, InvalidArn, KmsAccessDeniedException, KmsInvalidStateException,
        KmsThrottlingException];
    /// Lists the executions of a state machine or a Map Run, newest first.
    ListExecutions(ListExecutionsInput) -> ListExecutionsOutput []
        throws [InvalidArn, InvalidToken, StateMachineDoesNotExist, StateMachineTypeNotSupported, ValidationException,
        ResourceNotFound];
    /// Lists the events of an execution.
    GetExecutionHistory(GetExecutionHistoryInput) -> GetExecutionHistoryOutput []
        throws [ExecutionDoesNotExist, InvalidArn, InvalidToken, KmsAccessDeniedException, KmsInvalidStateException,
        KmsThrottlingException];
    /// Shows a Map Run and how far it is.
    DescribeMapRun(DescribeMapRunInput) -> DescribeMapRunOutput []
        throws [ResourceNotFound, InvalidArn];
    /// Lists the Map Runs an execution started.
    ListMapRuns(ListMapRunsInput) -> ListMapRunsOutput []
        throws [ExecutionDoesNotExist, InvalidArn, InvalidToken];
    /// Changes the concurrency and tolerated failures of a running Map Run.
    UpdateMapRun(UpdateMapRunInput) -> UpdateMapRunOutput []
        throws [ResourceNotFound, InvalidArn, ValidationException];
    /// Creates an activity; asking twice for the same one is fine.
    CreateActivity(CreateActivityInput) -> CreateActivityOutput [idempotent]
        throws [ActivityLimitExceeded, ActivityAlreadyExists, InvalidName, TooManyTags,
        InvalidEncryptionConfiguration, KmsAccessDeniedException, KmsThrottlingException];
    /// Shows an activity.
    DescribeActivity(DescribeActivityInput) -> DescribeActivityOutput []
        throws [ActivityDoesNotExist, InvalidArn];
    /// Lists the activities.
    ListActivities(ListActivitiesInput) -> ListActivitiesOutput []
        throws [InvalidToken];
    /// Deletes an activity.
    DeleteActivity(DeleteActivityInput) -> DeleteActivityOutput []
        throws [InvalidArn];
    /// Waits up to a minute for a task of an activity.
    GetActivityTask(GetActivityTaskInput) -> GetActivityTaskOutput []
        throws [ActivityDoesNotExist, ActivityWorkerLimitExceeded, InvalidArn, KmsAccessDeniedException,
        KmsInvalidStateException, KmsThrottlingException];
    /// Reports that a task succeeded.
    SendTaskSuccess(SendTaskSuccessInput) -> SendTaskSuccessOutput []
        throws [TaskDoesNotExist, InvalidOutput, InvalidToken, TaskTimedOut, KmsAccessDeniedException,
        KmsInvalidStateException, KmsThrottlingException];
    /// Reports that a task failed.
    SendTaskFailure(SendTaskFailureInput) -> SendTaskFailureOutput []
        throws [TaskDoesNotExist, InvalidToken, TaskTimedOut, KmsAccessDeniedException, KmsInvalidStateException,
        KmsThrottlingException];
    /// Reports that a task is still being worked on.
    SendTaskHeartbeat(SendTaskHeartbeatInput) -> SendTaskHeartbeatOutput []
        throws [TaskDoesNotExist, InvalidToken, TaskTimedOut];
    /// Adds or replaces tags of a state machine or an activity.
    TagResource(TagResourceInput) -> TagResourceOutput []
        throws [InvalidArn, ResourceNotFound, TooManyTags];
    /// Removes tags.
    UntagResource(UntagResourceInput) -> UntagResourceOutput []
        throws [InvalidArn, ResourceNotFound];
    /// Lists the tags of a state machine or an activity.
    ListTagsForResource(ListTagsForResourceInput) -> ListTagsForResourceOutput []
        throws [InvalidArn, ResourceNotFound];
    /// Runs one state without creating anything.
    TestState(TestStateInput) -> TestStateOutput [] on host "sync-"
        throws [InvalidArn, InvalidDefinition, InvalidExecutionInput, ValidationException];
    /// Tells what is wrong with a definition.
    ValidateStateMachineDefinition(ValidateStateMachineDefinitionInput) -> ValidateStateMachineDefinitionOutput []
        throws [ValidationException];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_37_actions_and_each_is_found_by_its_name() {
        assert_eq!(Action::ALL.len(), 37);
        for &action in Action::ALL {
            let facts = action.facts();
            assert_eq!(Action::of(facts.name), Some(action));
            assert_eq!(facts.request.name, format!("{}Input", facts.name));
            assert_eq!(facts.response.name, format!("{}Output", facts.name));
            assert!(facts.summary.ends_with('.'), "{}", facts.name);
        }
        assert_eq!(Action::of("createActivity"), None);
    }

    #[test]
    fn the_two_synchronous_actions_have_a_host_of_their_own() {
        let prefixed: Vec<&str> = Action::ALL
            .iter()
            .map(|action| action.facts())
            .filter(|facts| facts.host_prefix == "sync-")
            .map(|facts| facts.name)
            .collect();
        assert_eq!(prefixed, ["StartSyncExecution", "TestState"]);
    }

    #[test]
    fn the_paginated_actions_are_the_seven_that_list_and_the_history() {
        assert_eq!(Action::ALL.iter().filter(|action| action.facts().is_paginated()).count(), 7);
    }
}
