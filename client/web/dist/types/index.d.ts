/** Defines `<payment-status>`: see README.md. */
import { PaymentStatusElement } from "./element.js";
export { PaymentStatusElement, type PaymentStatusEvents, type PaymentStatusState, } from "./element.js";
export type { OrderState, Outcome } from "./state.js";
export type { Connection } from "./watcher.js";
declare global {
    interface HTMLElementTagNameMap {
        "payment-status": PaymentStatusElement;
    }
}
