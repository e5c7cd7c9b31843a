import assert from "node:assert/strict";
import { test } from "node:test";
import { isNewer, readState } from "../src/state.js";

test("versions of one journal are compared; of two, the later message counts", () => {
  assert.equal(isNewer("e.10.1", "e.9.1"), true);
  assert.equal(isNewer("e.9.1", "e.9.1"), false);
  assert.equal(isNewer("e.8.1", "e.9.1"), false);
  assert.equal(isNewer("f.1.0", "e.9.1"), true);
  assert.equal(isNewer("nonsense", "e.9.1"), true);
});

test("what is no state of an order is not taken for one", () => {
  const state = { outcome: "APPROVED", outcome_number: 1 };
  assert.deepEqual(readState(JSON.stringify(state)), state);
  for (const text of [
    "",
    "{",
    "null",
    "[]",
    '{"outcome":"NEW","outcome_number":1}',
    '"APPROVED"',
  ]) {
    assert.equal(readState(text), undefined, text);
  }
});
