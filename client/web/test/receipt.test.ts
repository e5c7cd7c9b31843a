import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Receipts } from "../src/receipt.js";
import { FakeBrowser } from "./browser.js";

let browser: FakeBrowser;
let receipts: Receipts;

const URL = "https://pay.example/pages/order/receipt?token=t";
const body = (outcome: number) => JSON.stringify({ outcome_number: outcome });

beforeEach(() => {
  browser = new FakeBrowser();
  receipts = new Receipts({ endpoint: "https://pay.example", token: "t" });
});

afterEach(() => browser.end());

test("a receipt is sent once for each outcome", async () => {
  receipts.seen(1);
  receipts.seen(1);
  await browser.pass(0);
  assert.equal(browser.request.url.href, URL);
  assert.equal(browser.request.body, body(1));
  browser.request.answer(204);
  await browser.pass(0);
  receipts.seen(1);
  receipts.seen(2);
  await browser.pass(0);
  browser.request.answer(204);
  await browser.pass(60_000);
  assert.deepEqual(
    browser.asked.map((asked) => asked.body),
    [body(1), body(2)],
  );
});

test("it is repeated until the server has it", async () => {
  receipts.seen(1);
  await browser.pass(0);
  browser.request.fail();
  await browser.pass(1_000);
  browser.request.answer(503);
  await browser.pass(2_000);
  browser.request.answer(204);
  await browser.pass(60_000);
  assert.equal(browser.asked.length, 3);
});

test("what the server never takes is not repeated", async () => {
  receipts.seen(1);
  await browser.pass(0);
  browser.request.answer(410);
  await browser.pass(60_000);
  assert.equal(browser.asked.length, 1);
});

test("an older outcome gives way to a newer one", async () => {
  receipts.seen(1);
  await browser.pass(0);
  browser.request.fail();
  receipts.seen(2);
  await browser.pass(1_000);
  assert.equal(browser.request.body, body(2));
  browser.request.answer(204);
  await browser.pass(60_000);
  assert.equal(browser.asked.length, 2);
});

test("on leaving, only what nobody confirmed is left with the browser", async () => {
  browser.window.dispatchEvent(new Event("pagehide"));
  receipts.seen(1);
  browser.window.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(browser.navigator.beacons, [[URL, body(1)]]);
  await browser.pass(0);
  browser.request.answer(204);
  await browser.pass(0);
  browser.window.dispatchEvent(new Event("pagehide"));
  receipts.stop();
  assert.equal(browser.navigator.beacons.length, 1);
});
