"""Which chat opens: phone to E.164, source to the deep link."""

from urllib.parse import quote, urlencode

import phonenumbers

SOURCES = ["viber", "viberbot", "telegrambot", "whatsapp", "widget", "rozetka", "facebook", "instagram"]
NUMBERS = {str(number) for number in range(len(SOURCES))}


class Refusal(Exception):
    def __init__(self, status, kind):
        super().__init__(kind)
        self.status = status
        self.kind = kind


def parse_source(text):
    if text in NUMBERS:
        return int(text)
    if text.lower() in SOURCES:
        return SOURCES.index(text.lower())
    raise Refusal(400, "source-invalid")


def deep_link(phone, source, sender, config, seen):
    """The deep link, but for the token."""
    channel = parse_source(source) if source else None
    if not phone:
        raise Refusal(400, "target-missing")
    try:
        number = phonenumbers.parse(phone, config.region)
    except phonenumbers.NumberParseException:
        raise Refusal(400, "phone-invalid") from None
    if not phonenumbers.is_valid_number(number):
        raise Refusal(400, "phone-invalid")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    seen["phone"] = f"{e164[:6]}***{e164[-4:]}"
    sender = sender or config.senders.get(channel)
    query = {"phone": e164}
    if sender:
        query = {"from": sender, **query}
        if channel is not None:
            query = {"source": channel, **query}
    return f"{config.panel_url}?{urlencode(query, quote_via=quote)}"
