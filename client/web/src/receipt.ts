/**
 * Tells the server that an outcome was seen, so that nobody need be told by mail. Repeated until
 * the server has it; the server counts repeats as one.
 */

import type { Source } from "./watcher.js";
import { backoff } from "./watcher.js";

/** So long may an answer take. */
const ANSWER_MS = 10_000;

export class Receipts {
  readonly #source: Source;
  readonly #stopped = new AbortController();
  #seen = 0;
  #confirmed = 0;
  #isSending = false;
  #wake: () => void = () => {};

  constructor(source: Source) {
    this.#source = source;
    const options = { signal: this.#stopped.signal };
    window.addEventListener("pagehide", () => this.#leave(), options);
    window.addEventListener("online", () => this.#wake(), options);
  }

  /** The outcome with this number was painted on a page that is visible. */
  seen(outcome: number): void {
    if (outcome <= this.#seen) return;
    this.#seen = outcome;
    void this.#send();
  }

  /** Ends; what the server did not get yet goes out once more. */
  stop(): void {
    this.#leave();
    this.#stopped.abort();
    this.#wake();
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let tries = 0; this.#confirmed < this.#seen && !this.#stopped.signal.aborted; tries++) {
      const outcome = this.#seen;
      if (await this.#isTaken(outcome)) this.#confirmed = outcome;
      else await this.#pause(backoff(tries));
    }
    this.#isSending = false;
  }

  /** True if the server has it, or will never want it. */
  async #isTaken(outcome: number): Promise<boolean> {
    try {
      const answer = await fetch(this.#url(), {
        method: "POST",
        body: body(outcome),
        keepalive: true,
        cache: "no-store",
        credentials: this.#source.token ? "omit" : "include",
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const isWorthRepeating = answer.status >= 500 || [408, 429].includes(answer.status);
      return !isWorthRepeating;
    } catch {
      return false;
    }
  }

  /** The page goes: what nobody confirmed is left with the browser. */
  #leave(): void {
    if (this.#confirmed < this.#seen) navigator.sendBeacon?.(this.#url(), body(this.#seen));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #url(): string {
    const url = new URL(`${this.#source.endpoint}/pages/order/receipt`, location.href);
    if (this.#source.token) url.searchParams.set("token", this.#source.token);
    return url.href;
  }
}

/** As plain text, which a browser sends to another origin without asking first. */
function body(outcome: number): string {
  return JSON.stringify({ outcome_number: outcome });
}
