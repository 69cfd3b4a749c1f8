/**
 * Fragments on tensor cores: matrices of 16 x 16, or 16 x 32 bytes, in the registers of a warp. Factors come out of shared
 * memory by `ldmatrix`, products go through `mma.sync` (PTX ISA, "Matrix multiply-accumulate operation using mma").
 */
import { moecError } from "../../errors/raise.js";
import type { FragmentDeclaration } from "../../4-schedule/kernel-fragments.js";
import { fragmentRegisters } from "../../4-schedule/kernel-fragments.js";
import type { FragmentStatement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import type { Dialect } from "../lanes/dialect.js";

/** Rows and columns of sums, and bytes of a line of a factor. */
const SIDE = 16;
const LINE_BYTES = 32;

function declared(fragment: FragmentDeclaration, name: string): string {
  const { role, element, rows, columns } = fragment;
  const depth = role === "sum" ? SIDE : LINE_BYTES / memoryBytes[element];
  const [tall, wide] = role === "left" ? [SIDE, depth] : role === "right" ? [depth, SIDE] : [SIDE, SIDE];
  if (rows !== tall || columns !== wide) throw new TypeError(`tensor cores have no ${element}[${rows}, ${columns}]`);
  const type = role !== "sum" ? "unsigned" : element === "f32" ? "float" : "int";
  return `${type} ${name}[${fragmentRegisters(fragment)}] = {};`;
}

function sharedOnly({ buffer }: { readonly buffer: { readonly name: string; readonly space: string } }): void {
  if (buffer.space !== "shared") throw new TypeError(`tensor cores read shared memory, which ${buffer.name} is not`);
}

export const cudaFragment: NonNullable<Dialect["fragment"]> = (statement: FragmentStatement, find, nameOf, place) => {
  const pointer = (at: Parameters<typeof place>[0]): string => {
    const { buffer, index } = place(at);
    return `${buffer.name} + ${index}`;
  };
  switch (statement.kind) {
    case "fragment":
      return declared(statement, nameOf(statement.name));
    case "fragment-load": {
      const { role, element } = find(statement.fragment);
      if (role === "sum") throw moecError("MOE4240", { target: "CUDA", lacks: "sums that are loaded" });
      if (statement.order === "words")
        throw moecError("MOE4240", { target: "CUDA", lacks: "factors that lie in words" });
      const rows = statement.order === "rows";
      // Only two bytes at a time are exchanged between lines and columns.
      if (element === "i8" && rows !== (role === "left")) throw new TypeError("bytes lie along the contracted axis");
      sharedOnly(place(statement));
      const shape = `${role === "left"}, ${rows}`;
      const stride = statement.stride * memoryBytes[element];
      return `moec_load_fragment<${shape}, ${stride}>(${nameOf(statement.fragment)}, ${pointer(statement)});`;
    }
    case "fragment-multiply": {
      const [sum, left, right] = [statement.sum, statement.left, statement.right].map(nameOf) as [
        string,
        string,
        string,
      ];
      return `moec_multiply_${find(statement.left).element}(${sum}, ${left}, ${right});`;
    }
    case "fragment-scale": {
      const [sum, part] = [nameOf(statement.sum), nameOf(statement.part)];
      return `moec_scale_fragment(${sum}, ${part}, ${pointer(statement.rows)}, ${pointer(statement.columns)});`;
    }
    case "fragment-scale-rows":
      return `moec_scale_fragment_rows(${nameOf(statement.sum)}, ${pointer(statement.rows)});`;
    case "fragment-store": {
      const { stride, order } = statement;
      const [down, across] = order === "rows" ? [stride, 1] : [1, stride];
      return `moec_store_fragment<${down}, ${across}>(${nameOf(statement.fragment)}, ${pointer(statement)});`;
    }
    default:
      return statement satisfies never;
  }
};
