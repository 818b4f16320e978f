"""Drives every action with boto3, as a program of a user's would.

    with_boto3.py ENDPOINT

Prints its version, then `called ACTION` for each action that was answered well, and fails at the first answer that is not what it should be.
The access key is an account of its own, so that nothing else is in its lists.
"""

import json
import socket
import sys
import threading
from datetime import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

ENDPOINT = sys.argv[1]
ACCOUNT = "111111111111"
SECRET = "stepwell-sdk-boto3-secret"
ARNS = f"arn:aws:states:us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"

called = set()


def note(http_response, model, **_):
    if http_response.status_code == 200:
        called.add(model.name)


def client(secret=SECRET, **settings):
    made = boto3.client(
        "stepfunctions",
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=70, **settings),
    )
    made.meta.events.register("after-call.stepfunctions.*", note)
    return made


def define(states, start=None, **fields):
    return json.dumps({"StartAt": start or next(iter(states)), "States": states, **fields})


def refused(exception, call, **request):
    """The call is refused with this class of the SDK's; gives what it says."""
    try:
        answer = call(**request)
    except exception as refusal:
        error = refusal.response["Error"]
        assert error["Code"] == exception.__name__ or exception is sfn.exceptions.ClientError, error
        assert 400 <= refusal.response["ResponseMetadata"]["HTTPStatusCode"] < 500, refusal.response
        return error
    raise AssertionError(f"{request} is answered {answer}")


def ended(execution, status):
    """The execution, once it is over."""
    for _ in range(200):
        described = sfn.describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            assert described["status"] == status, described
            return described
        threading.Event().wait(0.05)
    raise AssertionError(f"{execution} does not end")


def until(look, is_so):
    """What is seen, once it is as it should be."""
    for _ in range(200):
        seen = look()
        if is_so(seen):
            return seen
        threading.Event().wait(0.05)
    raise AssertionError(f"it never came: {seen}")


def state_machines():
    definition = define({"P": {"Type": "Pass", "End": True}})
    made = sfn.create_state_machine(
        name="shop", definition=definition, roleArn=ROLE, tags=[{"key": "team", "value": "a"}]
    )
    shop = made["stateMachineArn"]
    assert shop == f"{ARNS}:stateMachine:shop", shop
    assert isinstance(made["creationDate"], datetime) and made["creationDate"].tzinfo, made
    again = sfn.create_state_machine(name="shop", definition=definition, roleArn=ROLE, tags=[{"key": "team", "value": "a"}])
    assert again["creationDate"] == made["creationDate"]
    error = refused(
        sfn.exceptions.StateMachineAlreadyExists,
        sfn.create_state_machine,
        name="shop",
        definition=define({"Q": {"Type": "Succeed"}}),
        roleArn=ROLE,
    )
    assert error["Message"] == f"State Machine Already Exists: '{shop}'", error
    refused(sfn.exceptions.InvalidDefinition, sfn.create_state_machine, name="x", definition="{", roleArn=ROLE)
    refused(sfn.exceptions.InvalidName, sfn.create_state_machine, name="a b", definition=definition, roleArn=ROLE)
    missing = f"{ARNS}:stateMachine:missing"
    error = refused(sfn.exceptions.StateMachineDoesNotExist, sfn.describe_state_machine, stateMachineArn=missing)
    assert error["Message"] == f"State Machine Does Not Exist: '{missing}'", error
    refused(sfn.exceptions.InvalidArn, sfn.describe_state_machine, stateMachineArn="nonsense")

    described = sfn.describe_state_machine(stateMachineArn=shop)
    expected = {"name": "shop", "status": "ACTIVE", "type": "STANDARD", "definition": definition, "roleArn": ROLE}
    assert expected.items() <= described.items(), described
    other = define({"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "End": True}})
    updated = sfn.update_state_machine(
        stateMachineArn=shop, definition=other, publish=True, versionDescription="the second"
    )
    assert updated["stateMachineVersionArn"] == f"{shop}:1" and updated["updateDate"] >= made["creationDate"], updated
    assert sfn.describe_state_machine(stateMachineArn=shop)["definition"] == other

    for name in ("tree", "twig"):
        sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    pages = list(sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1}))
    names = [machine["name"] for page in pages for machine in page["stateMachines"]]
    assert sorted(names) == ["shop", "tree", "twig"] and len(pages) >= 3, names
    error = refused(sfn.exceptions.InvalidToken, sfn.list_state_machines, nextToken="nonsense")
    assert error["Message"], error
    assert sfn.delete_state_machine(stateMachineArn=f"{ARNS}:stateMachine:twig")["ResponseMetadata"]["RequestId"]
    until(sfn.list_state_machines, lambda listed: len(listed["stateMachines"]) == 2)
    return shop


