/** `scripts/stdlib-on.mjs`: one process after the other, each going on behind where the one before was ended. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "moec-hand-over-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a process of tests does that is begun at a place: the lines of its journal, and how it ends. */
type Journals = Readonly<Record<number, { readonly lines: readonly string[]; readonly status: number }>>;

/** Runs the script where `npx` is a program that does what is said instead of running tests. */
function handOver(args: readonly string[], journals: Journals) {
  const [calls, said] = [join(folder, "calls"), join(folder, "journals.json")];
  writeFileSync(calls, "");
  writeFileSync(said, JSON.stringify(journals));
  writeFileSync(
    join(folder, "npx"),
    `#!${process.execPath}
const fs = require("node:fs");
const { MOEC_FROM, MOEC_JOURNAL, MOEC_MISSING } = process.env;
fs.appendFileSync(${JSON.stringify(calls)}, [MOEC_FROM, MOEC_MISSING].join(" ") + "\\n");
const { lines, status } = JSON.parse(fs.readFileSync(${JSON.stringify(said)}, "utf8"))[MOEC_FROM];
fs.writeFileSync(MOEC_JOURNAL, lines.join("\\n") + "\\n");
process.exit(status);
`,
  );
  chmodSync(join(folder, "npx"), 0o755);
  const env = { ...process.env, PATH: [folder, process.env["PATH"]].join(delimiter) };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/stdlib-on.mjs", ...args], {
    env,
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr, calls: readFileSync(calls, "utf8").trim().split("\n") };
}

/** Names and times of the lists of what ran. */
const lists = (): readonly string[] => {
  const ran = "stdlib/coverage/ran";
  return readdirSync(ran).map((name) => `${name} ${statSync(join(ran, name)).mtimeMs}`);
};

describe.skipIf(process.platform === "win32")("the library on another target, what is missing only", () => {
  it("goes on behind what ended a process, keeps the lists, and names the place in the end", () => {
    const before = lists();
    const found = handOver(["webgpu", "--missing"], {
      0: { lines: ["count 4", "begin 0", "end 0", "begin 1"], status: 1 },
      2: { lines: ["count 4", "begin 2", "end 2", "begin 3", "end 3"], status: 0 },
    });
    expect(found.calls).toEqual(["0 1", "2 1"]);
    expect(found).toMatchObject({ status: 1, out: "next: 2 of 4\n" });
    expect(found.err).toContain("did not come to an end: 1\n");
    expect(lists()).toEqual(before);
  });

  it("ends well when all came to an end, and with code 2 when nothing was missing", () => {
    const whole = { lines: ["count 2", "begin 1", "end 1"], status: 0 };
    expect(handOver(["webgpu", "--missing", "--from", "1"], { 1: whole })).toMatchObject({ status: 0, calls: ["1 1"] });
    const none = handOver(["webgpu", "--missing"], { 0: { lines: ["count 2"], status: 0 } });
    expect(none).toMatchObject({ status: 2, calls: ["0 1"] });
    expect(none.err).toContain("nothing is left to try from place 0 on");
  });

  it("refuses what a target has no use for, before anything runs", () => {
    for (const args of [["cuda", "--missing"], ["examples", "--missing"], ["vulkan"], ["webgpu", "--from=-1"]]) {
      expect(handOver(args, {})).toMatchObject({ status: 2, calls: [""] });
    }
  });
});
