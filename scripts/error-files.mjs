/**
 * Reads the Markdown files of `compiler/errors/`: one file per code, the only place where a person writes what an error
 * says. `generate-errors.mjs` turns the records into TypeScript; the form is described in `docs/add-an-error.md`.
 */

/**
 * @typedef {{ language: string, text: string, file?: string }} Example
 * @typedef {{
 *   code: string, name: string, title: string, severity: "error" | "warning", message: string, slots: string[],
 *   why: string, fix?: string, wrong: Example[], fixed: Example[],
 * }} ErrorRecord
 */

/** Languages that an example may be written in. `moe` examples are compiled by the tests. */
export const LANGUAGES = ["moe", "text", "yaml", "json", "ts", "sh"];

const FILE_NAME = /^(MOE[1-5]\d{3})-([a-z0-9]+(?:-[a-z0-9]+)*)\.md$/;

/** @param {string} text @returns {string} */
const camelCase = (text) => text.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/**
 * The names in `{…}` of a message, each once, in order of appearance.
 * @param {string} message @returns {string[]}
 */
export function slotsOf(message) {
  return [...new Set([...message.matchAll(/\{([a-z][A-Za-z0-9]*)\}/g)].map((match) => match[1] ?? ""))];
}

/**
 * Splits a section into its fenced blocks and the text around them.
 * @param {string[]} lines
 * @param {(problem: string) => never} fail
 * @returns {{ blocks: Example[], prose: string[] }}
 */
function fences(lines, fail) {
  /** @type {Example[]} */
  const blocks = [];
  /** @type {string[]} */
  const prose = [];
  /** @type {{ language: string, file?: string, lines: string[] } | undefined} */
  let open;
  for (const line of lines) {
    const fence = /^```\s*(\S*)\s*(\S*)\s*$/.exec(line);
    if (!fence) {
      (open ? open.lines : prose).push(line);
    } else if (open) {
      if (fence[1]) fail("a fenced block is not closed before the next one opens");
      blocks.push({
        language: open.language,
        text: open.lines.join("\n") + "\n",
        ...(open.file && { file: open.file }),
      });
      open = undefined;
    } else {
      const [, language = "", file = ""] = fence;
      if (!LANGUAGES.includes(language)) {
        fail(`a fenced block is "${language}"; it must be one of ${LANGUAGES.join(", ")}`);
      }
      open = { language, lines: [], ...(file && { file }) };
    }
  }
  if (open) fail("a fenced block is not closed");
  return { blocks, prose };
}

/**
 * @param {string} fileName
 * @param {string} text
 * @returns {ErrorRecord}
 * @throws {Error} when the file does not have the form of `docs/add-an-error.md`, naming the file and the part.
 */
export function parseErrorFile(fileName, text) {
  /** @type {(problem: string) => never} */
  const fail = (problem) => {
    throw new Error(`compiler/errors/${fileName}: ${problem}`);
  };
  const named = FILE_NAME.exec(fileName);
  if (!named) return fail("the name must be a code and words in small letters: MOE2041-axis-size-mismatch.md");
  const [, code = "", name = ""] = named;
  const lines = text.replace(/\r\n/g, "\n").trimEnd().split("\n");
  const head = /^# (MOE\d{4}): (\S.*)$/.exec(lines[0] ?? "");
  if (!head) return fail(`the first line must be "# ${code}: title"`);
  if (head[1] !== code) fail(`the first line says ${head[1] ?? ""}, the file name ${code}`);

  /** @type {Map<string, string[]>} */
  const sections = new Map([["", []]]);
  let section = "";
  let fenced = false;
  for (const line of lines.slice(1)) {
    if (line.startsWith("```")) fenced = !fenced;
    const heading = fenced ? null : /^## (.+)$/.exec(line);
    if (heading) {
      section = heading[1] ?? "";
      if (section !== "Wrong" && section !== "Fixed") fail(`unknown section "${section}"; there are Wrong and Fixed`);
      if (sections.has(section)) fail(`section "${section}" appears twice`);
      sections.set(section, []);
    } else {
      sections.get(section)?.push(line);
    }
  }

  let fix;
  /** @type {"error" | "warning"} */
  let severity = "error";
  /** @param {string[]} prose */
  const settings = (prose) =>
    prose.filter((line) => {
      const setting = /^(Fix|Severity): (.+)$/.exec(line);
      if (!setting) return true;
      const value = setting[2] ?? "";
      if (setting[1] === "Fix") fix = value;
      else if (value === "warning" || value === "error") severity = value;
      else fail(`"Severity: ${value}" must be error or warning`);
      return false;
    });

  const intro = fences(sections.get("") ?? [], fail);
  if (intro.blocks.length > 0) fail("fenced blocks belong into the sections Wrong and Fixed");
  const prose = settings(intro.prose);
  const first = prose.findIndex((line) => line !== "");
  let last = first;
  while (prose[last]?.startsWith(">")) last++;
  if (first === -1 || last === first) fail('the message must follow the title as a quote: "> text with {slots}"');
  const message = prose
    .slice(first, last)
    .map((line) => line.replace(/^>\s?/, ""))
    .join(" ")
    .trim();
  if (message === "") fail("the message is empty");
  const why = prose.slice(last).join("\n").trim();
  if (why === "") fail("a paragraph that says why must follow the message");

  /** @param {"Wrong" | "Fixed"} title */
  const examples = (title) => {
    const body = sections.get(title);
    if (!body) return fail(`section "## ${title}" is missing`);
    const { blocks, prose: around } = fences(body, fail);
    const rest = settings(around).filter((line) => line.trim() !== "");
    if (rest.length > 0) fail(`section "${title}" holds fenced blocks only, not "${rest[0] ?? ""}"`);
    if (blocks.length === 0) fail(`section "${title}" has no fenced block`);
    if (blocks[0]?.file) fail(`the first block of "${title}" is the main file and has no name`);
    if (blocks.slice(1).some((block) => !block.file)) fail(`the further blocks of "${title}" need file names`);
    return blocks;
  };
  const wrong = examples("Wrong");
  const fixed = examples("Fixed");
  return {
    code,
    name: camelCase(name),
    title: head[2] ?? "",
    severity,
    message,
    slots: slotsOf(message),
    why,
    wrong,
    fixed,
    ...(fix === undefined ? {} : { fix }),
  };
}

/**
 * All records in the order of their codes.
 * @param {Iterable<readonly [fileName: string, text: string]>} files
 * @returns {ErrorRecord[]}
 * @throws {Error} when a file has a bad form or a code or name is used twice.
 */
export function parseErrorFiles(files) {
  /** @type {Map<string, string>} */
  const taken = new Map();
  const records = [];
  for (const [fileName, text] of files) {
    const record = parseErrorFile(fileName, text);
    for (const key of [record.code, record.name]) {
      const other = taken.get(key);
      if (other !== undefined) throw new Error(`compiler/errors/${fileName}: ${key} is already used by ${other}`);
      taken.set(key, fileName);
    }
    records.push(record);
  }
  return records.sort((a, b) => (a.code < b.code ? -1 : 1));
}