def versions_and_aliases(shop):
    second = sfn.publish_state_machine_version(stateMachineArn=shop, description="unchanged")
    assert second["stateMachineVersionArn"] == f"{shop}:1", "one revision has one version"
    definition = define({"Q": {"Type": "Succeed"}})
    sfn.update_state_machine(stateMachineArn=shop, definition=definition)
    second = sfn.publish_state_machine_version(stateMachineArn=shop, description="shorter")["stateMachineVersionArn"]
    assert second == f"{shop}:2", second
    listed = sfn.list_state_machine_versions(stateMachineArn=shop, maxResults=1)
    assert [version["stateMachineVersionArn"] for version in listed["stateMachineVersions"]] == [second], listed
    listed = sfn.list_state_machine_versions(stateMachineArn=shop, nextToken=listed["nextToken"])
    assert [version["stateMachineVersionArn"] for version in listed["stateMachineVersions"]] == [f"{shop}:1"], listed

    route = [{"stateMachineVersionArn": f"{shop}:1", "weight": 100}]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
    assert alias == f"{shop}:live", alias
    split = [{"stateMachineVersionArn": f"{shop}:1", "weight": 10}, {"stateMachineVersionArn": second, "weight": 90}]
    assert isinstance(
        sfn.update_state_machine_alias(stateMachineAliasArn=alias, description="both", routingConfiguration=split)[
            "updateDate"
        ],
        datetime,
    )
    described = sfn.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert described["routingConfiguration"] == split and described["description"] == "both", described
    listed = sfn.list_state_machine_aliases(stateMachineArn=shop)["stateMachineAliases"]
    assert [each["stateMachineAliasArn"] for each in listed] == [alias], listed
    refused(sfn.exceptions.ConflictException, sfn.delete_state_machine_version, stateMachineVersionArn=second)
    started = sfn.start_execution(stateMachineArn=alias)["executionArn"]
    described = ended(started, "SUCCEEDED")
    assert described["stateMachineAliasArn"] == alias and described["stateMachineVersionArn"] in (second, f"{shop}:1")
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
    refused(sfn.exceptions.ResourceNotFound, sfn.describe_state_machine_alias, stateMachineAliasArn=alias)
    sfn.delete_state_machine_version(stateMachineVersionArn=second)
    assert len(sfn.list_state_machine_versions(stateMachineArn=shop)["stateMachineVersions"]) == 1


def tags(shop):
    sfn.tag_resource(resourceArn=shop, tags=[{"key": "stage", "value": "dev"}])
    listed = {tag["key"]: tag["value"] for tag in sfn.list_tags_for_resource(resourceArn=shop)["tags"]}
    assert listed == {"team": "a", "stage": "dev"}, listed
    sfn.untag_resource(resourceArn=shop, tagKeys=["team"])
    assert sfn.list_tags_for_resource(resourceArn=shop)["tags"] == [{"key": "stage", "value": "dev"}]
    refused(sfn.exceptions.ResourceNotFound, sfn.list_tags_for_resource, resourceArn=f"{ARNS}:stateMachine:missing")


