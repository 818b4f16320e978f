"""CloudWatch Logs. Facts are those of its API reference and user guide."""

import json
import time
import unittest

from world import ACCOUNT, IS_MOTO, REGION, client, differs, error_of, unique

logs = client("logs")
DAY_MS = 86_400_000


def arn_of(group):
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"


def new_group():
    name = unique("/group")
    logs.create_log_group(logGroupName=name)
    return name


def new_stream():
    group, stream = new_group(), unique("stream")
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    return {"logGroupName": group, "logStreamName": stream}


def put(stream, *messages):
    """Messages, each a millisecond after the one before, the last one now."""
    first = int(time.time() * 1000) - len(messages)
    events = [{"timestamp": first + n, "message": message} for n, message in enumerate(messages)]
    return logs.put_log_events(**stream, logEvents=events)


def messages(answer):
    return [event["message"] for event in answer["events"]]


class Groups(unittest.TestCase):
    def test_a_group_is_created_described_and_deleted(self):
        name = new_group()
        (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        self.assertEqual((group["logGroupName"], group["arn"]), (name, arn_of(name) + ":*"))
        self.assertEqual((group["metricFilterCount"], group["storedBytes"]), (0, 0))
        self.assertNotIn("retentionInDays", group)
        error = error_of(logs.create_log_group, logGroupName=name)
        self.assertEqual((error.code, error.status), ("ResourceAlreadyExistsException", 400))
        logs.delete_log_group(logGroupName=name)
        self.assertEqual(logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"], [])
        error = error_of(logs.delete_log_group, logGroupName=name)
        self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400))
        with differs("moto has no full stop at the end"):
            self.assertEqual(error.message, "The specified log group does not exist.")

    def test_groups_are_found_by_prefix_pattern_and_in_pages(self):
        prefix = unique("/listed")
        names = [f"{prefix}/{n}" for n in range(3)]
        for name in names:
            logs.create_log_group(logGroupName=name)
        first = logs.describe_log_groups(logGroupNamePrefix=prefix, limit=2)
        second = logs.describe_log_groups(logGroupNamePrefix=prefix, limit=2, nextToken=first["nextToken"])
        self.assertEqual([group["logGroupName"] for group in first["logGroups"] + second["logGroups"]], names)
        self.assertNotIn("nextToken", second)
        with differs("moto's pattern is a prefix"):
            found = logs.describe_log_groups(logGroupNamePattern=prefix[3:])["logGroups"]
            self.assertEqual([group["logGroupName"] for group in found], names)

    def test_retention_is_set_and_taken_away(self):
        name = new_group()
        logs.put_retention_policy(logGroupName=name, retentionInDays=7)
        self.assertEqual(logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["retentionInDays"], 7)
        logs.delete_retention_policy(logGroupName=name)
        self.assertNotIn("retentionInDays", logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0])
        with differs("moto takes any number of days"):
            error = error_of(logs.put_retention_policy, logGroupName=name, retentionInDays=2)
            self.assertEqual((error.code, error.status), ("InvalidParameterException", 400))

    def test_tags_are_named_by_group_or_by_arn(self):
        name = unique("/group")
        logs.create_log_group(logGroupName=name, tags={"a": "1"})
        logs.tag_resource(resourceArn=arn_of(name), tags={"b": "2"})
        logs.untag_log_group(logGroupName=name, tags=["a"])
        self.assertEqual(logs.list_tags_for_resource(resourceArn=arn_of(name))["tags"], {"b": "2"})
        logs.untag_resource(resourceArn=arn_of(name), tagKeys=["b"])
        logs.tag_log_group(logGroupName=name, tags={"c": "3"})
        self.assertEqual(logs.list_tags_log_group(logGroupName=name)["tags"], {"c": "3"})

    def test_a_group_that_is_not_there_is_none_for_any_action(self):
        name = unique("/none")
        event = {"timestamp": int(time.time() * 1000), "message": "m"}
        for call, more in [
            (logs.create_log_stream, {"logStreamName": "s"}),
            (logs.describe_log_streams, {}),
            (logs.get_log_events, {"logStreamName": "s"}),
            (logs.filter_log_events, {}),
            (logs.put_log_events, {"logStreamName": "s", "logEvents": [event]}),
            (logs.put_retention_policy, {"retentionInDays": 1}),
            (logs.delete_retention_policy, {}),
            (logs.delete_log_stream, {"logStreamName": "s"}),
            (logs.list_tags_log_group, {}),
        ]:
            error = error_of(call, logGroupName=name, **more)
            self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400), call)

    def test_names_that_cannot_be_are_refused(self):
        for name in ["a b", "x" * 513]:
            with differs("moto looks at the length alone"):
                error = error_of(logs.create_log_group, logGroupName=name)
                self.assertEqual((error.code, error.status), ("InvalidParameterException", 400))
                self.assertIn("'logGroupName' failed to satisfy constraint", error.message)


