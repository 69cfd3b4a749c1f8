/**
 * `npm run docs`: the documentation as pages that need no server, from the `.moe` files of the library and the Markdown of
 * `docs/`. Written to `site/`.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";
import markdownIt from "markdown-it";
import { checkNode, ensureBuild, ensurePackages, root } from "./setup.mjs";
import { diagramOf } from "./docs/diagram.mjs";
import { formulaOf } from "./docs/formula.mjs";
import { escapeHtml, highlighter } from "./docs/highlight.mjs";

checkNode();
ensurePackages();
ensureBuild();
const { libraryFiles } = await import("../dist/cli/library.js");
const { diskHost } = await import("../dist/cli/source-host.js");
const { check } = await import("../dist/compiler/1-check/index.js");
const { measure } = await import("../dist/editor/server/cost/measure.js");
const { formulaText } = await import("../dist/editor/server/cost/formula.js");

const out = resolve(root, process.argv[2] ?? "site");
const files = libraryFiles().filter(({ path }) => path !== "stdlib/std.moe");
const entries = files.flatMap((file) => file.entries);
const hrefOf = (entry) => `${pageOf(entry.file)}#${entry.name}`;
const pageOf = (path) => path.replace(/\.moe$/, ".html");
const byName = new Map();
for (const entry of entries) if (!byName.has(entry.name) || entry.importLine) byName.set(entry.name, entry);
const highlight = await highlighter(join(root, "grammar/moe.tmLanguage.json"));
const code = (text) => `<pre><code>${highlight(text.trim())}</code></pre>`;

const host = diskHost(root);
const costs = new Map();
for (const file of files) {
  const checked = check(file.path, host).files.get(file.path);
  for (const [name, info] of checked?.modules ?? [])
    if (info.file === file.path) costs.set(`${file.path}#${name}`, measure(info));
}

const searchIndex = [];
const markdown = markdownIt({
  html: false,
  linkify: true,
  highlight: (text, language) => (language.startsWith("moe") ? highlight(text.trimEnd()) : escapeHtml(text)),
});
const slug = (text) =>
  text
    .toLowerCase()
    .replace(/<[^>]*>|[^\p{L}\p{N} -]/gu, "")
    .trim()
    .replaceAll(" ", "-");
markdown.renderer.rules.heading_open = (tokens, index) =>
  `<${tokens[index].tag} id="${slug(tokens[index + 1].content)}">`;
markdown.renderer.rules.heading_close = (tokens, index) => {
  const { tag } = tokens[index];
  const text = tokens[index - 1].content;
  const link = `<a class="anchor" href="#${slug(text)}" aria-label="link to ${escapeHtml(text.replaceAll("`", ""))}">#</a>`;
  return tag === "h1" ? `</${tag}>` : `${link}</${tag}>`;
};
markdown.renderer.rules.table_open = () => `<div class="scroll"><table>`;
markdown.renderer.rules.table_close = () => "</table></div>";

/** Guides in the order of use; those that are not named come behind. */
const ORDER = ["cli", "import", "serve", "browser", "native", "cuda", "onnx", "editor", "architecture", "coverage"];
const rank = (name) => {
  const place = ORDER.indexOf(name.replace(/\.md$/, ""));
  return place < 0 ? ORDER.length : place;
};

const guides = ["", "language/", "reference/"].flatMap((folder) =>
  readdirSync(join(root, "docs", folder))
    .filter((name) => name.endsWith(".md"))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((name) => {
      const text = readFileSync(join(root, "docs", folder, name), "utf8");
      return {
        path: `docs/${folder}${name.replace(/\.md$/, ".html")}`,
        folder,
        text,
        title: /^# (.*)$/m.exec(text)?.[1] ?? name,
      };
    }),
);

/** Pages that the contents name; notes are reached from the page that they are of. */
const listed = guides.filter(({ path }) => !path.includes(".notes."));

/** Sections of the left column. */
const sections = [
  ["Guides", listed.filter(({ folder }) => folder === "").map(({ path, title }) => [path, title])],
  ["Language", listed.filter(({ folder }) => folder === "language/").map(({ path, title }) => [path, title])],
  ["Reference", listed.filter(({ folder }) => folder === "reference/").map(({ path, title }) => [path, title])],
  ["Library", files.map(({ path }) => [pageOf(path), path.replace(/^stdlib\/|\.moe$/g, "")])],
];

