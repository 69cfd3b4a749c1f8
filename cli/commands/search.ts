/** `moec search`: the standard library by words, names and papers. */
import { InvalidArgumentError, Option } from "commander";
import { closest } from "../../compiler/errors/closest.js";
import { EXIT } from "../exit-codes.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions, Shell } from "../shell.js";
import { wrapped } from "../show/wrap.js";
import type { Hit } from "../library-search.js";

interface SearchOptions extends CommonOptions {
  readonly limit: number;
}

export const searchCommand: CommandDefinition = (program, start) =>
  program
    .command("search")
    .summary("find something in the standard library")
    .description("Searches names, papers and doc comments of the standard library; the best hit comes first.")
    .argument("<words...>", "names, words of the doc comments, or the number of a paper")
    .addOption(new Option("--limit <count>", "most hits to show").default(10).argParser(countOf))
    .action((words: readonly string[], options: SearchOptions) =>
      start("search", options, async (shell) => {
        const { libraryEntries } = await import("../library.js");
        const { searchLibrary } = await import("../library-search.js");
        const entries = libraryEntries();
        const query = words.join(" ");
        const hits = searchLibrary(entries, query);
        if (hits.length === 0) {
          const near = closest(
            query,
            entries.map(({ name }) => name),
            3,
          );
          shell.note(`nothing in the standard library is about \`${query}\``);
          for (const name of near) shell.note(`  ${shell.notePalette.accent(name)}?`);
          shell.result(false, { query, count: 0, hits: [], suggestions: near });
          return EXIT.wrongInput;
        }
        const shown = hits.slice(0, options.limit);
        for (const hit of shown) for (const line of linesOf(shell, hit)) shell.say(line);
        const rest = hits.length - shown.length;
        if (rest > 0) shell.note(`${rest} more; --limit ${hits.length} shows all`);
        shell.result(true, { query, count: hits.length, hits: shown.map(dataOf) });
        return EXIT.ok;
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec search sinkhorn
  moec search softmax after top-k
  moec search deepseek-v3 --limit 3
  moec search mask window --limit 3
`,
    );

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("it is not a number of hits");
  return count;
}

function linesOf(shell: Shell, { entry }: Hit): readonly string[] {
  const { strong, dim, accent } = shell.palette;
  return [
    ...wrapped(entry.signature, shell.width, "", "    ").map(strong),
    ...(entry.summary === "" ? [] : wrapped(entry.summary, shell.width, "  ")),
    `  ${dim(`${entry.file}:${entry.line}`)}`,
    `  ${entry.importLine === undefined ? dim("used inside of its file") : accent(entry.importLine)}`,
    "",
  ];
}

function dataOf({ entry, score }: Hit): object {
  const { name, contract, signature, summary, doc, papers, file, line, importLine } = entry;
  return { name, contract, signature, summary, doc, papers, file, line, import: importLine ?? null, score };
}
