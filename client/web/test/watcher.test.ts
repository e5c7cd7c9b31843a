import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { OrderState } from "../src/state.js";
import { backoff, Watcher } from "../src/watcher.js";
import { FakeBrowser, FakeStream } from "./browser.js";

let browser: FakeBrowser;
let said: string[];
let watcher: Watcher;

const pending = { outcome: "UNDECIDED", outcome_number: 0 };
const refused = { outcome: "REFUSED", outcome_number: 1 };
const approved = { outcome: "APPROVED", outcome_number: 2 };

beforeEach(async () => {
  browser = new FakeBrowser();
  said = [];
  const source = { endpoint: "https://pay.example", token: "t" };
  watcher = new Watcher(source, {
    state: (state: OrderState) => said.push(state.outcome),
    connection: (connection) => said.push(connection),
    end: (why) => said.push(`end: ${why}`),
  });
  watcher.start();
  await browser.pass(0);
});

afterEach(() => {
  watcher.stop();
  browser.end();
});

test("a stream is opened with the token and followed to its end", async () => {
  assert.equal(browser.stream.url.href, "https://pay.example/pages/order?token=t");
  browser.stream.say("status", pending, "e.1.0");
  browser.stream.say("status", approved, "e.2.1");
  browser.stream.say("done");
  await browser.pass(60_000);
  assert.deepEqual(said, ["live", "UNDECIDED", "APPROVED", "closed", "end: done"]);
  assert.equal(FakeStream.all.length, 1);
  assert.equal(browser.stream.readyState, FakeStream.CLOSED);
});

test("a stream that breaks is opened again where it was, and nobody notices a short pause", async () => {
  browser.stream.say("status", pending, "e.1.0");
  browser.stream.break();
  await browser.pass(1_000);
  assert.equal(FakeStream.all.length, 2);
  assert.equal(browser.stream.url.searchParams.get("seen"), "e.1.0");
  browser.stream.say("status", approved, "e.3.2");
  await browser.pass(10_000);
  assert.deepEqual(said, ["live", "UNDECIDED", "APPROVED"]);
});

test("a long interruption is told, and tries grow rarer", async () => {
  browser.stream.say("status", pending, "e.1.0");
  for (let second = 0; second < 120; second++) {
    if (browser.stream.readyState !== FakeStream.CLOSED) browser.stream.break();
    await browser.pass(1_000);
  }
  assert.deepEqual(said, ["live", "UNDECIDED", "reconnecting"]);
  assert.ok(FakeStream.all.length >= 6 && FakeStream.all.length <= 14, `${FakeStream.all.length}`);
});

test("an older state never replaces a newer one, but another journal's does", async () => {
  browser.stream.say("status", refused, "e.5.1");
  browser.stream.say("status", pending, "e.4.0");
  browser.stream.say("status", refused, "e.5.1");
  assert.deepEqual(said, ["live", "REFUSED"]);
  browser.stream.say("status", pending, "f.1.0");
  assert.deepEqual(said, ["live", "REFUSED", "UNDECIDED"]);
});

test("what comes late on a stream that was given up is not looked at", async () => {
  browser.stream.say("status", pending, "e.1.0");
  const old = browser.stream;
  browser.window.dispatchEvent(new Event("online"));
  await browser.pass(0);
  assert.equal(FakeStream.all.length, 2);
  old.say("status", refused, "e.2.1");
  assert.deepEqual(said, ["live", "UNDECIDED"]);
});

test("where streams bring nothing, the page asks, and waits for answers", async () => {
  await browser.pass(6_000);
  assert.equal(browser.request.url.pathname, "/pages/order/status");
  assert.equal(
    browser.request.url.searchParams.get("wait"),
    null,
    "the first answer comes at once",
  );
  browser.request.answer(200, pending, "e.1.0");
  await browser.pass(4_000);
  assert.equal(browser.request.url.searchParams.get("wait"), "20");
  assert.equal(browser.request.url.searchParams.get("seen"), "e.1.0");
  browser.request.answer(304);
  await browser.pass(0);
  browser.request.answer(200, approved, "e.2.1");
  await browser.pass(60_000);
  assert.deepEqual(said.slice(-4), ["UNDECIDED", "APPROVED", "closed", "end: done"]);
  assert.equal(FakeStream.all.length, 1);
  assert.equal(browser.asked.length, 3);
});

