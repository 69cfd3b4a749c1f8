/** A host for tests: files of the repository, with texts that stand in for some of them. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceHost } from "../../compiler/1-check/index.js";

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export function testHost(texts: Readonly<Record<string, string>> = {}): SourceHost {
  return {
    read: (file) => {
      if (Object.hasOwn(texts, file)) return texts[file];
      const path = join(repository, file);
      return existsSync(path) ? readFileSync(path, "utf8") : undefined;
    },
    resolve: (from, specifier) =>
      specifier === "std" ? "stdlib/std.moe" : relative(repository, join(repository, dirname(from), specifier)),
  };
}
