/** Options of benches that choose by name. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const helper = new URL("../../bench/choice.mjs", import.meta.url).href;

/** Runs `chosen` in a process of its own, which it may end. */
function choose(words: readonly string[]) {
  const script = `const { chosen } = await import(${JSON.stringify(helper)});
    console.log(JSON.stringify(chosen("--only", ${JSON.stringify(words)}, ["layer f32", "layer q8_0", "matmul"],
      (name, word) => name.startsWith(word))));`;
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd,
    encoding: "utf8",
  });
  return { status, chosen: stdout === "" ? undefined : (JSON.parse(stdout) as unknown), message: stderr.trim() };
}

it("choose each name once, in the order of the names", () => {
  expect(choose(["matmul", "layer", "layer q"])).toMatchObject({
    status: 0,
    chosen: ["layer f32", "layer q8_0", "matmul"],
  });
  expect(choose([""])).toMatchObject({ status: 0, chosen: ["layer f32", "layer q8_0", "matmul"] });
});

it("refuse a word that names nothing, beside others too, and say what there is", () => {
  expect(choose(["matmul", "zebra"])).toEqual({
    status: 2,
    chosen: undefined,
    message: '--only "zebra" names nothing; there is: layer f32; layer q8_0; matmul',
  });
});
