# What services answer: the shapes of their responses, for checking mocked results. crates/spec/src/results.rs reads it.
#
# One line per operation and per shape that one leads to, in the words explained there. Field names as Step Functions has
# them: the model's, with a capital first letter.
import gzip
import json
import os

import botocore

WHOLE = [
    "dynamodb", "events", "lambda", "s3", "secretsmanager", "sns", "sqs", "stepfunctions", "sts",
]
# Operations of services with optimized integrations, and those they are polled with.
SOME = {
    "athena": "StartQueryExecution StopQueryExecution GetQueryExecution GetQueryResults",
    "batch": "SubmitJob DescribeJobs",
    "bedrock": "CreateModelCustomizationJob GetModelCustomizationJob",
    "bedrock-runtime": "InvokeModel",
    "codebuild": "StartBuild StopBuild BatchDeleteBuilds BatchGetReports StartBuildBatch StopBuildBatch RetryBuildBatch"
    " DeleteBuildBatch BatchGetBuilds BatchGetBuildBatches",
    "databrew": "StartJobRun DescribeJobRun",
    "ecs": "RunTask DescribeTasks",
    "eks": "CreateCluster DeleteCluster CreateFargateProfile DeleteFargateProfile CreateNodegroup DeleteNodegroup"
    " DescribeCluster DescribeFargateProfile DescribeNodegroup",
    "emr-containers": "CreateVirtualCluster DeleteVirtualCluster StartJobRun DescribeVirtualCluster DescribeJobRun",
    "emr-serverless": "CreateApplication StartApplication StopApplication DeleteApplication StartJobRun CancelJobRun"
    " GetApplication GetJobRun",
    "glue": "StartJobRun GetJobRun",
    "ssm": "DeleteParameter GetCommandInvocation GetParameter GetParameters GetParametersByPath PutParameter SendCommand",
    "sagemaker": "CreateEndpoint CreateEndpointConfig CreateHyperParameterTuningJob CreateLabelingJob CreateModel"
    " CreateProcessingJob CreateTrainingJob CreateTransformJob UpdateEndpoint DescribeHyperParameterTuningJob"
    " DescribeLabelingJob DescribeProcessingJob DescribeTrainingJob DescribeTransformJob",
}
NUMBERS = {"integer", "long", "float", "double", "short", "byte", "bigdecimal", "biginteger"}


def capital(name):
    return name[:1].upper() + name[1:]


def read(service):
    folder = os.path.join(os.path.dirname(botocore.__file__), "data", service)
    version = max(name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name)))
    with gzip.open(os.path.join(folder, version, "service-2.json.gz")) as file:
        return json.load(file)


def field(structure, name):
    member = structure["members"][name]
    # The SDK that Step Functions calls spells runs of capitals in a way of its own: such a field may be there as another.
    has_run = any(one.isupper() and next_one.isupper() for one, next_one in zip(name, name[1:]))
    is_required = name in structure.get("required", []) and not has_run
    return f"{capital(name)}{'!' if is_required else ''}:{kind(member['shape'])}"


def kind(name):
    shape = shapes[name]
    what = shape["type"]
    if what in NUMBERS:
        return "number"
    if what == "string":
        if "enum" in shape:
            wanted.append(name)
            return name
        return "string"
    if what in ("boolean", "timestamp"):
        return what
    if what == "list":
        return f"[{kind(shape['member']['shape'])}]"
    if what == "map":
        return f"{{{kind(shape['value']['shape'])}}}"
    if what == "structure" and not shape.get("document"):
        wanted.append(name)
        return name
    return "any"


for service in sorted([*WHOLE, *SOME]):
    model = read(service)
    shapes, wanted, told = model["shapes"], [], set()
    chosen = SOME[service].split() if service in SOME else sorted(model["operations"])
    name = model["metadata"]["serviceId"].lower().replace(" ", "").replace("-", "")
    print(f"service {name}")
    print(f"# From AWS's service model of {service}, {model['metadata']['apiVersion']}, as botocore (Apache License 2.0) publishes it.")
    for operation in chosen:
        output = model["operations"][operation].get("output")
        fields = [field(shapes[output["shape"]], each) for each in shapes[output["shape"]]["members"]] if output else []
        print(" ".join(["operation", operation, *fields]))
    while wanted:
        name = wanted.pop()
        if name in told:
            continue
        told.add(name)
        shape = shapes[name]
        if shape["type"] == "string":
            print("choice", name, "|".join(shape["enum"]))
        else:
            print(" ".join(["structure", name, *(field(shape, each) for each in shape["members"])]))
