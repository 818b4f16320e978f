//! Whole jobs, held against the models: what starts them, what is asked, how they end and what stops them.

use stepwell_spec::SERVICES;

use super::*;
use crate::task::tests::{answer, asked, identity, json, refusal, request, told, unreached};
use crate::task::{call_of, outcome_of};

/// `OPERATION INPUT` of a call.
fn shown_call(call: Option<AwsCall>) -> String {
    call.map_or_else(|| "-".to_owned(), |call| format!("{}.{} {}", call.service, call.action, call.input))
}

fn shown_question(question: Option<Question>) -> String {
    match question {
        Some(Question::Service(call)) => shown_call(Some(call)),
        Some(Question::Address(call)) => panic!("{call:?}"),
        None => shown_call(None),
    }
}

fn shown_progress(progress: Progress) -> String {
    match progress {
        Progress::Running => "running".to_owned(),
        Progress::Over(Command::TaskSucceeded { output, .. }) => format!("succeeded {output}"),
        Progress::Over(Command::TaskFailed { error, cause, .. }) => {
            format!("failed {}: {}", error.as_deref().unwrap_or("-"), cause.as_deref().unwrap_or("-"))
        }
        other => format!("{other:?}"),
    }
}

/// A whole job: what starts it, what is asked next, what comes of an answer, and what stops it.
fn check(named: &str, arguments: &str, started: (&str, &str), polled: &str, described: (&str, &str), stopped: &str) {
    let resource = format!("arn:aws:states:::{named}");
    let request = request(&resource, arguments);
    let task = Task { request: &request, execution: &identity() };
    let call = call_of(task).expect("a call");
    assert_eq!(shown_call(Some(call)), started.0, "{named}");
    let Command::TaskSubmitted { output: submitted, .. } = outcome_of(task, answer(started.1, &[])) else {
        panic!("{named} is submitted");
    };
    assert!(submitted.get("SdkHttpMetadata").is_some(), "{named}: {submitted}");
    assert_eq!(shown_question(poll_of(task, &submitted)), polled, "{named}");
    let progress = progress_of(task, &submitted, Reply::Service(answer(described.0, &[])));
    assert_eq!(shown_progress(progress), described.1, "{named}");
    assert_eq!(shown_question(stop_of(task, &submitted)), stopped, "{named}");
}

#[test]
fn every_action_of_the_table_of_services_is_done_or_said_not_to_be() {
    let done = |service: &str, action: &str| {
        JOB_SERVICES.iter().any(|row| row.name == service && row.actions.iter().any(|row| row.name == action))
    };
    let elsewhere = ["apigateway", "dynamodb", "events", "http", "lambda", "sns", "sqs", "states"];
    for service in SERVICES.iter().filter(|service| !elsewhere.contains(&service.name)) {
        for action in service.actions {
            let is_at_a_cluster = matches!((service.name, action.name), ("eks", "call" | "runJob"));
            let is_not_done = NOT_DONE.contains(&(service.name, action.name));
            assert!(
                is_at_a_cluster || done(service.name, action.name) != is_not_done,
                "{}:{}",
                service.name,
                action.name
            );
        }
    }
}

