/** `scripts/stdlib-on.mjs` refuses what it would not heed, before it runs or removes anything. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

it.each([
  [["examples", "--missing"], "--missing"],
  [["cuda", "--driver", "gpu"], "--driver"],
  [["cuda", "--from", "3"], "--from"],
  [["vulkan"], "usage"],
])("%j is said with code 2", (args, said) => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/stdlib-on.mjs", ...args], { encoding: "utf8" });
  expect([status, stderr]).toEqual([2, expect.stringContaining(said)]);
});
