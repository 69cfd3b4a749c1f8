/**
 * Writes docs/coverage.md: one row for each published system of the two tables that the language is held against, with
 * the declaration that covers it and the test that proves it, or why nothing does yet. A row whose declaration or test
 * does not exist stops the generator. `--check` only compares.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path) => readFileSync(root + path, "utf8");
const json = (path) => JSON.parse(read(path));
const folder = "stdlib/coverage/";

const systems = json(`${folder}systems.json`);
const rows = {};
for (const file of readdirSync(root + folder).filter((name) => name.endsWith(".json") && name !== "systems.json")) {
  for (const [id, row] of Object.entries(json(folder + file))) {
    if (!systems[id]) throw new Error(`${folder}${file}: there is no system ${id}`);
    // Two lists may cover two parts of one system.
    (rows[id] ??= []).push(row);
  }
}

/** Systems of these kinds wait for a construct; the first words that fit decide. */
const WAITS = [
  [/^training system/, "waits for distribution over devices"],
  [/^(dataset|not a model|scaling law|other \(model report\))/, "no mechanism: nothing to declare"],
  [/^(training|sparse training|distillation|test-time|adapter)/, "waits for `train`: a plan that runs"],
  [/^inference policy/, "waits for policies of the runtime (offload, draft and verify)"],
  [/./, "not declared yet"],
];

const KINDS = "expert|router|mask|matrix|block|model|fn|schedule|loss|probe|recipe";

/** A declaration from its first word to its closing brace, or to the end of its line. */
function declarationText(id, reference) {
  const [file, name] = reference.split("#");
  if (!existsSync(root + file)) throw new Error(`${id}: there is no file ${file}`);
  const found = new RegExp(`^(?:${KINDS})\\s+${name}\\b(?:.*\\{\\n(?:(?!\\}).*\\n)*\\}|.*)`, "m").exec(read(file));
  if (!found) throw new Error(`${id}: ${file} declares no ${name}`);
  return found[0];
}

/** What a row may wait for: constructs that are not there yet, each with what they would do for the row. */
const CONSTRUCTS = ["recipe", "train", "grad", "runtime", "distribution", "bundle"];

const testsOf = (row) => [row.test].flat();

/** A test of the row from its first word to its closing brace. */
function testText(id, files, test) {
  for (const text of files.map(read)) {
    const start = text.indexOf(`test ${JSON.stringify(test)}`);
    if (start >= 0) return text.slice(start, text.indexOf("\n}", start));
  }
  throw new Error(`${id}: no test "${test}" in ${files.join(", ")}`);
}

/** Each declaration of a row is named in one of its tests, or in a declaration of the row that is. */
function checkRow(id, row) {
  const references = [row.declared, ...(row.also ?? [])];
  const files = [...new Set(references.map((each) => each.split("#")[0]))];
  let proven = testsOf(row)
    .map((test) => testText(id, files, test))
    .join("\n");
  const names = (text, reference) => new RegExp(`\\b${reference.split("#")[1]}\\b`).test(text);
  const declared = new Map(references.map((each) => [each, declarationText(id, each)]));
  for (const [reference, text] of declared) if (names(proven, reference)) proven += text;
  for (const reference of references) {
    if (!names(proven, reference)) throw new Error(`${id}: its tests do not name ${reference}`);
  }
  if (row.waits !== undefined) {
    const [construct] = row.waits.split(":");
    if (!CONSTRUCTS.includes(construct)) throw new Error(`${id}: waits for ${construct}, which is no construct`);
  }
}

const escape = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
const link = (reference) => {
  const [file, name] = reference.split("#");
  return `[\`${name}\`](../${file})`;
};

/**
 * Lists of what runs of the library's tests had (`npm run test:stdlib:webgpu`, `…:cuda`), and the targets that the table
 * names for them: WebGPU has launches of its own for drivers that compute on the processor.
 */
