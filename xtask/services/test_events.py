"""EventBridge. Facts are those of its API reference and user guide."""

import datetime
import json
import unittest

from world import ACCOUNT, IS_MOTO, REGION, client, differs, error_of, eventually, unique

events = client("events")
sqs = client("sqs")
secrets = client("secretsmanager")


def new_queue(**attributes):
    name = unique("queue") + (".fifo" if attributes.get("FifoQueue") else "")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def bodies(url, wait=0):
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait).get("Messages", [])
    return [message["Body"] for message in got]


def new_rule(pattern, bus="default", **more):
    name = unique("rule")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), EventBusName=bus, **more)
    return name


def listening(pattern, bus="default", **target):
    """A queue that gets what a new rule takes, and the rule."""
    url, arn = new_queue()
    rule = new_rule(pattern, bus)
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "1", "Arn": arn, **target}])
    return url, rule


def put(source, detail, **more):
    entry = {"Source": source, "DetailType": "type", "Detail": json.dumps(detail), **more}
    return events.put_events(Entries=[entry])


class Buses(unittest.TestCase):
    def test_a_bus_is_created_described_and_deleted(self):
        name = unique("bus")
        arn = events.create_event_bus(Name=name)["EventBusArn"]
        self.assertEqual(arn, f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{name}")
        self.assertEqual(events.describe_event_bus(Name=name)["Arn"], arn)
        self.assertEqual(events.describe_event_bus()["Name"], "default")
        self.assertEqual([bus["Name"] for bus in events.list_event_buses(NamePrefix=name)["EventBuses"]], [name])
        error = error_of(events.create_event_bus, Name=name)
        self.assertEqual((error.code, error.status), ("ResourceAlreadyExistsException", 400))
        events.delete_event_bus(Name=name)
        error = error_of(events.describe_event_bus, Name=name)
        self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400))
        self.assertEqual(error_of(events.delete_event_bus, Name="default").code, "ValidationException")

    def test_rules_of_a_bus_take_its_events_alone(self):
        bus, source = unique("bus"), unique("source")
        events.create_event_bus(Name=bus)
        there, _ = listening({"source": [source]}, bus)
        here, _ = listening({"source": [source]})
        put(source, {"n": 1}, EventBusName=bus)
        self.assertEqual([json.loads(body)["detail"] for body in bodies(there)], [{"n": 1}])
        self.assertEqual(bodies(here), [])


class Rules(unittest.TestCase):
    def test_a_rule_is_put_told_disabled_and_deleted(self):
        pattern = {"source": ["s"]}
        name = unique("rule")
        arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern), Description="d")["RuleArn"]
        self.assertEqual(arn, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}")
        rule = events.describe_rule(Name=name)
        self.assertEqual((rule["State"], rule["Description"], rule["EventBusName"]), ("ENABLED", "d", "default"))
        self.assertEqual(json.loads(rule["EventPattern"]), pattern)
        events.disable_rule(Name=name)
        self.assertEqual(events.describe_rule(Name=name)["State"], "DISABLED")
        events.enable_rule(Name=name)
        self.assertEqual(events.describe_rule(Name=name)["State"], "ENABLED")
        self.assertEqual([rule["Name"] for rule in events.list_rules(NamePrefix=name)["Rules"]], [name])
        events.delete_rule(Name=name)
        error = error_of(events.describe_rule, Name=name)
        self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400))
        with differs("moto does not name the bus"):
            self.assertEqual(error.message, f"Rule {name} does not exist on EventBus default.")

    def test_targets_come_and_go(self):
        rule, (_, arn) = new_rule({"source": ["s"]}), new_queue()
        answer = events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
        self.assertEqual((answer["FailedEntryCount"], answer["FailedEntries"]), (0, []))
        self.assertEqual(events.list_targets_by_rule(Rule=rule)["Targets"], [{"Id": "1", "Arn": arn}])
        self.assertEqual(events.list_rule_names_by_target(TargetArn=arn)["RuleNames"], [rule])
        error = error_of(events.delete_rule, Name=rule)
        self.assertEqual((error.code, error.message), ("ValidationException", "Rule can't be deleted since it has targets."))
        events.remove_targets(Rule=rule, Ids=["1"])
        self.assertEqual(events.list_targets_by_rule(Rule=rule)["Targets"], [])
        for call, more in [(events.put_targets, {"Targets": [{"Id": "1", "Arn": arn}]}), (events.remove_targets, {"Ids": ["1"]})]:
            error = error_of(call, Rule=unique("none"), **more)
            self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400))

    def test_what_cannot_be_is_refused(self):
        rule = new_rule({"source": ["s"]})
        fifo = new_queue(FifoQueue="true")[1]
        for call, request, code in [
            (events.put_rule, {"Name": unique()}, "ValidationException"),
            (events.put_rule, {"Name": "a b", "EventPattern": '{"a":[1]}'}, "ValidationException"),
            (events.put_rule, {"Name": unique(), "EventPattern": '{"a":1}'}, "InvalidEventPatternException"),
            (events.put_rule, {"Name": unique(), "EventPattern": "nonsense"}, "InvalidEventPatternException"),
            (events.put_targets, {"Rule": rule, "Targets": [{"Id": "1", "Arn": "nonsense"}]}, "ValidationException"),
            (events.put_targets, {"Rule": rule, "Targets": [{"Id": "1", "Arn": fifo}]}, "ValidationException"),
        ]:
            with differs("moto checks less"):
                error = error_of(call, **request)
                self.assertEqual((error.code, error.status), (code, 400), request)
        error = error_of(events.put_rule, Name=unique(), EventPattern='{"a":[1]}', EventBusName=unique("none"))
        self.assertEqual(error.code, "ResourceNotFoundException")

    def test_tags_come_and_go(self):
        arn = events.put_rule(Name=unique("rule"), EventPattern='{"a":[1]}', Tags=[{"Key": "a", "Value": "1"}])["RuleArn"]
        events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
        events.untag_resource(ResourceARN=arn, TagKeys=["a"])
        self.assertEqual(events.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "b", "Value": "2"}])
        error = error_of(events.list_tags_for_resource, ResourceARN=arn + "x")
        self.assertEqual(error.code, "ResourceNotFoundException")


