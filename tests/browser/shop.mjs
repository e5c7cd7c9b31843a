// A shop's page: an origin of its own and as strict a policy as a shop may have.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const STYLE = `
  :root { color-scheme: light dark; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
    box-sizing: border-box; background: light-dark(#f3f5f9, #0e1116); }
  main { width: 100%; max-width: 30rem; }
  payment-status { --payment-status-font: Inter, "VL PGothic", sans-serif; }
  main[data-far] { padding-top: 300vh; }
  iframe { width: min(30rem, calc(100vw - 48px)); height: 31rem; border: 0; }
`;

/** Serves `/?server=&token=` with more of what a shop may do, and `/FILE` from the folder that SHOP_FILES names. */
export async function serveShop() {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://shop");
    if (url.pathname !== "/") return file(url.pathname, response);
    const own = url.searchParams.get("server");
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader(
      "content-security-policy",
      `default-src 'none'; script-src 'self' ${own}; connect-src ${own}; frame-src ${own}; ` +
        "style-src 'nonce-shop'; require-trusted-types-for 'script'",
    );
    response.end(page(own, url.searchParams));
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return { origin: `http://localhost:${server.address().port}` };
}

function page(server, asked) {
  const token = encodeURIComponent(asked.get("token") ?? "");
  const lang = asked.get("lang") ?? "en";
  const receipt = asked.get("receipt") ?? "on";
  const inside = asked.get("inside") ?? "";
  const elements = asked.has("grpc")
    ? '<output></output><script type="module" src="/grpc.js"></script>'
    : `<payment-status endpoint="${server}" token="${token}" receipt="${receipt}">${inside}</payment-status>`;
  return `<!doctype html>
<html lang="${lang}">
<title>Your order</title>
<meta name="viewport" content="width=device-width">
<style nonce="shop">${STYLE}</style>
<script type="module" src="${server}/pages/v1/payment-status.js"></script>
<main ${asked.has("far") ? "data-far" : ""}>${elements}</main>
<noscript><iframe title="Your payment"
  src="${server}/pages/order/plain?token=${token}&amp;lang=${lang}"></iframe></noscript>
</html>`;
}

async function file(path, response) {
  try {
    const text = await readFile(`${process.env.SHOP_FILES}${path}`);
    response.setHeader("content-type", "text/javascript");
    response.end(text);
  } catch {
    response.statusCode = 404;
    response.end();
  }
}
