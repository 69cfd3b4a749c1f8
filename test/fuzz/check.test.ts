/**
 * Files of the repository with tokens dropped, doubled, swapped and exchanged: the checker gives diagnostics with codes
 * and spans inside of the files, never an exception, and in bounded time. What checks is built, and is built or refused.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check, type CheckedProject } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { repository, testHost } from "../check/host.js";
import { runs, seed, timeout } from "./runs.js";
import { applyTokenEdits, tokenEdit, tokensOf } from "./token-edits.js";

const folders = ["stdlib", "test/samples/hard", "examples/tiny-moe", "examples/sentence-encoder"];
const files = folders
  .flatMap((folder) => readdirSync(join(repository, folder)).map((file) => `${folder}/${file}`))
  .filter((file) => file.endsWith(".moe"));
const texts = new Map(files.map((file) => [file, readFileSync(join(repository, file), "utf8")]));
const isWord = (token: string): boolean => token.trim() !== "" && !token.startsWith("//");
const pool = [...new Set([...texts.values()].flatMap((text) => tokensOf(text).filter(isWord)))];

/** The files as they are: what they import is checked once. */
const good = new Map<string, CheckedProject>();

/** A check takes milliseconds of the processor; this long means that its time is not bounded by the size of the file. */
const SLOW = 10_000;

function checkEdited(file: string, text: string): void {
  const host = testHost({ [file]: text });
  const before = process.cpuUsage();
  const previous = good.get(file) ?? (texts.has(file) ? check(file, testHost()) : undefined);
  if (previous) good.set(file, previous);
  const project = check(file, host, previous ? { previous } : {});
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000, text).toBeLessThan(SLOW);
  for (const { code, message, span, labels, fixes } of project.diagnostics) {
    expect(code).toMatch(/^MOE[12]\d{3}$/);
    expect(message.replace(/`[^`]*`/g, "")).not.toMatch(/undefined|\[object|NaN/);
    const spans = [
      span,
      ...labels.map((label) => label.span),
      ...fixes.flatMap((fix) => fix.edits.map((edit) => edit.span)),
    ];
    for (const { file: name, start, end } of spans) {
      const length = host.read(name)?.length ?? -1;
      expect(0 <= start && start <= end && end <= length, `${code} at ${name} ${String(start)}..${String(end)}`).toBe(
        true,
      );
    }
  }
  if (project.diagnostics.length > 0) return;
  for (const { decl } of project.files.get(file)!.modules.values()) {
    if (decl.contract !== "model") continue;
    try {
      buildProgram(project, { model: decl.name.text });
    } catch (error) {
      if (!(error instanceof MoecError)) throw error;
    }
  }
}

describe("the checker survives", () => {
  it("tokens in the wrong places", { timeout: timeout(80, 200) }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(tokenEdit, { minLength: 1, maxLength: 4 }), (file, edits) =>
        checkEdited(file, applyTokenEdits(texts.get(file)!, edits, pool)),
      ),
      { seed, numRuns: runs(80) },
    );
  });

  it("names in the places of other names", { timeout: timeout(80, 200) }, () => {
    const isName = (token: string): boolean => /^[A-Za-z_]\w*$/.test(token);
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(), (file, at, by) => {
        const tokens = [...tokensOf(texts.get(file)!)];
        const names = tokens.flatMap((token, index) => (isName(token) ? [index] : []));
        tokens[names[at % names.length]!] = tokens[names[by % names.length]!]!;
        checkEdited(file, tokens.join(""));
      }),
      { seed, numRuns: runs(80) },
    );
  });

  it("numbers that are too large, too small or not whole", { timeout: timeout(60, 200) }, () => {
    const number = fc.constantFrom(
      "0",
      "1",
      "-1",
      "0.5",
      "1e300",
      "9007199254740993",
      "2 ** 60",
      "1 / 0",
      "10_000 steps",
    );
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.nat(), number, (file, at, by) => {
        const tokens = [...tokensOf(texts.get(file)!)];
        const places = tokens.flatMap((token, index) => (/^\d+$/.test(token) ? [index] : []));
        if (places.length > 0) tokens[places[at % places.length]!] = by;
        checkEdited(file, tokens.join(""));
      }),
      { seed, numRuns: runs(60) },
    );
  });

  it("deep nesting and long files", { timeout: 120_000 }, () => {
    const nested = (open: string, close: string, depth: number): string =>
      `fn f[D](x: [D]) => ${open.repeat(depth)}x${close.repeat(depth)}`;
    for (const depth of [8, 60, 70, 5000]) {
      checkEdited("test/a.moe", nested("(", ")", depth));
      checkEdited("test/a.moe", nested("silu(", ")", depth));
      checkEdited("test/a.moe", nested("{ let y = ", "\n y }", depth));
    }
    checkEdited("test/a.moe", `fn f[D](x: [D]) => x${" + x".repeat(5000)}`);
    checkEdited("test/a.moe", `fn f[D](x: [D]) => {\n${"  let x = x * 2\n".repeat(2000)}  x\n}`);
  });
});
