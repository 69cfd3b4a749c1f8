/**
 * A picture of what a command prints, colours and all, as SVG: what the README shows is what a reader gets.
 *
 *   node scripts/terminal-picture.mjs docs/images/npm-start.svg npm start
 *
 * In a fresh clone after `npm run build`, so that the picture has the compiler's lines too.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { root } from "./setup.mjs";

const [out, ...command] = process.argv.slice(2);
if (out === undefined || command.length === 0) {
  console.error("usage: node scripts/terminal-picture.mjs <file.svg> <command> [arguments…]");
  process.exit(2);
}
/** Cells of a line, and the size of a cell in pixels. */
const COLUMNS = 100;
const [CELL, LINE] = [8.4, 19];
const MARGIN = 20;
const INK = { plain: "#d5d9e0", dim: "#9199a5" };
/** The eight colours of terminals, on a dark ground. */
const BASIC = ["#7d8590", "#f06a6a", "#5fcf80", "#e5c07b", "#6fa8ff", "#c792ea", "#4cc2d6", "#d5d9e0"];

const env = { ...process.env, FORCE_COLOR: "1", npm_config_loglevel: "silent" };
// One stream, as a terminal has.
const quoted = command.map((word) => (/^[\w./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
const ran = spawnSync("sh", ["-c", `exec ${quoted.join(" ")} 2>&1`], { cwd: root, env, encoding: "utf8" });
if (ran.status !== 0) {
  console.error(ran.stdout);
  console.error(`${command.join(" ")}: exit code ${ran.status}`);
  process.exit(1);
}

/** One of the 256 colours: a cube of six steps behind the first sixteen. */
function indexed(number) {
  if (number < 16) return BASIC[number % 8];
  const step = (value) => (value === 0 ? 0 : 55 + 40 * value);
  const at = number - 16;
  const parts =
    number < 232
      ? [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map(step)
      : [8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232)];
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** @returns {{ fill: string, weight: number }} the style behind the codes of one escape sequence */
function styled(style, codes) {
  let { fill, weight } = style;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === 0) [fill, weight] = [INK.plain, 400];
    else if (code === 1) weight = 700;
    else if (code === 2) fill = INK.dim;
    else if (code === 22) weight = 400;
    else if (code === 39) fill = INK.plain;
    else if (code >= 30 && code < 38) fill = BASIC[code - 30];
    else if (code >= 90 && code < 98) fill = BASIC[code - 90];
    else if (code === 38 && codes[at + 1] === 5) {
      fill = indexed(codes[at + 2]);
      at += 2;
    }
  }
  return { fill, weight };
}

/** Lines of cells, broken where a terminal breaks them. */
const lines = [[]];
let style = { fill: INK.plain, weight: 400 };
const text = `\u001b[2m$\u001b[0m ${command.join(" ")}\n${ran.stdout.trimEnd()}`;
// eslint-disable-next-line no-control-regex
for (const [, codes, sign] of text.matchAll(/\u001b\[([\d;]*)m|([^])/gu)) {
  if (codes !== undefined) style = styled(style, codes.split(";").map(Number));
  else if (sign === "\n") lines.push([]);
  else {
    if (lines.at(-1).length === COLUMNS) lines.push([]);
    lines.at(-1).push({ sign, ...style });
  }
}

const escaped = (words) => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** Runs of one style, each at its own place: fonts differ in their widths. Blanks need no run. */
function drawn(cells, row) {
  const runs = [];
  cells.forEach(({ sign, fill, weight }, column) => {
    const last = runs.at(-1);
    const isSame = last && last.fill === fill && last.weight === weight && last.end === column;
    if (sign === " " && (!isSame || cells[column + 1]?.sign === " ")) return;
    if (isSame) [last.words, last.end] = [last.words + sign, column + 1];
    else runs.push({ words: sign, fill, weight, start: column, end: column + 1 });
  });
  const spans = runs.map(({ words, fill, weight, start }) => {
    const look = `${fill === INK.plain ? "" : ` fill="${fill}"`}${weight === 400 ? "" : ` font-weight="${weight}"`}`;
    return `<tspan x="${(MARGIN + start * CELL).toFixed(1)}"${look}>${escaped(words.trimEnd())}</tspan>`;
  });
  return spans.length === 0 ? [] : [`<text y="${52 + row * LINE}">${spans.join("")}</text>`];
}

const [width, height] = [Math.ceil(2 * MARGIN + COLUMNS * CELL), 52 + lines.length * LINE];
const label = escaped(`What ${command.join(" ")} prints`).replaceAll('"', "&quot;");
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="${INK.plain}" role="img" aria-label="${label}">
<rect width="100%" height="100%" rx="10" fill="#15181e"/>
<circle cx="22" cy="20" r="5.5" fill="#f06a6a"/><circle cx="40" cy="20" r="5.5" fill="#e5c07b"/><circle cx="58" cy="20" r="5.5" fill="#5fcf80"/>
${lines.flatMap(drawn).join("\n")}
</svg>
`;
writeFileSync(resolve(root, out), svg);
console.log(`${out}: ${lines.length} lines`);
