/**
 * The fixture files: every construct of the language, in whole files.
 */
import { readFileSync, readdirSync } from "node:fs";

const folder = new URL("./fixtures/", import.meta.url);

export interface Fixture {
  readonly name: string;
  readonly text: string;
}

export const fixtures: readonly Fixture[] = readdirSync(folder)
  .filter((name) => name.endsWith(".moe"))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), "utf8") }));

/** One fixture by name. */
export function fixture(name: string): string {
  return fixtures.find((each) => each.name === name)!.text;
}
