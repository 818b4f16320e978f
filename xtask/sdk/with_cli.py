"""Drives every action with the command `aws stepfunctions`, as a shell script of a user's would.

    with_cli.py AWS ENDPOINT

AWS is the command. Prints its version, then `called ACTION` for each action that was answered well, and fails at the first answer that is not
what it should be. The access key is an account of its own, so that nothing else is in its lists.
"""

import json
import os
import subprocess
import sys
import time

AWS, ENDPOINT = sys.argv[1:]
ACCOUNT = "333333333333"
ARNS = f"arn:aws:states:us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")},
    "AWS_ENDPOINT_URL_SFN": ENDPOINT,
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "stepwell-sdk-cli-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_DEFAULT_OUTPUT": "json",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_PAGER": "",
    # Nothing of whoever runs this counts.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
NO_PREFIX = {"AWS_DISABLE_HOST_PREFIX_INJECTION": "true"}

called = set()


def start(subcommand, words, settings):
    """`subcommand --name value …`; what is no text is written as JSON, and `True` is a flag."""
    line = [AWS, "stepfunctions", subcommand]
    for name, value in words.items():
        line.append("--" + name.replace("_", "-"))
        if value is not True:
            line.append(value if isinstance(value, str) else json.dumps(value))
    pipe = subprocess.PIPE
    return subprocess.Popen(line, env={**ENVIRONMENT, **settings}, stdout=pipe, stderr=pipe, text=True)


def finish(subcommand, process):
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, f"{subcommand} exits {process.returncode}: {stderr}"
    called.add("".join(word.capitalize() for word in subcommand.split("-")))
    return json.loads(stdout) if stdout.strip() else {}


def aws(subcommand, settings={}, **words):
    return finish(subcommand, start(subcommand, words, settings))


def refused(exception, subcommand, **words):
    process = start(subcommand, words, NO_PREFIX)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode in (254, 255) and f"An error occurred ({exception}) when calling" in stderr, (
        process.returncode,
        stdout,
        stderr,
    )
    return stderr


def until(look, is_so):
    """What is seen, once it is as it should be."""
    for _ in range(60):
        seen = look()
        if is_so(seen):
            return seen
        time.sleep(0.1)
    raise AssertionError(f"it never came: {seen}")


def ended(execution, status):
    described = until(
        lambda: aws("describe-execution", execution_arn=execution), lambda seen: seen["status"] != "RUNNING"
    )
    assert described["status"] == status, described
    return described


def define(states):
    return json.dumps({"StartAt": next(iter(states)), "States": states})


PASS = define({"P": {"Type": "Pass", "End": True}})


def state_machines():
    made = aws("create-state-machine", name="shop", definition=PASS, role_arn=ROLE, tags=[{"key": "a", "value": "b"}])
    shop = made["stateMachineArn"]
    assert shop == f"{ARNS}:stateMachine:shop" and made["creationDate"], made
    other = define({"F": {"Type": "Fail", "Error": "Broken"}})
    said = refused("StateMachineAlreadyExists", "create-state-machine", name="shop", definition=other, role_arn=ROLE)
    assert f"State Machine Already Exists: '{shop}'" in said, said
    described = aws("describe-state-machine", state_machine_arn=shop)
    assert (described["definition"], described["status"]) == (PASS, "ACTIVE"), described
    updated = aws("update-state-machine", state_machine_arn=shop, definition=other, publish=True)
    assert updated["stateMachineVersionArn"] == f"{shop}:1", updated
    aws("create-state-machine", name="twig", definition=PASS, role_arn=ROLE)
    listed = aws("list-state-machines", page_size="1")["stateMachines"]
    assert sorted(machine["name"] for machine in listed) == ["shop", "twig"], listed
    aws("delete-state-machine", state_machine_arn=f"{ARNS}:stateMachine:twig")
    refused("StateMachineDoesNotExist", "describe-state-machine", state_machine_arn=f"{ARNS}:stateMachine:missing")
    return shop


