/**
 * Kernels for engines with exact sums of four products of bytes, on such an engine: a newer Node, which `MOEC_NODE` names.
 * Node 20 and 22 have none; `npm run test:browser` asks Chromium.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { skipQuads } from "../support/quads.js";

const newer = process.env["MOEC_NODE"];
if (newer === undefined) skipQuads();
const root = new URL("../../", import.meta.url).pathname;

it.skipIf(newer === undefined || process.execPath === newer)(
  "tests of kernels on a newer Node",
  { timeout: 300_000 },
  () => {
    expect(existsSync(newer!)).toBe(true);
    const files = ["test/emit/micro.test.ts", "test/schedule/products.test.ts"];
    const run = spawnSync(newer!, ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose", ...files], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, MOEC_NODE: undefined, NO_COLOR: "1" },
    });
    expect(run.stdout + run.stderr).toMatch(/products of bytes on wasm-quads/);
    expect(run.status, run.stdout + run.stderr).toBe(0);
  },
);
