# Writes the table of all service models: `table.py FILE` writes the file and prints one line for each service.
# crates/protocol/src/table.rs reads it and says what stands where; both change together.
import gzip
import json
import os
import re
import sys
import zlib

import botocore

FORMAT = 1
PROTOCOLS = ["json", "rest-json", "rest-xml", "smithy-rpc-v2-cbor", "query", "ec2"]
KINDS = ["structure", "list", "map", "string", "boolean", "integer", "long", "float", "double", "timestamp", "blob"]
LOCATIONS = [None, "uri", "querystring", "header", "headers", "statusCode"]
TIMES = [None, "iso8601", "unixTimestamp", "rfc822"]
# Traits that a use of a shape takes from the shape when it does not say otherwise.
OF_USES = ["locationName", "xmlNamespace", "timestampFormat", "flattened", "streaming", "queryName", "jsonvalue"]

# The model of SQS has given up the names its query protocol has on the wire: a shape's member, or a list's item.
SQS_QUERY_NAMES = {
    "Actions": "ActionName",
    "AWSAccountIds": "AWSAccountId",
    "AttributeNames": "AttributeName",
    "Attributes": "Attribute",
    "Failed": "BatchResultErrorEntry",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
    "queueUrls": "QueueUrl",
    "Results": "ListMessageMoveTasksResultEntry",
    "StringListValues": "StringListValue",
    "BinaryListValues": "BinaryListValue",
    "TagKeys": "TagKey",
    "Tags": "Tag",
    "tags": "Tag",
}
SQS_QUERY_MAPS = {
    "QueueAttributeMap": ("Name", "Value"),
    "MessageBodyAttributeMap": ("Name", "Value"),
    "MessageBodySystemAttributeMap": ("Name", "Value"),
    "MessageSystemAttributeMap": ("Name", "Value"),
    "TagMap": ("Key", "Value"),
}


def name_sqs_query(model):
    shapes = model["shapes"]
    for shape in shapes.values():
        for member, use in shape.get("members", {}).items():
            named = SQS_QUERY_NAMES.get(member)
            if member in ("Entries", "Successful"):
                named = shapes[use["shape"]]["member"]["shape"]
            kind = shapes[use["shape"]]["type"]
            if named and kind in ("list", "map"):
                use["queryName"] = named
                use["flattened"] = True
    for name, (key, value) in SQS_QUERY_MAPS.items():
        shapes[name]["key"]["queryName"] = key
        shapes[name]["value"]["queryName"] = value


def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


class Stream:
    """Values of one kind, which compress better beside each other."""

    def __init__(self):
        self.bytes = bytearray()

    def number(self, number):
        self.bytes += varint(number)

    def text(self, text):
        text = text.encode()
        self.number(len(text))
        self.bytes += text


class Uses(Stream):
    """Uses of numbered things, in the order of their first use: 0 is the next new one, n the one numbered n - 1."""

    def __init__(self):
        super().__init__()
        self.known = {}
        self.order = []

    def use(self, name):
        if name in self.known:
            self.number(self.known[name] + 1)
        else:
            self.known[name] = len(self.order)
            self.order.append(name)
            self.number(0)