class Patterns(unittest.TestCase):
    EVENT = {
        "id": "1",
        "source": "shop.orders",
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": ["arn:a", "arn:b"],
        "detail-type": "Order",
        "detail": {"state": "paid", "price": 12.5, "file": "a/b/c.PNG", "ip": "10.0.0.7", "null": None, "empty": "", "ok": True},
    }

    def check(self, pattern, expected):
        got = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(self.EVENT))["Result"]
        self.assertEqual(got, expected, pattern)

    @differs("moto answers nothing when a pattern does not match")
    def test_operators_hold_of_values(self):
        for rules, expected in [
            ({"state": ["paid", "sent"]}, True),
            ({"state": ["sent"]}, False),
            ({"price": [{"numeric": [">", 10, "<=", 12.5]}]}, True),
            ({"price": [{"numeric": ["<", 10]}]}, False),
            ({"file": [{"prefix": "a/"}]}, True),
            ({"file": [{"suffix": ".PNG"}]}, True),
            ({"file": [{"suffix": ".gif"}]}, False),
            ({"state": [{"anything-but": "sent"}]}, True),
            ({"state": [{"anything-but": ["sent", "paid"]}]}, False),
            ({"state": [{"anything-but": {"prefix": "pa"}}]}, False),
            ({"none": [{"exists": False}]}, True),
            ({"state": [{"exists": True}]}, True),
            ({"null": [None]}, True),
            ({"empty": [""]}, True),
            ({"ok": [True]}, True),
            ({"state": ["paid"], "price": [1]}, False),
        ]:
            self.check({"detail": rules}, expected)
        self.check({"resources": ["arn:b"]}, True)
        self.check({"source": [{"prefix": "shop."}], "detail-type": ["Order"]}, True)

    @differs("moto does not know these operators")
    def test_newer_operators_hold_of_values(self):
        for rules, expected in [
            ({"file": [{"wildcard": "a/*/c.*"}]}, True),
            ({"file": [{"wildcard": "a/*/d.*"}]}, False),
            ({"state": [{"equals-ignore-case": "PAID"}]}, True),
            ({"file": [{"suffix": {"equals-ignore-case": ".png"}}]}, True),
            ({"file": [{"prefix": {"equals-ignore-case": "A/"}}]}, True),
            ({"file": [{"anything-but": {"wildcard": "a/*"}}]}, False),
            ({"file": [{"anything-but": {"suffix": [".gif", ".jpg"]}}]}, True),
            ({"state": [{"anything-but": {"equals-ignore-case": ["PAID"]}}]}, False),
            ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
            ({"ip": [{"cidr": "10.0.1.0/24"}]}, False),
            ({"$or": [{"state": ["sent"]}, {"price": [{"numeric": [">", 12]}]}]}, True),
            ({"$or": [{"state": ["sent"]}, {"price": [{"numeric": [">", 13]}]}]}, False),
        ]:
            self.check({"detail": rules}, expected)

    @differs("moto refuses less")
    def test_patterns_that_cannot_be_are_refused(self):
        for pattern in ['{"a":"b"}', '{"a":[]}', '{"a":[{"nonsense":1}]}', '{"a":[{"numeric":["<"]}]}', "nonsense", "[]"]:
            error = error_of(events.test_event_pattern, EventPattern=pattern, Event=json.dumps(self.EVENT))
            self.assertEqual((error.code, error.status), ("InvalidEventPatternException", 400), pattern)
            self.assertTrue(error.message.startswith("Event pattern is not valid. Reason: "), error.message)


