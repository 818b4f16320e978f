"""Charges a card. Cards that end in 0 have no money on them."""


class CardDeclined(Exception):
    pass


def handler(event, context):
    if event["card"].endswith("0"):
        raise CardDeclined(f"{event['amount']} is more than there is on the card")
    return {"receipt": f"R-{event['card'][-4:]}-{event['amount']}"}
