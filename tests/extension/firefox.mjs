// The browser extension in a real Firefox, which is told what to do by WebDriver BiDi. What a click
// does in all its variety, tests/browser/extension.rs tries in Chromium; here is what differs.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

const PAGE = `<!doctype html><title>A CRM</title><link rel="icon" href="data:,">
<style>body { margin: 0 } a, div, iframe { display: block; height: 20px; border: 0 }</style>
<a href="tel:+380501234567">call</a>
<a href="https://wa.me/380501234567">WhatsApp</a>
<div></div>
<iframe srcdoc="<body style='margin:0'><a style='display:block;height:20px' href='sms:+380501234567'>write</a>"></iframe>
<script>
  window.seen = 0;
  addEventListener("click", (event) => { window.seen += 1; event.preventDefault(); }, true);
  document.querySelector("div").attachShadow({ mode: "closed" }).innerHTML =
    "<a style='display:block;height:20px' href='callto:0501234567'>call</a>";
</script>`;

// Nothing of Firefox' own goes out while it is tried.
const PREFERENCES = `
user_pref("app.normandy.enabled", false);
user_pref("app.update.auto", false);
user_pref("browser.safebrowsing.downloads.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
`;

const folder = mkdtempSync(join(tmpdir(), "firefox-"));
const servers = [];
let firefox;
let socket;

/** A site with one page, and what was asked of it. */
const site = async (page) => {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.setHeader("Content-Type", "text/html").end(page);
  });
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return { asked, origin: `http://127.0.0.1:${server.address().port}` };
};

/** Has the program write the package for this CRM. */
const packed = (service, crm) => {
  const out = join(folder, "open-chat.zip");
  const options = ["--browser", "firefox", "--crm", crm.origin, "--out", out];
  const env = { PUBLIC_URL: `${service.origin}/desk` };
  const command = ["connector", "browser-extension", ...options];
  const ended = spawnSync("target/debug/open-chat", command, { env, encoding: "utf8" });
  assert.equal(ended.status, 0, ended.stderr);
  return out;
};

/** Starts Firefox, and connects to it. */
const start = async () => {
  writeFileSync(join(folder, "user.js"), PREFERENCES);
  const options = ["--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"];
  const env = { ...process.env, HOME: folder };
  firefox = spawn("firefox-esr", options, { env, stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface({ input: firefox.stderr })) {
    const [, address] = /WebDriver BiDi listening on (ws:\S+)/.exec(line) ?? [];
    if (address) return new WebSocket(`${address}/session`);
  }
  throw new Error("Firefox does not start");
};

let last = 0;

/** A command of WebDriver BiDi, and its result. */
const command = (method, params) => {
  const id = ++last;
  socket.send(JSON.stringify({ id, method, params }));
  return new Promise((resolve, reject) => {
    const read = ({ data }) => {
      const answer = JSON.parse(data);
      if (answer.id !== id) return;
      socket.removeEventListener("message", read);
      if (answer.type === "error") reject(new Error(`${method}: ${answer.message}`));
      else resolve(answer.result);
    };
    socket.addEventListener("message", read);
  });
};

const contexts = async () => (await command("browsingContext.getTree", {})).contexts;

/** Waits until something has come about; whoever starts the tests bounds the time. */
const eventually = async (hasCome) => {
  while (!(await hasCome())) await pause(20);
};

const open = async (context, origin) =>
  command("browsingContext.navigate", { context, url: `${origin}/`, wait: "complete" });

/** Clicks on the page's row of this number, perhaps with a key held. */
const click = async (context, row, key) => {
  await command("browsingContext.activate", { context });
  const pointer = { type: "pointer", id: "mouse", actions: [
    { type: "pointerMove", x: 30, y: 20 * row + 10 },
    { type: "pointerDown", button: 0 },
    { type: "pointerUp", button: 0 },
  ] };
  const keys = { type: "key", id: "keys", actions: [
    { type: "keyDown", value: key }, { type: "pause" }, { type: "pause" }, { type: "keyUp", value: key },
  ] };
  const actions = key ? [keys, pointer] : [pointer];
  await command("input.performActions", { context, actions });
};

const seen = async (context) => {
  const target = { context };
  const answer = await command("script.evaluate", { expression: "seen", target, awaitPromise: false });
  return answer.result.value;
};

let service, crm, foreign, context;

before(async () => {
  [service, crm, foreign] = [await site("A chat"), await site(PAGE), await site(PAGE)];
  socket = await start();
  await once(socket, "open");
  await command("session.new", { capabilities: {} });
  const path = packed(service, crm);
  await command("webExtension.install", { extensionData: { type: "archivePath", path } });
  [{ context }] = await contexts();
});

after(async () => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  socket?.close();
  if (firefox?.exitCode === null) {
    firefox.kill();
    await once(firefox, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

const chats = () => service.asked.filter((target) => target.includes("phone="));

test("links open chats in one tab, in a closed shadow root and in a frame, and the page sees none", async () => {
  await open(context, crm.origin);
  const phones = ["tel%3A%2B380501234567", "https%3A%2F%2Fwa.me%2F380501234567", "callto%3A0501234567", "sms%3A%2B380501234567"];
  for (const [row, phone] of phones.entries()) {
    await click(context, row);
    await eventually(() => chats().length > row);
    assert.equal(chats()[row], `/desk/open-chat?phone=${phone}`);
  }
  assert.equal(chats().length, 4);
  await eventually(async () => (await contexts()).length === 2);
  assert.equal(await seen(context), 0);
});

test("a click with Alt held, and one at another port of the CRM's host, are left alone", async () => {
  const before = chats().length;
  await click(context, 0, "\uE00A");
  await eventually(async () => (await seen(context)) === 1);
  // Match patterns of Firefox have no port, so the script is on this page too.
  await open(context, foreign.origin);
  await click(context, 0);
  await eventually(async () => (await seen(context)) === 1);
  await open(context, crm.origin);
  await click(context, 1);
  await eventually(() => chats().length > before);
  assert.deepEqual(chats().slice(before), ["/desk/open-chat?phone=https%3A%2F%2Fwa.me%2F380501234567"]);
});
