// A browser that a test steers: one command a line on standard input, one answer a line on standard
// output. It also serves the shop's page, on another origin than the server, and proxies that fail.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { Detour } from "./proxy.mjs";
import { serveShop } from "./shop.mjs";

const PATIENCE_MS = 40_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Keeps what the element tells the shop, from before the page's own scripts on. */
const RECORDER = () => {
  window.told = [];
  const names = ["payment-status", "payment-outcome", "payment-expired", "payment-connection"];
  for (const name of names) {
    document.addEventListener(name, (event) => window.told.push([name, event.detail]));
  }
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const shop = await serveShop();
const contexts = new Map();
const pages = new Map();
const proxies = new Map();

/** One context is one customer: its pages share locks and the network. */
async function context(name, options) {
  if (!contexts.has(name)) {
    const made = await browser.newContext({ viewport: { width: 480, height: 640 }, ...options });
    await made.addInitScript(RECORDER);
    contexts.set(name, made);
  }
  return contexts.get(name);
}

const commands = {
  /** Begins anew: closes what an earlier test left. */
  async start() {
    await Promise.all([...contexts.values()].map((context) => context.close()));
    for (const proxy of proxies.values()) proxy.stop();
    for (const kept of [contexts, pages, proxies]) kept.clear();
    return { origin: shop.origin };
  },

  /** Opens a page and waits until it is there. */
  async open({ page, url, customer = "customer", options = {} }) {
    const opened = await (await context(customer, options)).newPage();
    opened.setDefaultTimeout(PATIENCE_MS);
    pages.set(page, opened);
    await opened.goto(url, { waitUntil: "load" });
    return {};
  },

  /** Waits until the element shows a state, and says what it shows then. */
  async shows({ page, state }) {
    const opened = pages.get(page);
    await opened.waitForFunction(
      (state) => document.querySelector("payment-status")?.getAttribute("state") === state,
      state,
    );
    return opened.evaluate(() => {
      const element = document.querySelector("payment-status");
      const text = (part) => element.shadowRoot.querySelector(`.${part}`)?.textContent;
      const parts = ["title", "text", "amount", "order", "connection"];
      return Object.fromEntries(parts.map((part) => [part, text(part)]));
    });
  },

  /** Waits until the element told this, and returns all it told. */
  async told({ page, name, detail = {} }) {
    const opened = pages.get(page);
    await opened.waitForFunction(
      ([name, detail]) =>
        window.told.some(
          ([told, of]) =>
            told === name && Object.entries(detail).every(([key, value]) => of[key] === value),
        ),
      [name, detail],
    );
    return opened.evaluate(() => window.told);
  },

  /** Waits for a text: in the frame of a page without scripts, or on the page itself. */
  async reads({ page, text, frame = true }) {
    const opened = pages.get(page);
    const where = frame ? opened.frameLocator("iframe") : opened;
    await where.getByText(text).first().waitFor();
    return {};
  },

  async evaluate({ page, script }) {
    return { value: await pages.get(page).evaluate(script) };
  },

  async offline({ customer = "customer", offline }) {
    await contexts.get(customer).setOffline(offline);
    return {};
  },

  /** What a person would see, as a file. */
  async shoot({ page, path }) {
    const opened = pages.get(page);
    await opened.evaluate(() => document.fonts.ready);
    await opened.screenshot({ path, animations: "disabled", fullPage: true });
    return {};
  },

  /** What axe-core finds wrong, by the rules of WCAG 2.2 AA. */
  async axe({ page }) {
    const opened = pages.get(page);
    await opened.evaluate(AXE);
    const found = await opened.evaluate(() =>
      window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }),
    );
    const said = ({ id, nodes }) => `${id}: ${nodes.map((node) => node.failureSummary).join("; ")}`;
    return { violations: found.violations.map(said), passed: found.passes.length };
  },

  async close({ page }) {
    await pages.get(page).close({ runBeforeUnload: true });
    pages.delete(page);
    return {};
  },

  /** A proxy before the server, and how it behaves from now on. */
  async proxy({ proxy, server, mode }) {
    if (!proxies.has(proxy)) proxies.set(proxy, await Detour.start(server));
    proxies.get(proxy).mode = mode;
    return { address: proxies.get(proxy).address };
  },

  /** Waits until the proxy has lost something that was posted. */
  async lost({ proxy }) {
    await proxies.get(proxy).lost;
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...options } = JSON.parse(line);
  let answer;
  try {
    answer = await commands[name](options);
  } catch (error) {
    answer = { failed: `${name} ${JSON.stringify(options)}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
process.exit(0);
