# The facts of AWS's service model of Step Functions, one line each. crates/spec/tests/it/model.rs knows the same words.
import gzip
import json
import os
import re

import botocore

folder = os.path.join(os.path.dirname(botocore.__file__), "data", "stepfunctions")
[version] = os.listdir(folder)
with gzip.open(os.path.join(folder, version, "service-2.json.gz")) as file:
    model = json.load(file)
shapes = model["shapes"]
reached = {}


def limit(shape, name):
    return str(shape.get(name, "-"))


def member(structure, name):
    required = "!" if name in structure.get("required", []) else ""
    return f"{name}:{structure['members'][name]['shape']}{required}"


def collect(name):
    if name == "HistoryEvent" or name in reached:
        return
    shape = shapes[name]
    kind = shape["type"]
    reached[name] = None
    if kind == "structure":
        what = " ".join(["structure", ",".join(member(shape, each) for each in shape["members"])])
        for each in shape["members"].values():
            collect(each["shape"])
    elif kind == "list":
        what = f"list {shape['member']['shape']} {limit(shape, 'min')} {limit(shape, 'max')}"
        collect(shape["member"]["shape"])
    elif kind == "map":
        what = f"map {shape['key']['shape']} {shape['value']['shape']}"
        collect(shape["key"]["shape"])
        collect(shape["value"]["shape"])
    elif "enum" in shape:
        what = "choice " + ",".join(shape["enum"])
    elif kind == "string":
        what = f"text {limit(shape, 'min')} {limit(shape, 'max')} {shape.get('pattern', '-')}"
    elif kind in ("integer", "long", "float"):
        what = f"{kind} {limit(shape, 'min')} {limit(shape, 'max')}"
    else:
        what = kind
    reached[name] = f"{name} {what}" + (" sensitive" if shape.get("sensitive") else "")


print(f"# botocore {botocore.__version__}, stepfunctions {version}. Written by `cargo xtask model --update`.")
for name, action in sorted(model["operations"].items()):
    idempotent = "idempotent" if action.get("idempotent") else "-"
    host = action.get("endpoint", {}).get("hostPrefix", "-")
    throws = ",".join(error["shape"] for error in action["errors"])
    print("action", name, idempotent, host, throws)
    collect(action["input"]["shape"])
    collect(action["output"]["shape"])
for name, shape in sorted(shapes.items()):
    if not shape.get("exception"):
        continue
    # The model of the SDKs carries the status in its documentation only.
    status = re.search(r"HTTP Status Code: (\d+)", shape.get("documentation", ""))
    members = [each for each in shape["members"] if each != "message"]
    print("exception", name, status[1] if status else 400, *(member(shape, each) for each in members))
    for each in members:
        collect(shape["members"][each]["shape"])
print("events", ",".join(sorted(shapes["HistoryEventType"]["enum"])))
for name in sorted(reached):
    print(reached[name])