def versions_and_aliases(shop):
    aws("update-state-machine", state_machine_arn=shop, definition=PASS)
    assert aws("publish-state-machine-version", state_machine_arn=shop)["stateMachineVersionArn"] == f"{shop}:2"
    listed = aws("list-state-machine-versions", state_machine_arn=shop)["stateMachineVersions"]
    assert [version["stateMachineVersionArn"] for version in listed] == [f"{shop}:2", f"{shop}:1"], listed
    route = f"stateMachineVersionArn={shop}:1,weight=100"
    alias = aws("create-state-machine-alias", name="live", routing_configuration=route)["stateMachineAliasArn"]
    assert alias == f"{shop}:live", alias
    aws("update-state-machine-alias", state_machine_alias_arn=alias, description="the first")
    described = aws("describe-state-machine-alias", state_machine_alias_arn=alias)
    expected = [{"stateMachineVersionArn": f"{shop}:1", "weight": 100}]
    assert (described["description"], described["routingConfiguration"]) == ("the first", expected), described
    listed = aws("list-state-machine-aliases", state_machine_arn=shop)["stateMachineAliases"]
    assert [each["stateMachineAliasArn"] for each in listed] == [alias], listed
    refused("ConflictException", "delete-state-machine-version", state_machine_version_arn=f"{shop}:1")
    aws("delete-state-machine-alias", state_machine_alias_arn=alias)
    aws("delete-state-machine-version", state_machine_version_arn=f"{shop}:1")
    refused("ResourceNotFound", "describe-state-machine-alias", state_machine_alias_arn=alias)


def tags(shop):
    aws("tag-resource", resource_arn=shop, tags="key=stage,value=dev")
    aws("untag-resource", resource_arn=shop, tag_keys="a")
    assert aws("list-tags-for-resource", resource_arn=shop)["tags"] == [{"key": "stage", "value": "dev"}]


def executions(shop):
    definition = define({"C": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}})
    machine = aws("create-state-machine", name="runs", definition=definition, role_arn=ROLE)["stateMachineArn"]
    text = '{"seconds": 0, "name": "Zoë"}'
    good = aws("start-execution", state_machine_arn=machine, name="good", input=text)["executionArn"]
    assert good == f"{ARNS}:execution:runs:good", good
    described = ended(good, "SUCCEEDED")
    assert described["input"] == text and json.loads(described["output"]) == json.loads(text), described
    said = refused("ExecutionAlreadyExists", "start-execution", state_machine_arn=machine, name="good", input="{}")
    assert f"Execution Already Exists: '{good}'" in said, said
    slow = aws("start-execution", state_machine_arn=machine, name="slow", input='{"seconds":600}')["executionArn"]
    assert aws("stop-execution", execution_arn=slow, error="Enough", cause="it is late")["stopDate"]
    assert ended(slow, "ABORTED")["cause"] == "it is late"
    assert aws("redrive-execution", execution_arn=slow)["redriveDate"]
    assert aws("describe-execution", execution_arn=slow)["redriveCount"] == 1
    aws("stop-execution", execution_arn=slow)
    refused("ExecutionNotRedrivable", "redrive-execution", execution_arn=good)
    listed = aws("list-executions", state_machine_arn=machine, page_size="1")["executions"]
    assert [execution["name"] for execution in listed] == ["slow", "good"], listed
    first = aws("list-executions", state_machine_arn=machine, max_items="1")
    rest = aws("list-executions", state_machine_arn=machine, starting_token=first["NextToken"])
    assert rest["executions"] == listed[1:], rest
    forwards = aws("get-execution-history", execution_arn=good, page_size="2")["events"]
    backwards = aws("get-execution-history", execution_arn=good, reverse_order=True)["events"]
    assert [event["id"] for event in forwards] == [1, 2, 3, 4] and forwards == backwards[::-1], forwards
    of = aws("describe-state-machine-for-execution", execution_arn=good)
    assert (of["stateMachineArn"], of["definition"]) == (machine, definition), of


