import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

load("link");
const { isPhone } = globalThis.openChatLink;
const all = globalThis.openChatConfig.schemes;

const PHONES = {
  tel: ["tel:+380501234567", "TEL:050%20123-45-67", "tel:///%2B380501234567", "tel:+38 (050) 123-45-67", "tel://+38 050 123"],
  callto: ["callto:0501234567", "callto://+380501234567"],
  sms: ["sms:+380501234567?body=Hi", "sms:+380501234567;ext=1"],
  smsto: ["smsto:+380501234567"],
  sip: ["sip:+380501234567@pbx.example", "sip:0501234567"],
  skype: ["skype:+380501234567?call"],
  viber: ["viber://chat?number=%2B380501234567", "viber://Chat/?number=380501234567"],
  whatsapp: ["whatsapp://send?phone=380501234567&text=Hi", "whatsapp://send/?phone=%2B380501234567"],
  tg: ["tg://resolve?phone=380501234567"],
  "wa.me": ["https://wa.me/380501234567", "https://wa.me/+380501234567?text=Hi", "HTTPS://WA.ME/380501234567/"],
  "api.whatsapp.com": ["https://api.whatsapp.com/send?phone=380501234567", "https://api.whatsapp.com/send/?phone=380501234567&text"],
  "t.me": ["https://t.me/+380501234567"],
};

const OTHERS = [
  "", "#", "mailto:ann@crm.example", "javascript:alert(1)", "https://crm.example/380501234567",
  // People and groups, not phones.
  "sip:alice@pbx.example", "skype:echo123?call", "callto:ann", "https://t.me/smsbat", "https://t.me/+AbCdEf123",
  "https://t.me/380501234567",
  "tg://resolve?domain=smsbat", "tg://join?invite=380501234567", "viber://pa?chatURI=smsbat", "viber://forward?text=1",
  "https://wa.me/message/ABCDEF1", "https://wa.me/", "https://wa.me/?text=1", "whatsapp://send?text=1",
  "https://api.whatsapp.com/send?text=1", "https://api.whatsapp.com/resolve?phone=380501234567",
  // Hosts that only look alike.
  "https://wa.me.example/380501234567", "https://notwa.me/380501234567", "https://example/wa.me/1", "https://t.me@example/+1",
  "http://wa.me/380501234567", "ftp://wa.me/380501234567",
  // Names that objects have of their own.
  "constructor:1", "toString:1", "__proto__:1",
  "tel:", "tel:%ZZ", "tel:abc",
];

test("each kind is a phone link where it is switched on, and only there", () => {
  assert.deepEqual(Object.keys(PHONES), all);
  for (const [scheme, links] of Object.entries(PHONES)) {
    for (const link of links) {
      assert.ok(isPhone(link, all), link);
      assert.ok(isPhone(link, [scheme]), link);
      assert.ok(!isPhone(link, all.filter((one) => one !== scheme)), link);
    }
  }
});

test("other links are none", () => {
  for (const link of OTHERS) assert.ok(!isPhone(link, [...all, "", "https", "javascript"]), link);
});

test("a link of 256 characters is the longest", () => {
  const link = (length) => `tel:${"1".repeat(length - 4)}`;
  assert.ok(isPhone(link(256), all));
  assert.ok(!isPhone(link(257), all));
});
