"""Lambda. Facts are those of Lambda's API reference and developer guide.

moto runs functions in Docker, which no test asks for: what runs is held against ours alone.
"""

import base64
import io
import json
import stat
import unittest
import zipfile

from world import ACCOUNT, IS_MOTO, REGION, client, differs, error_of, eventually, unique

functions = client("lambda")
queues = client("sqs")

CODE = """
import json, os, time

class OutOfStock(Exception):
    pass

def handler(event, context):
    what = event.get("do") if isinstance(event, dict) else None
    if what == "raise":
        raise OutOfStock("no " + event["item"])
    if what == "sleep":
        time.sleep(event["seconds"])
    if what == "call":
        import urllib.request
        request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/", method="POST", data=b"{}", headers={
            "X-Amz-Target": "AWSStepFunctions.ListStateMachines", "Content-Type": "application/x-amz-json-1.0",
            "Authorization": "AWS4-HMAC-SHA256 Credential=" + os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0"})
        return json.load(urllib.request.urlopen(request))
    if what == "version":
        return [context.function_version, os.environ.get("COLOUR")]
    if isinstance(event, dict) and "Records" in event:
        bad = [{"itemIdentifier": one["messageId"]} for one in event["Records"] if "bad" in one["body"]]
        return {"batchItemFailures": bad}
    return event
"""


def role():
    if IS_MOTO:
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        iam = client("iam")
        return iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return f"arn:aws:iam::{ACCOUNT}:role/functions"


ROLE = role()


