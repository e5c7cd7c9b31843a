/** What is inside the element: made once, then only its texts change, so nothing flickers. */

import type { OrderState } from "./state.js";
import style from "./style.css";
import { formatAmount, formatTime, type MessageKey, type Texts } from "./texts.js";

/** What to show. */
export interface Shown {
  /** The element's state, which names its slots. */
  state: string;
  message: MessageKey;
  order: OrderState | undefined;
  isLive: boolean;
  texts: Texts;
  language: string;
}

const SVG = "http://www.w3.org/2000/svg";

/** Each sign, drawn in a square of 88. `pathLength` 1 lets the style draw it as by hand. */
const SIGNS: [name: string, path: string][] = [
  ["check", "M28 45.5 39 56.5 60.5 33"],
  ["cross", "M32 32 56 56 M56 32 32 56"],
  ["back", "M37 29 28 38 37 47 M28.5 38 H50 a10 10 0 0 1 0 20 H39"],
  ["clock", "M44 28 V45 L55 52"],
  ["offline", "M44 29 V48 M44 58 V58.2"],
];

export class View {
  readonly #title = element("p", "title");
  readonly #text = element("p", "text");
  readonly #message = element("slot");
  readonly #after = element("slot");
  readonly #details = element("dl", "details");
  readonly #rows = { amount: row("amount"), order: row("order"), time: row("time") };
  readonly #connection = element("p", "connection");
  readonly #card = element("div", "card");

  constructor(root: ShadowRoot) {
    addStyle(root);
    const icon = element("div", "icon");
    icon.setAttribute("aria-hidden", "true");
    const ownIcon = element("slot");
    ownIcon.name = "icon";
    ownIcon.append(drawing());
    icon.append(ownIcon);
    // Read aloud as a whole when it changes; the rest of the card stays silent.
    const message = element("div", "message");
    message.setAttribute("role", "status");
    message.setAttribute("aria-live", "polite");
    message.setAttribute("aria-atomic", "true");
    this.#message.append(this.#title, this.#text);
    message.append(this.#message);
    this.#details.append(...Object.values(this.#rows).map((row) => row.line));
    this.#card.append(icon, message, this.#details, this.#after, element("slot"), this.#connection);
    root.append(this.#card);
  }

  show(shown: Shown): void {
    const { texts, order, language } = shown;
    this.#card.lang = language;
    set(this.#message, "name", shown.state);
    set(this.#after, "name", `${shown.state}-after`);
    set(this.#title, "textContent", texts[shown.message].title);
    set(this.#text, "textContent", texts[shown.message].text);
    const amount = order?.amount;
    const values = {
      amount: amount ? formatAmount(language, amount.currency, amount.value) : "",
      order: order?.order ?? "",
      time: order ? formatTime(language, order.time) : "",
    };
    for (const name of ["amount", "order", "time"] as const) {
      const { line, label, value } = this.#rows[name];
      set(label, "textContent", texts[name]);
      set(value, "textContent", values[name]);
      line.hidden = !values[name];
    }
    this.#details.hidden = !Object.values(values).some(Boolean);
    set(this.#connection, "textContent", shown.isLive ? texts.live : "");
    this.#connection.toggleAttribute("data-live", shown.isLive);
  }
}

/** Sets what differs: a live region is read again when its text is written, even the same. */
function set<T, K extends keyof T>(target: T, name: K, value: T[K]): void {
  if (target[name] !== value) target[name] = value;
}

/** An element with a class, which is also the name of its part. */
function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  name = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (name) {
    made.className = name;
    made.setAttribute("part", name);
  }
  return made;
}

function row(name: string) {
  const line = element("div");
  line.setAttribute("part", "detail");
  const label = element("dt");
  label.setAttribute("part", "label");
  const value = element("dd", name);
  value.setAttribute("part", `value ${name}`);
  line.append(label, value);
  return { line, label, value };
}

function drawing(): SVGSVGElement {
  const shape = <K extends keyof SVGElementTagNameMap>(tag: K, attributes: object) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
    return made;
  };
  const svg = shape("svg", { viewBox: "0 0 88 88" });
  const circle = { cx: 44, cy: 44, r: 36 };
  svg.append(shape("circle", { class: "ring", ...circle }));
  svg.append(shape("circle", { class: "arc", ...circle }));
  const dots = shape("g", { class: "sign dots" });
  for (const cx of [32, 44, 56]) dots.append(shape("circle", { cx, cy: 44, r: 0.4 }));
  svg.append(dots);
  for (const [name, d] of SIGNS) {
    svg.append(shape("path", { class: `sign ${name}`, d, pathLength: 1 }));
  }
  return svg;
}

/** As a sheet, which a shop's content security policy has nothing against. */
function addStyle(root: ShadowRoot): void {
  if ("adoptedStyleSheets" in root && "replaceSync" in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } else {
    const inline = document.createElement("style");
    inline.textContent = style;
    (root as ShadowRoot).append(inline);
  }
}
