import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const source = new URL("../../integrations/browser-extension/", import.meta.url);
const read = (name) => readFileSync(new URL(name, source), "utf8");
const messages = (language) => JSON.parse(read(`_locales/${language}/messages.json`));

/** The texts that manifest, pages and scripts ask for. */
const used = () => {
  const files = readdirSync(source).filter((name) => /\.(html|js|json)$/.test(name)).map(read);
  const all = files.join("\n");
  const asked = [
    ...all.matchAll(/__MSG_(\w+)__/g),
    ...all.matchAll(/data-text="(\w+)"/g),
    ...all.matchAll(/(?:getMessage|text)\("(\w+)"/g),
    ...all.matchAll(/button\("(\w+)"/g),
    // One of two, by what has fixed a setting.
    ...all.matchAll(/\? "(packaged)" : "(fixed)"/g),
  ];
  return new Set(asked.flatMap(([, ...names]) => names));
};

test("each text is there in both languages, and used", () => {
  const [english, ukrainian] = [messages("en"), messages("uk")];
  assert.deepEqual(Object.keys(ukrainian), Object.keys(english));
  assert.deepEqual(Object.keys(english).sort(), [...used()].sort());
  for (const [name, { message }] of Object.entries(ukrainian)) {
    assert.match(message, /[а-яіїєґ]/, name);
    assert.doesNotMatch(message, /[ыэъё]/, name);
    const placeholders = (text) => text.match(/%s/g)?.length ?? 0;
    assert.equal(placeholders(message), placeholders(english[name].message), name);
  }
  // Stores cut a longer one.
  for (const { description } of [english, ukrainian]) assert.ok(description.message.length <= 132);
});

test("the policy may set what the scripts read", () => {
  const { properties } = JSON.parse(read("managed-schema.json"));
  const settings = /const DEFAULTS = \{(.*)\};/.exec(read("settings.js"))[1];
  const names = [...settings.matchAll(/(\w+):/g)].map(([, name]) => name);
  assert.deepEqual(Object.keys(properties), names);
});
