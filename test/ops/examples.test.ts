/** The example of every op is a file of the language that checks without a word. */
import { describe, expect, it } from "vitest";
import { check, type SourceHost } from "../../compiler/1-check/index.js";
import { renderDiagnostics } from "../../compiler/errors/index.js";
import { opNames, ops } from "../../compiler/ops/index.js";
import { testHost } from "../check/host.js";

const main = "example.moe";
const library = ["TopK", "SwiGLU", "RMSNorm", "Causal"];

function hostOf(example: string): SourceHost {
  const used = library.filter((name) => new RegExp(`\\b${name}\\b`).test(example));
  const text = used.length > 0 ? `import { ${used.join(", ")} } from "std"\n\n${example}\n` : `${example}\n`;
  return testHost({ [main]: text });
}

describe("examples", () => {
  it.each(opNames.map((name) => [name, ops[name].example] as const))("%s", (_name, example) => {
    const host = hostOf(example);
    const { diagnostics } = check(main, host);
    expect(
      diagnostics,
      renderDiagnostics(diagnostics, (file) => host.read(file)),
    ).toEqual([]);
  });
});
