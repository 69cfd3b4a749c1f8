/** The checker's view of the disk: files by absolute path, `std` from moec's own folder. */
import { dirname, join, relative, resolve } from "node:path";
import type { SourceHost } from "../compiler/1-check/index.js";
import { readPlainText } from "../runtime/node/plain-files.js";
import { packageRoot } from "./package-root.js";

/** Functions rather than methods, so that `read` can be handed on alone. */
export interface DiskHost extends SourceHost {
  readonly read: (file: string) => string | undefined;
  readonly resolve: (from: string, specifier: string) => string;
}

/** Names of files are relative to `base`, so that messages are short and the same on every machine. */
export function diskHost(base: string): DiskHost {
  return {
    read: (file) => readText(resolve(base, file)),
    resolve: (from, specifier) => {
      if (specifier === "std") return named(base, join(packageRoot, "stdlib", "std.moe"));
      // Nothing else can be imported by a bare name; no file has this one, so the checker says so.
      if (!specifier.startsWith(".")) return specifier;
      const path = resolve(base, dirname(from), specifier);
      return named(base, path.endsWith(".moe") ? path : `${path}.moe`);
    },
  };
}

/** How a file is called in messages. */
export function named(base: string, path: string): string {
  const short = relative(base, path);
  return short.startsWith("..") && !path.startsWith(packageRoot) ? path : short;
}

export function readText(path: string): string | undefined {
  try {
    return readPlainText(path);
  } catch {
    return undefined;
  }
}
