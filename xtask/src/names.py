# What `arn:aws:states:::aws-sdk:SERVICE:ACTION` may name: `names.py RETIRED` prints a line for each service, with
# botocore's name for it behind its own. crates/spec/src/sdk_names.rs reads them. `table` is table.py beside this file,
# put before it.
import os
import sys

import botocore


def retired(file):
    with open(file) as lines:
        words = (line.split() for line in lines if not line.startswith("#"))
        return {service: actions for service, *actions in words}


def names(file):
    data = os.path.join(os.path.dirname(botocore.__file__), "data")
    services = {}
    for name in sorted(os.listdir(data)):
        model = os.path.isdir(f"{data}/{name}") and newest(f"{data}/{name}")
        if model:
            service = sdk_name(model["metadata"]["serviceId"]).lower()
            services.setdefault(service, (name, set()))[1].update(model["operations"])
    for service, actions in retired(file).items():
        services.setdefault(service, (service, set()))[1].update(actions)
    print(f"# botocore {botocore.__version__}: service, botocore's name for it, actions.")
    for service, (name, actions) in sorted(services.items()):
        print(service, name, *(action[0].lower() + action[1:] for action in sorted(actions)))


names(sys.argv[1])
