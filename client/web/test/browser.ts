/** As much of a browser as the watcher and the receipts see, with a network that a test plays. */

import { mock } from "node:test";

/** A request that waits for its answer. */
export interface Asked {
  url: URL;
  body: unknown;
  signal: AbortSignal | undefined;
  answer(status: number, body?: object, cursor?: string): void;
  fail(): void;
}

/** A stream that the page opened. */
export class FakeStream extends EventTarget {
  static readonly CLOSED = 2;
  static all: FakeStream[] = [];
  readyState = 0;
  onerror: (() => void) | undefined;
  readonly url: URL;

  constructor(url: string) {
    super();
    this.url = new URL(url);
    FakeStream.all.push(this);
  }

  close(): void {
    this.readyState = FakeStream.CLOSED;
  }

  say(name: string, data: object = {}, id = ""): void {
    const event = new Event(name);
    this.dispatchEvent(Object.assign(event, { data: JSON.stringify(data), lastEventId: id }));
  }

  /** The connection broke. */
  break(): void {
    this.onerror?.();
  }

  /** The answer was no stream. */
  refuse(): void {
    this.readyState = FakeStream.CLOSED;
    this.onerror?.();
  }
}

export class FakeBrowser {
  readonly window = new EventTarget();
  readonly document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  readonly navigator = {
    onLine: true,
    beacons: [] as [string, unknown][],
    sendBeacon: (url: string, body: unknown) => this.navigator.beacons.push([url, body]),
  };
  readonly asked: Asked[] = [];

  constructor() {
    FakeStream.all = [];
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
    const { window, document, navigator } = this;
    const location = { href: "https://shop.example/thanks" };
    const fetch = (url: string, options: RequestInit) => this.#fetch(url, options);
    const all = { window, document, navigator, location, fetch, EventSource: FakeStream };
    for (const [name, value] of Object.entries(all)) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }

  /** The newest stream. */
  get stream(): FakeStream {
    const stream = FakeStream.all.at(-1);
    if (!stream) throw new Error("no stream was opened");
    return stream;
  }

  /** The newest request. */
  get request(): Asked {
    const asked = this.asked.at(-1);
    if (!asked) throw new Error("nothing was asked");
    return asked;
  }

  /** Lets time pass, and all that follows from it happen. */
  async pass(ms: number): Promise<void> {
    await settle();
    mock.timers.tick(ms);
    await settle();
  }

  show(state: "visible" | "hidden"): void {
    this.document.visibilityState = state;
    this.document.dispatchEvent(new Event("visibilitychange"));
  }

  end(): void {
    mock.timers.reset();
  }

  #fetch(url: string, options: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError("failed"));
      options.signal?.addEventListener("abort", fail);
      this.asked.push({
        url: new URL(url),
        body: options.body,
        signal: options.signal ?? undefined,
        fail,
        answer: (status, body, cursor = "") => {
          const content = body ? JSON.stringify(body) : null;
          resolve(new Response(content, { status, headers: { etag: `"${cursor}"` } }));
        },
      });
    });
  }
}

/** Waits until all that can happen without time has happened. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
