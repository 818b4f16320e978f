//! Services whose optimized integrations are calls of their model as it stands, and the jobs that `.sync` waits for: one row
//! for each action.
//!
//! Source: Developer Guide, the page of each service; the services' models for names and states. No recording of AWS shows
//! these; members of results follow the service's own answers, under names that begin with a capital.

/// A service, by the name `Resource` has for it.
#[derive(Debug)]
pub(crate) struct JobService {
    /// `elasticmapreduce`
    pub(crate) name: &'static str,
    /// What error names begin with.
    pub(crate) prefix: &'static str,
    /// As causes name the service, and with `Exception` the error name for what is not modelled.
    pub(crate) words: &'static str,
    pub(crate) actions: &'static [JobAction],
}

/// An action.
#[derive(Debug)]
pub(crate) struct JobAction {
    /// As `Resource` spells it.
    pub(crate) name: &'static str,
    /// The service of the model, by botocore's name, and its operation.
    pub(crate) operation: (&'static str, &'static str),
    /// Members that are called otherwise in the model: of the arguments, and of the answer.
    pub(crate) given: &'static [Renamed],
    pub(crate) answered: &'static [Renamed],
    /// Members of the answer that are JSON in a blob.
    pub(crate) json: &'static [&'static str],
    /// How the end of the job is told.
    pub(crate) job: Option<Job>,
}

/// A member with two names.
#[derive(Debug)]
pub(crate) struct Renamed {
    /// As a task has it.
    pub(crate) task: &'static str,
    /// As the model has it.
    pub(crate) model: &'static str,
    /// Whether the model has a list, and a task its only item.
    pub(crate) in_list: bool,
}

/// A job that a task can wait for.
#[derive(Debug)]
pub(crate) struct Job {
    /// The operation that describes it, and what it is asked with.
    pub(crate) describe: (&'static str, &'static [(&'static str, Source)]),
    /// The operation that stops it.
    pub(crate) stop: Option<(&'static str, &'static [(&'static str, Source)])>,
    /// Where in the description the job is, and where in the job its state.
    pub(crate) at: &'static [&'static str],
    pub(crate) state: &'static [&'static str],
    pub(crate) succeeded: &'static [&'static str],
    pub(crate) failed: &'static [&'static str],
    /// What a task sees of it.
    pub(crate) shown: Shown,
    /// Whether a job that is not there any more has done what it was to do.
    pub(crate) may_be_gone: bool,
}

/// Where a member of a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The first answer, as the task saw it; `*` is every item of a list.
    Answer(&'static [&'static str]),
    /// The same, as the only item of a list.
    AnswerInList(&'static [&'static str]),
    /// The task's arguments.
    Argument(&'static str),
    /// This text.
    Text(&'static str),
}

/// What a task sees of a job that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown {
    /// The job alone.
    Job,
    /// The job under this name.
    Under(&'static str),
    /// The same beside an id from the answer.
    UnderWith(&'static str, &'static str, Source),
}

use self::Source::{Answer, AnswerInList, Argument, Text};

const fn call(name: &'static str, operation: (&'static str, &'static str)) -> JobAction {
    JobAction { name, operation, given: &[], answered: &[], json: &[], job: None }
}

const fn job(name: &'static str, operation: (&'static str, &'static str), job: Job) -> JobAction {
    JobAction { name, operation, given: &[], answered: &[], json: &[], job: Some(job) }
}

const fn same(task: &'static str, model: &'static str) -> Renamed {
    Renamed { task, model, in_list: false }
}

const fn only(task: &'static str, model: &'static str) -> Renamed {
    Renamed { task, model, in_list: true }
}

const fn one(
    describe: (&'static str, &'static [(&'static str, Source)]),
    at: &'static [&'static str],
    state: &'static [&'static str],
    succeeded: &'static [&'static str],
    failed: &'static [&'static str],
    shown: Shown,
) -> Job {
    Job { describe, stop: None, at, state, succeeded, failed, shown, may_be_gone: false }
}