def archive(files=None, links=()):
    """A zip of texts by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in (files or {"app.py": CODE}).items():
            zipped.writestr(name, text)
        for name, target in links:
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            zipped.writestr(entry, target)
    return out.getvalue()


def new_function(name=None, code=None, **more):
    name = name or unique("function")
    settings = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": code or archive()}}
    return functions.create_function(FunctionName=name, **{**settings, **more})


def arn_of(name, qualifier=None):
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def invoke(name, event=None, **more):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    return json.loads(answer["Payload"].read() or "null"), answer


class Functions(unittest.TestCase):
    def test_a_function_is_as_it_was_created(self):
        name = unique("function")
        made = new_function(
            name,
            Description="what it does",
            Timeout=7,
            MemorySize=256,
            Environment={"Variables": {"COLOUR": "red"}},
            Tags={"team": "shop"},
        )
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 201)
        self.assertEqual(made["FunctionArn"], arn_of(name))
        found = functions.get_function(FunctionName=name)
        shown = found["Configuration"]
        for key, value in {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "app.handler",
            "Role": ROLE,
            "Description": "what it does",
            "Timeout": 7,
            "MemorySize": 256,
            "Environment": {"Variables": {"COLOUR": "red"}},
            "Version": "$LATEST",
            "State": "Active",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "CodeSha256": made["CodeSha256"],
        }.items():
            self.assertEqual(shown[key], value, key)
        self.assertEqual(found["Tags"], {"team": "shop"})
        with differs("moto writes nanoseconds and Z"):
            self.assertRegex(shown["LastModified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")
        same = functions.get_function_configuration(FunctionName=arn_of(name))
        self.assertEqual(same["FunctionArn"], shown["FunctionArn"])
        functions.delete_function(FunctionName=name)
        error = error_of(functions.get_function, FunctionName=name)
        self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 404))
        self.assertEqual(error.message, f"Function not found: {arn_of(name)}")

    def test_a_name_is_taken_once(self):
        name = unique("function")
        new_function(name)
        error = error_of(new_function, name)
        self.assertEqual(error, ("ResourceConflictException", f"Function already exist: {name}", 409))

    def test_what_cannot_be_created(self):
        cases = [
            (dict(Role="no role"), "ValidationException", "at 'role'"),
            (dict(Handler="h" * 129), "ValidationException", "at 'handler'"),
            (dict(Timeout=100_000), "ValidationException", "at 'timeout'"),
            (dict(MemorySize=100_000), "ValidationException", "at 'memorySize'"),
            (dict(Runtime="cobol85"), "InvalidParameterValueException", "runtime"),
            (dict(Environment={"Variables": {"AWS_REGION": "x"}}), "InvalidParameterValueException", "AWS_REGION"),
            (dict(Code={"S3Bucket": unique("none"), "S3Key": "k"}), "InvalidParameterValueException", "NoSuchBucket"),
        ]
        for more, code, part in cases:
            with self.subTest(more=more), differs("moto checks little, and names keys of buckets otherwise"):
                if "Code" in more and "s3" not in served():
                    continue
                error = error_of(new_function, **more)
                self.assertEqual(error.code, code, error.message)
                self.assertIn(part, error.message)

    @differs("moto does not look into zips")
    def test_zips_that_lead_out_are_refused(self):
        for code in [
            b"no zip",
            archive({"../evil.py": "x"}),
            archive({"/etc/evil": "x"}),
            archive({"a/../../evil": "x"}),
            archive({"..\\evil": "x"}),
            archive({"app.py": "x"}, links=[("l", "/etc/passwd")]),
            archive({"app.py": "x"}, links=[("l", "../../x")]),
            archive({"zeros": "\0" * 200_000_000}),
            archive({"app.py": "x"})[:-5],
        ]:
            error = error_of(new_function, code=code)
            self.assertEqual(error.code, "InvalidParameterValueException")
            self.assertRegex(error.message, "Could not unzip uploaded file|Unzipped size")

    def test_functions_are_listed_in_pages(self):
        names = sorted(new_function(unique("listed"))["FunctionName"] for _ in range(3))
        pages = functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
        found = [one["FunctionName"] for page in pages for one in page["Functions"]]
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual(set(names), set(found))

    def test_code_and_configuration_are_updated(self):
        name = unique("function")
        before = new_function(name)
        after = functions.update_function_code(FunctionName=name, ZipFile=archive({"app.py": "def handler(e, c): return 2"}))
        self.assertNotEqual(after["CodeSha256"], before["CodeSha256"])
        changed = functions.update_function_configuration(FunctionName=name, Timeout=11, Description="new")
        self.assertEqual((changed["Timeout"], changed["Description"], changed["MemorySize"]), (11, "new", 128))
        if not IS_MOTO:
            self.assertNotEqual(changed["RevisionId"], before["RevisionId"])
            self.assertEqual(invoke(name)[0], 2)
            error = error_of(functions.update_function_configuration, FunctionName=name, RevisionId=before["RevisionId"])
            self.assertEqual((error.code, error.status), ("PreconditionFailedException", 412))
            error = error_of(functions.update_function_code, FunctionName=name)
            self.assertEqual(error, ("InvalidParameterValueException", "Please provide a source for function code.", 400))
        for call in (functions.update_function_configuration, functions.update_function_code):
            with differs("moto says less"):
                error = error_of(call, FunctionName="missing", **({"ZipFile": archive()} if "code" in call.__name__ else {}))
                self.assertEqual(error.code, "ResourceNotFoundException")

    def test_code_comes_from_a_bucket(self):
        if not IS_MOTO and "s3" not in served():
            self.skipTest("no S3 is served")
        buckets, bucket = client("s3"), unique("bucket")
        buckets.create_bucket(Bucket=bucket)
        buckets.put_object(Bucket=bucket, Key="code.zip", Body=archive())
        made = new_function(Code={"S3Bucket": bucket, "S3Key": "code.zip"})
        self.assertEqual(made["CodeSize"], len(archive()))

    @differs("moto takes these for functions without layers")
    def test_what_is_not_there_is_named(self):
        error = error_of(functions.publish_layer_version, LayerName="l", Content={"ZipFile": b"x"})
        self.assertIn("PublishLayerVersion", error.message)
        self.assertIn("Layers", error_of(new_function, Layers=[f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:l:1"]).message)
        self.assertIn("java21", error_of(new_function, Runtime="java21").message)

    @differs("moto has no GetAccountSettings")
    def test_an_account_has_limits(self):
        settings = functions.get_account_settings()
        self.assertEqual(settings["AccountLimit"]["CodeSizeUnzipped"], 262144000)
        self.assertIn("FunctionCount", settings["AccountUsage"])

    @differs("moto has one account's functions for all")
    def test_accounts_do_not_see_each_other(self):
        name = unique("function")
        new_function(name)
        other = client("lambda", account="999900001111")
        for named in (name, arn_of(name)):
            self.assertEqual(error_of(other.get_function, FunctionName=named).code, "ResourceNotFoundException")
            self.assertEqual(error_of(other.invoke, FunctionName=named).code, "ResourceNotFoundException")


def served():
    """Services of the server under test."""
    if not hasattr(served, "names"):
        error = None
        try:
            client("s3").list_buckets()
        except Exception as fault:
            error = fault
        served.names = {"s3"} if error is None else set()
    return served.names


class Versions(unittest.TestCase):
    def test_a_version_keeps_what_it_was(self):
        name = unique("function")
        new_function(name, Environment={"Variables": {"COLOUR": "red"}})
        first = functions.publish_version(FunctionName=name, Description="one")
        self.assertEqual((first["Version"], first["FunctionArn"]), ("1", arn_of(name, "1")))
        self.assertEqual(first["ResponseMetadata"]["HTTPStatusCode"], 201)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "blue"}})
        second = functions.publish_version(FunctionName=name)
        self.assertEqual(second["Version"], "2")
        listed = functions.list_versions_by_function(FunctionName=name)["Versions"]
        self.assertEqual([one["Version"] for one in listed], ["$LATEST", "1", "2"])
        if not IS_MOTO:
            self.assertEqual(functions.publish_version(FunctionName=name)["Version"], "2", "nothing is new")
            self.assertEqual(invoke(f"{name}:1", {"do": "version"})[0], ["1", "red"])
            self.assertEqual(invoke(arn_of(name), {"do": "version"}, Qualifier="2")[0], ["2", "blue"])
            self.assertEqual(invoke(name, {"do": "version"})[0], ["$LATEST", "blue"])
            self.assertEqual(error_of(functions.invoke, FunctionName=name, Qualifier="7").code, "ResourceNotFoundException")
            functions.delete_function(FunctionName=name, Qualifier="1")
            self.assertEqual(error_of(functions.get_function, FunctionName=f"{name}:1").code, "ResourceNotFoundException")

    def test_published_when_created(self):
        made = new_function(Publish=True)
        self.assertEqual(made["Version"], "1")

    def test_aliases_point_to_versions(self):
        name = unique("function")
        new_function(name, Publish=True)
        functions.update_function_configuration(FunctionName=name, Timeout=9)
        functions.publish_version(FunctionName=name)
        made = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d")
        self.assertEqual((made["AliasArn"], made["FunctionVersion"]), (arn_of(name, "live"), "1"))
        again = error_of(functions.create_alias, FunctionName=name, Name="live", FunctionVersion="1")
        with differs("moto's code is ConflictException, which the model has not"):
            self.assertEqual(again.code, "ResourceConflictException")
        self.assertEqual(again.message, f"Alias already exists: {arn_of(name, 'live')}")
        found = functions.get_alias(FunctionName=name, Name="live")
        self.assertEqual(found["Description"], "d")
        weights = {"AdditionalVersionWeights": {"2": 0.5}}
        functions.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)
        self.assertEqual(functions.get_alias(FunctionName=name, Name="live")["RoutingConfig"], weights)
        self.assertEqual([one["Name"] for one in functions.list_aliases(FunctionName=name)["Aliases"]], ["live"])
        if not IS_MOTO:
            ran = {invoke(f"{name}:live", {})[1]["ExecutedVersion"] for _ in range(40)}
            self.assertEqual(ran, {"1", "2"})
            self.assertEqual(error_of(functions.delete_function, FunctionName=f"{name}:2").code, "ResourceConflictException")
            error = error_of(functions.create_alias, FunctionName=name, Name="7", FunctionVersion="1")
            self.assertEqual(error.code, "ValidationException")
            error = error_of(functions.create_alias, FunctionName=name, Name="x", FunctionVersion="9")
            self.assertEqual(error.code, "ResourceNotFoundException")
        functions.delete_alias(FunctionName=name, Name="live")
        error = error_of(functions.get_alias, FunctionName=name, Name="live")
        self.assertEqual(error.code, "ResourceNotFoundException")
        self.assertIn(f"Cannot find alias arn: {arn_of(name, 'live')}", error.message)


class Around(unittest.TestCase):
    def test_tags(self):
        name = unique("function")
        new_function(name, Tags={"a": "1"})
        functions.tag_resource(Resource=arn_of(name), Tags={"b": "2"})
        self.assertEqual(functions.list_tags(Resource=arn_of(name))["Tags"], {"a": "1", "b": "2"})
        functions.untag_resource(Resource=arn_of(name), TagKeys=["a"])
        self.assertEqual(functions.list_tags(Resource=arn_of(name))["Tags"], {"b": "2"})
        with differs("moto tags what is not there otherwise"):
            error = error_of(functions.list_tags, Resource=arn_of("missing"))
            self.assertEqual(error.code, "ResourceNotFoundException")

    def test_permissions(self):
        name = unique("function")
        new_function(name)
        error = error_of(functions.get_policy, FunctionName=name)
        self.assertEqual(error.code, "ResourceNotFoundException")
        given = dict(
            FunctionName=name,
            StatementId="bucket",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn="arn:aws:s3:::bucket",
        )
        statement = json.loads(functions.add_permission(**given)["Statement"])
        self.assertEqual(statement["Principal"], {"Service": "s3.amazonaws.com"})
        self.assertEqual(statement["Resource"], arn_of(name))
        self.assertEqual(statement["Condition"], {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}})
        if not IS_MOTO:  # which adds it twice
            self.assertEqual(error_of(functions.add_permission, **given).code, "ResourceConflictException")
        policy = json.loads(functions.get_policy(FunctionName=name)["Policy"])
        self.assertEqual([one["Sid"] for one in policy["Statement"]], ["bucket"])
        functions.remove_permission(FunctionName=name, StatementId="bucket")
        with differs("moto removes what is not there"):
            error = error_of(functions.remove_permission, FunctionName=name, StatementId="bucket")
            self.assertEqual(error.code, "ResourceNotFoundException")

    def test_reserved_concurrency(self):
        name = unique("function")
        new_function(name)
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        self.assertEqual(functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"], 0)
        if not IS_MOTO:
            error = error_of(functions.invoke, FunctionName=name)
            self.assertEqual(error, ("TooManyRequestsException", "Rate Exceeded.", 429))
            error = error_of(functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=901)
            self.assertEqual(error.code, "InvalidParameterValueException")
        functions.delete_function_concurrency(FunctionName=name)
        self.assertNotIn("ReservedConcurrentExecutions", functions.get_function_concurrency(FunctionName=name))

    def test_event_invoke_configs(self):
        name = unique("function")
        new_function(name)
        error = error_of(functions.get_function_event_invoke_config, FunctionName=name)
        self.assertEqual(error.code, "ResourceNotFoundException")
        with differs("moto names the function and not the version"):
            self.assertEqual(error.message, f"The function {arn_of(name, '$LATEST')} doesn't have an EventInvokeConfig")
        functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
        functions.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=100)
        found = functions.get_function_event_invoke_config(FunctionName=name)
        with differs("moto's update forgets what it was not given"):
            self.assertEqual((found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]), (1, 100))
        listed = functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
        self.assertEqual(len(listed), 1)
        functions.delete_function_event_invoke_config(FunctionName=name)
        self.assertEqual(functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"], [])

    def test_event_source_mappings(self):
        name, queue = unique("function"), unique("queue")
        new_function(name)
        url = queues.create_queue(QueueName=queue)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
        made = functions.create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=arn,
            BatchSize=2,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        self.assertEqual((made["BatchSize"], made["EventSourceArn"], made["FunctionArn"]), (2, arn, arn_of(name)))
        with differs("moto answers 201; the model says 202"):
            self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 202)
        uuid = made["UUID"]
        eventually(lambda: functions.get_event_source_mapping(UUID=uuid)["State"], lambda state: state == "Enabled")
        listed = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        self.assertEqual([one["UUID"] for one in listed], [uuid])
        if not IS_MOTO:
            for body in ("good 1", "bad 1", "good 2"):
                queues.send_message(QueueUrl=url, MessageBody=body)
            numbers = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

            def left():
                found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=numbers)["Attributes"]
                return [found[name] for name in numbers]

            eventually(left, lambda left: left == ["0", "1"], seconds=20)
            again = error_of(functions.create_event_source_mapping, FunctionName=name, EventSourceArn=arn)
            self.assertEqual(again.code, "ResourceConflictException")
        changed = functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        self.assertIn(changed["State"], ("Disabling", "Disabled"))
        functions.delete_event_source_mapping(UUID=uuid)
        with differs("moto's mapping is there for a while"):
            error = error_of(functions.get_event_source_mapping, UUID=uuid)
            self.assertEqual(error.code, "ResourceNotFoundException")


@unittest.skipIf(IS_MOTO, "moto runs functions in Docker")
class Invocations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.name = unique("function")
        new_function(cls.name, Timeout=2)

    def test_a_function_answers(self):
        event = {"text": "ä😀", "number": 1.5, "list": [None, True]}
        payload, answer = invoke(self.name, event)
        self.assertEqual((payload, answer["StatusCode"], answer["ExecutedVersion"]), (event, 200, "$LATEST"))
        self.assertNotIn("FunctionError", answer)

    def test_a_function_fails(self):
        payload, answer = invoke(self.name, {"do": "raise", "item": "pens"})
        self.assertEqual((answer["FunctionError"], answer["StatusCode"]), ("Unhandled", 200))
        self.assertEqual((payload["errorType"], payload["errorMessage"]), ("OutOfStock", "no pens"))
        self.assertIn("in handler", payload["stackTrace"][0])

    def test_time_runs_out(self):
        payload, answer = invoke(self.name, {"do": "sleep", "seconds": 30})
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertRegex(payload["errorMessage"], r"Task timed out after 2\.00 seconds$")

    def test_a_function_calls_back(self):
        self.assertIn("stateMachines", invoke(self.name, {"do": "call"})[0])

    def test_a_log_comes_along(self):
        log = base64.b64decode(invoke(self.name, {}, LogType="Tail")[1]["LogResult"]).decode()
        self.assertRegex(log, r"(?s)START RequestId: .*END RequestId: .*REPORT RequestId: ")

    def test_other_ways_to_invoke(self):
        self.assertEqual(invoke(self.name, {}, InvocationType="DryRun")[1]["StatusCode"], 204)
        queue = unique("letters")
        url = queues.create_queue(QueueName=queue)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
        destinations = {"OnFailure": {"Destination": arn}, "OnSuccess": {"Destination": arn}}
        name = unique("function")
        new_function(name)
        functions.put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=0, DestinationConfig=destinations
        )
        for event, condition in (({"n": 1}, "Success"), ({"do": "raise", "item": "x"}, "RetriesExhausted")):
            self.assertEqual(invoke(name, event, InvocationType="Event")[1]["StatusCode"], 202)
            receive = lambda: queues.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")
            message = eventually(receive, seconds=20)[0]
            record = json.loads(message["Body"])
            self.assertEqual(record["requestContext"]["condition"], condition)
            self.assertEqual(record["requestPayload"], event)
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def test_what_cannot_be_invoked(self):
        error = error_of(functions.invoke, FunctionName="missing")
        self.assertEqual(error, ("ResourceNotFoundException", f"Function not found: {arn_of('missing')}", 404))
        error = error_of(functions.invoke, FunctionName=self.name, Payload=b"{not")
        self.assertEqual((error.code, error.status), ("InvalidRequestContentException", 400))
        error = error_of(functions.invoke, FunctionName=self.name, Payload=b"1" * (6 * 1024 * 1024 + 1))
        self.assertEqual((error.code, error.status), ("RequestTooLargeException", 413))
        error = error_of(functions.invoke, FunctionName="bad name")
        self.assertEqual(error.code, "ValidationException")


@unittest.skipIf(IS_MOTO, "moto runs functions in Docker")
class Tasks(unittest.TestCase):
    """Functions as state machines see them."""

    def run_machine(self, states, given):
        machines = client("stepfunctions")
        definition = json.dumps({"StartAt": "A", "States": states})
        machine = machines.create_state_machine(name=unique("machine"), definition=definition, roleArn=ROLE)
        execution = machines.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(given))
        describe = lambda: machines.describe_execution(executionArn=execution["executionArn"])
        return eventually(describe, lambda seen: seen["status"] != "RUNNING", seconds=20)

    def test_both_ways_to_call_and_a_catch(self):
        name = unique("function")
        new_function(name)
        plain = {"A": {"Type": "Task", "Resource": arn_of(name), "End": True}}
        self.assertEqual(json.loads(self.run_machine(plain, {"n": 1})["output"]), {"n": 1})
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": name, "Payload.$": "$"},
            "ResultSelector": {"p.$": "$.Payload", "v.$": "$.ExecutedVersion", "s.$": "$.StatusCode"},
            "Catch": [{"ErrorEquals": ["OutOfStock"], "ResultPath": "$.error", "Next": "B"}],
            "End": True,
        }
        states = {"A": task, "B": {"Type": "Pass", "End": True}}
        ended = self.run_machine(states, {"n": 1})
        self.assertEqual(json.loads(ended["output"]), {"p": {"n": 1}, "v": "$LATEST", "s": 200})
        caught = json.loads(self.run_machine(states, {"do": "raise", "item": "pens"})["output"])["error"]
        self.assertEqual((caught["Error"], json.loads(caught["Cause"])["errorMessage"]), ("OutOfStock", "no pens"))

    def test_a_missing_function(self):
        states = {"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "none"}, "End": True}}
        ended = self.run_machine(states, {})
        self.assertEqual((ended["status"], ended["error"]), ("FAILED", "Lambda.ResourceNotFoundException"))


if __name__ == "__main__":
    unittest.main()
