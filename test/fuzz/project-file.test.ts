/** Project files with anything in them: a project, or diagnostics with codes and places inside of the text. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readProjectFile } from "../../cli/project-file.js";
import { runs, seed, timeout } from "./runs.js";

const valid = `model: tiny.moe
name: Tiny
sizes: { L: 4, D: 128 }
weights: [a.safetensors, b.safetensors]
tokenizer: tokenizer.json
quantization: q8_0
context: 512
prefill: 256
targets: [wasm]
out: dist/tiny
generate:
  temperature: 0.8
  stop: ["\\n"]
`;

const piece = fc.oneof(
  fc.constantFrom(
    "&a ",
    "*a",
    "<<: ",
    "!!int ",
    "? ",
    "- ",
    "---\n",
    "...",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "\n  ",
    "\n",
    '"',
  ),
  fc.constantFrom(
    "null",
    "~",
    "-1",
    "1e999",
    "0x10",
    ".nan",
    "true",
    "2026-11-22",
    "__proto__",
    "constructor",
    "%YAML 9",
  ),
  fc.string({ maxLength: 6 }),
);

function read(text: string): void {
  const before = performance.now();
  const result = readProjectFile(text, "moec.yaml");
  expect(performance.now() - before).toBeLessThan(5000);
  if (result.ok) {
    expect(typeof result.project.model).toBe("string");
    return;
  }
  expect(result.diagnostics.length).toBeGreaterThan(0);
  for (const { code, span } of result.diagnostics) {
    expect(code).toMatch(/^MOE5\d{3}$/);
    expect(
      0 <= span.start && span.start <= span.end && span.end <= Math.max(1, text.length),
      JSON.stringify(text),
    ).toBe(true);
  }
}

describe("project files", () => {
  it("with pieces put in", { timeout: timeout(300, 20) }, () => {
    const edit = fc.record({ at: fc.nat(), length: fc.nat({ max: 10 }), text: piece });
    const run = (edits: readonly { at: number; length: number; text: string }[]): void => {
      let text = valid;
      for (const { at, length, text: by } of edits) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + by + text.slice(place + length);
      }
      read(text);
    };
    fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), run), { seed, numRuns: runs(300) });
  });

  it("with values of any kind", { timeout: timeout(200, 20) }, () => {
    const keys = ["model", "sizes", "weights", "quantization", "context", "generate", "targets", "stop", "__proto__"];
    const run = (value: object): void => {
      read(JSON.stringify(value));
    };
    fc.assert(fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), run), { seed, numRuns: runs(200) });
  });

  it("that grow by aliases are refused", () => {
    const rows = Array.from(
      { length: 30 },
      (_, i) => `k${String(i)}: &a${String(i)} [${i === 0 ? "1" : `*a${String(i - 1)}, *a${String(i - 1)}`}]`,
    );
    read(`${rows.join("\n")}\nmodel: a.moe\n`);
  });
});