#[test]
fn rows_name_what_the_models_have() {
    let top = |name: &str| pascal(name).to_string();
    for row in JOB_SERVICES {
        let published = stepwell_spec::service(row.name).expect("a service");
        for action in row.actions {
            let what = format!("{}:{}", row.name, action.name);
            let facts = published.action(action.name).unwrap_or_else(|| panic!("{what}"));
            assert_eq!(facts.sync, action.job.is_some(), "{what}");
            let model = service(action.operation.0).unwrap_or_else(|| panic!("{what}"));
            let started = model.operation(action.operation.1).unwrap_or_else(|| panic!("{what}"));
            let members = |part: &Option<stepwell_protocol::Use>| -> Vec<String> {
                match part.as_ref().map(|part| &model.shape(part.shape).kind) {
                    Some(stepwell_protocol::Kind::Structure(members)) => {
                        members.iter().map(|member| member.name.to_string()).collect()
                    }
                    _ => Vec::new(),
                }
            };
            let (given, answered) = (members(&started.input), members(&started.output));
            for name in action.given {
                assert!(given.contains(&name.model.to_owned()), "{what} takes {}", name.model);
            }
            for name in action.answered {
                assert!(answered.contains(&name.model.to_owned()), "{what} answers {}", name.model);
            }
            let Some(job) = &action.job else { continue };
            for (operation, from) in [Some(job.describe), job.stop].into_iter().flatten() {
                let known = model.operation(operation).unwrap_or_else(|| panic!("{what}: {operation}"));
                let takes = members(&known.input);
                for (member, from) in from {
                    assert!(takes.contains(&(*member).to_owned()), "{what}: {operation} takes {member}");
                    let is_known = match from {
                        Source::Answer(path) | Source::AnswerInList(path) => {
                            let first = path.first().copied().unwrap_or_default();
                            let renamed = action.answered.iter().any(|name| name.task == first);
                            renamed || answered.iter().any(|name| top(name) == first)
                        }
                        Source::Argument(name) => {
                            let renamed = action.given.iter().any(|known| known.task == *name);
                            renamed || given.iter().any(|known| top(known) == *name)
                        }
                        Source::Text(_) => true,
                    };
                    assert!(is_known, "{what}: {operation} is asked with {member} from {from:?}");
                }
            }
            let described = model.operation(job.describe.0).expect("it is known");
            let first = job.at.first().or(job.state.first()).expect("a path");
            assert!(members(&described.output).contains(&(*first).to_owned()), "{what}: {first}");
            assert!(!job.succeeded.is_empty() || job.may_be_gone, "{what} can succeed");
        }
    }
}

#[test]
fn states_of_jobs_are_those_of_the_models() {
    for row in JOB_SERVICES {
        for action in row.actions {
            let Some(job) = &action.job else { continue };
            let model = service(action.operation.0).expect("a model");
            let described = model.operation(job.describe.0).expect("an operation").output.as_ref().expect("an output");
            let path = job.at.iter().chain(job.state);
            let shape = path.fold(model.shape(described.shape), |shape, part| match &shape.kind {
                stepwell_protocol::Kind::List(items) => model.shape(items.shape),
                _ => {
                    let member = shape.member(part).unwrap_or_else(|| panic!("{}: {part}", action.name));
                    model.shape(member.part.shape)
                }
            });
            for state in job.succeeded.iter().chain(job.failed) {
                // ECS says what states there are in its documentation alone.
                let is_known = shape.choices.is_empty() || shape.choices.iter().any(|choice| &**choice == *state);
                assert!(is_known, "{}:{} {state}", row.name, action.name);
            }
        }
    }
}

