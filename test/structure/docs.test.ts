import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { root, sources } from "./sources.js";

const TOP = "grammar|compiler|runtime|cli|editor|stdlib|examples|scripts|test|bench|docs|\\.ci";

/** Paths of the repository that a page names in backticks; places to fill in (`<name>`, `{i}`, `*`, `…`) are not paths. */
function pathsIn(text: string): readonly string[] {
  const withoutBlocks = text.replace(/^```[^]*?^```/gm, "");
  const code = [...withoutBlocks.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  const path = new RegExp(`^(?:${TOP})/[\\w./@-]*$`);
  return [...new Set(code.filter((each) => path.test(each) && !/xxxx|<|\{|\*|…/.test(each)))];
}

const pages = [...sources(["docs"], [".md"])].filter(({ path }) => !path.startsWith("docs/reference/"));

describe("the docs", () => {
  it("name only files that exist", () => {
    const missing = pages.flatMap(({ path, text }) =>
      pathsIn(text)
        .filter((each) => !existsSync(root + each))
        .map((each) => `${path}: ${each}`),
    );
    expect(missing).toEqual([]);
  });
  it("are searched for paths in the way meant", () => {
    expect(
      pathsIn("`compiler/errors/` and `docs/a.md`, `x/y`, `compiler/<name>`\n```\n`cli/x`\n```\n`cli/MOExxxx.ts`"),
    ).toEqual(["compiler/errors/", "docs/a.md"]);
  });
  it("describe the architecture in at most 1,500 words", () => {
    const page = pages.find(({ path }) => path === "docs/architecture.md");
    expect((page?.text ?? "").split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1500);
  });
});
