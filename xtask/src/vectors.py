# Requests as botocore writes them and answers as it reads them, one JSON object a line. Inputs are drawn with a fixed seed.
# crates/protocol/tests/it/vectors.rs holds our codec against them.
import base64
import datetime
import json
import random

import botocore.parsers
import botocore.serialize
import botocore.session
from botocore.awsrequest import HeadersDict

SERVICES = {
    "json": "sqs dynamodb events stepfunctions logs ecs glue athena kinesis ssm kms secretsmanager",
    "rest-json": "lambda apigateway scheduler batch pipes eks iot glacier apigatewayv2 efs polly bedrock-runtime xray",
    "query": "sns sts iam cloudformation rds elbv2 autoscaling ses redshift elasticache",
    "rest-xml": "s3 s3control route53 cloudfront",
    "ec2": "ec2",
    "smithy-rpc-v2-cbor": "cloudwatch codebuild datasync transcribe",
}
PER_PROTOCOL = 48
DEPTH_MAX = 3
session = botocore.session.get_session()


class Draw:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, shape, depth=0):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            return [self.value(shape.member, depth + 1) for _ in range(self.random.randint(1, 2))]
        if kind == "map":
            return {f"{self.text(shape.key)}{at}": self.value(shape.value, depth + 1) for at in range(1)}
        if kind in ("integer", "long"):
            return self.random.choice([0, 1, 7, 443, 2**31 - 1] if kind == "integer" else [0, 5, -3, 2**40 + 1])
        if kind in ("float", "double"):
            return self.random.choice([0.5, 1.25, -2.75, 3.5])
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind == "timestamp":
            seconds = self.random.randint(10**8, 2 * 10**9)
            return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        if kind == "blob":
            return self.random.randbytes(self.random.randint(1, 9))
        return self.text(shape)

    def text(self, shape):
        enum = getattr(shape, "enum", None)
        if enum:
            return self.random.choice(enum)
        if shape.serialization.get("location") in ("header", "headers") or shape.serialization.get("hostLabel"):
            return self.random.choice(["abc", "x-1", "a.b"])
        return self.random.choice(["a", "Some text", "a/b c+d", "1 < 2 & \"é\"", "arn:aws:x:y:1:z/w", "日本"])

    def structure(self, shape, depth):
        if shape.is_document_type:
            return {"any": [1, "two", None, {"three": True}]}
        names = list(shape.members)
        union = getattr(shape, "is_tagged_union", False)
        if union:
            names = [self.random.choice(names)] if names else []
        drawn = {}
        for name in names:
            member = shape.members[name]
            required = union or name in shape.required_members or member.serialization.get("location") == "uri"
            token = name in [one for one in names if member.metadata.get("idempotencyToken")]
            host = member.serialization.get("hostLabel")
            chance = 0.5 if len(names) < 10 else 4 / len(names)
            wanted = required or token or host or self.random.random() < chance
            nests = member.type_name in ("structure", "list", "map")
            odd = member.serialization.get("jsonvalue") or member.serialization.get("eventstream")
            if odd or not wanted or (nests and depth >= DEPTH_MAX and not required) or depth > DEPTH_MAX + 3:
                continue
            drawn[name] = self.value(member, depth + 1)
        return drawn