const RAN = { "webgpu-cpu": "webgpu (processor)", "webgpu-gpu": "webgpu (GPU)", cuda: "cuda" };
const ran = new Map(
  Object.entries(RAN)
    .map(([list, name]) => [name, `${folder}ran/${list}.json`])
    .filter(([, file]) => existsSync(root + file))
    .map(([name, file]) => [name, new Set(json(file))]),
);
/** Targets on which all of a row's declarations ran; recipes run on the reference evaluator only. */
const targetsOf = (references) => {
  const compiled = references.filter((each) => !each.startsWith("stdlib/recipes/"));
  if (compiled.length === 0) return [];
  const others = [...ran].filter(([, names]) => compiled.every((each) => names.has(each)));
  return ["wasm", ...others.map(([name]) => name)];
};

const lines = [];
let covered = 0;
let partly = 0;
let waiting = 0;
for (const id of Object.keys(systems).sort((a, b) => (a[0] === b[0] ? (a < b ? -1 : 1) : a[0] === "S" ? -1 : 1))) {
  const { name, kind } = systems[id];
  const found = rows[id];
  // A row may say why there is nothing to declare instead.
  const why = found?.find((row) => row.why)?.why;
  if (why) {
    lines.push(`| ${id} | ${escape(name)} | ${kind} | | | | ${escape(why)} |`);
  } else if (found) {
    covered++;
    for (const row of found) checkRow(id, row);
    const references = found.flatMap((row) => [row.declared, ...(row.also ?? [])]);
    const declared = references.map(link);
    const targets = targetsOf(references).join(", ");
    const tests = [...new Set(found.flatMap(testsOf))].map(escape).join("; ");
    const parts = [...new Set(found.flatMap((row) => (row.part ? [`part: ${row.part}`] : [])))];
    const waits = [...new Set(found.flatMap((row) => (row.waits ? [row.waits] : [])))];
    if (parts.length > 0) partly++;
    else if (waits.length > 0) waiting++;
    const missing = [...parts, ...waits.map((text) => text.replace(/^\w+/, "`$&`"))].map(escape).join("; ");
    lines.push(
      `| ${id} | ${escape(name)} | ${kind} | ${[...new Set(declared)].join(", ")} | ${tests} | ${targets} | ${missing} |`,
    );
  } else {
    const reason = WAITS.find(([pattern]) => pattern.test(kind))[1];
    lines.push(`| ${id} | ${escape(name)} | ${kind} | | | | ${reason} |`);
  }
}

const total = Object.keys(systems).length;
const page = `# Coverage of published systems

Generated by \`node scripts/generate-coverage.mjs\`; do not edit. ${covered} of ${total} systems have a declaration whose
check runs with \`npx vitest run test/stdlib\` on the reference evaluator and as WebAssembly, and all of which ran on the
targets that the table names (\`npm run test:stdlib:webgpu\`, with launches for GPUs or for drivers that compute on the
processor; \`npm run test:stdlib:cuda\`, compiled for the processor); recipes run on the reference evaluator alone. Of ${covered - partly - waiting} the whole mechanism
is declared; of ${waiting} all that can be computed from weights and inputs is, and the last column names what
would run it (\`recipe\`: a recipe over checkpoints that the library does not have yet; \`train\`: a training plan; \`grad\`: a backward rule of one's own; \`runtime\`:
policies and stores of a running model; \`distribution\`: several devices; \`bundle\`: what a file holds); of ${partly} a part is, and
the last column says which. Reasons and assumptions are in [coverage.notes.md](coverage.notes.md).

| id | system | kind | declared | proven by | ran on | missing |
| --- | --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
const target = "docs/coverage.md";
if (process.argv.includes("--check")) {
  if (!existsSync(root + target) || read(target) !== page) {
    console.error(`${target} is stale: node scripts/generate-coverage.mjs`);
    process.exit(1);
  }
} else {
  writeFileSync(root + target, page);
  console.log(`${target}: ${covered} of ${total} systems`);
}
