// What paystatus knows of an order. Each state that comes is the whole of it; only what is new is
// drawn, so that nothing flickers and a reader's place is kept.

const element = id => document.getElementById(id);

/** Who did it, as a word. */
const WHO = {
  shop: "Shop",
  provider: "Provider",
  forger: "Forger",
  customer: "Customer",
  clock: "Clock",
  mailer: "Mailer",
};
/** What came of it, where nothing changed. */
const EFFECT = {
  repeat: "repeat: changes nothing",
  nothing: "nothing new",
  refused: "refused",
  aside: "",
  news: "",
};
/** How a word of the API looks. */
const TONE = {
  APPROVED: "good", SUCCESSFUL: "good", AUTHORIZED: "good", CUSTOMER_INFORMED: "good", SETTLED: "good",
  REFUSED: "bad", DECLINED: "bad", ERROR: "bad", EXPIRED: "bad", CANCELED: "bad",
  DUPLICATE_PAYMENT: "bad", CONFLICT: "bad", WITHDRAWN: "bad",
  UNDECIDED: "open", PENDING: "open", CUSTOMER_NOT_INFORMED: "mail",
};
/** Receipts take a moment: a wait that is shorter is not worth a word. */
const COUNTDOWN_AFTER_MS = 900;

export class Timeline {
  #reverse;
  #drawn = 0;
  #last = "";
  #countdown = null;

  /** `reverse` gives back what was paid twice. */
  constructor(reverse) {
    this.#reverse = reverse;
  }

  clear() {
    this.#drawn = 0;
    this.#last = "";
    this.#stopCountdown();
    for (const id of ["attempts", "facts", "condition"]) element(id).replaceChildren();
    element("condition").hidden = true;
    element("known").hidden = true;
    element("empty").hidden = false;
    element("now").textContent = "";
    element("moral").hidden = true;
  }

  show(shown) {
    if (!shown.order) return;
    element("empty").hidden = true;
    element("known").hidden = false;
    this.#summary(shown.order);
    this.#facts(shown.facts);
    this.#wait(shown);
    const informed = shown.order.is_customer_informed ? "seen by the customer" : "";
    element("told").textContent = shown.mail ? "told by e-mail" : informed;
    element("now").textContent = shown.now;
    element("moral").hidden = !shown.moral;
    element("moral").textContent = shown.moral ?? "";
    this.#keepInView();
  }

  /** The stream broke: for good, or until the demo answers again. */
  lost(isForGood) {
    this.#stopCountdown();
    element("now").textContent = isForGood
      ? "This order is not followed any more. Start again to see another."
      : "Nobody answers. Does the demo still run?";
  }

  #summary(order) {
    const state = JSON.stringify(order);
    if (state === this.#last) return;
    this.#last = state;
    element("order-name").textContent = `Order ${order.id}`;
    const outcome = element("outcome");
    outcome.textContent = plain(order.outcome);
    outcome.dataset.tone = TONE[order.outcome] ?? "plain";
    const reverse = order.condition?.reverse;
    element("attempts").replaceChildren(...order.attempts.map(attempt => {
      const item = make("li", "attempt");
      item.dataset.tone = TONE[attempt.status] ?? "plain";
      item.append(make("span", "attempt-name", attemptName(attempt.name)));
      item.append(make("span", "attempt-status", plain(attempt.status)));
      const money = attempt.refunded ? `${attempt.refunded} given back` : attempt.kept;
      if (money) item.append(make("span", "attempt-money", money));
      if (attempt.payment) item.append(make("code", "attempt-id", `${attempt.payment}…`));
      if (attempt.name === reverse) item.classList.add("reverse");
      return item;
    }));
    this.#condition(order.condition);
  }

  #condition(condition) {
    const box = element("condition");
    box.hidden = !condition;
    if (!condition) return box.replaceChildren();
    const title = condition.reverse
      ? `Paid twice: reverse ${attemptName(condition.reverse).toLowerCase()}`
      : `Look at this: ${plain(condition.kind)}`;
    const text = make("div", "condition-text");
    text.append(make("p", "condition-title", title), make("p", "condition-detail", condition.detail));
    box.replaceChildren(text);
    if (!condition.reverse) return;
    const button = make("button", "", "Reverse it");
    button.type = "button";
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await this.#reverse();
      } catch (error) {
        button.disabled = false;
        text.lastChild.textContent = error.message;
      }
    });
    box.append(button);
  }

  /** Facts come in the order of their recording: those at the end are new. */
  #facts(facts) {
    const list = element("facts");
    for (const fact of facts.slice(this.#drawn)) {
      const item = make("li", "fact");
      item.dataset.who = fact.who;
      item.dataset.effect = fact.effect;
      item.append(make("time", "at", `+${(fact.at / 1000).toFixed(1)} s`));
      const body = make("div", "body");
      const line = make("p", "said");
      line.append(make("span", "who", WHO[fact.who]), ` ${fact.text}`);
      if (EFFECT[fact.effect]) line.append(" ", make("span", "effect", EFFECT[fact.effect]));
      body.append(line);
      if (fact.changes.length > 0) {
        const changes = make("ul", "chips");
        changes.append(...fact.changes.map(chip));
        body.append(changes);
      }
      item.append(body);
      list.append(item);
    }
    this.#drawn = facts.length;
  }

  /** While no page has said that it showed the outcome, the mailer's time runs. */
  #wait(shown) {
    const at = shown.told_at;
    if (at === null || shown.mail) return this.#stopCountdown();
    if (this.#countdown?.at === at) return;
    this.#stopCountdown();
    const whole = at - shown.facts.at(-1).at;
    const begun = performance.now();
    const draw = () => {
      const passed = performance.now() - begun;
      const left = Math.max(0, whole - passed);
      if (passed < COUNTDOWN_AFTER_MS) return;
      element("countdown").hidden = false;
      element("countdown-text").textContent =
        `No page has shown the outcome yet. The mailer is told in ${Math.ceil(left / 1000)} s.`;
      element("countdown-bar").style.setProperty("--left", `${(100 * left) / whole}%`);
    };
    this.#countdown = { at, timer: setInterval(draw, 200) };
  }

  #stopCountdown() {
    clearInterval(this.#countdown?.timer);
    this.#countdown = null;
    element("countdown").hidden = true;
  }

  #keepInView() {
    const story = element("story");
    if (story.scrollHeight > story.clientHeight) story.scrollTop = story.scrollHeight;
  }
}

function chip(change) {
  const item = make("li", "chip");
  item.dataset.tone = TONE[change.after] ?? "plain";
  item.append(make("span", "what", change.what), " ");
  if (change.before) item.append(make("span", "before", plain(change.before)), " → ");
  item.append(make("span", "after", plain(change.after)));
  return item;
}

function make(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

function plain(word) {
  return word.toLowerCase().replaceAll("_", " ");
}

function attemptName(id) {
  return id.startsWith("a") ? `Attempt ${id.slice(1)}` : "Unknown attempt";
}
