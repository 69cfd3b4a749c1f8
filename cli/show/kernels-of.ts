import type { DeviceReport } from "../../runtime/device.js";

/** Which of a bundle's kernels run: those for a level of processors, or what of WebAssembly they use. */
export function kernelsOf({
  level,
  relaxedSimd,
  quads,
}: Pick<DeviceReport, "level" | "relaxedSimd" | "quads">): string {
  if (level !== undefined) return level;
  return `relaxed SIMD ${relaxedSimd ? "on" : "off"}${quads === true ? ", sums of four bytes" : ""}`;
}
