import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const URL_OF_PACKAGE = "https://chat.example/desk";
const crms = ["https://crm.example", "https://second.example:8443"];

const settings = (config) => {
  load("settings", { url: URL_OF_PACKAGE, ...config });
  return globalThis.openChatSettings;
};

test("the policy comes before the options, and these before the package", () => {
  const { merged } = settings({});
  const policy = { source: "viber", reuse_tab: false };
  const chosen = { source: "whatsapp", url: "https://elsewhere.example", schemes: ["tel"] };
  const { fixed, ...rest } = merged(policy, chosen);
  assert.deepEqual([...fixed].sort(), ["reuse_tab", "source"]);
  assert.deepEqual(rest, {
    url: "https://elsewhere.example", crm_origins: [], schemes: ["tel"], source: "viber", reuse_tab: false,
  });
  assert.equal(merged({}, {}).url, URL_OF_PACKAGE);
  assert.equal(merged({}, {}).reuse_tab, true);
});

test("what makes no sense counts as not said", () => {
  const { merged } = settings({});
  const bad = { url: "http://chat.example", source: "fax", reuse_tab: "no", schemes: "tel", crm_origins: 1 };
  const { fixed, ...rest } = merged(bad, bad);
  assert.equal(fixed.size, 0);
  assert.deepEqual(rest, {
    url: URL_OF_PACKAGE, crm_origins: [], schemes: globalThis.openChatConfig.schemes, source: "", reuse_tab: true,
  });
});

test("neither policy nor user adds to what the package was made for", () => {
  const { merged } = settings({ crm_origins: crms, schemes: ["tel", "sms"] });
  const wider = { crm_origins: ["https://foreign.example", crms[1]], schemes: ["sms", "viber"] };
  const narrowed = merged(wider, {});
  assert.deepEqual(narrowed.crm_origins, [crms[1]]);
  assert.deepEqual(narrowed.schemes, ["sms"]);
  assert.deepEqual(merged({}, wider).crm_origins, crms);
  assert.deepEqual([...merged({}, {}).fixed], ["crm_origins"]);
});

test("an address is https, or this very machine", () => {
  const { isServiceUrl } = settings({});
  for (const good of ["https://chat.example", "http://127.0.0.1:8080", "http://localhost/desk", "http://[::1]"]) {
    assert.ok(isServiceUrl(good), good);
  }
  for (const bad of [
    "", "chat.example", "http://chat.example", "http://127.0.0.1.example", "http://localhost.example",
    "https://ann@chat.example", "https://ann:x@chat.example", "javascript:1", "file:///x", undefined, 7,
  ]) {
    assert.ok(!isServiceUrl(bad), bad);
  }
});

test("an origin has no wildcard, and Firefox's patterns have no port", () => {
  const { readOrigin } = settings({});
  assert.equal(readOrigin("https://CRM.example/contacts?id=1"), "https://crm.example");
  assert.equal(readOrigin("http://[::1]:81"), "http://[::1]:81");
  for (const bad of ["https://*", "https://*.example", "https://a;b.example", "*://*/*", "<all_urls>", "file:///", "crm.example", ""]) {
    assert.equal(readOrigin(bad), undefined, bad);
  }
  assert.equal(settings({ browser: "chromium" }).pattern(crms[1]), "https://second.example:8443/*");
  assert.equal(settings({ browser: "firefox" }).pattern(crms[1]), "https://second.example/*");
});
