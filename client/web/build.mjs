// Builds dist/payment-status.js: one module without dependencies, small enough for a bad network.

import { readFile, rm } from "node:fs/promises";
import { build, transform } from "esbuild";

/** Puts a stylesheet in as text, without what only its readers need. */
export const styles = {
  name: "styles",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

if (import.meta.filename === process.argv[1]) {
  const folder = new URL(".", import.meta.url).pathname;
  await rm(`${folder}dist`, { recursive: true, force: true });
  await build({
    absWorkingDir: folder,
    entryPoints: ["src/index.ts"],
    outfile: "dist/payment-status.js",
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    charset: "utf8",
    plugins: [styles],
    banner: { js: "/* @paystatus/payment-status, Apache-2.0 */" },
  });
}
