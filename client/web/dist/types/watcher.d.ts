/**
 * Keeps one page informed: by a stream of server-sent events; where these do not come through, by
 * asking again and again. One thing at a time, so that a page never holds two connections.
 */
import { type OrderState } from "./state.js";
/** How a page is connected. */
export type Connection = "live" | "polling" | "reconnecting" | "closed";
/** Why nothing more will come. */
export type End = "done" | "expired" | "invalid";
/** What a watcher tells. */
export interface Listener {
    /** A state that is newer than all before it. */
    state(state: OrderState): void;
    /** How the page is connected now. */
    connection(connection: Connection): void;
    /** Nothing more will come. */
    end(why: End): void;
}
/** Where to ask, and as whom. */
export interface Source {
    /** The server's address, without a slash at its end. */
    endpoint: string;
    /** The page token; empty if a cookie carries it. */
    token: string;
}
export declare class Watcher {
    #private;
    constructor(source: Source, listener: Listener);
    /** Watches until {@link Watcher.stop} or until nothing more will come. */
    start(): void;
    /** Ends at once; nothing is told any more. */
    stop(): void;
}
/** How long to wait after so many failures in a row: at random, so that not all come at once. */
export declare function backoff(failures: number, random?: number): number;