impl Job {
    const fn stopped_by(mut self, operation: &'static str, with: &'static [(&'static str, Source)]) -> Job {
        self.stop = Some((operation, with));
        self
    }

    const fn done_when_gone(mut self) -> Job {
        self.may_be_gone = true;
        self
    }
}

const REASON: &str = "Job was stopped by AWS Step Functions.";

/// A job of SageMaker: it is named by the task, and its operations by its kind.
macro_rules! sagemaker_job {
    ($action:literal, $kind:literal) => {
        job(
            $action,
            ("sagemaker", concat!("Create", $kind)),
            one(
                (concat!("Describe", $kind), &[(concat!($kind, "Name"), Argument(concat!($kind, "Name")))]),
                &[],
                &[concat!($kind, "Status")],
                &["Completed"],
                &["Failed", "Stopped"],
                Shown::Job,
            )
            .stopped_by(concat!("Stop", $kind), &[(concat!($kind, "Name"), Argument(concat!($kind, "Name")))]),
        )
    };
}

/// A change of an application of EMR Serverless, until it has one of these states.
macro_rules! application {
    ($action:literal, $operation:literal, $id:expr, $states:expr, $otherwise:expr) => {
        job(
            $action,
            ("emr-serverless", $operation),
            one(
                ("GetApplication", &[("applicationId", $id)]),
                &["application"],
                &["state"],
                $states,
                $otherwise,
                Shown::Under("Application"),
            ),
        )
    };
}

const BUILD: Job = one(
    ("BatchGetBuilds", &[("ids", AnswerInList(&["Build", "Id"]))]),
    &["builds", "0"],
    &["buildStatus"],
    &["SUCCEEDED"],
    &["FAILED", "FAULT", "STOPPED", "TIMED_OUT"],
    Shown::Under("Build"),
)
.stopped_by("StopBuild", &[("id", Answer(&["Build", "Id"]))]);

const BUILD_BATCH: Job = one(
    ("BatchGetBuildBatches", &[("ids", AnswerInList(&["BuildBatch", "Id"]))]),
    &["buildBatches", "0"],
    &["buildBatchStatus"],
    &["SUCCEEDED"],
    &["FAILED", "FAULT", "STOPPED", "TIMED_OUT"],
    Shown::Under("BuildBatch"),
)
.stopped_by("StopBuildBatch", &[("id", Answer(&["BuildBatch", "Id"]))]);

const CLUSTER: (&str, &[(&str, Source)]) = ("DescribeCluster", &[("name", Argument("Name"))]);
const NODEGROUP: (&str, &[(&str, Source)]) =
    ("DescribeNodegroup", &[("clusterName", Argument("ClusterName")), ("nodegroupName", Argument("NodegroupName"))]);
const FARGATE_PROFILE: (&str, &[(&str, Source)]) = (
    "DescribeFargateProfile",
    &[("clusterName", Argument("ClusterName")), ("fargateProfileName", Argument("FargateProfileName"))],
);

const QUERY: &[(&str, Source)] = &[("QueryExecutionId", Answer(&["QueryExecutionId"]))];

/// All of them, by name.
pub(crate) const JOB_SERVICES: &[JobService] = &[
    JobService {
        name: "athena",
        prefix: "Athena",
        words: "AmazonAthena",
        actions: &[
            job(
                "startQueryExecution",
                ("athena", "StartQueryExecution"),
                one(
                    ("GetQueryExecution", QUERY),
                    &["QueryExecution"],
                    &["Status", "State"],
                    &["SUCCEEDED"],
                    &["FAILED", "CANCELLED"],
                    Shown::Under("QueryExecution"),
                )
                .stopped_by("StopQueryExecution", QUERY),
            ),
            call("stopQueryExecution", ("athena", "StopQueryExecution")),
            call("getQueryExecution", ("athena", "GetQueryExecution")),
            call("getQueryResults", ("athena", "GetQueryResults")),
        ],
    },
    JobService {
        name: "batch",
        prefix: "Batch",
        words: "AWSBatch",
        actions: &[job(
            "submitJob",
            ("batch", "SubmitJob"),
            one(
                ("DescribeJobs", &[("jobs", AnswerInList(&["JobId"]))]),
                &["jobs", "0"],
                &["status"],
                &["SUCCEEDED"],
                &["FAILED"],
                Shown::Job,
            )
            .stopped_by("TerminateJob", &[("jobId", Answer(&["JobId"])), ("reason", Text(REASON))]),
        )],
    },
    JobService {
        name: "bedrock",
        prefix: "Bedrock",
        words: "AmazonBedrock",
        actions: &[
            JobAction {
                name: "invokeModel",
                operation: ("bedrock-runtime", "InvokeModel"),
                given: &[],
                answered: &[],
                json: &["Body"],
                job: None,
            },
            job(
                "createModelCustomizationJob",
                ("bedrock", "CreateModelCustomizationJob"),
                one(
                    ("GetModelCustomizationJob", &[("jobIdentifier", Answer(&["JobArn"]))]),
                    &[],
                    &["status"],
                    &["Completed"],
                    &["Failed", "Stopped"],
                    Shown::Job,
                )
                .stopped_by("StopModelCustomizationJob", &[("jobIdentifier", Answer(&["JobArn"]))]),
            ),
        ],
    },
    JobService {
        name: "codebuild",
        prefix: "CodeBuild",
        words: "AWSCodeBuild",
        actions: &[
            job("startBuild", ("codebuild", "StartBuild"), BUILD),
            call("stopBuild", ("codebuild", "StopBuild")),
            call("batchDeleteBuilds", ("codebuild", "BatchDeleteBuilds")),
            call("batchGetReports", ("codebuild", "BatchGetReports")),
            job("startBuildBatch", ("codebuild", "StartBuildBatch"), BUILD_BATCH),
            call("stopBuildBatch", ("codebuild", "StopBuildBatch")),
            job("retryBuildBatch", ("codebuild", "RetryBuildBatch"), BUILD_BATCH),
            call("deleteBuildBatch", ("codebuild", "DeleteBuildBatch")),
        ],
    },
    JobService {
        name: "databrew",
        prefix: "DataBrew",
        words: "AWSGlueDataBrew",
        actions: &[job(
            "startJobRun",
            ("databrew", "StartJobRun"),
            one(
                ("DescribeJobRun", &[("Name", Argument("Name")), ("RunId", Answer(&["RunId"]))]),
                &[],
                &["State"],
                &["SUCCEEDED"],
                &["FAILED", "STOPPED", "TIMEOUT"],
                Shown::Job,
            )
            .stopped_by("StopJobRun", &[("Name", Argument("Name")), ("RunId", Answer(&["RunId"]))]),
        )],
    },
    JobService {
        name: "ecs",
        prefix: "ECS",
        words: "AmazonECS",
        actions: &[job(
            "runTask",
            ("ecs", "RunTask"),
            one(
                (
                    "DescribeTasks",
                    &[
                        ("cluster", Answer(&["Tasks", "0", "ClusterArn"])),
                        ("tasks", Answer(&["Tasks", "*", "TaskArn"])),
                    ],
                ),
                &["tasks", "0"],
                &["lastStatus"],
                // Whether a stopped task did its work, its containers say.
                &["STOPPED"],
                &[],
                Shown::Job,
            )
            .stopped_by(
                "StopTask",
                &[
                    ("cluster", Answer(&["Tasks", "0", "ClusterArn"])),
                    ("task", Answer(&["Tasks", "0", "TaskArn"])),
                    ("reason", Text(REASON)),
                ],
            ),
        )],
    },
    JobService {
        name: "eks",
        prefix: "EKS",
        words: "AmazonEKS",
        actions: &[
            job(
                "createCluster",
                ("eks", "CreateCluster"),
                one(CLUSTER, &["cluster"], &["status"], &["ACTIVE"], &["FAILED"], Shown::Under("Cluster")),
            ),
            job(
                "deleteCluster",
                ("eks", "DeleteCluster"),
                one(CLUSTER, &["cluster"], &["status"], &[], &["FAILED"], Shown::Under("Cluster")).done_when_gone(),
            ),
            job(
                "createFargateProfile",
                ("eks", "CreateFargateProfile"),
                one(
                    FARGATE_PROFILE,
                    &["fargateProfile"],
                    &["status"],
                    &["ACTIVE"],
                    &["CREATE_FAILED"],
                    Shown::Under("FargateProfile"),
                ),
            ),
            job(
                "deleteFargateProfile",
                ("eks", "DeleteFargateProfile"),
                one(
                    FARGATE_PROFILE,
                    &["fargateProfile"],
                    &["status"],
                    &[],
                    &["DELETE_FAILED"],
                    Shown::Under("FargateProfile"),
                )
                .done_when_gone(),
            ),
            job(
                "createNodegroup",
                ("eks", "CreateNodegroup"),
                one(
                    NODEGROUP,
                    &["nodegroup"],
                    &["status"],
                    &["ACTIVE"],
                    &["CREATE_FAILED", "DEGRADED"],
                    Shown::Under("Nodegroup"),
                ),
            ),
            job(
                "deleteNodegroup",
                ("eks", "DeleteNodegroup"),
                one(NODEGROUP, &["nodegroup"], &["status"], &[], &["DELETE_FAILED"], Shown::Under("Nodegroup"))
                    .done_when_gone(),
            ),
        ],
    },
    JobService {
        name: "elasticmapreduce",
        prefix: "ElasticMapReduce",
        words: "AmazonElasticMapReduce",
        actions: &[
            JobAction {
                name: "createCluster",
                operation: ("emr", "RunJobFlow"),
                given: &[],
                answered: &[same("ClusterId", "JobFlowId")],
                json: &[],
                job: Some(one(
                    ("DescribeCluster", &[("ClusterId", Answer(&["ClusterId"]))]),
                    &["Cluster"],
                    &["Status", "State"],
                    // One without further work to wait for ends by itself.
                    &["WAITING", "TERMINATED"],
                    &["TERMINATED_WITH_ERRORS"],
                    Shown::UnderWith("Cluster", "ClusterId", Answer(&["ClusterId"])),
                )),
            },
            JobAction {
                name: "setClusterTerminationProtection",
                operation: ("emr", "SetTerminationProtection"),
                given: &[only("ClusterId", "JobFlowIds")],
                answered: &[],
                json: &[],
                job: None,
            },
            JobAction {
                name: "terminateCluster",
                operation: ("emr", "TerminateJobFlows"),
                given: &[only("ClusterId", "JobFlowIds")],
                answered: &[],
                json: &[],
                job: Some(one(
                    ("DescribeCluster", &[("ClusterId", Argument("ClusterId"))]),
                    &["Cluster"],
                    &["Status", "State"],
                    &["TERMINATED", "TERMINATED_WITH_ERRORS"],
                    &[],
                    Shown::UnderWith("Cluster", "ClusterId", Argument("ClusterId")),
                )),
            },
            JobAction {
                name: "addStep",
                operation: ("emr", "AddJobFlowSteps"),
                given: &[same("ClusterId", "JobFlowId"), only("Step", "Steps")],
                answered: &[only("StepId", "StepIds")],
                json: &[],
                job: Some(
                    one(
                        ("DescribeStep", &[("ClusterId", Argument("ClusterId")), ("StepId", Answer(&["StepId"]))]),
                        &["Step"],
                        &["Status", "State"],
                        &["COMPLETED"],
                        &["CANCELLED", "FAILED", "INTERRUPTED"],
                        Shown::UnderWith("Step", "StepId", Answer(&["StepId"])),
                    )
                    .stopped_by(
                        "CancelSteps",
                        &[("ClusterId", Argument("ClusterId")), ("StepIds", AnswerInList(&["StepId"]))],
                    ),
                ),
            },
            JobAction {
                name: "cancelStep",
                operation: ("emr", "CancelSteps"),
                given: &[only("StepId", "StepIds")],
                answered: &[only("CancelStepsInfo", "CancelStepsInfoList")],
                json: &[],
                job: None,
            },
            call("modifyInstanceFleetByName", ("emr", "ModifyInstanceFleet")),
            JobAction {
                name: "modifyInstanceGroupByName",
                operation: ("emr", "ModifyInstanceGroups"),
                given: &[only("InstanceGroup", "InstanceGroups")],
                answered: &[],
                json: &[],
                job: None,
            },
        ],
    },
    JobService {
        name: "emr-containers",
        prefix: "EMRContainers",
        words: "AmazonEMRContainers",
        actions: &[
            call("createVirtualCluster", ("emr-containers", "CreateVirtualCluster")),
            job(
                "deleteVirtualCluster",
                ("emr-containers", "DeleteVirtualCluster"),
                one(
                    ("DescribeVirtualCluster", &[("id", Answer(&["Id"]))]),
                    &["virtualCluster"],
                    &["state"],
                    &["TERMINATED"],
                    &["ARRESTED"],
                    Shown::Under("VirtualCluster"),
                )
                .done_when_gone(),
            ),
            job(
                "startJobRun",
                ("emr-containers", "StartJobRun"),
                one(
                    ("DescribeJobRun", &[("id", Answer(&["Id"])), ("virtualClusterId", Answer(&["VirtualClusterId"]))]),
                    &["jobRun"],
                    &["state"],
                    &["COMPLETED"],
                    &["FAILED", "CANCELLED"],
                    Shown::Job,
                )
                .stopped_by(
                    "CancelJobRun",
                    &[("id", Answer(&["Id"])), ("virtualClusterId", Answer(&["VirtualClusterId"]))],
                ),
            ),
        ],
    },
    JobService {
        name: "emr-serverless",
        prefix: "EmrServerless",
        words: "AmazonEMRServerless",
        actions: &[
            application!(
                "createApplication",
                "CreateApplication",
                Answer(&["ApplicationId"]),
                // One that starts by itself may have done so.
                &["CREATED", "STARTING", "STARTED"],
                &["TERMINATED"]
            ),
            application!(
                "startApplication",
                "StartApplication",
                Argument("ApplicationId"),
                &["STARTED"],
                &["STOPPED", "TERMINATED"]
            ),
            application!(
                "stopApplication",
                "StopApplication",
                Argument("ApplicationId"),
                &["STOPPED"],
                &["TERMINATED"]
            ),
            application!("deleteApplication", "DeleteApplication", Argument("ApplicationId"), &["TERMINATED"], &[]),
            job(
                "startJobRun",
                ("emr-serverless", "StartJobRun"),
                one(
                    (
                        "GetJobRun",
                        &[("applicationId", Answer(&["ApplicationId"])), ("jobRunId", Answer(&["JobRunId"]))],
                    ),
                    &["jobRun"],
                    &["state"],
                    &["SUCCESS"],
                    &["FAILED", "CANCELLED"],
                    Shown::Under("JobRun"),
                )
                .stopped_by(
                    "CancelJobRun",
                    &[("applicationId", Answer(&["ApplicationId"])), ("jobRunId", Answer(&["JobRunId"]))],
                ),
            ),
            job(
                "cancelJobRun",
                ("emr-serverless", "CancelJobRun"),
                one(
                    ("GetJobRun", &[("applicationId", Argument("ApplicationId")), ("jobRunId", Argument("JobRunId"))]),
                    &["jobRun"],
                    &["state"],
                    &["CANCELLED"],
                    &["FAILED", "SUCCESS"],
                    Shown::Under("JobRun"),
                ),
            ),
        ],
    },
    JobService {
        name: "glue",
        prefix: "Glue",
        words: "AWSGlue",
        actions: &[job(
            "startJobRun",
            ("glue", "StartJobRun"),
            one(
                ("GetJobRun", &[("JobName", Argument("JobName")), ("RunId", Answer(&["JobRunId"]))]),
                &["JobRun"],
                &["JobRunState"],
                &["SUCCEEDED"],
                &["FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"],
                Shown::Job,
            )
            .stopped_by(
                "BatchStopJobRun",
                &[("JobName", Argument("JobName")), ("JobRunIds", AnswerInList(&["JobRunId"]))],
            ),
        )],
    },
    JobService {
        name: "mediaconvert",
        prefix: "MediaConvert",
        words: "AWSMediaConvert",
        actions: &[job(
            "createJob",
            ("mediaconvert", "CreateJob"),
            one(
                ("GetJob", &[("Id", Answer(&["Job", "Id"]))]),
                &["Job"],
                &["Status"],
                &["COMPLETE"],
                &["CANCELED", "ERROR"],
                Shown::Under("Job"),
            )
            .stopped_by("CancelJob", &[("Id", Answer(&["Job", "Id"]))]),
        )],
    },
    JobService {
        name: "sagemaker",
        prefix: "SageMaker",
        words: "AmazonSageMaker",
        actions: &[
            call("createEndpoint", ("sagemaker", "CreateEndpoint")),
            call("createEndpointConfig", ("sagemaker", "CreateEndpointConfig")),
            sagemaker_job!("createHyperParameterTuningJob", "HyperParameterTuningJob"),
            sagemaker_job!("createLabelingJob", "LabelingJob"),
            call("createModel", ("sagemaker", "CreateModel")),
            sagemaker_job!("createProcessingJob", "ProcessingJob"),
            sagemaker_job!("createTrainingJob", "TrainingJob"),
            sagemaker_job!("createTransformJob", "TransformJob"),
            call("updateEndpoint", ("sagemaker", "UpdateEndpoint")),
        ],
    },
];

/// Actions that AWS has and that nothing here does: a stream of events, which no model here has.
pub(crate) const NOT_DONE: &[(&str, &str)] = &[("bedrockagentcore", "invokeHarness")];
