/**
 * Writes `compiler/errors/errors.generated.ts` (typed constructors), `compiler/errors/catalog.generated.ts` (what
 * `moec explain` says) and `docs/reference/errors.md` from the Markdown files of `compiler/errors/`.
 *
 *   node scripts/generate-errors.mjs            write
 *   node scripts/generate-errors.mjs --check    exit with 1 when a written file is stale
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseErrorFiles } from "./error-files.mjs";

/** @typedef {import("./error-files.mjs").ErrorRecord} ErrorRecord */

const root = new URL("../", import.meta.url);
const HEADER = "// Written by scripts/generate-errors.mjs from compiler/errors/*.md. Do not edit.\n";

/** @returns {ErrorRecord[]} */
export function readErrorFiles() {
  const folder = new URL("compiler/errors/", root);
  const names = readdirSync(folder).filter((name) => name.endsWith(".md"));
  return parseErrorFiles(names.sort().map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
}

/**
 * The source of `errors.generated.ts`: one row per message and one constructor per code.
 * @param {readonly ErrorRecord[]} records @returns {string}
 */
export function constructorsSource(records) {
  /** @param {ErrorRecord} record */
  const slotType = (record) =>
    record.slots.length === 0
      ? "Readonly<Record<string, never>>"
      : `{ ${record.slots.map((slot) => `readonly ${slot}: Slot`).join("; ")} }`;
  const messages = records.map(
    (record) =>
      `  ${record.code}: { severity: ${JSON.stringify(record.severity)}, title: ${JSON.stringify(record.title)}, ` +
      `message: ${JSON.stringify(record.message)} },\n`,
  );
  const slots = records.map((record) => `  readonly ${record.code}: ${slotType(record)};\n`);
  const constructors = records.map(
    (record) =>
      `  /** ${record.code}: ${record.title.replaceAll("*/", "*\\/")} */\n` +
      `  ${record.name}: (slots: MessageSlots["${record.code}"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>\n` +
      `    makeDiagnostic("${record.code}", messages.${record.code}, slots, span, parts),\n`,
  );
  return (
    HEADER +
    'import { makeDiagnostic, type DiagnosticParts, type Message, type Slot } from "./construct.js";\n' +
    'import type { Diagnostic, SourceSpan } from "./diagnostic.js";\n\n' +
    "/** The sentence of each code, with its slots in braces. */\n" +
    `export const messages = {\n${messages.join("")}} as const satisfies Readonly<Record<string, Message>>;\n\n` +
    "/** Every code that moec can say. */\n" +
    "export type ErrorCode = keyof typeof messages;\n\n" +
    "/** What the braces in the message of a code must be filled with. */\n" +
    `export interface MessageSlots {\n${slots.join("")}}\n\n` +
    "/** One constructor of a diagnostic for each code. */\n" +
    `export const errors = {\n${constructors.join("")}} as const;\n`
  );
}

/**
 * The source of `catalog.generated.ts`.
 * @param {readonly ErrorRecord[]} records @returns {string}
 */
export function catalogSource(records) {
  const rows = records.map(({ code, ...entry }) => `  ${code}: ${JSON.stringify({ code, ...entry })},\n`);
  return (
    HEADER +
    'import type { CatalogEntry } from "./catalog.js";\n' +
    'import type { ErrorCode } from "./errors.generated.js";\n\n' +
    `export const catalog: Readonly<Record<ErrorCode, CatalogEntry>> = {\n${rows.join("")}};\n`
  );
}

const PHASES = {
  1: "Syntax",
  2: "Names, types and shapes",
  3: "Plan and schedule",
  4: "Targets",
  5: "Run time and files",
};

/**
 * The page `docs/reference/errors.md`.
 * @param {readonly ErrorRecord[]} records @returns {string}
 */
export function referencePage(records) {
  /** @param {ErrorRecord["wrong"]} examples */
  const blocks = (examples) =>
    examples
      .map(({ language, text, file }) => `${file ? `\`${file}\`:\n\n` : ""}\`\`\`${language}\n${text}\`\`\`\n`)
      .join("\n");
  let page =
    "# Error codes\n\n<!-- Written by scripts/generate-errors.mjs from compiler/errors/*.md. Do not edit. -->\n\n" +
    "`moec explain MOE2041` prints the same text in the terminal. Words in braces are filled in at the place of the error.\n";
  for (const [digit, title] of Object.entries(PHASES)) {
    const group = records.filter((record) => record.code[3] === digit);
    if (group.length === 0) continue;
    page += `\n## ${title}\n`;
    for (const record of group) {
      page += `\n### ${record.code}: ${record.title}\n\n`;
      if (record.severity === "warning") page += "This is a warning.\n\n";
      page += `> ${record.message}\n\n${record.why}\n`;
      page += `\nWrong:\n\n${blocks(record.wrong)}\nFixed:\n\n${blocks(record.fixed)}`;
      if (record.fix) page += `\nQuick fix: ${record.fix}\n`;
    }
  }
  return page;
}

/** Path from the root of the repository -> text, for every file that the generator writes. */
export function generatedFiles() {
  const records = readErrorFiles();
  return new Map([
    ["compiler/errors/errors.generated.ts", constructorsSource(records)],
    ["compiler/errors/catalog.generated.ts", catalogSource(records)],
    ["docs/reference/errors.md", referencePage(records)],
  ]);
}

/** @param {string} path @returns {string} */
function readOrEmpty(path) {
  try {
    return readFileSync(new URL(path, root), "utf8");
  } catch {
    return "";
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = [...generatedFiles()].filter(([path, text]) => readOrEmpty(path) !== text);
  if (process.argv.includes("--check")) {
    for (const [path] of stale) console.error(`${path} is stale: run node scripts/generate-errors.mjs`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const [path, text] of stale) {
      writeFileSync(new URL(path, root), text);
      console.log(`wrote ${path}`);
    }
  }
}
