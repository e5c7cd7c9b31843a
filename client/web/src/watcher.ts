/**
 * Keeps one page informed: by a stream of server-sent events; where these do not come through, by
 * asking again and again. One thing at a time, so that a page never holds two connections.
 */

import { takePlace } from "./places.js";
import { isNewer, type OrderState, readState } from "./state.js";

/** How a page is connected. */
export type Connection = "live" | "polling" | "reconnecting" | "closed";

/** Why nothing more will come. */
export type End = "done" | "expired" | "invalid";

/** What a watcher tells. */
export interface Listener {
  /** A state that is newer than all before it. */
  state(state: OrderState): void;
  /** How the page is connected now. */
  connection(connection: Connection): void;
  /** Nothing more will come. */
  end(why: End): void;
}

/** Where to ask, and as whom. */
export interface Source {
  /** The server's address, without a slash at its end. */
  endpoint: string;
  /** The page token; empty if a cookie carries it. */
  token: string;
}

/** A stream that brings no state for so long does not come through: a proxy may be keeping it. */
const FIRST_STATE_MS = 6_000;
/** A stream that says nothing for so long is dead. The server's heartbeats come every 15 s. */
const SILENCE_MS = 45_000;
/** How long a stream that did not come through is not tried again. */
const AVOID_STREAMS_MS = 120_000;
/** How long the server may hold an answer back, in seconds. */
const WAIT_S = 20;
/** How long beyond that an answer may take. */
const ANSWER_MS = 10_000;
/** A page that was hidden and heard nothing for so long connects again when it is shown. */
const STALE_MS = 20_000;
/** Between two questions that the server answers at once. */
const PAUSE_MS = 4_000;
/** Between two questions of a page that nobody looks at. */
const HIDDEN_PAUSE_MS = 30_000;
/** How long a page that nobody looks at keeps its stream: customers look into their bank's app. */
const HIDDEN_MS = 60_000;
/** The first and the longest wait after a failure. */
const BACKOFF_MS = [1_000, 30_000] as const;
/** How long the line may be down before the page is told. */
const GRACE_MS = 3_000;
/** How long a refusal is watched by asking: the customer may pay again. Streams end by themselves. */
const SETTLE_MS = 15 * 60_000;

type Result = "again" | "failed" | "over";

export class Watcher {
  readonly #source: Source;
  readonly #listener: Listener;
  #cursor = "";
  #outcome = "";
  #refusedSince = 0;
  #avoidStreamsUntil = 0;
  #canWait = true;
  #failures = 0;
  #hiddenSince = 0;
  #heardAt = 0;
  #isAway = false;
  #connection: Connection | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #attempt = new AbortController();
  #stopped = new AbortController();
  /** Ends a pause early. */
  #wake: () => void = () => {};

  constructor(source: Source, listener: Listener) {
    this.#source = source;
    this.#listener = listener;
  }