/** @param {string} path @param {string} title @param {string} body */
function writePage(path, title, body) {
  const base = posix.relative(posix.dirname(path), ".");
  const up = base === "" ? "" : `${base}/`;
  const nav = sections
    .map(
      ([name, links]) =>
        `<h2>${name}</h2>${links.map(([href, text]) => `<a href="${up}${href}"${href === path ? ' class="here" aria-current="page"' : ""}>${escapeHtml(text)}</a>`).join("")}`,
    )
    .join("");
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)} · moec</title><link rel="icon" href="data:,"><link rel="stylesheet" href="${up}style.css"></head><body data-base="${up}"><a class="skip" href="#main">To the text</a><header><a class="home" href="${up}index.html">moe<b>c</b></a><div class="search"><input id="search" type="search" placeholder="Search  /" aria-label="Search" autocomplete="off"><div class="hits"></div><p id="found" class="unseen" role="status"></p></div><a class="contents" href="#contents">Contents</a><button id="theme" type="button" aria-label="light or dark" title="light or dark">◐</button></header><div class="page"><nav id="contents" aria-label="Contents">${nav}</nav><main id="main" tabindex="-1">${body}</main></div><script src="${up}search-index.js"></script><script src="${up}page.js"></script></body></html>`;
  const file = join(out, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, page);
}

/** A doc comment as HTML: papers are links, `code` is code. */
const papers = (text) => linked(text).replace(/`([^`]+)`/g, "<code>$1</code>");
const linked = (text) => text.replace(/arXiv:(\d{4}\.\d{4,5})/g, '<a href="https://arxiv.org/abs/$1">arXiv:$1</a>');
const linkTo = (entry, from) =>
  `<a href="${posix.relative(posix.dirname(pageOf(from)), pageOf(entry.file))}#${entry.name}">${entry.name}</a>`;
const wordsOf = (text) => new Set(text.match(/\b[A-Za-z_]\w*\b/g) ?? []);

/** Whether a declaration names another one: modules by their names, functions where they are called. */
const bodies = new Map();
function isUsed(used, by) {
  if (!bodies.has(by)) bodies.set(by, by.text.replace(/^\/\/\/.*$/gm, ""));
  const call = /^[a-z]/.test(used.name) ? "\\s*\\(" : "\\b";
  return new RegExp(`(?<![\\w.])${used.name}${call}`).test(bodies.get(by));
}

function section(entry, file) {
  const { decl, name, contract } = entry;
  const uses = entries.filter((other) => other !== entry && byName.get(other.name) === other && isUsed(other, entry));
  const usedBy = entries.filter((other) => other !== entry && byName.get(name) === entry && isUsed(entry, other));
  const cost = costs.get(`${entry.file}#${name}`);
  const rows =
    cost &&
    [
      ["parameters", cost.parameters],
      ["active for a token", cost.active],
      ["operations for a token", cost.operations],
    ].filter(([, size]) => size.key !== "0");
  const params = decl.params.map((param) => [
    param.name.text,
    param.type ? file.text.slice(param.type.span.start, param.type.span.end) : "",
    param.default ? file.text.slice(param.default.span.start, param.default.span.end) : "required",
  ]);
  const tests = file.tests.filter((test) => wordsOf(file.text.slice(test.span.start, test.span.end)).has(name));
  const imports =
    tests.length === 0
      ? ""
      : [...wordsOf(tests.map((test) => file.text.slice(test.span.start, test.span.end)).join(" "))]
          .filter((word) => byName.get(word)?.importLine)
          .sort();
  const formula = formulaOf(decl, file.text);
  const diagram = diagramOf(decl);
  searchIndex.push({
    name,
    href: hrefOf(entry),
    about: entry.summary,
    text: ` ${entry.doc} ${contract} ${file.path}`.toLowerCase(),
  });
  return `<section class="decl" id="${name}"><span class="place">${entry.file}:${entry.line}</span><h2>${name}<span>${contract}</span></h2>
<p>${papers(escapeHtml(entry.doc))}</p>
${entry.importLine ? code(entry.importLine) : ""}
${formula && `<h3>Formula</h3><div class="formula">${formula}</div>`}
${diagram && `<h3>Wiring</h3>${diagram}`}
${params.length > 0 ? `<h3>Parameters</h3><div class="scroll"><table><tr><th>name</th><th>type</th><th>default</th></tr>${params.map((row) => `<tr>${row.map((cell) => `<td>${cell === "required" ? cell : `<code>${escapeHtml(cell)}</code>`}</td>`).join("")}</tr>`).join("")}</table></div>` : ""}
${rows && rows.length > 0 ? `<h3>Cost</h3><div class="scroll"><table>${rows.map(([title, size]) => `<tr><th>${title}</th><td><code>${escapeHtml(formulaText(size))}</code></td></tr>`).join("")}</table></div>` : ""}
<details><summary>Source</summary>${code(entry.text)}</details>
${tests.length > 0 ? `<details><summary>${tests.length === 1 ? "Example" : `${tests.length} examples`}, run by the tests</summary>${code(`${imports.length > 0 ? `import { ${imports.join(", ")} } from "std"\n\n` : ""}${tests.map((test) => file.text.slice(test.span.start, test.span.end)).join("\n\n")}`)}</details>` : ""}
${uses.length > 0 ? `<p class="links">uses ${uses.map((other) => linkTo(other, entry.file)).join(" ")}</p>` : ""}
${usedBy.length > 0 ? `<p class="links">used by ${usedBy.map((other) => linkTo(other, entry.file)).join(" ")}</p>` : ""}
</section>`;
}

rmSync(out, { recursive: true, force: true });
for (const file of files) {
  const title = file.path.replace(/^stdlib\/|\.moe$/g, "");
  const list = file.entries.map(({ name }) => `<a href="#${name}">${name}</a>`).join(" ");
  writePage(
    pageOf(file.path),
    title,
    `<h1>${title}</h1><p>${escapeHtml(file.about)}</p><p class="links">${list}</p>${file.entries.map((entry) => section(entry, file)).join("")}`,
  );
}
for (const { path, text, title } of guides) {
  const html = markdown
    .render(text)
    .replace(/href="([^":]+)\.md(#[^"]*)?"/g, (_, target, anchor = "") => `href="${target}.html${anchor}"`)
    // A declaration that a page names by its file stands on the page of that file.
    .replace(/href="([^":]+)\.moe"><code>(\w+)</g, (_, target, name) => `href="${target}.html#${name}"><code>${name}<`);
  writePage(path, title, html);
  const parts = text.split(/^## /m);
  parts.forEach((part, at) => {
    const name = at === 0 ? title : part.split("\n")[0].replaceAll("`", "");
    const plain = part.replace(/[`#*|]/g, " ").replace(/\s+/g, " ");
    searchIndex.push({
      name,
      href: at === 0 ? path : `${path}#${slug(name)}`,
      about: at === 0 ? "" : title,
      text: ` ${plain.toLowerCase().slice(0, 4000)}`,
    });
  });
}
/** The block that the README begins with. */
const readmeSpec = code(/```moe\n([^]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))[1]);
const cards = files
  .map(
    (file) =>
      `<a href="${pageOf(file.path)}"><b>${file.path.replace(/^stdlib\/|\.moe$/g, "")}</b><br><small>${escapeHtml(
        file.about ||
          file.entries
            .slice(0, 6)
            .map(({ name }) => name)
            .join(", "),
      )}</small></a>`,
  )
  .join("");
const guideCards = listed
  .filter(({ folder }) => folder !== "reference/")
  .map(({ path, title }) => `<a href="${path}"><b>${escapeHtml(title)}</b></a>`)
  .join("");
writePage(
  "index.html",
  "Documentation",
  `<h1>moec</h1><p>A language and compiler for sparse neural networks: a <code>.moe</code> file says who the experts are, how the router chooses and what a mask keeps; the compiler makes of it, and of a checkpoint, a bundle that writes text in Node, in browsers and on the processor's own instructions.</p>${readmeSpec}<p>In a clone, <code>npm start</code> compiles the example, writes text and shows which experts took which token:</p><img src="docs/images/npm-start.svg" alt="The text, and a map with a column for each token and a letter for each expert"><p><a href="docs/language/README.html">The language</a> begins with one page; the library below has ${entries.length} declarations, each with its paper, formula, wiring, cost and tests.</p><h2>Guides and language</h2><div class="cards">${guideCards}</div><h2>Library</h2><div class="cards">${cards}</div>`,
);
writeFileSync(join(out, "search-index.js"), `window.searchIndex = ${JSON.stringify(searchIndex)};\n`);
for (const name of ["style.css", "page.js"]) cpSync(join(root, "scripts/docs", name), join(out, name));
cpSync(join(root, "docs/images"), join(out, "docs/images"), { recursive: true });
console.log(`${out}: ${files.length + guides.length + 1} pages, ${entries.length} declarations`);
