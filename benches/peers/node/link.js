// Which chat opens: phone to E.164, source to the deep link.

import { parsePhoneNumberFromString } from "libphonenumber-js/max";

const SOURCES = [
  "viber",
  "viberbot",
  "telegrambot",
  "whatsapp",
  "widget",
  "rozetka",
  "facebook",
  "instagram",
];

export class Refusal extends Error {
  constructor(status, kind) {
    super(kind);
    this.status = status;
    this.kind = kind;
  }
}

export function parseSource(text) {
  if (/^[0-7]$/.test(text)) return Number(text);
  const source = SOURCES.indexOf(text.toLowerCase());
  return source < 0 ? undefined : source;
}

// The deep link, but for the token.
export function deepLink(query, config, seen) {
  let source;
  if (query.source) {
    source = parseSource(query.source);
    if (source === undefined) throw new Refusal(400, "source-invalid");
  }
  if (!query.phone) throw new Refusal(400, "target-missing");
  const number = parsePhoneNumberFromString(query.phone, config.region);
  if (!number?.isValid()) throw new Refusal(400, "phone-invalid");
  seen.phone = number.number;
  const sender = query.from || config.senders[source];
  const parts = [`phone=${encodeURIComponent(number.number)}`];
  if (sender) {
    parts.unshift(`from=${encodeURIComponent(sender)}`);
    if (source !== undefined) parts.unshift(`source=${source}`);
  }
  return `${config.panelUrl}?${parts.join("&")}`;
}
