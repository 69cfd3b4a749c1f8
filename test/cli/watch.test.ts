/** `moec build --watch`: builds after edits, goes on after errors, leaves nothing behind. */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../cli/program.js";
import { folderOf } from "./io.js";

const MODEL = `import { scaled } from "./parts/scaled.moe"

model Small[V = 8, D = 4] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, V] => scaled(tok[V: tokens]) @ tok
}
`;
const scaled = (factor: string): string => `fn scaled(x: [D]) => ${factor} * x\n`;

let place: ReturnType<typeof folderOf>;

beforeEach(() => {
  place = folderOf({ "small.moe": MODEL, "parts/scaled.moe": scaled("2"), "notes.txt": "" });
});
afterEach(() => place.remove());

/** The command while it runs: what it has said, and a way to press Ctrl-C. */
class Watching {
  private text = "";
  private seen = 0;
  private wake: () => void = () => undefined;
  private readonly interrupt = new AbortController();
  readonly ended: Promise<number>;

  constructor(cwd: string) {
    const said = (text: string): void => {
      this.text += text;
      this.wake();
    };
    this.ended = runCli(["build", "small.moe", "--random", "1", "--out", "out/small", "--watch"], {
      cwd,
      env: {},
      outIsTerminal: false,
      errIsTerminal: false,
      columns: 80,
      signal: this.interrupt.signal,
      out: said,
      err: said,
      readInput: () => Promise.resolve(""),
    });
  }

  /** What is said until it waits for a change again. */
  async round(): Promise<string> {
    for (;;) {
      const end = this.text.indexOf("watching ", this.seen);
      if (end >= 0) {
        const said = this.text.slice(this.seen, end);
        this.seen = this.text.indexOf("\n", end);
        return said;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** True when it says nothing for a while. */
  async isQuiet(): Promise<boolean> {
    const before = this.text.length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    return this.text.length === before;
  }

  stop(): Promise<number> {
    this.interrupt.abort();
    return this.ended;
  }
}

const inPlace = (...path: string[]): string => join(place.path, ...path);
const plan = (): string => readFileSync(inPlace("out/small/plan.json"), "utf8");
const leftovers = (): string[] => readdirSync(inPlace("out")).filter((name) => name !== "small");

it("builds again after edits, waits after errors with the old bundle in place, and ends on Ctrl-C", async () => {
  const watching = new Watching(place.path);
  expect(await watching.round()).not.toContain("error");
  const first = plan();
  const hashes = readFileSync(inPlace("out/small/manifest.json"), "utf8");

  writeFileSync(inPlace("notes.txt"), "nothing to do with it");
  mkdirSync(inPlace("empty"));
  expect(await watching.isQuiet(), "other files are no reason to build").toBe(true);

  writeFileSync(inPlace("parts/scaled.moe"), scaled("2 * y"));
  const wrong = await watching.round();
  expect(wrong).toContain("MOE2001");
  expect(wrong).toContain("parts/scaled.moe");
  expect(readFileSync(inPlace("out/small/manifest.json"), "utf8"), "the old bundle stays").toBe(hashes);

  // As editors do it: a new file takes the place of the old one.
  writeFileSync(inPlace("parts/.scaled.moe.tmp"), scaled("3"));
  renameSync(inPlace("parts/.scaled.moe.tmp"), inPlace("parts/scaled.moe"));
  expect(await watching.round()).not.toContain("error");
  expect(readFileSync(inPlace("out/small/manifest.json"), "utf8")).not.toBe(hashes);
  expect(plan()).toBe(first);

  expect(await watching.stop()).toBe(130);
  expect(leftovers()).toEqual([]);
  const { mtimeMs } = statSync(inPlace("out/small/manifest.json"));
  writeFileSync(inPlace("parts/scaled.moe"), scaled("4"));
  expect(await watching.isQuiet(), "nothing is watched any more").toBe(true);
  expect(statSync(inPlace("out/small/manifest.json")).mtimeMs).toBe(mtimeMs);
});

it("watches a file that was wrong from the start, and ends when Ctrl-C comes during a build", async () => {
  writeFileSync(inPlace("parts/scaled.moe"), scaled("2 * y"));
  const watching = new Watching(place.path);
  expect(await watching.round()).toContain("MOE2001");
  writeFileSync(inPlace("parts/scaled.moe"), scaled("2"));
  expect(await watching.round()).not.toContain("error");
  await watching.stop();

  const stopped = new Watching(place.path);
  expect(await stopped.stop()).toBe(130);
  expect(leftovers()).toEqual([]);
});
