/**
 * Parts of a printed module that have another text on a device with a feature of WebGPU. A bundle holds the module once,
 * for devices without any, and these parts beside it; the runtime exchanges them when it has asked for the feature.
 */
import type { FoldOp, Kernel } from "../../4-schedule/kernel-ir.js";
import { foldsOf } from "../lanes/block.js";
import { firstFold, foldFunctions, joined } from "./folds.js";

/** Features of devices by their names in WebGPU. */
export type WgslFeature = "subgroups" | "shader-f16";

export interface WgslAlternative {
  readonly feature: WgslFeature;
  /** Stands once in the module. */
  readonly plain: string;
  readonly text: string;
}

/** The end of the entry point's head, behind the numbers of the workgroup. */
export const entryHead = `  @builtin(local_invocation_index) thread: u32,
) {`;

const subgroupHead = `  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  moec_subgroup = subgroup;
  moec_subgroups = subgroups;`;

/** Every subgroup has at least four threads (WebGPU, `subgroupMinSize`). */
const leastSubgroup = 4;

/** Folds by subgroups, where the kernel has folds other than `first`. */
export function foldAlternatives(kernel: Kernel): readonly WgslAlternative[] {
  const plain = foldFunctions(kernel).join("\n");
  if (![...foldsOf(kernel).values()].some((ops) => [...ops].some((op) => op !== "first"))) return [];
  return [
    { feature: "subgroups", plain, text: subgroupFolds(kernel).join("\n") },
    { feature: "subgroups", plain: entryHead, text: subgroupHead },
  ];
}

/**
 * What the greatest or the least of f32 is: that of integers in the same order, with NaN at the end where it wins.
 * Subgroups promise nothing for NaN, nor which of two zeros they give.
 */
const keys = `fn moec_fold_key(a: f32, nan: i32) -> i32 {
  let bits = bitcast<i32>(a);
  return select(bits ^ ((bits >> 31u) & 0x7fffffff), nan, moec_is_nan(a));
}
fn moec_fold_value(key: i32) -> f32 { return bitcast<f32>(key ^ ((key >> 31u) & 0x7fffffff)); }`;
const nanKeys = { min: "(-2147483647 - 1)", max: "2147483647" } as const;

type Type = "f32" | "i32";

/** The values of a subgroup, folded. */
function ofSubgroup(op: Exclude<FoldOp, "first">, type: Type): string {
  if (op === "add") return "subgroupAdd(value)";
  const own = op === "min" ? "subgroupMin" : "subgroupMax";
  return type === "i32" ? `${own}(value)` : `moec_fold_value(${own}(moec_fold_key(value, ${nanKeys[op]})))`;
}

/**
 * Each subgroup folds its values in registers, then every thread folds what the subgroups have. Folds take turns with two
 * lines of memory: a thread that writes for the next but one has met those that read this one's at the next.
 */
function subgroupFolds(kernel: Kernel): readonly string[] {
  const most = Math.ceil(kernel.threads / leastSubgroup);
  const lines = [
    "var<private> moec_subgroup: u32;",
    "var<private> moec_subgroups: u32;",
    "var<private> moec_turn: u32;",
    keys,
  ];
  for (const [type, ops] of foldsOf(kernel)) {
    const parts = `moec_parts_${type}`;
    const folds = [...ops].filter((op) => op !== "first");
    if (folds.length > 0) lines.push(`var<workgroup> ${parts}: array<${type}, ${2 * most}>;`);
    if (ops.has("first")) lines.push(...firstFold(type));
    for (const op of folds) {
      lines.push(
        `fn moec_fold_${op}_${type}(value: ${type}, thread: i32) -> ${type} {`,
        `  let own = ${ofSubgroup(op, type)};`,
        `  moec_turn = ${most}u - moec_turn;`,
        `  if (subgroupElect()) { ${parts}[moec_turn + moec_subgroup] = own; }`,
        "  workgroupBarrier();",
        `  var whole = ${parts}[moec_turn];`,
        "  for (var i = 1u; i < moec_subgroups; i++) {",
        `    let part = ${parts}[moec_turn + i];`,
        `    whole = ${joined[op](type, "whole", "part")};`,
        "  }",
        "  return whole;",
        "}",
      );
    }
  }
  return lines;
}
