/** WebGPU in Node: the optional package `webgpu`, which brings Dawn. */
import type { Gpu } from "../webgpu/gpu.js";

/** What `create` gave must outlive every device, or Dawn ends the process. */
let kept: Promise<Gpu | undefined> | undefined;

/** Undefined when the package is not installed or has no binary for this machine. */
export function nodeGpu(): Promise<Gpu | undefined> {
  return (kept ??= create());
}

async function create(): Promise<Gpu | undefined> {
  // By a name that no bundler follows.
  const name = "webgpu";
  try {
    const module = (await import(name)) as { create(flags: readonly string[]): Gpu };
    return module.create([]);
  } catch {
    return undefined;
  }
}
