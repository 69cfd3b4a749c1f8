/** Which targets have wide tiles, and what one tile of a weight is there. */
import type { Target } from "../../targets/index.js";
import { isK, kRecordBytes, kRecordCount, type KRecords } from "../micro/k-layouts.js";
import { panelRows, recordCount, recordRows, wideRecordBytes } from "../micro/wide-layouts.js";

export type WideName = "wide-panels" | "wide-q8" | "wide-q4" | `wide-${KRecords}`;

/** Layouts for native targets. */
export const isWide = (layout: string): layout is WideName => layout.startsWith("wide-");

export const usesWideTiles = (target: Target): boolean => target.tiles !== undefined;

/** Layout, rows and bytes of one tile with `depth` columns. */
export function wideTile(
  storage: "f32" | "f16" | "bf16" | "q8_0" | "q4_0" | KRecords,
  depth: number,
): { readonly name: WideName; readonly rows: number; readonly bytes: number } {
  if (isK(storage)) {
    const bytes = kRecordCount(storage, depth) * kRecordBytes(storage);
    return { name: `wide-${storage}`, rows: recordRows, bytes };
  }
  switch (storage) {
    case "q8_0":
    case "q4_0": {
      const bytes = recordCount(depth) * wideRecordBytes(storage);
      return { name: storage === "q8_0" ? "wide-q8" : "wide-q4", rows: recordRows, bytes };
    }
    case "f32":
    case "f16":
    case "bf16":
      return { name: "wide-panels", rows: panelRows, bytes: depth * panelRows * (storage === "f32" ? 4 : 2) };
    default:
      return storage satisfies never;
  }
}