class Streams(unittest.TestCase):
    def test_streams_are_ordered_by_name_or_by_time(self):
        group = new_group()
        for name in ["a", "b", "c"]:
            logs.create_log_stream(logGroupName=group, logStreamName=name)
        put({"logGroupName": group, "logStreamName": "b"}, "m")
        names = lambda **more: [  # noqa: E731
            stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group, **more)["logStreams"]
        ]
        self.assertEqual(names(), ["a", "b", "c"])
        self.assertEqual(names(descending=True), ["c", "b", "a"])
        self.assertEqual(names(logStreamNamePrefix="c"), ["c"])
        self.assertEqual(names(orderBy="LastEventTime", descending=True)[0], "b")
        (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="b")["logStreams"]
        self.assertEqual(stream["firstEventTimestamp"], stream["lastEventTimestamp"])
        self.assertEqual(stream["arn"], arn_of(group) + ":log-stream:b")
        error = error_of(
            logs.describe_log_streams, logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="a"
        )
        self.assertEqual((error.code, error.status), ("InvalidParameterException", 400))
        logs.delete_log_stream(logGroupName=group, logStreamName="b")
        self.assertEqual(names(), ["a", "c"])
        with differs("moto has no full stop at the end"):
            error = error_of(logs.delete_log_stream, logGroupName=group, logStreamName="b")
            self.assertEqual(error.message, "The specified log stream does not exist.")

    def test_a_stream_is_created_once(self):
        stream = new_stream()
        error = error_of(logs.create_log_stream, **stream)
        self.assertEqual((error.code, error.status), ("ResourceAlreadyExistsException", 400))


