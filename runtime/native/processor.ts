/** What this processor can do, by the names that Linux gives to its features. */
import { readFileSync } from "node:fs";
import { libc, type Libc } from "./libc.js";

interface Processor {
  readonly features: ReadonlySet<string>;
  readonly refusesTiles: boolean;
}

let known: Processor | undefined;
const processor = (): Processor => (known ??= readProcessor());

/** Features of the processor that this process may use; empty where the system does not say. */
export const processorFeatures = (): ReadonlySet<string> => processor().features;

/** Whether the processor has matrices in registers that the system keeps from this process: it was asked, and refused. */
export const refusesTiles = (): boolean => processor().refusesTiles;

const tileFeatures = ["amx_tile", "amx_bf16"];

/** Linux' numbers: arch_prctl, ARCH_REQ_XCOMP_PERM, and the component of the state that holds tiles. */
const REQUEST = [158, 0x1023, 18] as const;

/**
 * Asks the system for the registers of AMX, whose state is so large that it gives it only to processes that ask. All
 * threads of the process have it then. Undefined where it can't be asked: without what native code needs of the C library
 * nothing is run either.
 */
function mayUseTiles(): boolean | undefined {
  let system: Libc;
  try {
    system = libc();
  } catch {
    return undefined;
  }
  return system.syscall(...REQUEST, 0) === 0;
}

function featuresInFile(): ReadonlySet<string> {
  try {
    // All processors of a machine are taken as alike: the first one's line decides.
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return new Set(line.split(/\s+/));
  } catch {
    return new Set();
  }
}

function readProcessor(): Processor {
  const all = featuresInFile();
  const may = all.has("amx_tile") ? mayUseTiles() : true;
  if (may === true) return { features: all, refusesTiles: false };
  const features = new Set([...all].filter((name) => !tileFeatures.includes(name)));
  return { features, refusesTiles: may === false };
}

/** Of the needed features those that this processor lacks. */
export function missingFeatures(needs: readonly string[], features = processorFeatures()): readonly string[] {
  return needs.filter((name) => !features.has(name));
}

/** Why code that needs these features does not run here, in words. */
export function whyWithout(missing: readonly string[]): string {
  const isKept = refusesTiles() && missing.every((name) => tileFeatures.includes(name));
  const reason = isKept ? "the system does not let this process use" : "the processor lacks";
  return `${reason} ${missing.join(", ")}`;
}

/**
 * Why code for a level does not run here, in words; undefined where it does.
 *
 * @param needs Features that the level's code uses.
 */
export function whyNotLevel(level: string, needs: readonly string[]): string | undefined {
  const missing = missingFeatures(needs);
  return missing.length === 0 ? undefined : `not ${level}: ${whyWithout(missing)}`;
}
