//! Exceptions of the API: the 33 of AWS's service model, and those of the protocol around it.

use crate::shapes::Member;
use crate::shapes::declare::choices;
use crate::shapes::scalars::ARN;

choices! {
    /// In which state a key cannot be used.
    KmsKeyState {
        Disabled = "DISABLED",
        PendingDeletion = "PENDING_DELETION",
        PendingImport = "PENDING_IMPORT",
        Unavailable = "UNAVAILABLE",
        Creating = "CREATING",
    }
    /// Which rule a request breaks.
    ValidationExceptionReason {
        ApiDoesNotSupportLabeledArns = "API_DOES_NOT_SUPPORT_LABELED_ARNS",
        MissingRequiredParameter = "MISSING_REQUIRED_PARAMETER",
        CannotUpdateCompletedMapRun = "CANNOT_UPDATE_COMPLETED_MAP_RUN",
        InvalidRoutingConfiguration = "INVALID_ROUTING_CONFIGURATION",
    }
}

macro_rules! exceptions {
    ($(#[$table_doc:meta])* $table:ident { $( $(#[doc = $doc:literal])+ $name:ident $status:literal $(with $member:literal $shape:expr)?; )* }) => {
        $(#[$table_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $table {
            $( $(#[doc = $doc])+ $name, )*
        }

        impl $table {
            /// Every one.
            pub const ALL: &'static [$table] = &[ $( $table::$name, )* ];

            /// AWS's name.
            pub fn name(self) -> &'static str {
                match self {
                    $( $table::$name => stringify!($name), )*
                }
            }

            /// The HTTP status it is answered with.
            pub fn status(self) -> u16 {
                match self {
                    $( $table::$name => $status, )*
                }
            }

            /// When it is thrown, in one line.
            pub fn meaning(self) -> &'static str {
                match self {
                    $( $table::$name => concat!($( $doc, )+).trim_ascii(), )*
                }
            }

            /// What it carries beside its message.
            pub fn member(self) -> Option<&'static Member> {
                match self {
                    $( $table::$name => {
                        let members: &'static [Member] =
                            &[$( Member { name: $member, shape: $shape, required: false }, )?];
                        members.first()
                    } )*
                }
            }
        }
    };
}

exceptions! {
    /// An exception of the service model.
    Exception {
        /// An activity of this name exists with another encryption configuration.
        ActivityAlreadyExists 400;
        /// There is no such activity.
        ActivityDoesNotExist 400;
        /// There are as many activities as there may be.
        ActivityLimitExceeded 400;
        /// As many workers wait for tasks of this activity as may.
        ActivityWorkerLimitExceeded 400;
        /// The resource is being changed by someone else, or is in use.
        ConflictException 409;
        /// An execution of this name exists, and it has another input or is over.
        ExecutionAlreadyExists 400;
        /// There is no such execution.
        ExecutionDoesNotExist 400;
        /// There are as many running executions as there may be.
        ExecutionLimitExceeded 400;
        /// The execution cannot be redriven; the message says why.
        ExecutionNotRedrivable 400;
        /// The text is not the ARN of a resource that fits here.
        InvalidArn 400;
        /// The definition is not valid.
        InvalidDefinition 400;
        /// The encryption configuration does not fit together.
        InvalidEncryptionConfiguration 400;
        /// The input is not JSON.
        InvalidExecutionInput 400;
        /// The logging configuration does not fit together.
        InvalidLoggingConfiguration 400;
        /// The name has characters it must not have.
        InvalidName 400;
        /// The output is not JSON.
        InvalidOutput 400;
        /// The token is not one of ours, or not for this.
        InvalidToken 400;
        /// The tracing configuration is not valid.
        InvalidTracingConfiguration 400;
        /// The key may not be used.
        KmsAccessDeniedException 400;
        /// The key is in a state in which it cannot be used.
        KmsInvalidStateException 400 with "kmsKeyState" KmsKeyState::SHAPE;
        /// The key service wants to be asked more slowly.
        KmsThrottlingException 400;
        /// Nothing to change was given.
        MissingRequiredParameter 400;
        /// There is no such resource.
        ResourceNotFound 400 with "resourceName" ARN;
        /// A quota would be exceeded.
        ServiceQuotaExceededException 402;
        /// A state machine of this name exists and is another one.
        StateMachineAlreadyExists 400;
        /// The state machine is being deleted.
        StateMachineDeleting 400;
        /// There is no such state machine.
        StateMachineDoesNotExist 400;
        /// There are as many state machines as there may be.
        StateMachineLimitExceeded 400;
        /// The action is not for state machines of this type.
        StateMachineTypeNotSupported 400;
        /// There is no such task.
        TaskDoesNotExist 400;
        /// The task is over, or its token has expired.
        TaskTimedOut 400;
        /// The resource would have more tags than it may have.
        TooManyTags 400 with "resourceName" ARN;
        /// The request breaks a constraint of the model.
        ValidationException 400 with "reason" ValidationExceptionReason::SHAPE;
    }
}

exceptions! {
    /// What any action may answer: faults of the transport, the signature and the server.
    ProtocolError {
        /// The body is not JSON, or a member has the wrong JSON type.
        SerializationException 400;
        /// `X-Amz-Target` names no action.
        UnknownOperationException 400;
        /// The request is not signed.
        MissingAuthenticationTokenException 400;
        /// The signature lacks a part.
        IncompleteSignatureException 400;
        /// The signature does not fit the request.
        InvalidSignatureException 400;
        /// Nobody has this access key.
        UnrecognizedClientException 400;
        /// The caller's temporary credentials have ended.
        ExpiredTokenException 400;
        /// The caller may not do this.
        AccessDeniedException 400;
        /// The caller asks too often.
        ThrottlingException 400;
        /// The body is larger than a request may be.
        RequestEntityTooLargeException 413;
        /// The server failed; asking again may help.
        InternalFailure 500;
        /// The server is starting, stopping, or not the one to ask.
        ServiceUnavailableException 503;
    }
}
