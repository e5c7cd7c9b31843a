/** The element `<payment-status>`. */

import { Receipts } from "./receipt.js";
import type { OrderState } from "./state.js";
import { type MessageKey, textsIn } from "./texts.js";
import { View } from "./view.js";
import { type Connection, type End, Watcher } from "./watcher.js";

/** What the element shows; also its attribute `state`. */
export type PaymentStatusState =
  | "connecting"
  | "undecided"
  | "approved"
  | "refused"
  | "withdrawn"
  | "expired"
  | "reconnecting";

/** The events of the element, with their details. All bubble. */
export interface PaymentStatusEvents {
  /** Every new state of the order. */
  "payment-status": CustomEvent<OrderState>;
  /** The outcome is another one, and no longer undecided. Once for each. */
  "payment-outcome": CustomEvent<OrderState>;
  /** The link has ended, or was never valid. */
  "payment-expired": CustomEvent<{ reason: "expired" | "invalid" }>;
  /** The element is connected in another way. */
  "payment-connection": CustomEvent<{ connection: Connection }>;
}

const OUR_PATH = "/pages/v1/payment-status.js";

/** The server that this script came from; nothing if a bundler put it elsewhere. */
function ownServer(): string {
  const url = import.meta.url.split(/[?#]/)[0] ?? "";
  return url.endsWith(OUR_PATH) ? url.slice(0, -OUR_PATH.length) : "";
}

/** Where scripts run without a page (rendering on a server) there is nothing to extend. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** Shows what became of a payment, the moment it is known. */
export class PaymentStatusElement extends Base {
  static readonly observedAttributes = ["endpoint", "token", "lang", "receipt"];

  readonly #internals = this.attachInternals();
  readonly #view = new View(this.attachShadow({ mode: "open" }));
  #watcher: Watcher | undefined;
  #receipts: Receipts | undefined;
  #order: OrderState | undefined;
  #outcomeTold = 0;
  #connection: Connection = "reconnecting";
  #isLost = false;
  #end: End | undefined;
  #isInSight = false;
  #sight: IntersectionObserver | undefined;
  #isStarting = false;
  #listening = new AbortController();

  /** The server's public address; by default the one that the script came from. */
  get endpoint(): string {
    return (this.getAttribute("endpoint") || ownServer()).replace(/\/+$/, "");
  }
  set endpoint(value: string) {
    this.setAttribute("endpoint", value);
  }

  /** The page token; without one the cookie `paystatus_page` is used. */
  get token(): string {
    return this.getAttribute("token") ?? "";
  }
  set token(value: string) {
    this.setAttribute("token", value);
  }

  /** Whether the server is told that the outcome was seen; `receipt="off"` switches it off. */
  get receipt(): boolean {
    return this.getAttribute("receipt") !== "off";
  }
  set receipt(value: boolean) {
    if (value) this.removeAttribute("receipt");
    else this.setAttribute("receipt", "off");
  }

  /** The newest state of the order, if there is one yet. */
  get order(): OrderState | undefined {
    return this.#order;
  }

  /** What is shown. */
  get state(): PaymentStatusState {
    const outcome = this.#order?.outcome;
    if (outcome && outcome !== "UNDECIDED") return outcome.toLowerCase() as PaymentStatusState;
    if (this.#end === "expired" || this.#end === "invalid") return "expired";
    if (this.#isLost) return "reconnecting";
    return outcome ? "undecided" : "connecting";
  }

  connectedCallback(): void {
    this.#adopt("endpoint", "token", "receipt");
    this.#listening = new AbortController();
    const options = { signal: this.#listening.signal };
    document.addEventListener("visibilitychange", () => this.#leaveReceipt(), options);
    if (typeof IntersectionObserver !== "undefined") {
      this.#sight = new IntersectionObserver((entries) => {
        this.#isInSight = entries.at(-1)?.isIntersecting ?? false;
        this.#leaveReceipt();
      });
      this.#sight.observe(this);
    }
    this.#render();
    this.#restart();
  }

  disconnectedCallback(): void {
    this.#listening.abort();
    this.#sight?.disconnect();
    this.#stop();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now || !this.isConnected) return;
    if (name === "endpoint" || name === "token") this.#restart();
    else this.#render();
    if (name === "receipt") this.#leaveReceipt();
  }

  /** Takes over what was set before the script came: it hides the properties of the class. */
  #adopt(...names: ("endpoint" | "token" | "receipt")[]): void {
    for (const name of names) {
      const own = Object.getOwnPropertyDescriptor(this, name);
      if (!own) continue;
      delete (this as Partial<this>)[name];
      Object.assign(this, { [name]: own.value });
    }
  }

  /** Watches anew, once all attributes of this moment are there. */
  #restart(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    queueMicrotask(() => {
      this.#isStarting = false;
      this.#stop();
      this.#order = undefined;
      this.#outcomeTold = 0;
      this.#end = undefined;
      this.#isLost = false;
      this.#connection = "reconnecting";
      this.#render();
      if (this.isConnected && this.endpoint) this.#start();
    });
  }

  #start(): void {
    const source = { endpoint: this.endpoint, token: this.token };
    this.#receipts = new Receipts(source);
    this.#watcher = new Watcher(source, {
      state: (order) => this.#take(order),
      connection: (connection) => this.#connect(connection),
      end: (why) => this.#finish(why),
    });
    this.#watcher.start();
  }

  #stop(): void {
    this.#watcher?.stop();
    this.#receipts?.stop();
    this.#watcher = undefined;
    this.#receipts = undefined;
  }

  #take(order: OrderState): void {
    this.#order = order;
    this.#render();
    this.#tell("payment-status", order);
    if (order.outcome !== "UNDECIDED" && order.outcome_number !== this.#outcomeTold) {
      this.#outcomeTold = order.outcome_number;
      this.#tell("payment-outcome", order);
    }
    this.#leaveReceipt();
  }

  #connect(connection: Connection): void {
    this.#connection = connection;
    this.#isLost = connection === "reconnecting";
    this.#render();
    this.#tell("payment-connection", { connection });
  }

  #finish(why: End): void {
    this.#end = why;
    this.#render();
    if (why !== "done") this.#tell("payment-expired", { reason: why });
  }

  #tell(name: keyof PaymentStatusEvents, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #render(): void {
    const state = this.state;
    const own = this.closest("[lang]")?.getAttribute("lang");
    const wanted = [own, document.documentElement.lang, ...navigator.languages];
    const { language, texts } = textsIn(wanted.filter((tag) => tag != null));
    const isLive = state === "undecided" && ["live", "polling"].includes(this.#connection);
    const message = this.#message(state);
    this.#view.show({ state, message, order: this.#order, isLive, texts, language });
    if (this.getAttribute("state") === state) return;
    this.setAttribute("state", state);
    try {
      this.#internals.states.clear();
      this.#internals.states.add(state);
    } catch {
      // Browsers before 2024 want other names; the attribute says the same.
    }
  }

  #message(state: PaymentStatusState): MessageKey {
    if (state === "expired" && this.#end === "invalid") return "invalid";
    if (state !== "refused") return state;
    switch (this.#order?.status) {
      case "DECLINED":
        return "declined";
      case "CANCELED":
        return "canceled";
      case "EXPIRED":
        return "lapsed";
      default:
        return "refused";
    }
  }

  /** Leaves a receipt if a customer can see the outcome: it is painted, in sight, on a visible page. */
  #leaveReceipt(): void {
    const receipts = this.#receipts;
    const order = this.#order;
    const isDecided = order?.outcome === "APPROVED" || order?.outcome === "REFUSED";
    if (!receipts || !isDecided || !this.receipt || !this.#isSeen()) return;
    // The first of these comes before the frame with the outcome is painted, the second after it.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const isStillIt = this.#order?.outcome_number === order.outcome_number;
        if (isStillIt && this.#receipts === receipts && this.#isSeen()) {
          receipts.seen(order.outcome_number);
        }
      }),
    );
  }

  #isSeen(): boolean {
    const hasBox = this.isConnected && this.getClientRects().length > 0;
    const isDrawn = this.checkVisibility?.({ opacityProperty: true, visibilityProperty: true });
    const isInSight = this.#sight ? this.#isInSight : true;
    return document.visibilityState === "visible" && hasBox && isInSight && isDrawn !== false;
  }
}
