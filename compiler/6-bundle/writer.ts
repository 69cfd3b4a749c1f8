/** Where the files of a bundle go. */
import type { Plan } from "../4-schedule/plan.js";
import type { ManifestFile, ManifestShard } from "./manifest.js";

/** One file of the bundle while it is written. */
export interface OpenFile {
  write(bytes: Uint8Array): void;
  /** Ends the file and gives its size and hash. */
  close(): ManifestFile;
}

export interface BundleWriter {
  open(path: string): OpenFile;
}

/** How targets write their part of a bundle. */
export interface TargetWriter {
  /** Writes one file. */
  readonly put: (path: string, bytes: Uint8Array | string) => void;
  /** Writes the weights of a plan, under a name, unless they are there already. */
  readonly weights: (plan: Plan, name: string) => readonly ManifestShard[];
}
