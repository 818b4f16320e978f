"""Starts one execution for each message of a batch, and says which messages it could not use.

An execution is named by its message, so that a message which comes twice starts one execution. The AWS SDK would make the same
request; without it the function runs wherever Python does.
"""

import json
import os
import urllib.request


def start(machine, name, text):
    request = urllib.request.Request(
        os.environ["AWS_ENDPOINT_URL"],
        data=json.dumps({"stateMachineArn": machine, "name": name, "input": text}).encode(),
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AWSStepFunctions.StartExecution"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["executionArn"]


def handler(event, context):
    unusable = []
    for record in event["Records"]:
        try:
            job = json.loads(record["body"])
            start(os.environ["MACHINE"], record["messageId"], json.dumps({"text": job["text"]}))
        except (ValueError, KeyError):
            unusable.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": unusable}