class Service:
    def __init__(self, name, model):
        self.name = name
        self.model = model
        self.metadata = model["metadata"]
        self.shapes = Uses()
        self.names = Uses()
        self.facts = Stream()

    def optional(self, text):
        self.facts.number(0 if text is None else 1)
        if text is not None:
            self.names.use(text)

    def use(self, use, name=None, required=False):
        """One use of a shape: as a member, an item, a key, a value, an input or an output."""
        shape = self.model["shapes"][use["shape"]]
        traits = {key: shape[key] for key in OF_USES if key in shape} | use
        namespace = traits.get("xmlNamespace")
        if isinstance(namespace, str):
            namespace = {"uri": namespace}
        extras = [
            traits.get("locationName"),
            traits.get("queryName"),
            namespace and namespace["uri"],
            namespace and namespace.get("prefix"),
            traits.get("resultWrapper"),
        ]
        flags = [
            required,
            traits.get("flattened"),
            traits.get("xmlAttribute"),
            traits.get("streaming"),
            traits.get("idempotencyToken"),
            traits.get("hostLabel"),
            traits.get("jsonvalue"),
            traits.get("eventpayload"),
            traits.get("eventheader"),
        ]
        bits = sum(1 << at for at, flag in enumerate(flags) if flag)
        bits |= LOCATIONS.index(traits.get("location")) << 9
        bits |= TIMES.index(traits.get("timestampFormat")) << 12
        bits |= sum(1 << 14 + at for at, extra in enumerate(extras) if extra)
        self.facts.number(bits)
        self.shapes.use(use["shape"])
        if name is not None:
            self.names.use(name)
        for extra in extras:
            if extra:
                self.names.use(extra)

    def operation(self, name, operation):
        http = operation["http"]
        # Cloudfront's operations have the version in the other name; nobody calls them by it.
        self.names.use(name)
        self.names.use(http["method"])
        self.names.use(http["requestUri"])
        self.facts.number(http.get("responseCode", 200))
        self.optional(operation.get("endpoint", {}).get("hostPrefix"))
        unsigned = operation.get("unsignedPayload") or operation.get("authtype") == "v4-unsigned-body"
        nobody = operation.get("authtype") == "none" or operation.get("auth") == ["smithy.api#noAuth"]
        checksum = operation.get("httpChecksumRequired") or operation.get("httpChecksum", {}).get(
            "requestChecksumRequired"
        )
        flags = ["input" in operation, "output" in operation, unsigned, nobody, checksum, operation.get("idempotent")]
        flags.append(operation.get("deprecated"))
        self.facts.number(sum(1 << at for at, flag in enumerate(flags) if flag))
        for each in ("input", "output"):
            if each in operation:
                self.use(operation[each])
        errors = operation.get("errors", [])
        self.facts.number(len(errors))
        for error in errors:
            self.shapes.use(error["shape"])

    def shape(self, name):
        shape = self.model["shapes"][name]
        kind = shape["type"]
        self.names.use(name)
        error = shape.get("error", {})
        limits = [shape.get("min"), shape.get("max")]
        flags = [
            shape.get("exception") or bool(error),
            shape.get("fault"),
            shape.get("union"),
            shape.get("sparse"),
            shape.get("document"),
            shape.get("sensitive"),
            shape.get("eventstream"),
            "payload" in shape,
            "code" in error,
            "httpStatusCode" in error,
            "enum" in shape,
            "pattern" in shape,
            limits[0] is not None,
            limits[1] is not None,
            error.get("senderFault"),
            shape.get("wrapper"),
            shape.get("event"),
        ]
        self.facts.number(KINDS.index(kind))
        self.facts.number(sum(1 << at for at, flag in enumerate(flags) if flag))
        for text in [shape.get("payload"), error.get("code")]:
            if text is not None:
                self.names.use(text)
        if "httpStatusCode" in error:
            self.facts.number(error["httpStatusCode"])
        if "enum" in shape:
            self.facts.number(len(shape["enum"]))
            for value in shape["enum"]:
                self.names.use(value)
        if "pattern" in shape:
            self.names.use(shape["pattern"])
        for limit in limits:
            if limit is not None:
                self.names.use(str(limit))
        if kind == "structure":
            required = shape.get("required", [])
            self.facts.number(len(shape["members"]))
            for member, use in shape["members"].items():
                self.use(use, member, member in required)
        elif kind == "list":
            self.use(shape["member"])
        elif kind == "map":
            self.use(shape["key"])
            self.use(shape["value"])

    def packed(self):
        operations = self.model["operations"]
        self.facts.number(len(operations))
        for name in sorted(operations):
            self.operation(name, operations[name])
        # What no operation names may still be thrown.
        thrown = [name for name, shape in sorted(self.model["shapes"].items()) if shape.get("exception")]
        self.facts.number(len(thrown))
        for name in thrown:
            self.shapes.use(name)
        done = 0
        while done < len(self.shapes.order):
            self.shape(self.shapes.order[done])
            done += 1
        texts = Stream()
        for text in self.names.order:
            texts.text(text)
        out = varint(len(self.shapes.order)) + varint(len(self.names.order))
        for part in (texts, self.facts, self.shapes, self.names):
            out += varint(len(part.bytes)) + part.bytes
        return bytes(out)

    def head(self):
        """What is known of a service without unpacking it."""
        metadata = self.metadata
        head = Stream()
        head.text(self.name)
        head.text(metadata["serviceId"])
        head.text(sdk_name(metadata["serviceId"]))
        head.text(metadata["apiVersion"])
        head.text(metadata["endpointPrefix"])
        head.text(metadata.get("signingName", metadata["endpointPrefix"]))
        head.text(metadata.get("jsonVersion", ""))
        head.text(metadata.get("targetPrefix", ""))
        head.text(metadata.get("xmlNamespace", ""))
        head.text(metadata.get("globalEndpoint", ""))
        spoken = metadata.get("protocols", [metadata["protocol"]])
        preferred = [each for each in PROTOCOLS if each in spoken]
        head.number(len(preferred))
        for each in preferred:
            head.number(PROTOCOLS.index(each))
        signed = metadata["signatureVersion"] != "bearer"
        head.number(1 if "awsQueryCompatible" in metadata else 0)
        head.number(1 if signed else 0)
        return head


