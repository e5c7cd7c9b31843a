/** What the server tells a page of its order, and which of two tellings is the newer one. */

/** The outcome of an order: all that a confirmation page needs. */
export type Outcome = "UNDECIDED" | "APPROVED" | "REFUSED" | "WITHDRAWN";

/** One state of an order, as the server sends it. */
export interface OrderState {
  /** Whether the order is paid. */
  outcome: Outcome;
  /** Counts the changes of the outcome; a receipt names it. */
  outcome_number: number;
  /** The payment status behind it, such as `DECLINED`. */
  status: string;
  /** What the customer is to pay; `value` in major units with all its digits: `12.00`. */
  amount: { currency: string; value: string } | null;
  /** The merchant's own reference. */
  order: string;
  /** When it came to be so, RFC 3339. */
  time: string;
  /** In plain English words. */
  reason: string;
  /** True if outcomes passed between this state and the one that this page saw last. */
  missed: boolean;
}

/** Where the server's stream of an order is: `epoch.version` and more, as the server writes it. */
interface Position {
  epoch: string;
  version: number;
}

function position(cursor: string): Position | undefined {
  const [epoch, version] = cursor.split(".");
  const number = Number(version);
  return epoch && Number.isFinite(number) ? { epoch, version: number } : undefined;
}

/**
 * True if a state with the one cursor may be replaced by one with the other. Answers may overtake
 * each other on the way; versions do not. Another epoch is another journal: its versions start
 * again, so what came last counts.
 */
export function isNewer(cursor: string, than: string): boolean {
  const [one, other] = [position(cursor), position(than)];
  return !one || !other || one.epoch !== other.epoch || one.version > other.version;
}

/** Reads a message of the server; anything that is no state of an order gives nothing. */
export function readState(json: string): OrderState | undefined {
  try {
    const state = JSON.parse(json) as OrderState;
    const outcomes: string[] = ["UNDECIDED", "APPROVED", "REFUSED", "WITHDRAWN"];
    const isState = outcomes.includes(state.outcome) && Number.isInteger(state.outcome_number);
    return isState ? state : undefined;
  } catch {
    return undefined;
  }
}