#[test]
fn jobs_are_started_asked_for_and_stopped() {
    check(
        "batch:submitJob.sync",
        r#"{"JobName":"n","JobQueue":"q","JobDefinition":"d","ContainerOverrides":{"Environment":[{"Name":"A","Value":"1"}]}}"#,
        (
            r#"batch.SubmitJob {"jobName":"n","jobQueue":"q","jobDefinition":"d","containerOverrides":{"environment":[{"name":"A","value":"1"}]}}"#,
            r#"{"jobArn":"arn","jobName":"n","jobId":"j-1"}"#,
        ),
        r#"batch.DescribeJobs {"jobs":["j-1"]}"#,
        (
            r#"{"jobs":[{"jobId":"j-1","status":"FAILED","createdAt":1700000000123,"container":{"exitCode":1}}]}"#,
            r#"failed States.TaskFailed: {"JobId":"j-1","Status":"FAILED","CreatedAt":1700000000123,"Container":{"ExitCode":1}}"#,
        ),
        r#"batch.TerminateJob {"jobId":"j-1","reason":"Job was stopped by AWS Step Functions."}"#,
    );
    check(
        "glue:startJobRun.sync",
        r#"{"JobName":"n","Arguments":{"--a":"1"}}"#,
        (r#"glue.StartJobRun {"JobName":"n","Arguments":{"--a":"1"}}"#, r#"{"JobRunId":"r"}"#),
        r#"glue.GetJobRun {"JobName":"n","RunId":"r"}"#,
        (
            r#"{"JobRun":{"Id":"r","StartedOn":1.5,"JobRunState":"SUCCEEDED"}}"#,
            r#"succeeded {"Id":"r","StartedOn":1500,"JobRunState":"SUCCEEDED"}"#,
        ),
        r#"glue.BatchStopJobRun {"JobName":"n","JobRunIds":["r"]}"#,
    );
    check(
        "athena:startQueryExecution.sync",
        r#"{"QueryString":"SELECT 1"}"#,
        (r#"athena.StartQueryExecution {"QueryString":"SELECT 1"}"#, r#"{"QueryExecutionId":"e"}"#),
        r#"athena.GetQueryExecution {"QueryExecutionId":"e"}"#,
        (r#"{"QueryExecution":{"Status":{"State":"RUNNING"}}}"#, "running"),
        r#"athena.StopQueryExecution {"QueryExecutionId":"e"}"#,
    );
    check(
        "codebuild:startBuild.sync",
        r#"{"ProjectName":"p"}"#,
        (r#"codebuild.StartBuild {"projectName":"p"}"#, r#"{"build":{"id":"b:1","buildStatus":"IN_PROGRESS"}}"#),
        r#"codebuild.BatchGetBuilds {"ids":["b:1"]}"#,
        (
            r#"{"builds":[{"id":"b:1","buildStatus":"SUCCEEDED"}]}"#,
            r#"succeeded {"Build":{"Id":"b:1","BuildStatus":"SUCCEEDED"}}"#,
        ),
        r#"codebuild.StopBuild {"id":"b:1"}"#,
    );
    check(
        "sagemaker:createTrainingJob.sync",
        r#"{"TrainingJobName":"t"}"#,
        (r#"sagemaker.CreateTrainingJob {"TrainingJobName":"t"}"#, r#"{"TrainingJobArn":"arn"}"#),
        r#"sagemaker.DescribeTrainingJob {"TrainingJobName":"t"}"#,
        (
            r#"{"TrainingJobName":"t","TrainingJobStatus":"Completed"}"#,
            r#"succeeded {"TrainingJobName":"t","TrainingJobStatus":"Completed"}"#,
        ),
        r#"sagemaker.StopTrainingJob {"TrainingJobName":"t"}"#,
    );
    check(
        "elasticmapreduce:addStep.sync",
        r#"{"ClusterId":"j-1","Step":{"Name":"s"}}"#,
        (r#"emr.AddJobFlowSteps {"JobFlowId":"j-1","Steps":[{"Name":"s"}]}"#, r#"{"StepIds":["s-1"]}"#),
        r#"emr.DescribeStep {"ClusterId":"j-1","StepId":"s-1"}"#,
        (
            r#"{"Step":{"Id":"s-1","Status":{"State":"COMPLETED"}}}"#,
            r#"succeeded {"Step":{"Id":"s-1","Status":{"State":"COMPLETED"}},"StepId":"s-1"}"#,
        ),
        r#"emr.CancelSteps {"ClusterId":"j-1","StepIds":["s-1"]}"#,
    );
    check(
        "emr-serverless:startJobRun.sync",
        r#"{"ApplicationId":"a","ExecutionRoleArn":"r"}"#,
        (
            r#"emr-serverless.StartJobRun {"applicationId":"a","executionRoleArn":"r"}"#,
            r#"{"applicationId":"a","jobRunId":"j"}"#,
        ),
        r#"emr-serverless.GetJobRun {"applicationId":"a","jobRunId":"j"}"#,
        (r#"{"jobRun":{"state":"SUCCESS"}}"#, r#"succeeded {"JobRun":{"State":"SUCCESS"}}"#),
        r#"emr-serverless.CancelJobRun {"applicationId":"a","jobRunId":"j"}"#,
    );
}

#[test]
fn a_task_of_ecs_has_done_its_work_when_its_containers_ended_well() {
    let started = (
        r#"ecs.RunTask {"taskDefinition":"t"}"#,
        r#"{"tasks":[{"taskArn":"a","clusterArn":"c"},{"taskArn":"b","clusterArn":"c"}],"failures":[]}"#,
    );
    let polled = r#"ecs.DescribeTasks {"cluster":"c","tasks":["a","b"]}"#;
    let stopped = r#"ecs.StopTask {"cluster":"c","task":"a","reason":"Job was stopped by AWS Step Functions."}"#;
    let described = |one: &str, other: &str| {
        format!(
            r#"{{"tasks":[{{"lastStatus":"STOPPED","containers":[{{"exitCode":{one}}}]}},{{"lastStatus":"{other}","containers":[{{"exitCode":0}}]}}]}}"#
        )
    };
    for (answer, expected) in [
        (described("0", "RUNNING"), "running"),
        (described("0", "STOPPED"), r#"succeeded {"LastStatus":"STOPPED","Containers":[{"ExitCode":0}]}"#),
        (
            described("3", "STOPPED"),
            r#"failed States.TaskFailed: {"LastStatus":"STOPPED","Containers":[{"ExitCode":3}]}"#,
        ),
        (r#"{"tasks":[]}"#.to_owned(), "running"),
    ] {
        check("ecs:runTask.sync", r#"{"TaskDefinition":"t"}"#, started, polled, (&answer, expected), stopped);
    }
    let unplaced = r#"{"tasks":[],"failures":[{"arn":"i","reason":"RESOURCE:MEMORY"}]}"#;
    let expected = r#"AmazonECS.Unknown: {"Tasks":[],"Failures":[{"Arn":"i","Reason":"RESOURCE:MEMORY"}]}"#;
    for pattern in [".sync", ".waitForTaskToken"] {
        assert_eq!(told(&format!("arn:aws:states:::ecs:runTask{pattern}"), answer(unplaced, &[])), expected);
    }
    let seen = told("arn:aws:states:::ecs:runTask", answer(unplaced, &[]));
    assert!(seen.starts_with(r#"{"Failures":[{"Arn":"i""#), "{seen}");
}

#[test]
fn what_is_to_go_is_done_when_it_is_gone() {
    let request = request("arn:aws:states:::eks:deleteCluster.sync", r#"{"Name":"c"}"#);
    let task = Task { request: &request, execution: &identity() };
    let Command::TaskSubmitted { output, .. } = outcome_of(task, answer(r#"{"cluster":{"name":"c"}}"#, &[])) else {
        panic!("it is submitted");
    };
    let progress = progress_of(task, &output, Reply::Service(answer(r#"{"cluster":{"status":"DELETING"}}"#, &[])));
    assert_eq!(shown_progress(progress), "running");
    let progress = progress_of(task, &output, Reply::Service(refusal("ResourceNotFoundException", "No.", 404)));
    assert_eq!(shown_progress(progress), r#"succeeded {"Cluster":{"Name":"c"}}"#);
    assert!(stop_of(task, &output).is_none());
}

#[test]
fn a_job_that_cannot_be_asked_for_now_is_asked_for_again() {
    let request = request("arn:aws:states:::glue:startJobRun.sync", r#"{"JobName":"n"}"#);
    let task = Task { request: &request, execution: &identity() };
    let submitted = json(r#"{"JobRunId":"r"}"#);
    let progress = |answer: AwsAnswer| shown_progress(progress_of(task, &submitted, Reply::Service(answer)));
    assert_eq!(progress(unreached("Nobody.")), "running");
    assert_eq!(progress(refusal("ThrottlingException", "Slow down.", 400)), "running");
    let gone = progress(refusal("EntityNotFoundException", "No.", 400));
    let expected = "failed Glue.EntityNotFoundException: No. (Service: AWSGlue; Status Code: 400; Error Code: \
                    EntityNotFoundException; Request ID: id-1; Proxy: null)";
    assert_eq!(gone, expected);
    assert!(poll_of(task, &json("{}")).is_none(), "nobody knows which job");
}

#[test]
fn single_calls_are_answered_as_they_are() {
    assert_eq!(
        asked("arn:aws:states:::bedrock:invokeModel", r#"{"ModelId":"m","Body":{"a":1}}"#),
        r#"bedrock-runtime.InvokeModel {"modelId":"m","body":"eyJhIjoxfQ=="}"#
    );
    let seen =
        told("arn:aws:states:::bedrock:invokeModel", answer(r#"{"body":"eyJhIjoxfQ==","contentType":"j"}"#, &[]));
    assert!(seen.starts_with(r#"{"Body":{"a":1},"ContentType":"j","SdkHttpMetadata""#), "{seen}");
    assert_eq!(
        asked(
            "arn:aws:states:::elasticmapreduce:setClusterTerminationProtection",
            r#"{"ClusterId":"j","TerminationProtected":true}"#
        ),
        r#"emr.SetTerminationProtection {"JobFlowIds":["j"],"TerminationProtected":true}"#
    );
    let refused = told("arn:aws:states:::batch:submitJob", refusal("ClientException", "No.", 400));
    assert!(refused.starts_with("Batch.ClientException: No. (Service: AWSBatch; Status Code: 400;"), "{refused}");
    let refused = told("arn:aws:states:::batch:submitJob", refusal("AccessDenied", "No.", 403));
    assert!(refused.starts_with("Batch.AWSBatchException: No. "), "{refused}");
}