def words(text):
    """A service id as the words the AWS SDK for Java 2 sees in it."""
    text = re.sub(r"[^A-Za-z0-9]+", " ", text)
    text = re.sub(r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 ", text)
    text = re.sub(r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " ", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", text)
    return text.split()


def sdk_name(service_id):
    """The name of a service's client in the AWS SDK for Java 2: `DynamoDb`. In small letters, its package: `dynamodb`."""
    name = "".join(word.capitalize() for word in words(service_id))
    for prefix in ("Amazon", "Aws"):
        name = name.removeprefix(prefix)
    return name.removesuffix("Service")


def newest(folder):
    versions = sorted(each for each in os.listdir(folder) if os.path.exists(f"{folder}/{each}/service-2.json.gz"))
    if not versions:
        return None
    with gzip.open(f"{folder}/{versions[-1]}/service-2.json.gz") as file:
        return json.load(file)


def main(file):
    data = os.path.join(os.path.dirname(botocore.__file__), "data")
    heads, bodies = Stream(), bytearray()
    lines = []
    for name in sorted(os.listdir(data)):
        model = os.path.isdir(f"{data}/{name}") and newest(f"{data}/{name}")
        if not model:
            continue
        if name == "sqs":
            name_sqs_query(model)
        service = Service(name, model)
        body = service.packed()
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
        packed = deflate.compress(body) + deflate.flush()
        head = service.head()
        heads.bytes += head.bytes
        heads.number(len(bodies))
        heads.number(len(packed))
        heads.number(len(body))
        bodies += packed
        sum_ = zlib.crc32(bytes(head.bytes) + body)
        metadata = model["metadata"]
        spoken = metadata.get("protocols", [metadata["protocol"]])
        protocol = next(each for each in PROTOCOLS if each in spoken)
        client = sdk_name(metadata["serviceId"])
        lines.append(f"{name} {client} {protocol} {len(model['operations'])} {len(service.shapes.order)} {sum_:08x}")
    out = b"SWAM" + varint(FORMAT) + varint(len(lines)) + varint(len(heads.bytes)) + heads.bytes + bodies
    with open(file, "wb") as written:
        written.write(out)
    print(f"# botocore {botocore.__version__}: service, client, protocol, operations, shapes, checksum.")
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1])
