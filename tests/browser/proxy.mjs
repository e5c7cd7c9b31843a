// A proxy that behaves as networks do: passes on, keeps answers until they are whole, loses
// what is posted, or is gone.

import { request as ask, createServer } from "node:http";

export class Detour {
  #server;
  #mode = "pass";
  #lose;
  /** Kept when something posted was lost. */
  lost = new Promise((resolve) => {
    this.#lose = resolve;
  });

  static async start(server) {
    const proxy = new Detour();
    const { hostname, port } = new URL(server);
    proxy.#server = createServer((request, response) => {
      const isLost = proxy.#mode === "deaf" && request.method === "POST";
      if (isLost) proxy.#lose();
      if (proxy.#mode === "gone" || isLost) return response.destroy();
      const { method, headers, url: path } = request;
      const upstream = ask({ hostname, port, method, headers, path }, (answer) => {
        proxy.#pass(answer, response);
      });
      upstream.on("error", () => response.destroy());
      response.on("close", () => upstream.destroy());
      request.pipe(upstream);
    });
    await new Promise((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get address() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** `pass`, `buffer`, `gone`, or `deaf`: what is posted is lost. */
  set mode(mode) {
    this.#mode = mode;
    if (mode === "gone") this.#server.closeAllConnections();
  }

  #pass(answer, response) {
    if (this.#mode === "pass") {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      return answer.pipe(response);
    }
    const kept = [];
    answer.on("data", (part) => kept.push(part));
    answer.on("end", () => {
      response.writeHead(answer.statusCode, answer.headers);
      response.end(Buffer.concat(kept));
    });
  }
}
