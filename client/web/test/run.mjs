// Bundles the tests, for node reads no TypeScript, and runs them.

import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { styles } from "../build.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const outdir = await mkdtemp(`${tmpdir()}/payment-status-`);
try {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".test.ts"));
  await build({
    absWorkingDir: folder,
    entryPoints: files,
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    plugins: [styles],
  });
  const tests = files.map((file) => `${outdir}/${file.replace(/ts$/, "mjs")}`);
  process.exitCode = spawnSync(process.execPath, ["--test", ...tests], { stdio: "inherit" }).status;
} finally {
  await rm(outdir, { recursive: true });
}
