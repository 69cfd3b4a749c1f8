/** `moec search` and `moec explain <Declaration>`: the library found by what people would type. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { libraryEntries, libraryFiles } from "../../cli/library.js";
import { searchLibrary } from "../../cli/library-search.js";
import { packageRoot } from "../../cli/package-root.js";
import { moec } from "./io.js";

const entries = libraryEntries();
const names = (words: string): string[] => searchLibrary(entries, words).map(({ entry }) => entry.name);

describe("the library as a list", () => {
  it("has every declaration with its place and an import that is one of std's", () => {
    const std = readFileSync(join(packageRoot, "stdlib/std.moe"), "utf8").replaceAll(/\s+/g, " ");
    for (const { name, file, line, importLine, contract } of entries) {
      const text = readFileSync(join(packageRoot, file), "utf8").split("\n")[line - 1];
      expect(text, `${file}:${line}`).toMatch(new RegExp(`^${contract} ${name}\\b`));
      expect(new RegExp(`[{,] ${name}[, ]`).test(std), name).toBe(importLine !== undefined);
    }
    const declared = libraryFiles().flatMap(({ text }) => [
      ...text.matchAll(/^(expert|router|mask|matrix|block|fn|loss|probe|schedule|model|recipe) /gm),
    ]);
    expect(entries.length).toBe(declared.length);
  });

  it("shows signatures on one line, without the body", () => {
    const groupMax = entries.find(({ name }) => name === "GroupMax")!;
    expect(groupMax.signature).toBe(
      "router GroupMax[D, E](k: int = 6, groups: int = 8, keep: int = 3, scale: float = 1.0, hidden: float = -inf)",
    );
    expect(entries.find(({ name }) => name === "ExpertChoice")!.signature).toMatch(/ batch dependent$/);
    expect(entries.filter(({ signature }) => signature.includes("\n"))).toEqual([]);
  });
});

describe("search", () => {
  it.each([
    ["sinkhorn", "Sinkhorn"],
    ["TopK", "TopK"],
    ["topk", "TopK"],
    ["2408.06793", "Recurrent"],
    ["mask window", "Window"],
    ["product key memory", "ProductMemory"],
    ["ColBERT", "max_sim"],
    ["phi-3.5", "SparseMixer"],
    ["group limited routing", "GroupLimited"],
    ["swiglu clamp gpt-oss", "ClampedSwiGLU"],
    ["rotary position embedding", "rope"],
    ["load balancing loss switch", "SwitchBalance"],
  ])("%s finds %s among the first three", (words, wanted) => {
    expect(names(words).slice(0, 3)).toContain(wanted);
  });

  it("puts the declaration itself in front of those that mention it", () => {
    for (const { name, importLine } of entries) {
      if (importLine !== undefined) expect(names(name)[0]?.toLowerCase(), name).toBe(name.toLowerCase());
    }
  });

  it("finds every paper by its number", () => {
    for (const { papers, name } of entries) for (const paper of papers) expect(names(paper), paper).toContain(name);
  });

  it("gives signature, doc, place and import, as text and as JSON", async () => {
    const { code, out } = await moec(["search", "sinkhorn"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^router Sinkhorn\[D, E\].*batch dependent\n {2}S-BASE .*\n {2}stdlib\/routers\/transport\.moe:\d+\n/,
    );
    expect(out).toContain('import { Sinkhorn } from "std"');
    const json = JSON.parse((await moec(["search", "sinkhorn", "--json", "--limit", "1"])).out) as {
      hits: { name: string; import: string }[];
      count: number;
    };
    expect(json.hits).toHaveLength(1);
    expect(json.count).toBeGreaterThan(1);
    expect(json.hits[0]).toMatchObject({ name: "Sinkhorn", import: 'import { Sinkhorn } from "std"' });
  });

  it("says so when nothing fits, with names that are near", async () => {
    const { code, err } = await moec(["search", "sinkhron"]);
    expect(code).toBe(1);
    expect(err).toContain("Sinkhorn?");
    expect((await moec(["search", "sinkhorn", "--limit", "none"])).code).toBe(2);
  });
});

describe("explain <Declaration>", () => {
  it("shows it whole, with its comment and import", async () => {
    const { code, out } = await moec(["explain", "GroupMax"]);
    expect(code).toBe(0);
    expect(out).toContain('import { GroupMax } from "std"');
    expect(out).toContain("/// DeepSeek-V2: softmax;");
    expect(out).toContain("choose(p, by: best_groups(p, groups, keep, hidden), top: k) * scale");
  });

  it("shows functions of the language, and names that are near", async () => {
    expect((await moec(["explain", "choose"])).out).toContain("Chooses experts for each token");
    const { code, err } = await moec(["explain", "TopKK"]);
    expect(code).toBe(2);
    expect(err).toContain("TopK?");
  });
});
