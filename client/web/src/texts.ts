/** What a page says, in the languages of `texts.json`; the server's plain page says the same. */

import all from "./texts.json" with { type: "json" };

/** A headline and a sentence. */
export interface Message {
  title: string;
  text: string;
}

export type Texts = (typeof all)["en"];

/** The message of a state. */
export type MessageKey =
  | "connecting"
  | "undecided"
  | "approved"
  | "refused"
  | "declined"
  | "canceled"
  | "lapsed"
  | "withdrawn"
  | "expired"
  | "invalid"
  | "reconnecting";

/** The first of these languages that there are texts in, and its texts. English if there is none. */
export function textsIn(wanted: readonly string[]): { language: string; texts: Texts } {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split(/[-_]/)[0] ?? "";
    if (Object.hasOwn(all, language)) {
      // The whole tag formats numbers and times: de-CH has its own.
      return { language: canonical(tag) ?? language, texts: all[language as keyof typeof all] };
    }
  }
  return { language: "en", texts: all.en };
}

function canonical(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag.replaceAll("_", "-"))[0];
  } catch {
    return undefined;
  }
}

/** An amount as people of a language write it, with all its digits. */
export function formatAmount(language: string, currency: string, value: string): string {
  const digits = value.split(".")[1]?.length ?? 0;
  try {
    const format = new Intl.NumberFormat(language, {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    // As text: a number would lose digits of large amounts.
    return format.format(value as unknown as number);
  } catch {
    // Not a currency that Intl knows the form of: a token, for example.
    return `${value} ${currency}`;
  }
}

/** A time as people of a language write it; empty if it is none. */
export function formatTime(language: string, time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
    date,
  );
}
