/** What this processor can do, by the names that Linux gives to its features. */
import { readFileSync } from "node:fs";
import { libc } from "./libc.js";

let known: ReadonlySet<string> | undefined;

/** Features of the processor that this process may use; empty where the system does not say. */
export function processorFeatures(): ReadonlySet<string> {
  return (known ??= readFeatures());
}

const tileFeatures = ["amx_tile", "amx_bf16", "amx_int8"];

/** Linux' numbers: arch_prctl, ARCH_REQ_XCOMP_PERM, and the component of the state that holds tiles. */
const REQUEST = [158, 0x1023, 18] as const;

/**
 * Asks the system for the registers of AMX, whose state is so large that it gives it only to processes that ask. All
 * threads of the process have it then.
 */
function mayUseTiles(): boolean {
  try {
    return libc().syscall(...REQUEST, 0) === 0;
  } catch {
    // Without what native code needs of the C library nothing is run either.
    return false;
  }
}

function featuresInFile(): ReadonlySet<string> {
  try {
    // All processors of a machine are taken as alike: the first one's line decides.
    const line = /^flags\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return new Set(line.split(/\s+/));
  } catch {
    return new Set();
  }
}

function readFeatures(): ReadonlySet<string> {
  const all = featuresInFile();
  if (!all.has("amx_tile") || mayUseTiles()) return all;
  return new Set([...all].filter((name) => !tileFeatures.includes(name)));
}

/** Whether the processor has matrices in registers that the system keeps from this process. */
export const refusesTiles = (): boolean => !processorFeatures().has("amx_tile") && featuresInFile().has("amx_tile");

/** Of the needed features those that this processor lacks. */
export function missingFeatures(needs: readonly string[], features = processorFeatures()): readonly string[] {
  return needs.filter((name) => !features.has(name));
}
