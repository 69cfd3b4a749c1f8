/** `docs/language/builtins.md` out of the table of builtins and the tests that are named after them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { builtins } from "../../compiler/1-check/builtins/index.js";
import { repository } from "../check/host.js";

/** Chapters of the page: the file of examples in `test/samples/builtins`, and what is in it. */
export const CHAPTERS = [
  { file: "elementwise.moe", title: "Entry by entry" },
  { file: "axes.moe", title: "Axes" },
  { file: "reduce.moe", title: "Along axes" },
  { file: "routing.moe", title: "Routes and mixtures" },
  { file: "attention.moe", title: "Attention" },
  { file: "time.moe", title: "Randomness, schedules and tests" },
] as const;

const HEAD = `# Builtins

<!-- Written by test/language/builtins.test.ts: UPDATE_EXPECT=1 npx vitest run test/language/builtins.test.ts -->

The functions of the language itself. They work on tensors by axis name; \`[..]\` stands for axes that only pass through.
Numbers known before anything runs are computed then and there: \`sqrt(C)\` of an axis costs nothing. The examples
are tests that are run, from \`test/samples/builtins/\`.
`;

/** The tests of a file by name, each with the declarations that stand before it. */
function examplesOf(text: string): ReadonlyMap<string, string> {
  const declarations = text.replace(/^(?:\/\/|import).*\n/gm, "");
  const tests = declarations.matchAll(/[^]*?^test "([^"]+)" \{\n[^]*?^\}$/gm);
  return new Map([...tests].map((found) => [found[1]!, found[0].trim()]));
}

export function readExamples(file: string): ReadonlyMap<string, string> {
  return examplesOf(readFileSync(join(repository, "test/samples/builtins", file), "utf8"));
}

/** The whole page. */
export function builtinsPage(): string {
  const chapters = CHAPTERS.map(({ file, title }) => {
    const entries = [...readExamples(file)].map(([name, example]) => {
      const { signature, doc } = builtins.get(name)!;
      return `### ${name}\n\n\`${signature}\`\n\n${doc}\n\n\`\`\`moe\n${example}\n\`\`\`\n`;
    });
    return `## ${title}\n\n${entries.join("\n")}`;
  });
  return `${HEAD}\n${chapters.join("\n")}`;
}
