// The shop of the demo: places the order that was chosen, and shows both sides of it.
import { Timeline } from "/demo/timeline.js";

const element = id => document.getElementById(id);
const phone = element("phone");
const timeline = new Timeline(reverse);

/** The visit under way: its id, and the stream that follows it. */
let visit = null;

element("scenarios").addEventListener("submit", event => {
  event.preventDefault();
  pay(new FormData(event.target).get("scenario"));
});
element("scenarios").addEventListener("change", startAgain);
element("again").addEventListener("click", () => {
  startAgain();
  element("pay").focus();
});

async function pay(scenario) {
  const button = element("pay");
  button.disabled = true;
  element("problem").textContent = "";
  try {
    const begun = await ask("/demo/orders", { scenario });
    follow(begun);
  } catch (error) {
    element("problem").textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Error("Nobody answers. Does the demo still run?");
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.status === 204 ? null : answer.json();
}

/** Opens the customer's page, and the timeline beside it. */
function follow(begun) {
  leave();
  const page = document.createElement("iframe");
  page.title = "The customer's order page";
  page.src = `/demo/order#${begun.token}`;
  const address = document.createElement("p");
  address.className = "address";
  address.ariaHidden = "true";
  address.textContent = `corner-shop.example/orders/${begun.order}`;
  element("order").replaceChildren(address, page);
  phone.dataset.view = "order";
  element("again").hidden = false;

  timeline.clear();
  const stream = new EventSource(`/demo/orders/${begun.visit}/events`);
  visit = { id: begun.visit, stream };
  stream.addEventListener("shown", event => show(JSON.parse(event.data)));
  stream.addEventListener("error", () => timeline.lost(stream.readyState === EventSource.CLOSED));
}

function show(shown) {
  timeline.show(shown);
  if (shown.is_browser_closed && phone.dataset.view === "order") closeBrowser();
  if (shown.mail) notify(shown.mail);
}

/** The customer goes: the page is gone, and with it its connection. */
function closeBrowser() {
  phone.dataset.view = "closing";
  const gone = () => {
    if (phone.dataset.view !== "closing") return;
    element("order").replaceChildren();
    phone.dataset.view = "home";
  };
  const animations = element("order").getAnimations();
  if (animations.length === 0) return gone();
  Promise.allSettled(animations.map(animation => animation.finished)).then(gone);
}

function notify(mail) {
  const notice = element("notice");
  if (notice.childElementCount > 0) return;
  const lines = [["from", "Mail · Corner Shop"], ["subject", mail.subject], ["text", mail.text]];
  notice.replaceChildren(...lines.map(([name, text]) => {
    const line = document.createElement("p");
    line.className = name;
    line.textContent = text;
    return line;
  }));
}

async function reverse() {
  await ask(`/demo/orders/${visit.id}/reverse`, {});
}

/** Back to the shop. */
function startAgain() {
  leave();
  timeline.clear();
  phone.dataset.view = "shop";
  element("again").hidden = true;
}

function leave() {
  visit?.stream.close();
  visit = null;
  element("order").replaceChildren();
  element("notice").replaceChildren();
  element("problem").textContent = "";
}