def executions():
    definition = define(
        {
            "C": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.fail", "BooleanEquals": True, "Next": "F"}],
                "Default": "W",
            },
            "F": {"Type": "Fail", "Error": "Broken", "Cause": "it was asked for"},
            "W": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "P"},
            "P": {"Type": "Pass", "End": True},
        }
    )
    machine = sfn.create_state_machine(name="runs", definition=definition, roleArn=ROLE)["stateMachineArn"]
    text = json.dumps({"fail": False, "seconds": 0, "name": "Zoë \U0001f600"})
    started = sfn.start_execution(stateMachineArn=machine, name="good", input=text)
    assert started["executionArn"] == f"{ARNS}:execution:runs:good", started
    good = ended(started["executionArn"], "SUCCEEDED")
    assert good["input"] == text and json.loads(good["output"]) == json.loads(text), good
    assert good["stopDate"] >= good["startDate"] and good["redriveCount"] == 0, good
    assert good["inputDetails"] == good["outputDetails"] == {"included": True}, good
    error = refused(
        sfn.exceptions.ExecutionAlreadyExists, sfn.start_execution, stateMachineArn=machine, name="good", input="{}"
    )
    assert error["Message"] == f"Execution Already Exists: '{good['executionArn']}'", error
    refused(sfn.exceptions.InvalidExecutionInput, sfn.start_execution, stateMachineArn=machine, input="{")
    missing = f"{ARNS}:execution:runs:missing"
    refused(sfn.exceptions.ExecutionDoesNotExist, sfn.describe_execution, executionArn=missing)

    slow = sfn.start_execution(stateMachineArn=machine, name="slow", input='{"fail":false,"seconds":600}')["executionArn"]
    stopped = sfn.stop_execution(executionArn=slow, error="Enough", cause="it is late")
    described = ended(slow, "ABORTED")
    assert (described["error"], described["cause"]) == ("Enough", "it is late"), described
    assert described["stopDate"] == stopped["stopDate"], (described, stopped)

    bad = sfn.start_execution(stateMachineArn=machine, name="bad", input='{"fail":true}')["executionArn"]
    described = ended(bad, "FAILED")
    assert (described["error"], described["redriveStatus"]) == ("Broken", "REDRIVABLE"), described
    assert isinstance(sfn.redrive_execution(executionArn=bad)["redriveDate"], datetime)
    described = ended(bad, "FAILED")
    assert described["redriveCount"] == 1, described
    refused(sfn.exceptions.ExecutionNotRedrivable, sfn.redrive_execution, executionArn=good["executionArn"])

    pages = list(sfn.get_paginator("list_executions").paginate(stateMachineArn=machine, PaginationConfig={"PageSize": 2}))
    assert [len(page["executions"]) for page in pages] == [2, 1], pages
    names = [execution["name"] for page in pages for execution in page["executions"]]
    assert names == ["bad", "slow", "good"], names
    listed = sfn.list_executions(stateMachineArn=machine, statusFilter="ABORTED")["executions"]
    assert [execution["name"] for execution in listed] == ["slow"], listed

    orders = []
    for reverse in (False, True):
        pages = sfn.get_paginator("get_execution_history").paginate(
            executionArn=good["executionArn"], reverseOrder=reverse, PaginationConfig={"PageSize": 3}
        )
        orders.append([event for page in pages for event in page["events"]])
    kinds = [event["type"] for event in orders[0]]
    assert kinds[:3] == ["ExecutionStarted", "ChoiceStateEntered", "ChoiceStateExited"], kinds
    assert kinds[-1] == "ExecutionSucceeded" and orders[1] == orders[0][::-1], kinds
    assert orders[0][0]["executionStartedEventDetails"]["input"] == text, orders[0][0]
    assert [event["id"] for event in orders[0]] == list(range(1, len(kinds) + 1))
    hidden = sfn.get_execution_history(executionArn=good["executionArn"], includeExecutionData=False)["events"]
    assert "input" not in hidden[0]["executionStartedEventDetails"], hidden[0]

    of = sfn.describe_state_machine_for_execution(executionArn=bad)
    assert of["definition"] == definition and of["stateMachineArn"] == machine and of["name"] == "runs", of


