/**
 * Files as people write them, each unlike all others: declarations of the library and of the examples, drawn by a seed,
 * with names of their own for everything that they declare. A checker that has seen one has seen nothing of the next.
 *
 *     node bench/check/make-files.mjs [--count 20] [--lines 1000] [--seed 1]    prints a JSON array of texts
 */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { compiler, host, root } from "../sources.mjs";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20" },
    lines: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
  },
});
const { check, parse, random } = compiler;
const FILE = "bench.moe";
/** Names that mean something to the language where they are declared. */
const FIXED = new Set(["forward", "prepare", "affinity", "densify"]);

const folders = ["stdlib", "examples"];
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((file) => file.endsWith(".moe"))
    .map((file) => join(folder, file))
    .sort(),
);

/** What `import { … } from "std"` can name, and from which file each name comes. */
const library = new Map(
  parse(host.read("stdlib/std.moe"), "stdlib/std.moe").tree.imports.flatMap(({ names, from }) =>
    names.map(({ name, alias }) => [`${join("stdlib", from.value)} ${name.text}`, (alias ?? name).text]),
  ),
);

/** Calls `found` for every identifier of a tree, with the node that holds it and under which key. */
function identifiers(node, found, holder, key) {
  if (Array.isArray(node)) for (const item of node) identifiers(item, found, holder, key);
  else if (typeof node === "object" && node !== null) {
    if (node.kind === "identifier") found(node, holder, key);
    else for (const part in node) if (part !== "span") identifiers(node[part], found, node, part);
  }
}

const DECLARE = new Set(["axis-param", "parameter", "param", "state", "knob", "use", "stack", "schedule", "axis", "let-member", "let", "carry", "fold"]); // prettier-ignore
const declares = (holder, key) => DECLARE.has(holder.kind) && (key === "name" || key === "names" || key === "index");

/** A declaration with what it names outside of itself. */
function candidatesOf(file) {
  const text = host.read(file);
  const { tree } = parse(text, file);
  const origins = new Map();
  for (const { names, from } of tree.imports) {
    for (const { name, alias } of names) {
      const target = from.value === "std" ? name.text : library.get(`${join(dirname(file), from.value)} ${name.text}`);
      origins.set((alias ?? name).text, target);
    }
  }
  const modules = tree.declarations.filter(({ kind, name }) => kind === "module" && name.text !== "");
  const own = new Map(modules.map((decl) => [decl.name.text, decl]));
  return modules.map((decl) => {
    const local = new Set();
    const written = [];
    identifiers(decl, (name, holder, key) => {
      if (declares(holder, key) && !FIXED.has(name.text)) local.add(name.text);
      if ((holder.kind === "argument" && key === "name") || (holder.kind === "member" && key === "member")) return;
      if (!written.includes(name)) written.push(name);
    });
    return { file, text, decl, local, written, own, origins };
  });
}

const candidates = files.flatMap(candidatesOf);
const declarationOf = new Map(candidates.map((candidate) => [candidate.decl, candidate]));

/** What has to be in a file with a candidate: declarations of its file that the library does not give by name. */
function together(candidate, all = new Set()) {
  all.add(candidate);
  for (const { text } of candidate.written) {
    const other = candidate.own.get(text);
    if (other && !candidate.local.has(text) && !library.has(`${candidate.file} ${text}`)) {
      const needed = declarationOf.get(other);
      if (!all.has(needed)) together(needed, all);
    }
  }
  return all;
}

/** The text of one declaration with other names, and what it needs from the library; undefined where that lacks it. */
function renamed({ file, text, decl, local, written, own, origins }, chosen, mark, imports) {
  const edits = [];
  for (const name of written) {
    const other = own.get(name.text);
    if (local.has(name.text)) edits.push([name, `${name.text}_${mark}`]);
    else if (other && chosen.has(declarationOf.get(other))) edits.push([name, chosen.get(declarationOf.get(other))]);
    else if (other || origins.has(name.text)) {
      const given = other ? library.get(`${file} ${name.text}`) : origins.get(name.text);
      if (given === undefined) return undefined;
      imports.add(given);
      edits.push([name, given]);
    }
  }
  let result = "";
  let at = decl.span.start;
  edits.sort(([a], [b]) => a.span.start - b.span.start);
  for (const [{ span }, to] of edits) {
    if (span.start < at) continue;
    result += text.slice(at, span.start) + to;
    at = span.end;
  }
  const doc = (decl.doc ?? "").split("\n").map((line) => `/// ${line}\n`);
  return (decl.doc ? doc.join("") : "") + result + text.slice(at, decl.span.end);
}

const lineCount = (text) => text.split("\n").length;
/** Candidates which cannot be taken out of their file. */
const refused = new Set();

/** @returns a file of at least `lines` lines that checks without errors */
function makeFile(seed, lines) {
  const next = random(seed);
  const order = candidates
    .filter((candidate) => !refused.has(candidate))
    .map((candidate) => ({ candidate, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ candidate }) => candidate);
  const chosen = new Map();
  const parts = [];
  const imports = new Set();
  const mark = `${seed}x`;
  let total = 0;
  for (const candidate of order) {
    if (total >= lines) break;
    const needed = [...together(candidate)].filter((other) => !chosen.has(other));
    if (needed.length === 0) continue;
    if (needed.some((other) => refused.has(other))) continue;
    for (const other of needed) chosen.set(other, `${other.decl.name.text}_${mark}${chosen.size}`);
    const wanted = new Set();
    const texts = needed.map((other) => renamed(other, chosen, mark, wanted));
    if (texts.includes(undefined)) {
      for (const other of needed) chosen.delete(other);
      refused.add(candidate);
      continue;
    }
    for (const name of wanted) imports.add(name);
    texts.forEach((text, index) => parts.push({ text, candidate: needed[index] }));
    total += texts.reduce((sum, text) => sum + lineCount(text) + 1, 0);
  }
  const text = [`import { ${[...imports].sort().join(", ")} } from "std"`, ...parts.map((part) => part.text)].join(
    "\n\n",
  );
  return { text: `${text}\n`, parts };
}

function goodFile(seed, lines) {
  for (;;) {
    const { text, parts } = makeFile(seed, lines);
    const { diagnostics } = check(FILE, { ...host, read: (file) => (file === FILE ? text : host.read(file)) });
    if (diagnostics.length === 0) return text;
    // What reads otherwise under other names is left out from now on.
    let at = text.indexOf("\n\n") + 2;
    const before = refused.size;
    for (const part of parts) {
      const end = at + part.text.length;
      if (diagnostics.some(({ span }) => at <= span.start && span.start <= end)) refused.add(part.candidate);
      at = end + 2;
    }
    if (refused.size === before) throw new Error(`${diagnostics[0].code} ${diagnostics[0].message}`);
  }
}

const first = Number(values.seed);
const made = Array.from({ length: Number(values.count) }, (_, index) => goodFile(first + index, Number(values.lines)));
console.log(JSON.stringify(made));
console.error(`${candidates.length} declarations, ${refused.size} of them not taken`);
