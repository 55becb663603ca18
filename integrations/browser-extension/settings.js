// The settings, from the first place that has each: the administrator's policy, the options page,
// the package. Content script, worker and options page load this one file, so it is a classic
// script with one global, which no page sees.
"use strict";

globalThis.openChatSettings = (() => {
  const api = globalThis.browser ?? globalThis.chrome;
  const config = globalThis.openChatConfig;

  /** What `/open-chat?source=` takes; empty: what the link itself says. */
  const SOURCES = [
    "", "viber", "viberbot", "telegrambot", "whatsapp", "widget", "rozetka", "facebook", "instagram",
  ];

  const parse = (text) => {
    try {
      return new URL(text);
    } catch {
      return undefined;
    }
  };

  const isLoopback = (host) =>
    host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);

  /** Whether phones may be sent there: https, or this very machine. */
  const isServiceUrl = (text) => {
    const url = parse(text);
    if (!url || url.username || url.password) return false;
    return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  };

  /** `https://crm.example` of what a person has typed or a policy says; else undefined. */
  const readOrigin = (text) => {
    const url = parse(text);
    const isPlain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password;
    // A match pattern is made of it, where a star is any host.
    return isPlain && /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)$/.test(url.hostname) ? url.origin : undefined;
  };

  const texts = (value) =>
    Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined;

  const origins = (value) => texts(value)?.map(readOrigin).filter((origin) => origin);

  /** How each setting is read; undefined where it is missing or makes no sense. */
  const READ = {
    url: (value) => (isServiceUrl(value) ? value : undefined),
    crm_origins: origins,
    schemes: texts,
    source: (value) => (SOURCES.includes(value) ? value : undefined),
    reuse_tab: (value) => (typeof value === "boolean" ? value : undefined),
  };

  const DEFAULTS = { url: "", crm_origins: [], schemes: [], source: "", reuse_tab: true };

  /** Whether the package was made for these CRMs, which nothing can add to. */
  const isForOrigins = config.crm_origins.length > 0;

  const merged = (policy, chosen) => {
    const settings = { fixed: new Set() };
    for (const [name, read] of Object.entries(READ)) {
      const fixed = read(policy[name]);
      if (fixed !== undefined) settings.fixed.add(name);
      settings[name] = fixed ?? read(chosen[name]) ?? config[name] ?? DEFAULTS[name];
    }
    settings.schemes = settings.schemes.filter((scheme) => config.schemes.includes(scheme));
    if (isForOrigins) {
      const narrowed = origins(policy.crm_origins) ?? config.crm_origins;
      settings.crm_origins = config.crm_origins.filter((origin) => narrowed.includes(origin));
      settings.fixed.add("crm_origins");
    }
    return settings;
  };

  // Firefox refuses where there is no policy.
  const stored = (area) => area.get(null).catch(() => ({}));

  const load = async () => {
    const [policy, chosen] = await Promise.all(
      [api.storage.managed, api.storage.local].map(stored),
    );
    return merged(policy, chosen);
  };

  /** Calls back when the policy or the options change. */
  const onChanged = (callback) => {
    api.storage.onChanged.addListener((_, area) => {
      if (area === "managed" || area === "local") callback();
    });
  };

  /** The match pattern of an origin's pages. Firefox has none for a port. */
  const pattern = (origin) => {
    const url = new URL(origin);
    const host = config.browser === "firefox" ? url.hostname : url.host;
    return `${url.protocol}//${host}/*`;
  };

  return {
    SOURCES, isForOrigins, isServiceUrl, load, merged, onChanged, pattern, readOrigin,
    /** What the package says, until the browser has told the rest. */
    packaged: () => merged({}, {}),
  };
})();