class Worker(threading.Thread):
    """Polls an activity on a client of its own, and does what the task says."""

    def __init__(self, activity):
        super().__init__(daemon=True)
        self.activity, self.fault = activity, None

    def run(self):
        try:
            mine = client()
            while True:
                task = mine.get_activity_task(activityArn=self.activity, workerName="worker-1")
                token, work = task["taskToken"], json.loads(task["input"])
                if work["do"] == "end":
                    mine.send_task_success(taskToken=token, output="{}")
                    return
                assert mine.send_task_heartbeat(taskToken=token)["ResponseMetadata"]["HTTPStatusCode"] == 200
                if work["do"] == "succeed":
                    mine.send_task_success(taskToken=token, output='{"did":true}')
                    refused(mine.exceptions.TaskTimedOut, mine.send_task_success, taskToken=token, output="{}")
                else:
                    mine.send_task_failure(taskToken=token, error="Worker.Gone", cause="it left")
        except BaseException as fault:
            self.fault = fault


def activities_and_callbacks():
    activity = sfn.create_activity(name="by-hand", tags=[{"key": "k", "value": "v"}])["activityArn"]
    assert activity == f"{ARNS}:activity:by-hand", activity
    assert sfn.describe_activity(activityArn=activity)["name"] == "by-hand"
    for name in ("first", "second"):
        sfn.create_activity(name=name)
    pages = list(sfn.get_paginator("list_activities").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["activities"]) for page in pages] == [2, 1], pages
    sfn.delete_activity(activityArn=f"{ARNS}:activity:second")
    refused(sfn.exceptions.ActivityDoesNotExist, sfn.describe_activity, activityArn=f"{ARNS}:activity:second")

    definition = define({"T": {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 30, "End": True}})
    machine = sfn.create_state_machine(name="by-hand", definition=definition, roleArn=ROLE)["stateMachineArn"]
    worker = Worker(activity)
    worker.start()
    start = lambda work: sfn.start_execution(stateMachineArn=machine, input=json.dumps({"do": work}))["executionArn"]
    assert ended(start("succeed"), "SUCCEEDED")["output"] == '{"did":true}'
    failed = start("fail")
    described = ended(failed, "FAILED")
    assert (described["error"], described["cause"]) == ("Worker.Gone", "it left"), described
    kinds = [event["type"] for event in sfn.get_execution_history(executionArn=failed)["events"]]
    assert kinds[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivityFailed"], kinds
    ended(start("end"), "SUCCEEDED")
    worker.join(10)
    if worker.fault:
        raise worker.fault
    refused(sfn.exceptions.InvalidToken, sfn.send_task_failure, taskToken="nonsense")
    refused(sfn.exceptions.InvalidToken, sfn.send_task_heartbeat, taskToken="nonsense")


def map_runs():
    definition = define(
        {
            "M": {
                "Type": "Map",
                "Label": "L",
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "W",
                    "States": {"W": {"Type": "Wait", "Seconds": 2, "End": True}},
                },
                "End": True,
            }
        }
    )
    machine = sfn.create_state_machine(name="many", definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=machine, input="[1,2,3,4,5]")["executionArn"]
    listed = lambda: list(sfn.get_paginator("list_map_runs").paginate(executionArn=execution))
    (run,) = until(listed, lambda pages: pages[0]["mapRuns"])[0]["mapRuns"]
    arn = run["mapRunArn"]
    assert arn.startswith(f"{ARNS}:mapRun:many/L:") and run["executionArn"] == execution, run
    described = until(lambda: sfn.describe_map_run(mapRunArn=arn), lambda run: run["itemCounts"]["running"] == 1)
    assert (described["status"], described["maxConcurrency"]) == ("RUNNING", 1), described
    assert described["itemCounts"]["total"] == 5 and described["executionCounts"]["failed"] == 0, described
    sfn.update_map_run(mapRunArn=arn, maxConcurrency=5, toleratedFailurePercentage=12.5, toleratedFailureCount=2)
    described = sfn.describe_map_run(mapRunArn=arn)
    seen = [described[name] for name in ("maxConcurrency", "toleratedFailurePercentage", "toleratedFailureCount")]
    assert seen == [5, 12.5, 2], described
    ended(execution, "SUCCEEDED")
    described = sfn.describe_map_run(mapRunArn=arn)
    assert (described["status"], described["itemCounts"]["succeeded"]) == ("SUCCEEDED", 5), described
    children = sfn.list_executions(mapRunArn=arn)["executions"]
    assert len(children) == 5 and all(child["mapRunArn"] == arn for child in children), children
    missing = f"{ARNS}:mapRun:many/L:00000000-0000-0000-0000-000000000000"
    refused(sfn.exceptions.ResourceNotFound, sfn.describe_map_run, mapRunArn=missing)