def activities_and_callbacks():
    activity = aws("create-activity", name="by-hand")["activityArn"]
    assert activity == f"{ARNS}:activity:by-hand", activity
    assert aws("describe-activity", activity_arn=activity)["name"] == "by-hand"
    aws("create-activity", name="second")
    aws("delete-activity", activity_arn=f"{ARNS}:activity:second")
    assert [each["name"] for each in aws("list-activities")["activities"]] == ["by-hand"]
    definition = define({"T": {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 60, "End": True}})
    machine = aws("create-state-machine", name="by-hand", definition=definition, role_arn=ROLE)["stateMachineArn"]

    # The worker asks first and waits for what comes.
    words = {"activity_arn": activity, "worker_name": "worker-1"}
    polling = start("get-activity-task", words, {})
    good = aws("start-execution", state_machine_arn=machine, input='{"n":1}')["executionArn"]
    task = finish("get-activity-task", polling)
    assert json.loads(task["input"]) == {"n": 1}, task
    aws("send-task-heartbeat", task_token=task["taskToken"])
    aws("send-task-success", task_token=task["taskToken"], task_output='{"did":true}')
    assert ended(good, "SUCCEEDED")["output"] == '{"did":true}'
    refused("TaskTimedOut", "send-task-success", task_token=task["taskToken"], task_output="{}")

    bad = aws("start-execution", state_machine_arn=machine)["executionArn"]
    token = aws("get-activity-task", **words)["taskToken"]
    aws("send-task-failure", task_token=token, error="Worker.Gone", cause="it left")
    assert ended(bad, "FAILED")["error"] == "Worker.Gone"
    refused("InvalidToken", "send-task-heartbeat", task_token="nonsense")


def map_runs():
    states = {"W": {"Type": "Wait", "Seconds": 600, "End": True}}
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"ProcessorConfig": mode, "StartAt": "W", "States": states}
    definition = define({"M": {"Type": "Map", "Label": "L", "MaxConcurrency": 1, "ItemProcessor": processor, "End": True}})
    machine = aws("create-state-machine", name="many", definition=definition, role_arn=ROLE)["stateMachineArn"]
    execution = aws("start-execution", state_machine_arn=machine, input="[1,2,3]")["executionArn"]
    (run,) = until(lambda: aws("list-map-runs", execution_arn=execution)["mapRuns"], len)
    arn = run["mapRunArn"]
    described = until(lambda: aws("describe-map-run", map_run_arn=arn), lambda run: run["itemCounts"]["running"] == 1)
    assert (described["status"], described["itemCounts"]["total"]) == ("RUNNING", 3), described
    aws("update-map-run", map_run_arn=arn, max_concurrency="2", tolerated_failure_percentage="12.5")
    described = until(lambda: aws("describe-map-run", map_run_arn=arn), lambda run: run["itemCounts"]["running"] == 2)
    assert (described["maxConcurrency"], described["toleratedFailurePercentage"]) == (2, 12.5), described
    assert len(aws("list-executions", map_run_arn=arn)["executions"]) == 2
    aws("stop-execution", execution_arn=execution)
    assert until(lambda: aws("describe-map-run", map_run_arn=arn), lambda run: run["status"] != "RUNNING")["status"] == (
        "ABORTED"
    )


def validation():
    bad = aws("validate-state-machine-definition", definition=define({"P": {"Type": "Pass", "Next": "Q"}}))
    assert bad["result"] == "FAIL" and bad["diagnostics"][0]["severity"] == "ERROR", bad


def synchronous(settings):
    request = {"name": "quick", "definition": PASS, "role_arn": ROLE, "type": "EXPRESS"}
    machine = aws("create-state-machine", **request)["stateMachineArn"]
    answer = aws("start-sync-execution", settings, state_machine_arn=machine, name="now", input='{"a":1}')
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", '{"a":1}'), answer
    state = '{"Type":"Pass","InputPath":"$.a","Next":"Q"}'
    tested = aws("test-state", settings, definition=state, input='{"a":1}', inspection_level="INFO")
    assert (tested["status"], tested["nextState"], tested["output"]) == ("SUCCEEDED", "Q", "1"), tested


def host_prefix():
    """The two ways to reach what the command calls at `sync-` and the endpoint's host."""
    synchronous(NO_PREFIX)
    # A proxy looks names up in the command's stead. Ours is the server itself, which knows what `sync-localhost` means.
    synchronous({"HTTP_PROXY": ENDPOINT})
    refused("InvalidDefinition", "test-state", definition="{")


print(subprocess.run([AWS, "--version"], check=True, capture_output=True, text=True).stdout.split()[0])
shop = state_machines()
versions_and_aliases(shop)
tags(shop)
executions(shop)
activities_and_callbacks()
map_runs()
validation()
host_prefix()
for action in sorted(called):
    print("called", action)