test("where slow answers are cut off, the page asks for quick ones", async () => {
  await browser.pass(6_000);
  browser.request.answer(200, pending, "e.1.0");
  await browser.pass(4_000);
  browser.request.fail();
  await browser.pass(1_000);
  assert.equal(browser.request.url.searchParams.get("wait"), null);
});

test("streams are tried again after a while", async () => {
  await browser.pass(6_000);
  browser.request.answer(200, pending, "e.1.0");
  for (let turn = 0; turn < 32 && FakeStream.all.length === 1; turn++) {
    await browser.pass(4_000);
    if (!browser.request.signal?.aborted) browser.request.answer(304);
  }
  assert.equal(FakeStream.all.length, 2);
});

test("a refused stream is asked about: the link may have ended or never been one", async () => {
  browser.stream.refuse();
  await browser.pass(0);
  browser.request.answer(410);
  await browser.pass(60_000);
  assert.deepEqual(said, ["closed", "end: expired"]);
  assert.equal(browser.asked.length, 1);
});

test("a link that is not valid is not asked for again", async () => {
  browser.stream.refuse();
  await browser.pass(0);
  browser.request.answer(401);
  await browser.pass(60_000);
  assert.deepEqual(said, ["closed", "end: invalid"]);
  assert.equal(browser.asked.length, 1);
});

test("a server that has no answer is asked again", async () => {
  browser.stream.refuse();
  await browser.pass(0);
  browser.request.answer(503);
  await browser.pass(1_000);
  assert.equal(FakeStream.all.length, 2);
});

test("a stream that fell silent is not trusted", async () => {
  browser.stream.say("status", pending, "e.1.0");
  for (let beat = 0; beat < 10; beat++) {
    await browser.pass(15_000);
    browser.stream.say("heartbeat");
  }
  assert.equal(browser.asked.length, 0);
  await browser.pass(45_000);
  assert.equal(browser.stream.readyState, FakeStream.CLOSED);
  assert.equal(browser.asked.length, 1);
});

test("a page that nobody looks at gives its stream back after a minute, and takes one again", async () => {
  browser.stream.say("status", pending, "e.1.0");
  browser.show("hidden");
  await browser.pass(30_000);
  assert.equal(browser.asked.length, 0, "a look into another app costs nothing");
  browser.stream.say("heartbeat");
  await browser.pass(31_000);
  assert.equal(browser.stream.readyState, FakeStream.CLOSED);
  browser.request.answer(304);
  browser.show("visible");
  await browser.pass(0);
  assert.equal(FakeStream.all.length, 2);
});

test("a page that was left asks for nothing until it is back", async () => {
  browser.stream.say("status", pending, "e.1.0");
  browser.window.dispatchEvent(new Event("pagehide"));
  await browser.pass(25_000);
  assert.equal(browser.stream.readyState, FakeStream.CLOSED);
  assert.deepEqual([FakeStream.all.length, browser.asked.length], [1, 0]);
  browser.window.dispatchEvent(new Event("pageshow"));
  await browser.pass(0);
  assert.equal(FakeStream.all.length, 2);
});

test("offline, the page waits; online, it is back at once", async () => {
  browser.stream.say("status", pending, "e.1.0");
  browser.navigator.onLine = false;
  browser.window.dispatchEvent(new Event("offline"));
  await browser.pass(10_000);
  assert.deepEqual(said, ["live", "UNDECIDED", "reconnecting"]);
  assert.equal(FakeStream.all.length, 1);
  browser.navigator.onLine = true;
  browser.window.dispatchEvent(new Event("online"));
  await browser.pass(0);
  browser.stream.say("status", approved, "e.2.1");
  assert.deepEqual(said.slice(-2), ["live", "APPROVED"]);
});

test("waits lie between half and all of a bound that doubles up to thirty seconds", () => {
  assert.deepEqual([backoff(0, 0), backoff(0, 1)], [500, 1_000]);
  assert.deepEqual([backoff(3, 0), backoff(3, 1)], [4_000, 8_000]);
  assert.deepEqual([backoff(99, 0), backoff(99, 1)], [15_000, 30_000]);
});