def validation():
    good = sfn.validate_state_machine_definition(definition=define({"P": {"Type": "Pass", "End": True}}))
    assert (good["result"], good["diagnostics"], good["truncated"]) == ("OK", [], False), good
    bad = sfn.validate_state_machine_definition(definition=define({"P": {"Type": "Pass", "Next": "Q"}}), maxResults=1)
    (diagnostic,) = bad["diagnostics"]
    assert (bad["result"], diagnostic["severity"]) == ("FAIL", "ERROR") and diagnostic["location"], bad


def synchronous(sfn):
    definition = define({"P": {"Type": "Pass", "Result": {"n": 1}, "End": True}})
    request = {"name": "quick", "definition": definition, "roleArn": ROLE, "type": "EXPRESS"}
    machine = sfn.create_state_machine(**request)["stateMachineArn"]
    answer = sfn.start_sync_execution(stateMachineArn=machine, name="now", input='{"a":1}', traceHeader="Root=1")
    assert (answer["status"], answer["output"], answer["input"]) == ("SUCCEEDED", '{"n":1}', '{"a":1}'), answer
    assert answer["billingDetails"]["billedDurationInMilliseconds"] >= 0 and answer["name"] == "now", answer
    assert answer["executionArn"].startswith(f"{ARNS}:express:quick:now:"), answer
    tested = sfn.test_state(
        definition=json.dumps({"Type": "Pass", "InputPath": "$.a", "ResultPath": "$.b", "Next": "Q"}),
        input='{"a":1}',
        inspectionLevel="DEBUG",
    )
    assert (tested["status"], tested["nextState"], tested["output"]) == ("SUCCEEDED", "Q", '{"a":1,"b":1}'), tested
    assert tested["inspectionData"]["afterInputPath"] == "1", tested
    refused(sfn.exceptions.InvalidDefinition, sfn.test_state, definition='{"Type":"Pass"}')
    standard = f"{ARNS}:stateMachine:tree"
    refused(sfn.exceptions.StateMachineTypeNotSupported, sfn.start_sync_execution, stateMachineArn=standard)


def signatures():
    for secret in ("wrong", SECRET + " "):
        error = refused(sfn.exceptions.ClientError, client(secret).list_activities)
        assert error["Code"] == "InvalidSignatureException", error


def host_prefix():
    """The two ways to reach what the SDK calls at `sync-` and the endpoint's host, and what is seen without them."""
    synchronous(client(inject_host_prefix=False))
    as_is = client()
    prefixed = "sync-" + ENDPOINT.split("//")[1].split(":")[0]
    look_up = socket.getaddrinfo
    try:
        look_up(prefixed, 80)
    except socket.gaierror:
        # Here nobody has made the name known, as is usual; then this is what a user sees.
        try:
            as_is.test_state(definition='{"Type":"Pass","End":true}')
            raise AssertionError(f"{prefixed} is no name and was reached")
        except EndpointConnectionError as fault:
            assert f"//{prefixed}:" in str(fault), fault
    # The same as a line `127.0.0.1 sync-localhost` of the hosts file.
    socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1" if host == prefixed else host, *rest, **more)
    try:
        synchronous(as_is)
    finally:
        socket.getaddrinfo = look_up


print("boto3", boto3.__version__)
sfn = client()
shop = state_machines()
versions_and_aliases(shop)
tags(shop)
executions()
activities_and_callbacks()
map_runs()
validation()
signatures()
host_prefix()
for action in sorted(called):
    print("called", action)
