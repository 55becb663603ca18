// Which links are phone links. The number itself is judged by the server, which knows the numbering
// plans of all countries; here only links are told apart.
"use strict";

globalThis.openChatLink = (() => {
  /** The longest link, in UTF-16 code units. */
  const MAX_LINK = 256;

  /** Schemes that are followed by what is dialled. */
  const DIALLED = ["tel", "callto", "sms", "smsto", "sip", "skype"];

  /** Messengers' links: where the number is. */
  const NUMBERS = {
    viber: (url) => url.host.toLowerCase() === "chat" && url.searchParams.get("number"),
    whatsapp: (url) => url.host.toLowerCase() === "send" && url.searchParams.get("phone"),
    tg: (url) => url.host.toLowerCase() === "resolve" && url.searchParams.get("phone"),
    "wa.me": (url) => url.pathname.slice(1),
    "api.whatsapp.com": (url) => /^\/send\/?$/.test(url.pathname) && url.searchParams.get("phone"),
    // `t.me/+` also begins an invitation to a group.
    "t.me": (url) => /^\/\+\d+\/?$/.test(url.pathname) && url.pathname.slice(1),
  };

  /** A name at Skype or of a SIP account is no phone. */
  const isNumber = (text) => /\d/.test(text) && !/\p{L}/u.test(text);

  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };

  const dialled = (rest) => decoded(rest.replace(/^\/+/, "").split(/[;?@]/)[0]);

  const parsed = (text) => {
    try {
      return new URL(text);
    } catch {
      return undefined;
    }
  };

  /** The link's name among the schemes, and the number in it. */
  const parts = (address) => {
    const [, scheme, rest] = /^([a-z]+):([^]*)$/i.exec(address) ?? [];
    if (DIALLED.includes(scheme?.toLowerCase())) return [scheme.toLowerCase(), dialled(rest)];
    const url = parsed(address);
    const name = url?.protocol === "https:" ? url.hostname : url?.protocol.slice(0, -1);
    return Object.hasOwn(NUMBERS, name ?? "") ? [name, NUMBERS[name](url) || ""] : ["", ""];
  };

  /** Whether an address is a phone link of one of these schemes. */
  const isPhone = (address, schemes) => {
    if (address.length > MAX_LINK) return false;
    const [name, number] = parts(address);
    return schemes.includes(name) && isNumber(number);
  };

  return { isPhone };
})();