class Events(unittest.TestCase):
    @differs("moto gives a queue no account")
    def test_a_queue_gets_the_event(self):
        source = unique("source")
        url, _ = listening({"source": [source], "detail": {"n": [{"numeric": [">", 1]}]}})
        put(source, {"n": 1})
        answer = put(source, {"n": 2}, Resources=["r"], Time=datetime.datetime(2026, 1, 2, 3, 4, 5))
        (body,) = bodies(url)
        event = json.loads(body)
        self.assertEqual(event["id"], answer["Entries"][0]["EventId"])
        self.assertEqual((event["version"], event["source"], event["detail-type"]), ("0", source, "type"))
        self.assertEqual((event["account"], event["region"], event["resources"]), (ACCOUNT, REGION, ["r"]))
        self.assertEqual((event["detail"], event["time"]), ({"n": 2}, "2026-01-02T03:04:05Z"))

    def test_each_entry_is_for_itself(self):
        entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
        without = lambda name: {key: value for key, value in entry.items() if key != name}  # noqa: E731
        answer = events.put_events(
            Entries=[entry, without("Source"), without("DetailType"), without("Detail"), {**entry, "Detail": "nonsense"}, {**entry, "Detail": '"text"'}]
        )
        codes = [one.get("ErrorCode") for one in answer["Entries"]]
        self.assertEqual(codes[:5], [None, "InvalidArgument", "InvalidArgument", "InvalidArgument", "MalformedDetail"])
        with differs("moto takes a text for a detail"):
            self.assertEqual((codes[5], answer["FailedEntryCount"]), ("MalformedDetail", 5))
        message = answer["Entries"][1]["ErrorMessage"]
        self.assertEqual(message, "Parameter Source is not valid. Reason: Source is a required argument.")
        self.assertEqual(answer["Entries"][4]["ErrorMessage"], "Detail is malformed.")
        with differs("moto lets anybody be AWS"):
            (refused,) = events.put_events(Entries=[{**entry, "Source": "aws.s3"}])["Entries"]
            self.assertEqual(refused["ErrorCode"], "NotAuthorizedForSourceException")
        error = error_of(events.put_events, Entries=[entry] * 11)
        self.assertEqual((error.code, error.status), ("ValidationException", 400))

    @differs("moto answers 500 to a transformer")
    def test_a_target_says_what_it_gets(self):
        source = unique("source")
        path, _ = listening({"source": [source]}, InputPath="$.detail")
        fixed, _ = listening({"source": [source]}, Input='{"fixed": true}')
        transformed, rule = listening(
            {"source": [source]},
            InputTransformer={
                "InputPathsMap": {"n": "$.detail.n", "t": "$.detail.t"},
                "InputTemplate": '{"n": <n>, "t": <t>, "text": "<t> by <aws.events.rule-name>"}',
            },
        )
        put(source, {"n": 7, "t": "x"})
        self.assertEqual([json.loads(body) for body in bodies(path)], [{"n": 7, "t": "x"}])
        self.assertEqual([json.loads(body) for body in bodies(fixed)], [{"fixed": True}])
        with differs("moto does not put quotes around texts"):
            got = [json.loads(body) for body in bodies(transformed)]
            self.assertEqual(got, [{"n": 7, "t": "x", "text": f"x by {rule}"}])

    @differs("moto delivers to fewer targets")
    def test_a_state_machine_and_a_topic_are_targets(self):
        sfn, sns, source = client("stepfunctions"), client("sns"), unique("source")
        machine = sfn.create_state_machine(
            name=unique("machine"),
            definition=json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
        )["stateMachineArn"]
        topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
        url, arn = new_queue()
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        rule = new_rule({"source": [source]})
        events.put_targets(
            Rule=rule, Targets=[{"Id": "1", "Arn": machine, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}, {"Id": "2", "Arn": topic}]
        )
        put(source, {"n": 1})
        (execution,) = eventually(lambda: sfn.list_executions(stateMachineArn=machine)["executions"])
        described = sfn.describe_execution(executionArn=execution["executionArn"])
        self.assertEqual(json.loads(described["input"])["detail"], {"n": 1})
        (body,) = eventually(lambda: bodies(url))
        self.assertEqual(json.loads(body)["detail"], {"n": 1})

    @differs("moto raises no such event")
    def test_the_default_bus_hears_of_executions(self):
        sfn = client("stepfunctions")
        machine = sfn.create_state_machine(
            name=unique("machine"),
            definition=json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
        )["stateMachineArn"]
        url, _ = listening({"source": ["aws.states"], "detail": {"stateMachineArn": [machine], "status": ["SUCCEEDED"]}})
        execution = sfn.start_execution(stateMachineArn=machine, input='{"n":1}')["executionArn"]
        (body,) = eventually(lambda: bodies(url))
        event = json.loads(body)
        self.assertEqual((event["detail-type"], event["resources"]), ("Step Functions Execution Status Change", [execution]))
        self.assertEqual(event["detail"]["output"], '{"n":1}')


