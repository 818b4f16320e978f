"""SQS. Facts are those of SQS's API reference and developer guide."""

import hashlib
import json
import unittest

from world import ACCOUNT, IS_MOTO, REGION, client, differs, error_of, eventually, query, unique

sqs = client("sqs")
VERSION = "2012-11-05"


def arn_of(name):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def new_queue(name=None, **attributes):
    return sqs.create_queue(QueueName=name or unique("queue"), Attributes=attributes)["QueueUrl"]


def new_fifo(**attributes):
    return new_queue(unique("queue") + ".fifo", FifoQueue="true", **attributes)


def receive(url, **more):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **more).get("Messages", [])


def bodies(url, **more):
    return sorted(message["Body"] for message in receive(url, **more))


def attribute(url, name):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"].get(name)


def name_of(url):
    return url.rsplit("/", 1)[1]


class Queues(unittest.TestCase):
    def test_a_queue_is_found_again_and_its_attributes_hold(self):
        name = unique("queue")
        url = new_queue(name, VisibilityTimeout="7")
        self.assertEqual(url.split("/", 3)[3], f"{ACCOUNT}/{name}")
        self.assertEqual(sqs.get_queue_url(QueueName=name)["QueueUrl"], url)
        self.assertEqual(new_queue(name, VisibilityTimeout="7"), url)
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for key, value in {
            "QueueArn": arn_of(name),
            "VisibilityTimeout": "7",
            "DelaySeconds": "0",
            "MessageRetentionPeriod": "345600",
            "ReceiveMessageWaitTimeSeconds": "0",
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
        }.items():
            self.assertEqual(attributes[key], value, key)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "3"})
        self.assertEqual(attribute(url, "DelaySeconds"), "3")

    def test_another_value_for_the_same_name_is_refused(self):
        name = unique("queue")
        new_queue(name, VisibilityTimeout="7")
        error = error_of(sqs.create_queue, QueueName=name, Attributes={"VisibilityTimeout": "8"})
        self.assertEqual((error.code, error.status), ("QueueAlreadyExists", 400))
        with differs("moto does not say which attribute"):
            self.assertIn("VisibilityTimeout", error.message)



    def test_names_and_values_that_cannot_be_are_refused(self):
        for name in ["", "a b", "x" * 81, "a.fifo"]:
            with differs("moto takes any name that ends with .fifo"):
                error = error_of(sqs.create_queue, QueueName=name)
                self.assertEqual((error.code, error.status), ("InvalidParameterValue", 400), name)
        url = new_queue()
        for code, attributes in [
            ("InvalidAttributeValue", {"DelaySeconds": "901"}),
            ("InvalidAttributeValue", {"VisibilityTimeout": "43201"}),
            ("InvalidAttributeName", {"Nonsense": "1"}),
        ]:
            with differs("moto takes any value, and passes over attributes that are none"):
                error = error_of(sqs.create_queue, QueueName=unique(), Attributes=attributes)
                self.assertEqual((error.code, error.status), (code, 400))
                error = error_of(sqs.set_queue_attributes, QueueUrl=url, Attributes=attributes)
                self.assertEqual((error.code, error.status), (code, 400))
        error = error_of(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Nonsense"])
        self.assertEqual(error.code, "InvalidAttributeName")

    def test_a_queue_that_is_not_there_is_no_queue_for_any_action(self):
        url = new_queue() + "-gone"
        message = "The specified queue does not exist."
        calls = [
            (sqs.get_queue_url, {"QueueName": unique()}),
            (sqs.get_queue_attributes, {"QueueUrl": url}),
            (sqs.set_queue_attributes, {"QueueUrl": url, "Attributes": {"DelaySeconds": "1"}}),
            (sqs.send_message, {"QueueUrl": url, "MessageBody": "b"}),
            (sqs.send_message_batch, {"QueueUrl": url, "Entries": [{"Id": "1", "MessageBody": "b"}]}),
            (sqs.receive_message, {"QueueUrl": url}),
            (sqs.delete_message, {"QueueUrl": url, "ReceiptHandle": "r"}),
            (sqs.delete_message_batch, {"QueueUrl": url, "Entries": [{"Id": "1", "ReceiptHandle": "r"}]}),
            (sqs.change_message_visibility, {"QueueUrl": url, "ReceiptHandle": "r", "VisibilityTimeout": 1}),
            (
                sqs.change_message_visibility_batch,
                {"QueueUrl": url, "Entries": [{"Id": "1", "ReceiptHandle": "r", "VisibilityTimeout": 1}]},
            ),
            (sqs.purge_queue, {"QueueUrl": url}),
            (sqs.list_queue_tags, {"QueueUrl": url}),
            (sqs.tag_queue, {"QueueUrl": url, "Tags": {"a": "b"}}),
            (sqs.untag_queue, {"QueueUrl": url, "TagKeys": ["a"]}),
            (sqs.list_dead_letter_source_queues, {"QueueUrl": url}),
            (sqs.add_permission, {"QueueUrl": url, "Label": "l", "AWSAccountIds": [ACCOUNT], "Actions": ["*"]}),
            (sqs.remove_permission, {"QueueUrl": url, "Label": "l"}),
        ]
        for call, request in calls:
            error = error_of(call, **request)
            self.assertEqual((error.code, error.status), ("AWS.SimpleQueueService.NonExistentQueue", 400), call)
            with differs("moto has no full stop at the end everywhere"):
                self.assertEqual(error.message, message)
        with differs("moto lets a queue be deleted that is not there"):
            self.assertEqual(error_of(sqs.delete_queue, QueueUrl=url).code, "AWS.SimpleQueueService.NonExistentQueue")

    def test_queues_are_listed_by_prefix_and_in_pages(self):
        prefix = unique("listed")
        urls = sorted(new_queue(f"{prefix}-{n}") for n in range(3))
        self.assertEqual(sorted(sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"]), urls)
        first = sqs.list_queues(QueueNamePrefix=prefix, MaxResults=2)
        second = sqs.list_queues(QueueNamePrefix=prefix, MaxResults=2, NextToken=first["NextToken"])
        self.assertEqual(sorted(first["QueueUrls"] + second["QueueUrls"]), urls)
        self.assertNotIn("NextToken", second)
        self.assertNotIn("QueueUrls", sqs.list_queues(QueueNamePrefix=unique("none")))

    @differs("moto does not read QueueOwnerAWSAccountId")
    def test_accounts_and_regions_are_apart(self):
        name = unique("queue")
        new_queue(name)
        for other in [client("sqs", account="444455556666"), client("sqs", region="eu-west-1")]:
            self.assertEqual(
                error_of(other.get_queue_url, QueueName=name).code, "AWS.SimpleQueueService.NonExistentQueue"
            )
        found = client("sqs", account="444455556666").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=ACCOUNT)
        self.assertIn(f"/{ACCOUNT}/{name}", found["QueueUrl"])

    def test_a_deleted_queue_is_gone(self):
        url = new_queue()
        sqs.delete_queue(QueueUrl=url)
        self.assertEqual(error_of(sqs.send_message, QueueUrl=url, MessageBody="b").code.rsplit(".", 1)[-1], "NonExistentQueue")

    def test_a_purged_queue_is_empty(self):
        url = new_queue()
        sqs.send_message(QueueUrl=url, MessageBody="b")
        sqs.purge_queue(QueueUrl=url)
        self.assertEqual(receive(url), [])
        self.assertEqual(attribute(url, "ApproximateNumberOfMessages"), "0")

    def test_tags_come_and_go(self):
        url = sqs.create_queue(QueueName=unique(), tags={"a": "1"})["QueueUrl"]
        sqs.tag_queue(QueueUrl=url, Tags={"b": "2", "c": "3"})
        sqs.untag_queue(QueueUrl=url, TagKeys=["a", "none"])
        self.assertEqual(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"b": "2", "c": "3"})

    def test_permissions_stand_in_the_policy(self):
        url = new_queue()
        sqs.add_permission(QueueUrl=url, Label="mine", AWSAccountIds=["444455556666"], Actions=["SendMessage"])
        policy = json.loads(attribute(url, "Policy"))
        (statement,) = policy["Statement"]
        self.assertEqual((statement["Sid"], statement["Effect"]), ("mine", "Allow"))
        sqs.remove_permission(QueueUrl=url, Label="mine")
        error = error_of(sqs.remove_permission, QueueUrl=url, Label="mine")
        self.assertEqual((error.code, error.status), ("InvalidParameterValue", 400))


class Messages(unittest.TestCase):
    def test_what_is_sent_is_received_and_deleted(self):
        url = new_queue()
        attributes = {
            "text": {"DataType": "String", "StringValue": "v"},
            "number": {"DataType": "Number.int", "StringValue": "7"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x01\x02"},
        }
        sent = sqs.send_message(QueueUrl=url, MessageBody="body é", MessageAttributes=attributes)
        self.assertEqual(sent["MD5OfMessageBody"], hashlib.md5("body é".encode()).hexdigest())
        self.assertNotIn("SequenceNumber", sent)
        # botocore checks MD5OfMessageBody; the attributes' digest is the same both ways.
        (message,) = receive(url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
        self.assertEqual(message["MessageId"], sent["MessageId"])
        self.assertEqual(message["Body"], "body é")
        self.assertEqual(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
        self.assertEqual(message["MessageAttributes"]["bytes"]["BinaryValue"], b"\x01\x02")
        self.assertEqual(message["MessageAttributes"]["number"], {"DataType": "Number.int", "StringValue": "7"})
        self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")
        self.assertIn("SentTimestamp", message["Attributes"])
        self.assertIn("SenderId", message["Attributes"])
        self.assertEqual(receive(url), [], "it is in flight")
        self.assertEqual(attribute(url, "ApproximateNumberOfMessagesNotVisible"), "1")
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual(attribute(url, "ApproximateNumberOfMessagesNotVisible"), "0")
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def test_attributes_are_given_when_they_are_asked_for(self):
        url = new_queue(VisibilityTimeout="0")
        named = {name: {"DataType": "String", "StringValue": "v"} for name in ["one.a", "one.b", "two"]}
        sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes=named)
        for asked, got in [([], []), (["two"], ["two"]), (["one.*"], ["one.a", "one.b"]), (["All"], sorted(named))]:
            (message,) = receive(url, MessageAttributeNames=asked)
            self.assertEqual(sorted(message.get("MessageAttributes", {})), got, asked)

    def test_messages_that_cannot_be_are_refused(self):
        url = new_queue()
        cases = [
            ({"MessageBody": ""}, ["MissingParameter", "InvalidParameterValue"]),
            ({"MessageBody": "x" * (1024 * 1024 + 1)}, ["InvalidParameterValue"]),
            ({"MessageBody": "b", "DelaySeconds": 901}, ["InvalidParameterValue"]),
            ({"MessageBody": "b", "MessageAttributes": {"a": {"DataType": "Nonsense", "StringValue": "v"}}}, ["InvalidParameterValue"]),
            ({"MessageBody": "b", "MessageAttributes": {"a": {"DataType": "String"}}}, ["InvalidParameterValue"]),
            ({"MessageBody": "b", "MessageDeduplicationId": "d"}, ["InvalidParameterValue", "InvalidParameterCombination"]),
        ]
        for request, codes in cases:
            with differs("moto checks less"):
                error = error_of(sqs.send_message, QueueUrl=url, **request)
                self.assertIn(error.code, codes, str(request)[:80])
                self.assertEqual(error.status, 400)
        with differs("moto takes any character by JSON"):
            error = error_of(sqs.send_message, QueueUrl=url, MessageBody="\x01")
            self.assertEqual((error.code, error.status), ("InvalidMessageContents", 400))

    def test_what_is_not_deleted_comes_again(self):
        url = new_queue(VisibilityTimeout="1")
        sqs.send_message(QueueUrl=url, MessageBody="b")
        self.assertEqual(bodies(url), ["b"])
        self.assertEqual(bodies(url), [])
        (again,) = receive(url, WaitTimeSeconds=5, AttributeNames=["ApproximateReceiveCount"])
        self.assertEqual(again["Attributes"], {"ApproximateReceiveCount": "2"})

    def test_visibility_is_changed(self):
        url = new_queue()
        sqs.send_message(QueueUrl=url, MessageBody="b")
        (message,) = receive(url)
        receipt = message["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
        self.assertEqual(bodies(url, VisibilityTimeout=0), ["b"])
        error = error_of(
            sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=43201
        )
        self.assertEqual((error.code, error.status), ("InvalidParameterValue", 400))
        error = error_of(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle="nonsense", VisibilityTimeout=1)
        self.assertEqual((error.code, error.status), ("ReceiptHandleIsInvalid", 404 if not IS_MOTO else error.status))
        error = error_of(sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")
        self.assertEqual(error.code, "ReceiptHandleIsInvalid")

    def test_a_delayed_message_comes_later(self):
        url = new_queue()
        sqs.send_message(QueueUrl=url, MessageBody="b", DelaySeconds=1)
        self.assertEqual(attribute(url, "ApproximateNumberOfMessagesDelayed"), "1")
        self.assertEqual(bodies(url), [])
        self.assertEqual(bodies(url, WaitTimeSeconds=5), ["b"])

    def test_numbers_of_a_receive_have_bounds(self):
        url = new_queue()
        for request in [{"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}, {"VisibilityTimeout": -1}]:
            with differs("moto takes a negative visibility timeout"):
                error = error_of(sqs.receive_message, QueueUrl=url, **request)
                self.assertEqual((error.code, error.status), ("InvalidParameterValue", 400), request)

    def test_batches_say_of_each_entry_what_came_of_it(self):
        url = new_queue()
        entries = [{"Id": f"m{n}", "MessageBody": f"b{n}"} for n in range(3)]
        entries.append({"Id": "late", "MessageBody": "b", "DelaySeconds": 901})
        with differs("moto says DelaySeconds of one entry otherwise"):
            sent = sqs.send_message_batch(QueueUrl=url, Entries=entries)
            self.assertEqual([one["Id"] for one in sent["Successful"]], ["m0", "m1", "m2"])
            (failed,) = sent["Failed"]
            self.assertEqual((failed["Id"], failed["Code"], failed["SenderFault"]), ("late", "InvalidParameterValue", True))
        messages = receive(url)
        self.assertEqual(sorted(message["Body"] for message in messages), ["b0", "b1", "b2"])
        changes = [
            {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 100}
            for n, message in enumerate(messages)
        ]
        changed = sqs.change_message_visibility_batch(
            QueueUrl=url, Entries=changes + [{"Id": "x", "ReceiptHandle": "nonsense", "VisibilityTimeout": 1}]
        )
        self.assertEqual(sorted(one["Id"] for one in changed["Successful"]), ["0", "1", "2"])
        self.assertEqual([(one["Id"], one["Code"]) for one in changed["Failed"]], [("x", "ReceiptHandleIsInvalid")])
        deletes = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        deleted = sqs.delete_message_batch(QueueUrl=url, Entries=deletes + [{"Id": "x", "ReceiptHandle": "nonsense"}])
        self.assertEqual(sorted(one["Id"] for one in deleted["Successful"]), ["0", "1", "2"])
        self.assertEqual([(one["Id"], one["Code"]) for one in deleted["Failed"]], [("x", "ReceiptHandleIsInvalid")])

    def test_batches_that_cannot_be_are_refused(self):
        url = new_queue()
        entry = lambda id, body="b": {"Id": id, "MessageBody": body}  # noqa: E731
        cases = [
            ([], "AWS.SimpleQueueService.EmptyBatchRequest"),
            ([entry(str(n)) for n in range(11)], "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
            ([entry("a"), entry("a")], "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
            ([entry("a b")], "AWS.SimpleQueueService.InvalidBatchEntryId"),
            ([entry(str(n), "x" * 200_000) for n in range(6)], "AWS.SimpleQueueService.BatchRequestTooLong"),
        ]
        for entries, code in cases:
            error = error_of(sqs.send_message_batch, QueueUrl=url, Entries=entries)
            self.assertEqual((error.code, error.status), (code, 400))


class InOrder(unittest.TestCase):
    @differs("moto gives no SequenceNumber")
    def test_a_group_waits_for_its_first(self):
        url = new_fifo(ContentBasedDeduplication="true")
        for body, group in [("a1", "a"), ("a2", "a"), ("b1", "b")]:
            sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)
            self.assertTrue(sent["SequenceNumber"].isdigit())
        first = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"])["Messages"][0]
        self.assertEqual((first["Body"], first["Attributes"]["MessageGroupId"]), ("a1", "a"))
        self.assertEqual(bodies(url), ["b1"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        self.assertEqual(bodies(url), ["a2"])

    @differs("moto gives the second another id")
    def test_the_same_message_is_accepted_once(self):
        url = new_fifo()
        send = lambda body, id: sqs.send_message(  # noqa: E731
            QueueUrl=url, MessageBody=body, MessageGroupId="g", MessageDeduplicationId=id
        )
        first, again, other = send("a", "1"), send("b", "1"), send("c", "2")
        self.assertEqual(first["MessageId"], again["MessageId"])
        self.assertEqual(first["SequenceNumber"], again["SequenceNumber"])
        self.assertNotEqual(first["MessageId"], other["MessageId"])
        self.assertEqual(bodies(url), ["a", "c"])

    def test_what_order_needs_is_asked_for(self):
        url = new_fifo()
        error = error_of(sqs.send_message, QueueUrl=url, MessageBody="b", MessageDeduplicationId="d")
        self.assertEqual(error.code, "MissingParameter")
        self.assertIn("MessageGroupId", error.message)
        error = error_of(sqs.send_message, QueueUrl=url, MessageBody="b", MessageGroupId="g")
        self.assertEqual(error.code, "InvalidParameterValue")
        self.assertIn("ContentBasedDeduplication", error.message)
        error = error_of(
            sqs.send_message, QueueUrl=url, MessageBody="b", MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=1
        )
        self.assertEqual(error.code, "InvalidParameterValue")


class DeadLetters(unittest.TestCase):
    def make(self, count=1):
        dead = new_queue()
        policy = json.dumps({"deadLetterTargetArn": arn_of(name_of(dead)), "maxReceiveCount": count})
        return new_queue(RedrivePolicy=policy, VisibilityTimeout="0"), dead

    def test_what_was_received_too_often_goes_to_its_queue(self):
        url, dead = self.make()
        sent = sqs.send_message(QueueUrl=url, MessageBody="b")
        self.assertEqual(bodies(url), ["b"])
        self.assertEqual(bodies(url), [])
        (message,) = receive(dead, AttributeNames=["All"])
        self.assertEqual((message["MessageId"], message["Body"]), (sent["MessageId"], "b"))
        with differs("moto does not name the source queue"):
            self.assertEqual(message["Attributes"]["DeadLetterQueueSourceArn"], arn_of(name_of(url)))

    def test_source_queues_are_listed(self):
        url, dead = self.make()
        self.assertEqual(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])
        self.assertEqual(sqs.list_dead_letter_source_queues(QueueUrl=url)["queueUrls"], [])

    @differs("moto answers 500 to a policy that is no JSON")
    def test_policies_that_cannot_be_are_refused(self):
        for policy in ["nonsense", json.dumps({"maxReceiveCount": 1}), json.dumps({"deadLetterTargetArn": arn_of("none")})]:
            error = error_of(sqs.create_queue, QueueName=unique(), Attributes={"RedrivePolicy": policy})
            self.assertIn(error.code, ["InvalidAttributeValue", "InvalidParameterValue", "MissingParameter"], policy)

    @differs("moto answers 500")
    def test_dead_letters_are_moved_back(self):
        url, dead = self.make()
        sqs.send_message(QueueUrl=url, MessageBody="b")
        receive(url)
        self.assertEqual(receive(url), [])
        started = sqs.start_message_move_task(SourceArn=arn_of(name_of(dead)))
        self.assertTrue(started["TaskHandle"])
        with differs("moto moves nothing"):
            self.assertEqual(eventually(lambda: bodies(url)), ["b"])
        done = eventually(
            lambda: sqs.list_message_move_tasks(SourceArn=arn_of(name_of(dead)))["Results"],
            lambda tasks: tasks[0]["Status"] == "COMPLETED" or IS_MOTO,
        )
        self.assertEqual(done[0]["SourceArn"], arn_of(name_of(dead)))
        error = error_of(sqs.cancel_message_move_task, TaskHandle=started["TaskHandle"])
        # Only a running task can be cancelled; which of the two errors says so is not documented.
        self.assertIn(error.code, ["ResourceNotFoundException", "AWS.SimpleQueueService.UnsupportedOperation"])
        error = error_of(sqs.cancel_message_move_task, TaskHandle="nonsense")
        with differs("moto knows no such handle in another way"):
            self.assertIn(error.code, ["InvalidParameterValue", "ResourceNotFoundException"])
        error = error_of(sqs.start_message_move_task, SourceArn=arn_of(unique()))
        self.assertEqual((error.code, error.status), ("ResourceNotFoundException", 404 if not IS_MOTO else error.status))
        with differs("moto moves from any queue"):
            error = error_of(sqs.start_message_move_task, SourceArn=arn_of(name_of(new_queue())))
            self.assertEqual(error.code, "InvalidParameterValue")


class ByTheQueryProtocol(unittest.TestCase):
    """As SDKs spoke to SQS before 2023."""

    def ask(self, action, **parameters):
        return query("sqs", action, VERSION, **parameters)

    def test_a_message_goes_around(self):
        name = unique("queue")
        status, text = self.ask("CreateQueue", QueueName=name, Attribute_1_Name="VisibilityTimeout", Attribute_1_Value="9")
        self.assertEqual(status, 200, text)
        url = text.split("<QueueUrl>")[1].split("</QueueUrl>")[0]
        self.assertEqual(attribute(url, "VisibilityTimeout"), "9")
        status, text = self.ask("SendMessage", QueueUrl=url, MessageBody="a<b")
        self.assertIn(f"<MD5OfMessageBody>{hashlib.md5(b'a<b').hexdigest()}</MD5OfMessageBody>", text)
        status, text = self.ask("ReceiveMessage", QueueUrl=url, AttributeName_1="All")
        self.assertIn("<Body>a&lt;b</Body>", text)
        self.assertIn("<Name>ApproximateReceiveCount</Name><Value>1</Value>", "".join(text.split()))
        receipt = text.split("<ReceiptHandle>")[1].split("</ReceiptHandle>")[0]
        status, text = self.ask("DeleteMessage", QueueUrl=url, ReceiptHandle=receipt)
        self.assertEqual(status, 200, text)
        self.assertIn("<RequestId>", text)

    def test_errors_have_the_older_codes(self):
        status, text = self.ask("GetQueueUrl", QueueName=unique())
        self.assertEqual(status, 400)
        self.assertIn("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>", text)
        with differs("moto answers 500"):
            status, text = self.ask("Nonsense")
            self.assertEqual(status, 400)
            self.assertIn("<Code>InvalidAction</Code>", text)


if __name__ == "__main__":
    unittest.main()
