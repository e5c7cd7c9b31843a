/**
 * Tells the server that an outcome was seen, so that nobody need be told by mail. Repeated until
 * the server has it; the server counts repeats as one.
 */
import type { Source } from "./watcher.js";
export declare class Receipts {
    #private;
    constructor(source: Source);
    /** The outcome with this number was painted on a page that is visible. */
    seen(outcome: number): void;
    /** Ends; what the server did not get yet goes out once more. */
    stop(): void;
}
