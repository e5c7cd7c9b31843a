/** What a page says, in the languages of `texts.json`; the server's plain page says the same. */
import all from "./texts.json";
/** A headline and a sentence. */
export interface Message {
    title: string;
    text: string;
}
export type Texts = (typeof all)["en"];
/** The message of a state. */
export type MessageKey = "connecting" | "undecided" | "approved" | "refused" | "declined" | "canceled" | "lapsed" | "withdrawn" | "expired" | "invalid" | "reconnecting";
/** The first of these languages that there are texts in, and its texts. English if there is none. */
export declare function textsIn(wanted: readonly string[]): {
    language: string;
    texts: Texts;
};
/** An amount as people of a language write it, with all its digits. */
export declare function formatAmount(language: string, currency: string, value: string): string;
/** A time as people of a language write it; empty if it is none. */
export declare function formatTime(language: string, time: string): string;