  /** Watches until {@link Watcher.stop} or until nothing more will come. */
  start(): void {
    const on = (target: EventTarget, name: string, act: () => void) =>
      target.addEventListener(name, act, { signal: this.#stopped.signal });
    on(window, "online", () => this.#comeBack());
    on(window, "offline", () => this.#attempt.abort());
    on(window, "pagehide", () => this.#leave());
    on(window, "pageshow", () => this.#return());
    on(document, "visibilitychange", () => this.#look());
    this.#look();
    this.#report("reconnecting");
    void this.#run();
  }

  /** Ends at once; nothing is told any more. */
  stop(): void {
    this.#stopped.abort();
    this.#attempt.abort();
    this.#wake();
    clearTimeout(this.#grace);
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#attempt = new AbortController();
      const result = await this.#once(this.#attempt.signal);
      if (this.#stopped.signal.aborted || result === "over") return;
      if (result === "failed") {
        this.#report("reconnecting");
        await this.#pause(backoff(this.#failures++));
      }
    }
  }

  async #once(signal: AbortSignal): Promise<Result> {
    if (this.#isAway) {
      await this.#pause(HIDDEN_PAUSE_MS);
      return "again";
    }
    if (navigator.onLine === false) {
      this.#report("reconnecting");
      // A browser may be wrong about it: ask now and then all the same.
      await this.#pause(BACKOFF_MS[1]);
      if (signal.aborted) return "again";
    }
    if (this.#isUnseen()) return this.#ask(signal, 0, HIDDEN_PAUSE_MS);
    if (typeof EventSource === "undefined" || Date.now() < this.#avoidStreamsUntil) {
      return this.#ask(signal, this.#canWait ? WAIT_S : 0, this.#canWait ? 0 : PAUSE_MS);
    }
    const release = await takePlace(this.#source.endpoint);
    if (!release) return this.#ask(signal, 0, PAUSE_MS);
    try {
      return signal.aborted ? "again" : await this.#stream(signal);
    } finally {
      release();
    }
  }

  /** Reads one stream to its end. */
  async #stream(signal: AbortSignal): Promise<Result> {
    const source = new EventSource(this.#url("order"), { withCredentials: !this.#source.token });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = await new Promise<Result | "silent" | "refused">((resolve) => {
      const expect = (ms: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => resolve("silent"), ms);
      };
      const on = (name: string, act: (event: MessageEvent<string>) => void) =>
        source.addEventListener(name, (event) => {
          if (!signal.aborted) act(event);
        });
      expect(FIRST_STATE_MS);
      signal.addEventListener("abort", () => resolve("again"));
      on("status", (event) => {
        expect(SILENCE_MS);
        this.#arrived("live");
        this.#take(event.data, event.lastEventId);
      });
      on("heartbeat", () => {
        expect(SILENCE_MS);
        this.#arrived("live");
      });
      on("done", () => resolve(this.#finish("done")));
      on("expired", () => resolve(this.#finish("expired")));
      on("closing", () => resolve("failed"));
      source.onerror = () => {
        // An answer that is no stream closes it for good, and does not say what it was.
        resolve(source.readyState === EventSource.CLOSED ? "refused" : "failed");
      };
    });
    clearTimeout(timer);
    source.close();
    if (end === "silent") this.#avoidStreamsUntil = Date.now() + AVOID_STREAMS_MS;
    if (end !== "silent" && end !== "refused") return end;
    return signal.aborted ? "again" : this.#ask(signal, 0, PAUSE_MS);
  }

  /** Asks once, and pauses if what follows would ask again at once. */
  async #ask(signal: AbortSignal, wait: number, pause: number): Promise<Result> {
    const limited = new AbortController();
    const limit = setTimeout(() => limited.abort(), wait * 1000 + ANSWER_MS);
    signal.addEventListener("abort", () => limited.abort(), { once: true });
    try {
      const answer = await fetch(this.#url("order/status", wait), {
        cache: "no-store",
        credentials: this.#source.token ? "omit" : "include",
        signal: limited.signal,
      });
      if (answer.status === 410) return this.#finish("expired");
      if (answer.status === 401) return this.#finish("invalid");
      if (answer.status !== 200 && answer.status !== 304) return this.#couldNotAsk(wait);
      const body = answer.status === 200 ? await answer.text() : "";
      if (signal.aborted) return "again";
      this.#arrived("polling");
      this.#canWait ||= wait > 0;
      if (body) this.#take(body, (answer.headers.get("etag") ?? "").replaceAll('"', ""));
      if (this.#isSettled()) return this.#finish("done");
    } catch {
      return signal.aborted ? "again" : this.#couldNotAsk(wait);
    } finally {
      clearTimeout(limit);
    }
    await this.#pause(pause, signal);
    return "again";
  }

  #couldNotAsk(wait: number): Result {
    // Networks that end slow answers exist too; quick ones may come through.
    if (wait > 0) this.#canWait = false;
    return "failed";
  }

  #take(json: string, cursor: string): void {
    const state = readState(json);
    if (!state || (this.#cursor && cursor && !isNewer(cursor, this.#cursor))) return;
    this.#cursor = cursor || this.#cursor;
    if (state.outcome !== this.#outcome) this.#refusedSince = Date.now();
    this.#outcome = state.outcome;
    this.#listener.state(state);
  }

  #isSettled(): boolean {
    if (this.#outcome === "REFUSED") return Date.now() - this.#refusedSince > SETTLE_MS;
    return this.#outcome === "APPROVED";
  }

  #finish(why: End): Result {
    this.#report("closed");
    this.#listener.end(why);
    this.stop();
    return "over";
  }

  #arrived(how: Connection): void {
    this.#failures = 0;
    this.#heardAt = Date.now();
    this.#report(how);
  }

  /** Tells how the page is connected; that it is not, only if that lasts. */
  #report(connection: Connection): void {
    if (connection !== "reconnecting") {
      clearTimeout(this.#grace);
      this.#grace = undefined;
      this.#tell(connection);
    } else if (this.#connection !== "reconnecting") {
      this.#grace ??= setTimeout(() => this.#tell("reconnecting"), GRACE_MS);
    }
  }

  #tell(connection: Connection): void {
    if (this.#connection === connection || this.#stopped.signal.aborted) return;
    this.#connection = connection;
    this.#listener.connection(connection);
  }

  #isUnseen(): boolean {
    return this.#hiddenSince > 0 && Date.now() - this.#hiddenSince >= HIDDEN_MS;
  }

  /** The page was shown or hidden. */
  #look(): void {
    if (document.visibilityState === "hidden") {
      this.#hiddenSince ||= Date.now();
      setTimeout(() => this.#isUnseen() && this.#attempt.abort(), HIDDEN_MS + 100);
    } else if (this.#hiddenSince > 0) {
      // A device that slept may not know yet that its connections are gone.
      const isStale = this.#isUnseen() || Date.now() - this.#heardAt > STALE_MS;
      this.#hiddenSince = 0;
      if (isStale) this.#comeBack();
    }
  }

  /** The customer goes elsewhere, and may come back to the page as it was kept. */
  #leave(): void {
    this.#isAway = true;
    this.#attempt.abort();
  }

  #return(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#comeBack();
  }

  /** The world may have changed: try the best way again, now. */
  #comeBack(): void {
    this.#avoidStreamsUntil = 0;
    this.#canWait = true;
    this.#failures = 0;
    this.#attempt.abort();
    this.#wake();
  }

  #pause(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms === 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal?.addEventListener("abort", this.#wake, { once: true });
    });
  }

  #url(path: string, wait = 0): string {
    const url = new URL(`${this.#source.endpoint}/pages/${path}`, location.href);
    if (this.#source.token) url.searchParams.set("token", this.#source.token);
    if (this.#cursor) url.searchParams.set("seen", this.#cursor);
    if (wait > 0) url.searchParams.set("wait", String(wait));
    return url.href;
  }
}

/** How long to wait after so many failures in a row: at random, so that not all come at once. */
export function backoff(failures: number, random = Math.random()): number {
  const longest = Math.min(BACKOFF_MS[0] * 2 ** Math.min(failures, 10), BACKOFF_MS[1]);
  return longest * (0.5 + random / 2);
}
