import type { DeviceReport } from "./device.js";

/**
 * What runs, in one line: the device, its threads, and which of the bundle's kernels. A GPU is called by its name, since
 * threads and instructions of processors say nothing about it.
 *
 * @example deviceText(model.report) // "wasm, 2 threads, relaxed SIMD on"
 */
export function deviceText(report: Omit<DeviceReport, "memoryBytes">): string {
  const { device, gpu, threads, whyOneThread, whyFewerThreads } = report;
  if (gpu !== undefined) return `${device}, ${gpu}`;
  const reason = threads === 1 ? whyOneThread : whyFewerThreads;
  const why = reason === undefined ? "" : ` (${reason})`;
  const parts = [device, threads === 1 ? `1 thread${why}` : `${threads} threads${why}`, kernelsText(report)];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** Those for a level of processors, or what of WebAssembly they use. */
function kernelsText({ device, level, relaxedSimd, quads }: Omit<DeviceReport, "memoryBytes">): string | undefined {
  if (device !== "wasm") return level;
  return `relaxed SIMD ${relaxedSimd ? "on" : "off"}${quads === true ? ", sums of four bytes" : ""}`;
}

/** Kernels of the bundle that better suit this machine and do not run here: why, a sentence for each. */
export function whyNotText(report: Omit<DeviceReport, "memoryBytes">): readonly string[] {
  const { whyNotBetter, whyNotCuda, whyNotNative, whyNotWebgpu } = report;
  return [whyNotCuda, whyNotBetter, whyNotNative, whyNotWebgpu].filter((why) => why !== undefined);
}
