// The button's back end as it would be written for Node in an afternoon: Fastify and well-known
// libraries. What it does and does not do is in ../README.md.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { BlockList, isIPv6 } from "node:net";

import Fastify from "fastify";
import prometheus from "prom-client";
import { RateLimiterMemory } from "rate-limiter-flexible";

import { ChatHub, Directory, Tokens } from "./chathub.js";
import { config } from "./config.js";
import { deepLink, Refusal } from "./link.js";

const HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
};

const requests = new prometheus.Counter({
  name: "http_requests_total",
  help: "Answers, by status.",
  labelNames: ["status"],
});
const seconds = new prometheus.Histogram({
  name: "http_request_duration_seconds",
  help: "Seconds that a click took.",
});
prometheus.collectDefaultMetrics();

const chatHub = new ChatHub(config);
const directory = new Directory(chatHub);
const tokens = new Tokens(chatHub, config);
const clients = new RateLimiterMemory({
  keyPrefix: "client",
  ...config.clientLimit,
});
const operators = new RateLimiterMemory({
  keyPrefix: "operator",
  ...config.operatorLimit,
});

const app = Fastify({
  // One line a click is written below.
  disableRequestLogging: true,
  logger: { level: "info" },
  genReqId: () => randomBytes(16).toString("hex"),
  requestTimeout: 10_000,
  keepAliveTimeout: 75_000,
});

app.get("/healthz", async () => "ok\n");

app.get("/metrics", async (request, reply) => {
  reply.type(prometheus.register.contentType);
  return prometheus.register.metrics();
});

app.get("/open-chat", async (request, reply) => {
  reply.headers(HEADERS).header("x-request-id", request.id);
  const seen = {};
  try {
    const link = await open(request, seen);
    log(request, reply.code(302), seen, "redirect");
    return reply.header("location", link).send();
  } catch (error) {
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(502, "chathub-unavailable");
    log(request, reply.code(refusal.status), seen, refusal.kind);
    return reply.type("application/problem+json").send({
      title: refusal.kind,
      status: refusal.status,
      request_id: request.id,
    });
  }
});

async function open(request, seen) {
  checkCaller(request);
  const { query } = request;
  if (!query.operator) throw new Refusal(400, "operator-missing");
  const operator = directory.find(query.operator);
  if (!operator) throw new Refusal(404, "operator-unknown");
  if (operator.status !== 0) throw new Refusal(403, "operator-inactive");
  seen.operator = operator.id;
  const link = deepLink(query, config, seen);
  try {
    await clients.consume(request.ip);
    await operators.consume(operator.id);
  } catch {
    throw new Refusal(429, "rate-limited");
  }
  const token = await tokens.get(operator.id);
  return `${link}&token=${encodeURIComponent(token)}`;
}

const networks = new BlockList();
for (const { address, prefix, family } of config.networks) {
  networks.addSubnet(address, prefix, family);
}

function checkCaller(request) {
  const family = isIPv6(request.ip) ? "ipv6" : "ipv4";
  if (config.networks.length > 0 && !networks.check(request.ip, family)) {
    throw new Refusal(403, "not-allowed");
  }
  if (config.apiKey) {
    const expected = Buffer.from(`Bearer ${config.apiKey}`);
    const shown = Buffer.from(request.headers.authorization ?? "");
    if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) {
      throw new Refusal(403, "not-allowed");
    }
  }
}

function log(request, reply, seen, outcome) {
  const took = reply.elapsedTime;
  requests.inc({ status: reply.statusCode });
  seconds.observe(took / 1000);
  app.log.info(
    {
      request_id: request.id,
      status: reply.statusCode,
      outcome,
      duration_us: Math.round(took * 1000),
      client: request.ip,
      operator: seen.operator,
      phone:
        seen.phone && `${seen.phone.slice(0, 6)}***${seen.phone.slice(-4)}`,
    },
    "click",
  );
}

await directory.refresh();
setInterval(() => {
  directory
    .refresh()
    .catch((error) => app.log.warn(error, "the directory could not be read"));
}, config.directoryRefresh).unref();
await app.listen({ host: config.host, port: config.port });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => app.close());
}
