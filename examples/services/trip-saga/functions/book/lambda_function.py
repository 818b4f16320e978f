class SoldOut(Exception):
    pass


def handler(event, context):
    if event["fail"] == event["what"]:
        raise SoldOut(f"there is no {event['what']} left")
    return {"booking": f"{event['trip']}-{event['what']}"}
