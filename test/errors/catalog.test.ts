import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  catalog,
  closest,
  errors,
  explain,
  explanationText,
  messages,
  moecError,
} from "../../compiler/errors/index.js";
import { fillSlots } from "../../compiler/errors/construct.js";
import { editDistance } from "../../compiler/errors/closest.js";
import { parseErrorFile, parseErrorFiles } from "../../scripts/error-files.mjs";
import { generatedFiles } from "../../scripts/generate-errors.mjs";

const root = new URL("../../", import.meta.url);
const span = { file: "a.moe", start: 0, end: 1 };
const good = [
  "# MOE2999: a title",
  "",
  "> the axis {axis} has {size},",
  "> not {axis}",
  "",
  "Because.",
  "",
  "Fix: rename it",
  "Severity: warning",
  "",
  "## Wrong",
  "",
  "```moe",
  "# no heading",
  "## Fixed",
  "```",
  "```moe other.moe",
  "x",
  "```",
  "",
  "## Fixed",
  "",
  "```text",
  "b",
  "```",
  "",
].join("\n");

describe("the Markdown form", () => {
  it("is read into a record", () => {
    expect(parseErrorFile("MOE2999-a-good-name.md", good)).toEqual({
      code: "MOE2999",
      name: "aGoodName",
      title: "a title",
      severity: "warning",
      message: "the axis {axis} has {size}, not {axis}",
      slots: ["axis", "size"],
      why: "Because.",
      fix: "rename it",
      wrong: [
        { language: "moe", text: "# no heading\n## Fixed\n" },
        { language: "moe", text: "x\n", file: "other.moe" },
      ],
      fixed: [{ language: "text", text: "b\n" }],
    });
  });

  it.each([
    ["a bad file name", "MOE299-x.md", good, /the name must be/],
    ["a code of no phase", "MOE9999-x.md", good, /the name must be/],
    ["another code inside", "MOE2998-x.md", good, /the first line says MOE2999/],
    ["no title", "MOE2999-x.md", good.slice(2), /the first line must be/],
    ["no message", "MOE2999-x.md", good.replaceAll(/^> /gm, ""), /message must follow/],
    ["no reason", "MOE2999-x.md", good.replace("Because.", ""), /says why/],
    ["no wrong example", "MOE2999-x.md", good.replace("## Wrong", ""), /fenced blocks belong/],
    [
      "no fixed example",
      "MOE2999-x.md",
      good.replace(/\n## Fixed\n\n```text[^]*$/, "\n"),
      /section "## Fixed" is missing/,
    ],
    ["another section", "MOE2999-x.md", good.replace("## Wrong", "## Bad"), /unknown section/],
    ["an open block", "MOE2999-x.md", good.trimEnd().slice(0, -3), /not closed/],
    ["an unknown language", "MOE2999-x.md", good.replace("```text", "```rust"), /"rust"/],
    ["prose between examples", "MOE2999-x.md", good.replace("```moe other.moe", "and\n```moe other.moe"), /not "and"/],
    ["an unnamed second file", "MOE2999-x.md", good.replace(" other.moe", ""), /need file names/],
    ["a severity that is none", "MOE2999-x.md", good.replace("Severity: warning", "Severity: bad"), /error or warning/],
  ])("refuses %s", (_, name, text, message) => {
    expect(() => parseErrorFile(name, text)).toThrow(message);
  });

  it("refuses a code or a name that is taken", () => {
    const other = good.replace("MOE2999", "MOE2998");
    expect(() =>
      parseErrorFiles([
        ["MOE2999-x.md", good],
        ["MOE2999-y.md", good],
      ]),
    ).toThrow(/MOE2999 is already used/);
    expect(() =>
      parseErrorFiles([
        ["MOE2999-x.md", good],
        ["MOE2998-x.md", other],
      ]),
    ).toThrow(/x is already used/);
  });
});

describe("the generated files", () => {
  it.each([...generatedFiles()])("%s is up to date", (path, text) => {
    expect(readFileSync(new URL(path, root), "utf8") === text, "run node scripts/generate-errors.mjs").toBe(true);
  });

  it("have one constructor per code that fills all slots", () => {
    const entries = Object.values(catalog);
    expect(entries.length).toBeGreaterThan(0);
    expect(Object.keys(errors).sort()).toEqual(entries.map((entry) => entry.name).sort());
    for (const entry of entries) {
      const slots = Object.fromEntries(entry.slots.map((slot) => [slot, `<${slot}>`]));
      const construct = errors[entry.name as keyof typeof errors] as unknown as (
        ...args: [Record<string, string>, typeof span]
      ) => { code: string; message: string };
      const diagnostic = construct(slots, span);
      expect(diagnostic).toEqual({
        code: entry.code,
        severity: entry.severity,
        message: messages[entry.code as keyof typeof messages].message.replace(/\{(\w+)\}/g, "<$1>"),
        span,
        labels: [],
        fixes: [],
      });
    }
  });
});

describe("slots", () => {
  it("are filled by name, other braces stay, and values are not filled again", () => {
    expect(fillSlots("{a} {b} {a} {c} { a } {A}", { a: "{b}", b: 2 })).toBe("{b} 2 {b} {c} { a } {A}");
    expect(fillSlots("{toString}", {})).toBe("{toString}");
  });
});

describe("run-time errors", () => {
  it("carry code, sentence, place and help", () => {
    const error = moecError("MOE5108", { name: "w", type: "Q2_K" }, { file: "x.gguf" }, "requantize");
    expect(error).toMatchObject({
      name: "MoecError",
      code: "MOE5108",
      message: "tensor `w` is stored as Q2_K, which is not supported",
      place: { file: "x.gguf" },
      help: "requantize",
    });
  });
});

describe("explain", () => {
  it.each(["MOE5108", "moe5108", " 5108 ", "unsupportedTensorType", "MOE5108-unsupported-tensor-type"])(
    "knows %s",
    (text) => {
      expect(explain(text)).toMatchObject({ kind: "found", entry: { code: "MOE5108" } });
    },
  );
  it("suggests for a wrong code and a wrong name", () => {
    const byNumber = explain("MOE5198");
    expect(byNumber.kind).toBe("unknown");
    expect(byNumber.kind === "unknown" && byNumber.suggestions.map(({ code }) => code)).toContain("MOE5108");
    expect(explain("unsuportedTensorTyp")).toMatchObject({ suggestions: [{ code: "MOE5108" }] });
    expect(explain("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq")).toMatchObject({ kind: "unknown", suggestions: [] });
  });
  it("writes a page", () => {
    expect(explanationText(catalog.MOE5108)).toMatchSnapshot();
  });
});

describe("did you mean", () => {
  it.each([
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["abc", "ab", 1],
    ["abc", "xabc", 1],
    ["abc", "aBc", 0.5],
    ["kitten", "sitting", 3],
  ])("%s and %s are %d apart", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
  it("gives the nearest within reach", () => {
    expect(closest("sofmax", ["softmax", "max", "sum"])).toEqual(["softmax"]);
    expect(closest("d", ["D", "E", "F"], 3)[0]).toBe("D");
    expect(closest("router", ["mixture"])).toEqual([]);
  });
  it("takes another case of the whole name for the nearest", () => {
    expect(closest("GELU", ["gelu", "GLU"], 2)).toEqual(["gelu", "GLU"]);
    expect(closest("rmsnorm", ["LayerNorm", "RMSNorm"])).toEqual(["RMSNorm"]);
    expect(closest("router", ["mixture", "ROUTER"])).toEqual(["ROUTER"]);
  });
});
