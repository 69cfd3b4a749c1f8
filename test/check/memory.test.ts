/**
 * What a check says does not depend on what was checked before: whether a body was walked or its result recalled, each
 * diagnostic has the same places and the same words.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { repository, testHost } from "./host.js";

const folder = "test/samples/wrong";
const files = readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".moe") && !file.split("/").includes("parts"))
  .map((file) => `${folder}/${file}`)
  .sort();

let blanks = "";

/** What is said where nothing is remembered of the library: blank lines at its files' ends make other texts of them. */
function cold(file: string, texts: Readonly<Record<string, string>> = {}) {
  const host = testHost(texts);
  blanks += "\n";
  const read = (name: string) => (name.startsWith("stdlib/") ? `${host.read(name)}${blanks}` : host.read(name));
  return check(file, { ...host, read }).diagnostics;
}

test("a library that was walked for other files says the same as one that was not", () => {
  for (const file of files) check(file, testHost());
  const before = files.map((file) => check(file, testHost()).diagnostics);
  expect(before).toEqual(files.map((file) => cold(file)));
});

test("after an edit elsewhere in the file, places are where they are now", () => {
  for (const file of files) {
    const text = readFileSync(join(repository, file), "utf8");
    const previous = check(file, testHost());
    const texts = { [file]: `// a remark\n${text.replaceAll("\n\n", "\n\n\n")}` };
    expect(check(file, testHost(texts), { previous }).diagnostics, file).toEqual(cold(file, texts));
  }
});
