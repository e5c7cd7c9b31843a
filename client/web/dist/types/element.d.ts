/** The element `<payment-status>`. */
import type { OrderState } from "./state.js";
import { type Connection } from "./watcher.js";
/** What the element shows; also its attribute `state`. */
export type PaymentStatusState = "connecting" | "undecided" | "approved" | "refused" | "withdrawn" | "expired" | "reconnecting";
/** The events of the element, with their details. All bubble. */
export interface PaymentStatusEvents {
    /** Every new state of the order. */
    "payment-status": CustomEvent<OrderState>;
    /** The outcome is another one, and no longer undecided. Once for each. */
    "payment-outcome": CustomEvent<OrderState>;
    /** The link has ended, or was never valid. */
    "payment-expired": CustomEvent<{
        reason: "expired" | "invalid";
    }>;
    /** The element is connected in another way. */
    "payment-connection": CustomEvent<{
        connection: Connection;
    }>;
}
/** Where scripts run without a page (rendering on a server) there is nothing to extend. */
declare const Base: {
    new (): HTMLElement;
    prototype: HTMLElement;
};
/** Shows what became of a payment, the moment it is known. */
export declare class PaymentStatusElement extends Base {
    #private;
    static readonly observedAttributes: string[];
    /** The server's public address; by default the one that the script came from. */
    get endpoint(): string;
    set endpoint(value: string);
    /** The page token; without one the cookie `paystatus_page` is used. */
    get token(): string;
    set token(value: string);
    /** Whether the server is told that the outcome was seen; `receipt="off"` switches it off. */
    get receipt(): boolean;
    set receipt(value: boolean);
    /** The newest state of the order, if there is one yet. */
    get order(): OrderState | undefined;
    /** What is shown. */
    get state(): PaymentStatusState;
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(name: string, before: string | null, now: string | null): void;
}
export {};
