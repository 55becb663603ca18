// ChatHub: the calls that a click needs, the directory of operators, and their tokens.

import { Pool } from "undici";

export class ChatHub {
  #pool;
  #config;
  #login;

  constructor(config) {
    this.#config = config;
    this.#pool = new Pool(config.chatHubUrl, {
      connections: 32,
      headersTimeout: 2000,
      bodyTimeout: 2000,
    });
  }

  // Logs in where that is needed, and once more where the session has ended.
  async call(method, path, body) {
    this.#login ??= this.#logIn();
    const login = this.#login;
    try {
      return await this.#send(method, path, body, await login);
    } catch (error) {
      if (error.status !== 401) throw error;
      if (this.#login === login) this.#login = this.#logIn();
      return this.#send(method, path, body, await this.#login);
    }
  }

  async #logIn() {
    const { login, password } = this.#config;
    try {
      return await this.#send("POST", "/api/company/get-token", {
        login,
        password,
      });
    } catch (error) {
      this.#login = undefined;
      throw error;
    }
  }

  async #send(method, path, body, session) {
    const headers = { "content-type": "application/json" };
    if (session) headers.authorization = `Bearer ${session}`;
    const answer = await this.#pool.request({
      method,
      path,
      headers,
      body: body && JSON.stringify(body),
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw Object.assign(new Error(`ChatHub answered ${answer.statusCode}`), {
        status: answer.statusCode,
      });
    }
    return answer.body.json();
  }
}

export class Directory {
  #chatHub;
  #operators = new Map();

  constructor(chatHub) {
    this.#chatHub = chatHub;
  }

  // By id or by name.
  find(text) {
    return this.#operators.get(text.toLowerCase());
  }

  async refresh() {
    const all = new Map();
    for (const { id } of await this.#chatHub.call(
      "GET",
      "/api/company/organization",
    )) {
      const path = `/api/operator?organizationId=${id}`;
      for (const operator of await this.#chatHub.call("GET", path)) {
        all.set(String(operator.id), operator);
        all.set(operator.name.toLowerCase(), operator);
      }
    }
    this.#operators = all;
  }
}

// Operator tokens that are handed out again for a while; of several clicks at once, one mints.
export class Tokens {
  #chatHub;
  #config;
  #kept = new Map();

  constructor(chatHub, config) {
    this.#chatHub = chatHub;
    this.#config = config;
  }

  get(operator) {
    const kept = this.#kept.get(operator);
    if (kept && Date.now() < kept.until) return kept.token;
    const token = this.#mint(operator);
    this.#kept.set(operator, {
      token,
      until: Date.now() + this.#config.tokenReuse,
    });
    // A failure is for those who wait now; the next click tries again.
    token.catch(() => this.#kept.delete(operator));
    return token;
  }

  #mint(operator) {
    const expiresAt = new Date(Date.now() + this.#config.tokenTtl);
    return this.#chatHub.call("POST", "/api/operator/get-token", {
      id: operator,
      expiresAt: expiresAt.toISOString(),
    });
  }
}
