/** Places in the bundled command (`scripts/build-cli.mjs`), said as places in the sources. */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";

const PLACE = /([^\s()]*moec\.cjs):(\d+):(\d+)/g;

/** A stack trace in which every place that the bundle's map knows stands by its source: `cli/program.ts:12:3`. */
export function sourcePlaces(trace: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return trace.replace(PLACE, (place, file: string, line: string, column: string) => {
    if (!maps.has(file)) maps.set(file, mapOf(file.replace(/^file:\/\//, "")));
    const entry = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !("originalSource" in entry)) return place;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function mapOf(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined;
  }
}