class Connections(unittest.TestCase):
    def test_a_connection_keeps_its_secret_in_a_secret(self):
        name = unique("connection")
        made = events.create_connection(
            Name=name,
            AuthorizationType="API_KEY",
            AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "hidden"},
                "InvocationHttpParameters": {"HeaderParameters": [{"Key": "a", "Value": "1", "IsValueSecret": False}]},
            },
        )
        self.assertTrue(made["ConnectionArn"].startswith(f"arn:aws:events:{REGION}:{ACCOUNT}:connection/{name}/"))
        self.assertEqual(made["ConnectionState"], "AUTHORIZED")
        told = events.describe_connection(Name=name)
        self.assertEqual(told["AuthParameters"]["ApiKeyAuthParameters"], {"ApiKeyName": "X-Key"})
        secret = json.loads(secrets.get_secret_value(SecretId=told["SecretArn"])["SecretString"])
        self.assertEqual((secret["api_key_name"], secret["api_key_value"]), ("X-Key", "hidden"))
        self.assertIn(name, [one["Name"] for one in events.list_connections()["Connections"]])
        events.update_connection(
            Name=name, AuthorizationType="BASIC", AuthParameters={"BasicAuthParameters": {"Username": "u", "Password": "p"}}
        )
        self.assertEqual(events.describe_connection(Name=name)["AuthorizationType"], "BASIC")
        events.delete_connection(Name=name)
        error = error_of(events.describe_connection, Name=name)
        self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400))

    @differs("moto checks less")
    def test_connections_that_cannot_be_are_refused(self):
        basic = {"BasicAuthParameters": {"Username": "u", "Password": "p"}}
        name = unique("connection")
        events.create_connection(Name=name, AuthorizationType="BASIC", AuthParameters=basic)
        for request, code in [
            ({"Name": name, "AuthorizationType": "BASIC", "AuthParameters": basic}, "ResourceAlreadyExistsException"),
            ({"Name": unique(), "AuthorizationType": "API_KEY", "AuthParameters": basic}, "ValidationException"),
            ({"Name": "a b", "AuthorizationType": "BASIC", "AuthParameters": basic}, "ValidationException"),
        ]:
            error = error_of(events.create_connection, **request)
            self.assertEqual((error.code, error.status), (code, 400))

    def test_an_action_that_is_not_here_is_named(self):
        if IS_MOTO:
            self.skipTest("moto has it")
        error = error_of(events.list_archives)
        self.assertEqual((error.code, error.status), ("UnknownOperationException", 400))
        self.assertIn("ListArchives", error.message)


if __name__ == "__main__":
    unittest.main()