class Events(unittest.TestCase):
    def test_events_are_read_from_either_end(self):
        stream = new_stream()
        self.assertIn("nextSequenceToken", put(stream, "a", "b", "c", "d"))
        head = logs.get_log_events(**stream, startFromHead=True, limit=3)
        self.assertEqual(messages(head), ["a", "b", "c"])
        self.assertTrue({"timestamp", "ingestionTime"} <= set(head["events"][0]))
        rest = logs.get_log_events(**stream, startFromHead=True, nextToken=head["nextForwardToken"])
        self.assertEqual(messages(rest), ["d"])
        end = logs.get_log_events(**stream, startFromHead=True, nextToken=rest["nextForwardToken"])
        self.assertEqual((messages(end), end["nextForwardToken"]), ([], rest["nextForwardToken"]))
        self.assertEqual(messages(logs.get_log_events(**stream, limit=2)), ["c", "d"])
        first = head["events"][0]["timestamp"]
        with differs("moto includes what happened at the end"):
            self.assertEqual(messages(logs.get_log_events(**stream, startTime=first, endTime=first + 1)), ["a"])

    def test_the_group_may_be_named_by_its_arn(self):
        stream = new_stream()
        put(stream, "m")
        by_arn = logs.get_log_events(logGroupIdentifier=arn_of(stream["logGroupName"]), logStreamName=stream["logStreamName"])
        self.assertEqual(messages(by_arn), ["m"])

    def test_batches_that_cannot_be_are_refused(self):
        stream, now = new_stream(), int(time.time() * 1000)
        event = lambda at, message="m": {"timestamp": at, "message": message}  # noqa: E731
        for events in [
            [event(now), event(now - 1)],
            [event(now, "x" * 524_288), event(now, "x" * 524_288)],
            [event(now - 2 * DAY_MS), event(now)],
        ]:
            with differs("moto takes them"):
                error = error_of(logs.put_log_events, **stream, logEvents=events)
                self.assertEqual((error.code, error.status), ("InvalidParameterException", 400))
        rejected = logs.put_log_events(**stream, logEvents=[event(now - 15 * DAY_MS), event(now), event(now + DAY_MS // 2)])
        self.assertEqual(rejected["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"], 2)
        with differs("moto gives the place of the last one that is too old, not the one after it"):
            self.assertEqual(rejected["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"], 1)
        error = error_of(logs.put_log_events, logGroupName=stream["logGroupName"], logStreamName="none", logEvents=[event(now)])
        self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 400))

    def test_terms_and_phrases_are_searched(self):
        stream = new_stream()
        group = stream["logGroupName"]
        put(stream, "ERROR one thing", "WARN two", "ERROR two things", "INFO")
        search = lambda pattern: messages(logs.filter_log_events(logGroupName=group, filterPattern=pattern))  # noqa: E731
        self.assertEqual(len(search("")), 4)
        self.assertEqual(search("ERROR"), ["ERROR one thing", "ERROR two things"])
        self.assertEqual(search("ERROR two"), ["ERROR two things"])
        self.assertEqual(search('"one thing"'), ["ERROR one thing"])
        with differs("moto does not know these"):
            self.assertEqual(search("?WARN ?INFO"), ["WARN two", "INFO"])
            self.assertEqual(search("ERROR -things"), ["ERROR one thing"])

    @differs("moto does not know patterns of fields")
    def test_fields_of_json_are_searched(self):
        stream = new_stream()
        put(stream, json.dumps({"type": "A", "n": 1, "deep": [{"x": None}]}), json.dumps({"type": "B", "n": 5}), "text")
        for pattern, count in [
            ('{ $.type = "A" }', 1),
            ("{ $.n > 1 }", 1),
            ("{ $.n >= 1 }", 2),
            ('{ $.type = "*" && $.n = 5 }', 1),
            ('{ $.type = "A" || $.type = "B" }', 2),
            ("{ $.deep[0].x IS NULL }", 1),
            ("{ $.deep NOT EXISTS }", 1),
        ]:
            found = logs.filter_log_events(logGroupName=stream["logGroupName"], filterPattern=pattern)["events"]
            self.assertEqual(len(found), count, pattern)
        error = error_of(logs.filter_log_events, logGroupName=stream["logGroupName"], filterPattern="{ $.a }")
        self.assertEqual((error.code, error.status), ("InvalidParameterException", 400))

    def test_streams_of_a_group_are_searched_together(self):
        group = new_group()
        for name in ["a", "b"]:
            logs.create_log_stream(logGroupName=group, logStreamName=name)
            put({"logGroupName": group, "logStreamName": name}, f"of {name}")
        everything = logs.filter_log_events(logGroupName=group)
        self.assertEqual(sorted(event["logStreamName"] for event in everything["events"]), ["a", "b"])
        self.assertTrue(all(event["eventId"] for event in everything["events"]))
        self.assertEqual(messages(logs.filter_log_events(logGroupName=group, logStreamNames=["b"])), ["of b"])
        with differs("moto does not read the prefix"):
            self.assertEqual(messages(logs.filter_log_events(logGroupName=group, logStreamNamePrefix="a")), ["of a"])
        first = logs.filter_log_events(logGroupName=group, limit=1)
        second = logs.filter_log_events(logGroupName=group, limit=1, nextToken=first["nextToken"])
        self.assertEqual(sorted(messages(first) + messages(second)), ["of a", "of b"])

    def test_an_action_that_is_not_here_is_named(self):
        if IS_MOTO:
            self.skipTest("moto has it")
        error = error_of(logs.describe_metric_filters)
        self.assertEqual((error.code, error.status), ("UnknownOperationException", 400))
        self.assertIn("DescribeMetricFilters", error.message)


if __name__ == "__main__":
    unittest.main()
