/** The checker's view of the disk: files by absolute path, `std` from moec's own folder. */
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { packageRoot } from "./package-root.js";

export interface DiskHost {
  /** Text of a file by the name that `resolve` gave, or undefined. */
  read(file: string): string | undefined;
  /** The file that an import means, or undefined when it can't mean one. */
  resolve(from: string, specifier: string): string | undefined;
}

/** Names of files are relative to `base`, so that messages are short and the same on every machine. */
export function diskHost(base: string): DiskHost {
  return {
    read: (file) => readText(resolve(base, file)),
    resolve: (from, specifier) => {
      if (specifier === "std") return named(base, join(packageRoot, "stdlib", "index.moe"));
      if (!specifier.startsWith(".")) return undefined;
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
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
