"""SQS. Facts are those of SQS's API reference and developer guide."""

import base64
import hashlib
import json
import unittest

from world import ACCOUNT, REGION, client, differs, error_of, eventually, query, signed, unique

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


if __name__ == "__main__":
    unittest.main()
