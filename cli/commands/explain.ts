/** `moec explain`: what an error code means, with a wrong and a fixed example; works offline. */
import { catalog } from "../../compiler/errors/catalog.generated.js";
import { explain, type CatalogEntry } from "../../compiler/errors/catalog.js";
import { EXIT } from "../exit-codes.js";
import type { CommandDefinition } from "../program.js";
import type { CommonOptions, Shell } from "../shell.js";

export const explainCommand: CommandDefinition = (program, start) =>
  program
    .command("explain")
    .summary("explain an error code")
    .description("Explains an error code: why it exists, a wrong example and a fixed one.")
    .argument("[code]", "such as MOE2041 or 2041; all codes when left out")
    .action((code: string | undefined, options: CommonOptions) =>
      start("explain", options, (shell) => {
        if (code === undefined) return Promise.resolve(listAll(shell));
        const found = explain(code);
        if (found.kind === "unknown") {
          const { error, accent } = shell.notePalette;
          shell.note(`${error("error")}: there is no code \`${code}\``);
          for (const entry of found.suggestions) shell.note(`  ${accent(entry.code)} ${entry.title}?`);
          shell.result(false, { code, suggestions: found.suggestions.map((entry) => entry.code) });
          return Promise.resolve(EXIT.usage);
        }
        for (const line of page(shell, found.entry)) shell.say(line);
        shell.result(true, { entry: found.entry });
        return Promise.resolve(EXIT.ok);
      }),
    )
    .addHelpText("after", "\nExamples:\n  moec explain MOE5310\n  moec explain             all codes\n");

function listAll(shell: Shell): typeof EXIT.ok {
  const entries: readonly CatalogEntry[] = Object.values(catalog);
  for (const { code, title } of entries) shell.say(`${shell.palette.accent(code)}  ${title}`);
  shell.result(true, { codes: entries.map(({ code, title, severity }) => ({ code, title, severity })) });
  return EXIT.ok;
}

function page(shell: Shell, entry: CatalogEntry): readonly string[] {
  const { error, warning, strong, dim } = shell.palette;
  const lead = entry.severity === "error" ? error : warning;
  const example = (title: string, color: (text: string) => string, examples: CatalogEntry["wrong"]): string[] =>
    examples.flatMap(({ text, file }) => [
      "",
      `${color(title)}${file === undefined ? "" : dim(` (${file})`)}`,
      ...text
        .trimEnd()
        .split("\n")
        .map((line) => `    ${line}`),
    ]);
  return [
    `${lead(entry.code)}  ${strong(entry.title)}`,
    "",
    `  ${entry.message}`,
    "",
    ...entry.why.split("\n"),
    ...example("Wrong", error, entry.wrong),
    ...example("Fixed", shell.palette.added, entry.fixed),
    ...(entry.fix === undefined ? [] : ["", `${dim("quick fix:")} ${entry.fix}`]),
  ];
}
