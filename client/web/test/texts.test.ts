import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAmount, formatTime, textsIn } from "../src/texts.js";
import all from "../src/texts.json" with { type: "json" };

const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");

test("each language says all that English says, and in other words", () => {
  const flat = (texts: object): [string, string][] =>
    Object.entries(texts).flatMap(([name, text]) =>
      typeof text === "string"
        ? [[name, text]]
        : flat(text).map(([inner, words]) => [`${name}.${inner}`, words]),
    );
  const english = flat(all.en);
  for (const [language, texts] of Object.entries(all)) {
    const own = flat(texts);
    assert.deepEqual(
      own.map(([name]) => name),
      english.map(([name]) => name),
      language,
    );
    if (language === "en") continue;
    const titles = own.filter(([name]) => name.endsWith("title"));
    for (const [name, text] of titles) {
      assert.notEqual(text, english.find(([other]) => other === name)?.[1], `${language}: ${name}`);
    }
  }
});

test("the first language that there is, and its own way with numbers", () => {
  const chosen = (...wanted: string[]) => textsIn(wanted).language;
  assert.equal(chosen("de-CH", "fr"), "de-CH");
  assert.equal(chosen("nl", "pt_br"), "pt-BR");
  assert.equal(chosen("de-!"), "de");
  assert.equal(chosen("nl", "constructor", ""), "en");
});

test("amounts keep all their digits", () => {
  assert.equal(plain(formatAmount("de", "EUR", "1234.50")), "1.234,50 €");
  assert.equal(plain(formatAmount("fr", "EUR", "1234.50")), "1 234,50 €");
  assert.equal(formatAmount("ja", "JPY", "5000"), "￥5,000");
  assert.equal(formatAmount("en", "KWD", "1.005").slice(-5), "1.005");
  assert.equal(formatAmount("en-US", "USD", "9007199254740993.01"), "$9,007,199,254,740,993.01");
  assert.equal(formatAmount("en", "USDT0", "0.000001"), "0.000001 USDT0");
});

test("what is no time is left out", () => {
  assert.match(formatTime("de", "2026-11-21T12:00:00Z"), /2026/);
  assert.equal(formatTime("de", ""), "");
});
