/** What is inside the element: made once, then only its texts change, so nothing flickers. */
import type { OrderState } from "./state.js";
import { type MessageKey, type Texts } from "./texts.js";
/** What to show. */
export interface Shown {
    /** The element's state, which names its slots. */
    state: string;
    message: MessageKey;
    order: OrderState | undefined;
    isLive: boolean;
    texts: Texts;
    language: string;
}
export declare class View {
    #private;
    constructor(root: ShadowRoot);
    show(shown: Shown): void;
}
