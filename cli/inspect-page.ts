/** `moec inspect --html`: the views as one page that needs nothing else. */
import type { View } from "./views.js";

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.55 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .25rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding-bottom: .5rem; }
pre:focus-visible, a:focus-visible, summary:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
details { border-top: 1px solid var(--line); padding: .5rem 0; }
summary { cursor: pointer; font-weight: 600; }
pre { font: 13px/1.5 ui-monospace, monospace; overflow-x: auto; padding: .75rem; background: color-mix(in srgb, currentColor 5%, transparent); border-radius: .4rem; }
ins { background: color-mix(in srgb, #2a2 25%, transparent); text-decoration: none; }
del { background: color-mix(in srgb, #d33 25%, transparent); text-decoration: none; }
`;

/** @param passes The graph before the first pass and after each, for the changes of each pass. */
export function inspectPage(
  name: string,
  views: readonly View[],
  passes: readonly { readonly pass: string; readonly text: string }[],
): string {
  const sections = views.map(
    (view, index) =>
      // Browsers open what is folded around the target of a link, not the target itself.
      `<details${index < 2 ? " open" : ""}><summary>${escape(view.title)}</summary>` +
      `<pre id="${view.title}" tabindex="0" aria-label="${escape(view.title)}">${escape(view.lines.join("\n"))}</pre></details>`,
  );
  const changes = passes.slice(1).map(({ pass, text }, index) => {
    const before = passes[index]!.text;
    if (before === text) return `<p><b>${escape(pass)}</b>: no change</p>`;
    const changed = changedLines(before, text);
    if (changed === "") return `<p><b>${escape(pass)}</b>: nothing but the numbers of values</p>`;
    return `<details><summary>${escape(pass)}</summary><pre tabindex="0" aria-label="${escape(pass)}">${changed}</pre></details>`;
  });
  const links = [...views.map(({ title }) => title), "passes"];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(name)}: moec inspect</title>
<style>${STYLE}</style>
<h1>${escape(name)}</h1>
<nav aria-label="Contents">${links.map((link) => `<a href="#${link}">${escape(link)}</a>`).join("")}</nav>
${sections.join("\n")}
<h2 id="passes">What each pass changed</h2>
${changes.join("\n")}
</html>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Lines that went and came, with three lines around them. Values are renumbered by passes, so numbers don't count. */
function changedLines(before: string, after: string): string {
  const old = before.split("\n");
  const now = after.split("\n");
  const key = (line: string): string => line.replace(/%\d+/g, "%").trim();
  const kept = commonLines(old.map(key), now.map(key));
  const output: string[] = [];
  let at = 0;
  let place = 0;
  for (const [a, b] of [...kept, [old.length, now.length] as const]) {
    for (; at < a; at++) output.push(`<del>- ${escape(old[at]!)}</del>`);
    for (; place < b; place++) output.push(`<ins>+ ${escape(now[place]!)}</ins>`);
    if (a < old.length) output.push(`  ${escape(now[b]!)}`);
    at = a + 1;
    place = b + 1;
  }
  const isChange = (line: string | undefined): boolean => line !== undefined && /^<(ins|del)>/.test(line);
  const near = output.map((_, index) => output.slice(Math.max(0, index - 3), index + 4).some(isChange));
  return output.filter((_, index) => near[index]).join("\n");
}

/** Beyond this the table of the longest common subsequence would be too large; then everything counts as changed. */
const MAX_CELLS = 4_000_000;

/** Pairs of equal lines of a longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  if (a.length * b.length > MAX_CELLS) return [];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}