def tree(value):
    if isinstance(value, dict):
        return {key: tree(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [tree(each) for each in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime.datetime):
        seconds = value.timestamp()
        return int(seconds) if seconds == int(seconds) else seconds
    return value


def filled(value):
    """Without what a form cannot say: structures with nothing in them."""
    if isinstance(value, dict):
        return {key: each for key, each in ((key, filled(each)) for key, each in value.items()) if each not in ({}, [])}
    if isinstance(value, list):
        return [each for each in map(filled, value) if each not in ({}, [])]
    return value


class AsInput:
    """An operation that asks for what another answers, so that botocore writes an answer's body."""

    def __init__(self, operation):
        self.name = operation.name
        self.http = {"method": "POST", "requestUri": "/"}
        self.input_shape = operation.output_shape
        self.metadata = operation.metadata
        self.service_model = operation.service_model
        self.endpoint = None
        self.has_event_stream_input = self.has_event_stream_output = False


def written(protocol, operation, drawn):
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(drawn, operation)
    path, _, literal = request["url_path"].partition("?")
    query = [pair.partition("=")[::2] for pair in literal.split("&") if pair]
    for name, value in (request["query_string"] or {}).items():
        query += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
    body = request["body"]
    if isinstance(body, dict):
        body = [[name, str(value)] for name, value in body.items()]
    return {
        "method": request["method"],
        "host_prefix": request.get("host_prefix"),
        "path": path,
        "query": list(map(list, query)),
        "headers": {name: str(value) for name, value in request["headers"].items()},
        "body": tree(body),
    }


def xml_body(operation, drawn, protocol):
    serializer = botocore.serialize.create_serializer("rest-xml", include_validation=False)
    shape = operation.output_shape
    from xml.etree import ElementTree

    def element(name):
        top = ElementTree.Element("")
        serializer._serialize(shape, drawn, top, name)
        return ElementTree.tostring(list(top)[0], encoding="unicode")

    if protocol == "ec2":
        inner = element(operation.name + "Response")
        return inner.encode()
    wrapper = shape.serialization.get("resultWrapper", operation.name + "Result")
    name = operation.name + "Response"
    id_ = "<ResponseMetadata><RequestId>an-id</RequestId></ResponseMetadata>"
    return f'<{name} xmlns="http://example.com/">{element(wrapper)}{id_}</{name}>'.encode()


def answered(protocol, operation, drawn):
    shape = operation.output_shape
    headers = {}
    if protocol in ("query", "ec2"):
        body = xml_body(operation, drawn, protocol)
    else:
        if protocol == "rest-xml":
            shape.serialization.setdefault("name", operation.name + "Result")
            payload = shape.serialization.get("payload")
            if payload:
                shape.members[payload].serialization.setdefault("name", payload)
        serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
        request = serializer.serialize_to_request(drawn, AsInput(operation))
        body, headers = request["body"], {name: str(value) for name, value in request["headers"].items()}
        for name in ("X-Amz-Target", "Accept", "x-amzn-query-mode"):
            headers.pop(name, None)
    parser = botocore.parsers.create_parser(protocol)
    parsed = parser.parse({"status_code": 200, "headers": HeadersDict(headers), "body": body}, shape)
    parsed.pop("ResponseMetadata", None)
    if not body:
        # Without a body there is no structure in it.
        parsed = {name: value for name, value in parsed.items() if value != {}}
    return {"status": 200, "headers": headers, "body": tree(body), "output": tree(parsed)}


def streams(shape):
    return shape is not None and any(one.serialization.get("eventstream") for one in shape.members.values())


ERRORS = [
    ("lambda", "GetFunction", 404, {"x-amzn-ErrorType": "ResourceNotFoundException:http://internal/"},
     '{"Type":"User","Message":"Function not found"}'),
    ("lambda", "Invoke", 429, {"x-amzn-errortype": "TooManyRequestsException", "Retry-After": "7"},
     '{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}'),
    ("scheduler", "GetSchedule", 400, {}, '{"__type":"ValidationException","Message":"no"}'),
    ("dynamodb", "PutItem", 400, {},
     '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}'),
    ("dynamodb", "TransactWriteItems", 400, {},
     '{"__type":"a#TransactionCanceledException","Message":"m","CancellationReasons":[{"Code":"None"},'
     '{"Code":"ConditionalCheckFailed","Item":{"a":{"S":"b"}},"Message":"x"}]}'),
    ("sqs", "SendMessage", 400, {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
     '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}'),
    ("stepfunctions", "StartExecution", 500, {}, '{"__type":"InternalFailure"}'),
    ("logs", "PutLogEvents", 503, {}, "<html>Service Unavailable</html>"),
    ("sns", "Publish", 404, {},
     '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>NotFound</Code>'
     "<Message>Topic does not exist</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"),
    ("iam", "GetRole", 404, {}, "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no &lt;role&gt;"
     "</Message></Error><RequestId>id-2</RequestId></ErrorResponse>"),
    ("s3", "GetObject", 404, {"x-amz-request-id": "id-3"}, '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey'
     "</Code><Message>The specified key does not exist.</Message><Key>k</Key><RequestId>id-3</RequestId></Error>"),
    ("s3", "HeadObject", 404, {"x-amz-request-id": "id-4"}, ""),
    ("route53", "GetHostedZone", 404, {}, '<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>'
     "Sender</Type><Code>NoSuchHostedZone</Code><Message>none</Message></Error><RequestId>id-5</RequestId></ErrorResponse>"),
    ("ec2", "RunInstances", 400, {}, "<Response><Errors><Error><Code>InvalidAMIID.NotFound</Code><Message>no</Message></Error>"
     "</Errors><RequestID>id-6</RequestID></Response>"),
]


def failed(name, operation_name, status, headers, body):
    model = session.get_service_model(name)
    protocol = model.resolved_protocol
    parser = botocore.parsers.create_parser(protocol)
    parsed = parser.parse({"status_code": status, "headers": HeadersDict(headers), "body": body.encode()}, None)
    error = parsed["Error"]
    # Where the body has no message, botocore takes the status line's.
    message = "" if error.get("Message") in ("Service Unavailable", "Not Found") else error.get("Message", "")
    expected = {"code": error.get("QueryErrorCode", error["Code"]), "message": message}
    shape = model.shape_for_error_code(error.get("QueryErrorCode", error["Code"]))
    members = {}
    if shape is not None:
        modeled = parser.parse({"status_code": status, "headers": HeadersDict(headers), "body": body.encode()}, shape)
        dropped = ("Error", "ResponseMetadata", "Message", "message")
        members = {key: value for key, value in modeled.items() if key not in dropped}
    if "QueryErrorCode" in error:
        members["QueryErrorCode"] = error["Code"]
    expected["members"] = tree(members)
    return {"status": status, "headers": headers, "body": tree(body.encode()), "error": expected}


def vectors():
    draw = Draw(41)
    for protocol, names in SERVICES.items():
        models = [session.get_service_model(name) for name in names.split()]
        for model in models:
            each = max(1, PER_PROTOCOL // len(models))
            operations = sorted(model.operation_names)
            draw.random.shuffle(operations)
            for kind, taken in (("request", operations[:each]), ("answer", operations[-each:])):
                for name in taken:
                    operation = model.operation_model(name)
                    shape = operation.input_shape if kind == "request" else operation.output_shape
                    if shape is None or streams(shape):
                        continue
                    drawn = draw.value(shape)
                    if protocol in ("query", "ec2"):
                        drawn = filled(drawn)
                    line = {"service": model.service_name, "operation": name, "protocol": protocol}
                    if kind == "request":
                        line |= {"input": tree(drawn), "request": written(protocol, operation, drawn)}
                    else:
                        try:
                            line |= {"answer": answered(protocol, operation, drawn)}
                        except UnicodeDecodeError:
                            # Botocore takes every payload that is no stream for text.
                            continue
                    yield line
    for name, operation, status, headers, body in ERRORS:
        line = {"service": name, "operation": operation, "protocol": session.get_service_model(name).resolved_protocol}
        yield line | {"answer": failed(name, operation, status, headers, body)}


SIGNED = [
    ("sts", "us-east-1", "POST", "https://sts.amazonaws.com/", {"Content-Type": "application/x-www-form-urlencoded"},
     b"Action=GetCallerIdentity&Version=2011-06-15", None),
    ("lambda", "eu-central-1", "GET", "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Af?Qualifier=a%20b&A=",
     {}, b"", "a/session+token"),
    ("execute-api", "us-west-2", "PUT", "https://x.execute-api.us-west-2.amazonaws.com/a//b/../c%20d/", {"X-Two": " a   b "},
     "é".encode(), None),
    ("s3", "us-east-1", "PUT", "https://s3.amazonaws.com/bucket/a//b/../c%20d%2Fe?x-id=PutObject&acl=",
     {"x-amz-meta-a": "b"}, b"body", "token"),
    ("s3", "us-east-1", "GET", "https://s3.amazonaws.com/bucket?list-type=2&prefix=a%2Fb&Z=1", {}, b"", None),
]


def signed(service, region, method, url, headers, body, token):
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    botocore.auth.get_current_datetime = lambda **_: datetime.datetime(2015, 8, 30, 12, 36, 0)
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    # The keys of AWS's documentation.
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
    kind(credentials, service, region).add_auth(request)
    scheme, _, rest = url.partition("://")
    host, _, target = rest.partition("/")
    line = {"service": service, "region": region, "method": method, "host": host, "target": "/" + target, "token": token}
    return line | {"headers": headers, "body": tree(body), "authorization": request.headers["Authorization"]}


print(f"# botocore {botocore.__version__}. Written by `cargo xtask model --update`.")
for line in vectors():
    print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
for each in SIGNED:
    print(json.dumps({"signed": signed(*each)}, ensure_ascii=False, separators=(",", ":")))
