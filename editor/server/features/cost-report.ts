/** What the declarations of a file cost, as a page of Markdown. */
import type { Size } from "../../../compiler/axes/size.js";
import { formulaText } from "../cost/formula.js";
import { bytesText, countText } from "../show.js";
import type { Workspace } from "../workspace.js";
import { measured } from "./code-lens.js";

const COLUMNS = ["declaration", "", "parameters", "active for a token", "operations a token", "bytes a token"];

/** A row for each declaration that has a cost; formulas where sizes are open. */
export function costReport(workspace: Workspace, file: string): string {
  const loaded = workspace.load(file);
  const rows = [...(loaded?.modules.values() ?? [])].flatMap((info) => {
    const found = info.file === file ? measured(info) : undefined;
    if (!found) return [];
    const { parameters, active, operations, bytes } = found;
    const counts = [parameters, active, operations].map((size) => amount(size, countText));
    return [[`\`${info.decl.name.text}\``, info.decl.contract, ...counts, amount(bytes, bytesText)]];
  });
  const title = file.split("/").at(-1)!;
  const table = [COLUMNS, COLUMNS.map((_, at) => (at < 2 ? "---" : "---:")), ...rows];
  return [
    `# Cost of ${title}`,
    "",
    rows.length === 0 ? "Nothing in this file has parameters or operations of its own." : table.map(line).join("\n"),
    "",
    "One token with nothing before it, four bytes a number, before any fusion; a multiply-add counts as two operations.",
    "Active parameters are those at work for the token: of a bank, as many experts as its router chooses.",
    "",
  ].join("\n");
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function amount(size: Size, numbers: (count: number) => string): string {
  return size.constant === undefined ? `\`${formulaText(size)}\`` : numbers(size.constant);
}
