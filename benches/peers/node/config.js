// Read from the variables that open-chat itself reads.

import { isIPv6 } from "node:net";

import { parseSource } from "./link.js";

const { env } = process;
const [host, port] = (env.LISTEN || "0.0.0.0:8080").split(":");

export const config = {
  host,
  port: Number(port),
  chatHubUrl: (env.CHATHUB_URL || "https://chatapi.smsbat.com").replace(
    /\/$/,
    "",
  ),
  login: env.CHATHUB_LOGIN,
  password: env.CHATHUB_PASSWORD,
  panelUrl: env.CHAT_PANEL_URL || "https://chat.smsbat.com/",
  apiKey: env.API_KEY,
  networks: list(env.ALLOWED_NETWORKS).map(network),
  region: env.DEFAULT_REGION || "UA",
  senders: Object.fromEntries(list(env.SENDERS).map(sender)),
  tokenReuse: milliseconds(env.TOKEN_REUSE || "5m"),
  tokenTtl: milliseconds(env.TOKEN_TTL || "60m"),
  directoryRefresh: milliseconds(env.DIRECTORY_REFRESH || "60s"),
  clientLimit: limit(env.RATE_LIMIT_CLIENT || "600/m"),
  operatorLimit: limit(env.RATE_LIMIT_OPERATOR || "30/m"),
};

function list(text = "") {
  return text.split(/[,\s]+/).filter(Boolean);
}

function network(text) {
  const [address, prefix] = text.split("/");
  return {
    address,
    prefix: Number(prefix),
    family: isIPv6(address) ? "ipv6" : "ipv4",
  };
}

function sender(text) {
  const [name, sender] = text.split("=");
  const source = parseSource(name);
  if (source === undefined || !sender) {
    throw new Error(`SENDERS: ${text} is not source=sender`);
  }
  return [source, sender];
}

function milliseconds(text) {
  const [, number, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? [];
  if (!number) throw new Error(`${text} is no duration such as 5m`);
  return Number(number) * { s: 1000, m: 60_000, h: 3_600_000 }[unit];
}

function limit(text) {
  const [, points, unit] = /^(\d+)\/(s|m|h)$/.exec(text) ?? [];
  if (!points) throw new Error(`${text} is no limit such as 600/m`);
  return { points: Number(points), duration: { s: 1, m: 60, h: 3600 }[unit] };
}
