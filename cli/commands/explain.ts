/** `moec explain`: what an error code means, with a wrong and a fixed example, or a declaration of the library whole. */
import { catalog } from "../../compiler/errors/catalog.generated.js";
import { explain, type CatalogEntry } from "../../compiler/errors/catalog.js";
import { closest } from "../../compiler/errors/closest.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions, Shell } from "../shell.js";
import { wrapped, wrappedParagraphs } from "../show/wrap.js";

export const explainCommand: CommandDefinition = (program, start) =>
  program
    .command("explain")
    .summary("explain an error code or a declaration of the library")
    .description("Explains an error code (why it exists, a wrong example and a fixed one), or shows a declaration.")
    .argument("[code]", "such as MOE2041 or 2041, or a name such as TopK; all codes when left out")
    .action((code: string | undefined, options: CommonOptions) =>
      start("explain", options, async (shell) => {
        if (code === undefined) return listAll(shell);
        if (!/^(moe)?\d+$/i.test(code)) return explainName(shell, code);
        const found = explain(code);
        if (found.kind === "unknown") {
          const { error, accent } = shell.notePalette;
          shell.note(`${error("error")}: there is no code \`${code}\``);
          for (const entry of found.suggestions) shell.note(`  ${accent(entry.code)} ${entry.title}?`);
          shell.result(false, { code, suggestions: found.suggestions.map((entry) => entry.code) });
          return EXIT.usage;
        }
        for (const line of page(shell, found.entry)) shell.say(line);
        shell.result(true, { entry: found.entry });
        return EXIT.ok;
      }),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  moec explain MOE5310\n  moec explain             all codes\n  moec explain SparseMixer a declaration, whole\n",
    );

/** A declaration of the library or a function of the language. */
async function explainName(shell: Shell, name: string): Promise<ExitCode> {
  const { libraryEntries } = await import("../library.js");
  const { builtins } = await import("../../compiler/1-check/index.js");
  const entries = libraryEntries();
  const same = entries.filter((entry) => entry.name === name);
  const builtin = builtins.get(name);
  const { accent, dim, strong } = shell.palette;
  for (const entry of same) {
    shell.say(dim(`${entry.file}:${entry.line}`));
    if (entry.importLine !== undefined) shell.say(accent(entry.importLine));
    shell.say(`\n${entry.text}\n`);
  }
  if (builtin) shell.say(`${strong(builtin.signature)}\n\n  ${builtin.doc}`);
  if (same.length > 0 || builtin) {
    const declarations = same.map(({ file, line, text, importLine }) => ({ file, line, text, import: importLine }));
    const found = builtin && { signature: builtin.signature, doc: builtin.doc };
    shell.result(true, { name, declarations, ...(found ? { builtin: found } : {}) });
    return EXIT.ok;
  }
  const known = [...entries.map((entry) => entry.name), ...builtins.keys()];
  const near = closest(name, known, 3);
  shell.note(`${shell.notePalette.error("error")}: there is no code and no declaration \`${name}\``);
  for (const suggestion of near) shell.note(`  ${shell.notePalette.accent(suggestion)}?`);
  shell.result(false, { name, suggestions: near });
  return EXIT.usage;
}

function listAll(shell: Shell): typeof EXIT.ok {
  const entries: readonly CatalogEntry[] = Object.values(catalog);
  for (const { code, title } of entries) shell.say(`${shell.palette.accent(code)}  ${title}`);
  shell.result(true, { codes: entries.map(({ code, title, severity }) => ({ code, title, severity })) });
  return EXIT.ok;
}

function page(shell: Shell, entry: CatalogEntry): readonly string[] {
  const { columns } = shell.io;
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
    ...wrapped(entry.message, columns, "  "),
    "",
    ...wrappedParagraphs(entry.why, columns),
    ...example("Wrong", error, entry.wrong),
    ...example("Fixed", shell.palette.added, entry.fixed),
    ...(entry.fix === undefined
      ? []
      : ["", ...wrapped(`quick fix: ${entry.fix}`, columns).map((line) => line.replace(/^quick fix:/, dim("$&")))]),
  ];
}
