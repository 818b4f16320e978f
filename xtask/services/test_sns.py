"""SNS. Facts are those of SNS's API reference and developer guide."""

import json
import unittest

from world import ACCOUNT, IS_MOTO, REGION, Requests, client, differs, error_of, query, unique

sns = client("sns")
sqs = client("sqs")
VERSION = "2010-03-31"


def new_topic(name=None, **attributes):
    return sns.create_topic(Name=name or unique("topic"), Attributes=attributes)["TopicArn"]


def new_queue(**attributes):
    name = unique("queue") + (".fifo" if attributes.get("FifoQueue") else "")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def drain(url):
    """Everything in a queue, which is empty then."""
    drained = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        drained += messages
    return drained


def bodies(url):
    return [message["Body"] for message in drain(url)]


def subscribed(topic, **attributes):
    """A new queue that is subscribed to the topic, and the subscription."""
    url, arn = new_queue()
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url, subscription["SubscriptionArn"]


def of_kind(kind):
    return {"kind": {"DataType": "String", "StringValue": kind}}


class Topics(unittest.TestCase):
    def test_a_topic_is_created_once_and_deleted(self):
        name = unique("topic")
        arn = new_topic(name)
        self.assertEqual(arn, f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
        self.assertEqual(new_topic(name), arn)
        self.assertIn(arn, [topic["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]])
        sns.delete_topic(TopicArn=arn)
        sns.delete_topic(TopicArn=arn)
        error = error_of(sns.get_topic_attributes, TopicArn=arn)
        self.assertEqual((error.code, error.status), ("NotFound", 404))
        with differs("moto says which topic"):
            self.assertEqual(error.message, "Topic does not exist")

    def test_attributes_are_set_and_told(self):
        arn = new_topic(DisplayName="one")
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        self.assertEqual((attributes["TopicArn"], attributes["Owner"], attributes["DisplayName"]), (arn, ACCOUNT, "one"))
        self.assertEqual(attributes["SubscriptionsConfirmed"], "0")
        self.assertIn("Statement", json.loads(attributes["Policy"]))
        sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="two")
        self.assertEqual(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"], "two")
        with differs("moto sets any attribute"):
            error = error_of(sns.set_topic_attributes, TopicArn=arn, AttributeName="Nonsense", AttributeValue="1")
            self.assertEqual((error.code, error.status), ("InvalidParameter", 400))
        error = error_of(sns.set_topic_attributes, TopicArn=arn + "x", AttributeName="DisplayName", AttributeValue="1")
        self.assertEqual(error.code, "NotFound")

    def test_names_that_cannot_be_are_refused(self):
        for name in ["", "a b", "x" * 257, "a.fifo"]:
            error = error_of(sns.create_topic, Name=name)
            self.assertEqual((error.code, error.status), ("InvalidParameter", 400), name)
        error = error_of(sns.create_topic, Name="a", Attributes={"FifoTopic": "true"})
        self.assertEqual((error.code, error.status), ("InvalidParameter", 400))

    def test_tags_come_and_go(self):
        arn = sns.create_topic(Name=unique("topic"), Tags=[{"Key": "a", "Value": "1"}])["TopicArn"]
        sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(sns.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])
        for call, more in [(sns.list_tags_for_resource, {}), (sns.untag_resource, {"TagKeys": ["a"]}), (sns.tag_resource, {"Tags": []})]:
            error = error_of(call, ResourceArn=arn + "x", **more)
            self.assertEqual((error.code, error.status), ("ResourceNotFound", 404))


class Subscriptions(unittest.TestCase):
    def test_a_subscription_is_listed_told_and_ended(self):
        topic = new_topic()
        url, arn = subscribed(topic)
        self.assertTrue(arn.startswith(topic + ":"))
        (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        self.assertEqual((listed["SubscriptionArn"], listed["Protocol"], listed["Owner"]), (arn, "sqs", ACCOUNT))
        everywhere = [one["SubscriptionArn"] for page in sns.get_paginator("list_subscriptions").paginate() for one in page["Subscriptions"]]
        self.assertIn(arn, everywhere)
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        self.assertEqual((attributes["RawMessageDelivery"], attributes["PendingConfirmation"]), ("false", "false"))
        again = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=listed["Endpoint"])
        self.assertEqual(again["SubscriptionArn"], arn)
        sns.unsubscribe(SubscriptionArn=arn)
        error = error_of(sns.get_subscription_attributes, SubscriptionArn=arn)
        self.assertEqual((error.code, error.status), ("NotFound", 404))
        sns.publish(TopicArn=topic, Message="m")
        self.assertEqual(drain(url), [])

    def test_what_cannot_be_subscribed_is_refused(self):
        topic = new_topic()
        for protocol, endpoint in [("nonsense", "x"), ("sqs", "no-arn"), ("http", "ftp://x")]:
            with differs("moto takes any endpoint"):
                error = error_of(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
                self.assertEqual((error.code, error.status), ("InvalidParameter", 400), protocol)
        error = error_of(sns.subscribe, TopicArn=topic + "x", Protocol="sqs", Endpoint=new_queue()[1])
        self.assertEqual((error.code, error.status), ("NotFound", 404))
        error = error_of(sns.list_subscriptions_by_topic, TopicArn=topic + "x")
        with differs("moto gives no subscriptions of a topic that is not there"):
            self.assertEqual(error.code, "NotFound")
        _, arn = subscribed(topic)
        error = error_of(sns.set_subscription_attributes, SubscriptionArn=arn, AttributeName="Nonsense", AttributeValue="1")
        self.assertEqual((error.code, error.status), ("InvalidParameter", 400))
        error = error_of(sns.set_subscription_attributes, SubscriptionArn=arn + "x", AttributeName="RawMessageDelivery", AttributeValue="true")
        self.assertEqual((error.code, error.status), ("NotFound", 404))

    def test_an_http_endpoint_confirms_before_it_hears(self):
        topic, endpoint = new_topic(), Requests()
        self.addCleanup(endpoint.close)
        pending = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url + "/hook")
        with differs("moto confirms by itself"):
            self.assertEqual(pending["SubscriptionArn"], "pending confirmation")
            path, headers, body = endpoint.wait_for(lambda one: "SubscriptionConfirmation" in one[2])
            document = json.loads(body)
            self.assertEqual((path, document["TopicArn"]), ("/hook", topic))
            self.assertEqual(headers["x-amz-sns-message-type"], "SubscriptionConfirmation")
            sns.publish(TopicArn=topic, Message="early")
            error = error_of(sns.confirm_subscription, TopicArn=topic, Token="nonsense")
            self.assertEqual((error.code, error.status), ("InvalidParameter", 400))
            confirmed = sns.confirm_subscription(TopicArn=topic, Token=document["Token"])
            self.assertTrue(confirmed["SubscriptionArn"].startswith(topic + ":"))
        published = sns.publish(TopicArn=topic, Message="late", Subject="s")
        _, headers, body = endpoint.wait_for(lambda one: "\"late\"" in one[2])
        document = json.loads(body)
        self.assertEqual((document["Type"], document["Message"], document["MessageId"]), ("Notification", "late", published["MessageId"]))
        self.assertEqual((document["Subject"], document["TopicArn"]), ("s", topic))
        self.assertNotIn("early", str(endpoint.kept))


class Publishing(unittest.TestCase):
    def test_a_queue_gets_the_document_or_the_message(self):
        topic = new_topic()
        wrapped, _ = subscribed(topic)
        raw, _ = subscribed(topic, RawMessageDelivery="true")
        published = sns.publish(TopicArn=topic, Message="m", Subject="s", MessageAttributes=of_kind("a"))
        (message,) = drain(wrapped)
        document = json.loads(message["Body"])
        self.assertEqual(document["Type"], "Notification")
        self.assertEqual((document["MessageId"], document["Message"], document["Subject"]), (published["MessageId"], "m", "s"))
        self.assertEqual(document["MessageAttributes"], {"kind": {"Type": "String", "Value": "a"}})
        self.assertTrue({"Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL"} <= set(document))
        (message,) = drain(raw)
        self.assertEqual((message["Body"], message["MessageAttributes"]["kind"]["StringValue"]), ("m", "a"))

    def test_a_message_may_have_a_text_for_each_protocol(self):
        topic = new_topic()
        url, _ = subscribed(topic, RawMessageDelivery="true")
        texts = json.dumps({"default": "d", "sqs": "q"})
        sns.publish(TopicArn=topic, Message=texts, MessageStructure="json")
        self.assertEqual(bodies(url), ["q"])
        for message in ["nonsense", json.dumps({"sqs": "q"})]:
            with differs("moto takes any message"):
                error = error_of(sns.publish, TopicArn=topic, Message=message, MessageStructure="json")
                self.assertEqual((error.code, error.status), ("InvalidParameter", 400))

    def test_messages_that_cannot_be_are_refused(self):
        topic = new_topic()
        attribute = lambda **value: {"a": value}  # noqa: E731
        for code, request in [
            ("InvalidParameter", {"Message": ""}),
            ("InvalidParameter", {"Message": "x" * (256 * 1024 + 1)}),
            ("InvalidParameter", {"Message": "m", "Subject": "x" * 101}),
            ("ParameterValueInvalid", {"Message": "m", "MessageAttributes": attribute(DataType="String", StringValue="")}),
            ("ParameterValueInvalid", {"Message": "m", "MessageAttributes": attribute(DataType="Nonsense", StringValue="v")}),
        ]:
            with differs("moto checks less, and has another code for attributes"):
                error = error_of(sns.publish, TopicArn=topic, **request)
                self.assertEqual((error.code, error.status), (code, 400), str(request)[:60])
        error = error_of(sns.publish, TopicArn=topic + "x", Message="m")
        self.assertEqual((error.code, error.status), ("NotFound", 404))
        with differs("moto takes any ARN"):
            error = error_of(sns.publish, TopicArn="nonsense", Message="m")
            self.assertEqual((error.code, error.status), ("InvalidParameter", 400))

    def test_filters_choose_by_attributes_or_by_the_body(self):
        topic = new_topic()
        by_attributes, arn = subscribed(topic, RawMessageDelivery="true", FilterPolicy=json.dumps({"kind": ["a", {"prefix": "x"}]}))
        by_body, _ = subscribed(
            topic, RawMessageDelivery="true", FilterPolicyScope="MessageBody", FilterPolicy=json.dumps({"n": [{"numeric": [">", 1]}]})
        )
        for kind, body in [("a", "1"), ("b", '{"n": 2}'), ("xy", '{"n": 1}')]:
            sns.publish(TopicArn=topic, Message=body, MessageAttributes=of_kind(kind))
        self.assertEqual(sorted(bodies(by_attributes)), ["1", '{"n": 1}'])
        self.assertEqual(bodies(by_body), ['{"n": 2}'])
        error = error_of(
            sns.set_subscription_attributes, SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"a": "b"}'
        )
        self.assertEqual((error.code, error.status), ("InvalidParameter", 400))
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"kind": ["b"]}')
        sns.publish(TopicArn=topic, Message="now", MessageAttributes=of_kind("b"))
        self.assertEqual(bodies(by_attributes), ["now"])

    def test_batches_say_of_each_entry_what_came_of_it(self):
        topic = new_topic()
        url, _ = subscribed(topic, RawMessageDelivery="true")
        entries = [{"Id": str(n), "Message": f"m{n}"} for n in range(3)]
        answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        self.assertEqual([one["Id"] for one in answer["Successful"]], ["0", "1", "2"])
        self.assertEqual(answer["Failed"], [])
        self.assertEqual(sorted(bodies(url)), ["m0", "m1", "m2"])
        with differs("moto checks less, and has another code for no entries"):
            for entries, code in [
                ([], "EmptyBatchRequest"),
                ([{"Id": str(n), "Message": "m"} for n in range(11)], "TooManyEntriesInBatchRequest"),
                ([{"Id": "a", "Message": "m"}] * 2, "BatchEntryIdsNotDistinct"),
                ([{"Id": "a b", "Message": "m"}], "InvalidBatchEntryId"),
            ]:
                error = error_of(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries)
                self.assertEqual((error.code, error.status), (code, 400))
        error = error_of(sns.publish_batch, TopicArn=topic + "x", PublishBatchRequestEntries=[{"Id": "a", "Message": "m"}])
        self.assertEqual((error.code, error.status), ("NotFound", 404))

    def test_order_and_deduplication_are_passed_on(self):
        topic = new_topic(unique("topic") + ".fifo", FifoTopic="true")
        url, arn = new_queue(FifoQueue="true")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        publish = lambda text, id: sns.publish(  # noqa: E731
            TopicArn=topic, Message=text, MessageGroupId="g", MessageDeduplicationId=id
        )
        first = publish("a", "1")
        publish("b", "2")
        with differs("moto gives no SequenceNumber, and publishes again"):
            self.assertTrue(first["SequenceNumber"].isdigit())
            self.assertEqual(publish("c", "1")["MessageId"], first["MessageId"])
            self.assertEqual(bodies(url), ["a", "b"])
        with differs("moto says MissingParameter"):
            error = error_of(sns.publish, TopicArn=topic, Message="m", MessageDeduplicationId="d")
            self.assertEqual((error.code, error.status), ("InvalidParameter", 400))
        error = error_of(sns.publish, TopicArn=topic, Message="m", MessageGroupId="g")
        self.assertEqual((error.code, error.status), ("InvalidParameter", 400))
        with differs("moto subscribes it"):
            error = error_of(sns.subscribe, TopicArn=new_topic(), Protocol="sqs", Endpoint=arn)
            self.assertEqual(error.code, "InvalidParameter")


class ByTheQueryProtocol(unittest.TestCase):
    def test_a_topic_is_made_and_an_error_has_its_document(self):
        name = unique("topic")
        status, text = query("sns", "CreateTopic", VERSION, Name=name)
        self.assertEqual(status, 200, text)
        self.assertIn(f"<TopicArn>arn:aws:sns:{REGION}:{ACCOUNT}:{name}</TopicArn>", text)
        self.assertIn("<CreateTopicResult>", text)
        status, text = query("sns", "GetTopicAttributes", VERSION, TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:{unique()}")
        self.assertEqual(status, 404)
        self.assertIn("<Code>NotFound</Code>", text)
        self.assertIn("<Type>Sender</Type>", text)

    def test_an_action_that_is_not_here_is_named(self):
        if IS_MOTO:
            self.skipTest("moto does not say so")
        error = error_of(sns.list_platform_applications)
        self.assertEqual((error.code, error.status), ("InvalidAction", 400))
        self.assertIn("ListPlatformApplications", error.message)


if __name__ == "__main__":
    unittest.main()
