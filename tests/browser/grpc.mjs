// A shop's script that follows its order by gRPC-Web, with a client generated from `proto/`.

import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ClosingReason, OrderService, Outcome } from "./generated/paystatus.js";

const asked = new URLSearchParams(location.search);
const withToken = (next) => (request) => {
  request.header.set("authorization", `Bearer ${asked.get("token")}`);
  return next(request);
};
const transport = createGrpcWebTransport({
  baseUrl: asked.get("server"),
  interceptors: [withToken],
});
const orders = createClient(OrderService, transport);
const shown = document.querySelector("output");
const say = (text) => shown.append(`${text} `);

try {
  for await (const { frame } of orders.watchOrder({})) {
    const { case: name, value } = frame.content;
    if (name === "pageOrder") say(`${value.orderId}:${Outcome[value.outcome]}`);
    if (name === "pageOrder" && value.outcome !== Outcome.UNDECIDED) {
      await orders.recordReceipt({ outcomeNumber: value.outcomeNumber });
    }
    if (name === "closing") say(`closing:${ClosingReason[value.reason]}`);
  }
  say("end");
} catch (error) {
  say(`error:${error.code}:${error.rawMessage}`);
}
