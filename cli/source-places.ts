/** Places in the bundled command (`scripts/build-cli.mjs`), said as places in the sources. */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/** The bundle that this module stands in; elsewhere there is none beside it. */
const OWN_BUNDLE = fileURLToPath(new URL("moec.cjs", import.meta.url));

/** A stack trace in which every place that the bundle's map knows stands by its source: `cli/program.ts:12:3`. */
export function sourcePlaces(trace: string, bundle = OWN_BUNDLE): string {
  // Split, not matched: folders may have spaces and brackets in their names.
  const [before = "", ...places] = trace.split(`${bundle}:`);
  const map = places.length > 0 ? mapOf(bundle) : undefined;
  const said = places.map((place) => {
    const [all, line, column] = /^(\d+):(\d+)/.exec(place) ?? [""];
    const entry = map?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !("originalSource" in entry)) return `${bundle}:${place}`;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}${place.slice(all.length)}`;
  });
  return [before, ...said].join("");
}

function mapOf(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined;
  }
}
