/** A workspace without a disk: the library and a few files of the page, by name. */
import type { WorkspaceHost } from "./workspace.js";

/** Folder of the standard library among the names. */
export const LIBRARY = "/std/";

/** Resolves `./x.moe` beside the importing file. */
function beside(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  const path = parts.join("/");
  return path.endsWith(".moe") ? path : `${path}.moe`;
}

/** `library` by path from its folder (`norms.moe`), `own` by name (`/playground.moe`); both may change. */
export function memoryHost(library: ReadonlyMap<string, string>, own: ReadonlyMap<string, string>): WorkspaceHost {
  const scheme = "file://";
  return {
    list: () => [...own.keys()],
    read: (file) => (file.startsWith(LIBRARY) ? library.get(file.slice(LIBRARY.length)) : own.get(file)),
    resolve: (from, specifier) => {
      if (specifier === "std") return `${LIBRARY}std.moe`;
      return specifier.startsWith(".") ? beside(from, specifier) : specifier;
    },
    toUri: (file) => scheme + file,
    fromUri: (uri) => (uri.startsWith(scheme) ? decodeURIComponent(uri.slice(scheme.length)) : uri),
    // The page shows explanations itself.
    explanationUri: () => undefined,
    isLibrary: (file) => file.startsWith(LIBRARY),
  };
}
