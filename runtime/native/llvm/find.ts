/** Where LLVM's shared library lies: what `MOEC_LLVM` names, else the names that systems give it. */
import { readFileSync, statSync } from "node:fs";
import { moecError } from "../../../compiler/errors/raise.js";
import { koffi, type NativeLibrary } from "../koffi.js";

/** Version 14 first, with which the code is tested most. */
const VERSIONS = [14, 15, 16, 17, 18, 19, 20, 21];

const NAMES = [
  ...VERSIONS.flatMap((version) => [
    `libLLVM-${version}.so.1`,
    `libLLVM.so.${version}.1`,
    `libLLVM-${version}.so`,
    `/usr/lib/llvm-${version}/lib/libLLVM.so.1`,
    `/usr/lib/llvm${version}/lib/libLLVM.so`,
  ]),
  "libLLVM.so",
];

export interface FoundLlvm {
  readonly library: NativeLibrary;
  /** The file that was loaded. */
  readonly path: string;
  /** Changes when the file does: part of the key of compiled code. */
  readonly mark: string;
}

let found: FoundLlvm | undefined;

/** @throws MoecError MOE4201 when there is none, MOE4203 without koffi. */
export function findLlvm(): FoundLlvm {
  if (found) return found;
  // What the environment names is meant, and nothing else.
  const named = process.env["MOEC_LLVM"] || undefined;
  for (const name of named === undefined ? NAMES : [named]) {
    const library = tryLoad(name);
    if (!library) continue;
    const path = loadedPath() ?? name;
    found = { library, path, mark: fileMark(path) };
    return found;
  }
  const reason =
    named === undefined
      ? "LLVM's shared library (14 or later) was not found"
      : `MOEC_LLVM names \`${named}\`, which can't be loaded`;
  throw noLlvm(reason);
}

/** That there is no LLVM to compile with. */
export const noLlvm = (reason: string): Error => moecError("MOE4201", { reason }, undefined, HELP);

const HELP = "Install LLVM's library (Debian, Ubuntu: apt-get install libllvm14), or use --device wasm.";

function tryLoad(name: string): NativeLibrary | undefined {
  // koffi must be there; only the library may be missing.
  const loader = koffi();
  try {
    return loader.load(name);
  } catch {
    return undefined;
  }
}

/** The file behind a name, as the system mapped it. */
function loadedPath(): string | undefined {
  try {
    const maps = readFileSync("/proc/self/maps", "utf8");
    return /^.*r-xp.*\s(\/\S*libLLVM\S*)$/m.exec(maps)?.[1];
  } catch {
    return undefined;
  }
}

function fileMark(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${path} ${stats.size} ${stats.mtimeMs}` : path;
}
