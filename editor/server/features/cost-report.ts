/** What the declarations of a file cost, as a page of Markdown. */
import type { ModuleInfo } from "../../../compiler/1-check/values.js";
import type { Size } from "../../../compiler/axes/size.js";
import { formulaText } from "../cost/formula.js";
import type { Measure } from "../cost/measure.js";
import { bytesText, countText } from "../show.js";
import type { Workspace } from "../workspace.js";
import { measured } from "./code-lens.js";

const AMOUNTS: readonly (readonly [title: string, of: keyof Measure, text: (count: number) => string])[] = [
  ["parameters", "parameters", countText],
  ["active for a token", "active", countText],
  ["operations a token", "operations", countText],
  ["bytes a token", "bytes", bytesText],
];

/** A row for each declaration whose sizes are given, and formulas for the others. */
export function costReport(workspace: Workspace, file: string): string {
  const found = [...(workspace.load(file)?.modules.values() ?? [])].flatMap((info) => {
    const measure = info.file === file ? measured(info) : undefined;
    return measure ? [{ info, measure }] : [];
  });
  const isKnown = ({ measure }: { readonly measure: Measure }): boolean =>
    AMOUNTS.every(([, of]) => measure[of].constant !== undefined);
  const known = found.filter(isKnown);
  const titles = ["declaration", "", ...AMOUNTS.map(([title]) => title)];
  const rows = known.map(({ info, measure }) => [
    ...headOf(info),
    ...AMOUNTS.map(([, of, text]) => amount(measure[of], text)),
  ]);
  const formulas = found
    .filter((each) => !isKnown(each))
    .map(({ info, measure }) => {
      const list = AMOUNTS.map(([title, of, text]) => [title, amount(measure[of], text)]);
      return `## ${headOf(info).join(" ")}\n\n${table([["", "in its own sizes"], ["---", "---"], ...list])}`;
    });
  return [
    `# Cost of ${file.split("/").at(-1)!}`,
    ...(rows.length > 0 ? [table([titles, titles.map((_, at) => (at < 2 ? "---" : "---:")), ...rows])] : []),
    ...formulas,
    ...(found.length === 0 ? ["Nothing in this file has parameters or operations of its own."] : []),
    [
      "One token with nothing before it, four bytes a number, before any fusion; a multiply-add counts as two operations.",
      "Active parameters are those at work for the token: of a bank, as many experts as its router chooses.\n",
    ].join("\n"),
  ].join("\n\n");
}

const headOf = ({ decl }: ModuleInfo): readonly string[] => [`\`${decl.name.text}\``, decl.contract];

function table(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function amount(size: Size, numbers: (count: number) => string): string {
  return size.constant === undefined ? `\`${formulaText(size)}\`` : numbers(size.constant);
}
