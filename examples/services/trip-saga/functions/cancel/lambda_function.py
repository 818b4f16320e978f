"""Files what was cancelled. Cancelling twice is cancelling once: the key is the booking."""

import json
import os
import urllib.request


def handler(event, context):
    item = {"id": {"S": event["booking"]}}
    request = urllib.request.Request(
        os.environ["AWS_ENDPOINT_URL"],
        data=json.dumps({"TableName": "cancelled", "Item": item}).encode(),
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"},
    )
    with urllib.request.urlopen(request):
        return {"cancelled": event["booking"]}
