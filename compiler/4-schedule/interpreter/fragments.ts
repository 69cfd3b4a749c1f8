/**
 * Fragments in the interpreter: the first of the threads that hold one keeps the whole matrix. What other threads have
 * written for it lies behind a barrier, so it does not matter that the first one does all the work at its turn.
 */
import { add, constant, div, mul, rem } from "../kernel-expressions.js";
import { fragmentThreads, rowsOfWord, type FragmentDeclaration } from "../kernel-fragments.js";
import type { Expression, FragmentPlace, FragmentStatement } from "../kernel-ir.js";
import { f32, i32 } from "../kernel-types.js";
import { laneTexts, named, viewIndex, type Writer } from "./expressions.js";
import { encoded, viewOf } from "./memory.js";

/** Loop variables over the rows and columns of a matrix; no register of a kernel is called so. */
const row: Expression = { kind: "get", name: "$row", type: i32 };
const column: Expression = { kind: "get", name: "$column", type: i32 };
const [r, c] = ["$$row", "$$column"];

const matrix = (name: string): string => `$$matrix_${name}`;

/** @param find The declaration of a fragment that was passed before. */
export function writeFragment(
  writer: Writer,
  statement: FragmentStatement,
  threads: number,
  find: (name: string) => FragmentDeclaration,
): void {
  if (statement.kind === "fragment") {
    const { name, rows, columns } = statement;
    return writer.line(`const ${matrix(name)} = new Float64Array(${rows * columns});`);
  }
  if (threads > 1) writer.line(`if ($$thread % ${fragmentThreads} === 0) {`);
  writeWhole(writer, statement, find);
  if (threads > 1) writer.line("}");
}

function writeWhole(
  writer: Writer,
  statement: Exclude<FragmentStatement, { readonly kind: "fragment" }>,
  find: (name: string) => FragmentDeclaration,
): void {
  const overAll = ({ rows, columns }: FragmentDeclaration, body: (element: string) => void): void => {
    writer.line(`for (let ${r} = 0; ${r} < ${rows}; ${r}++) for (let ${c} = 0; ${c} < ${columns}; ${c}++) {`);
    body(`[${r} * ${columns} + ${c}]`);
    writer.line("}");
  };
  switch (statement.kind) {
    case "fragment-load":
    case "fragment-store": {
      const { fragment, buffer, index, stride, order, kind } = statement;
      const inWord = constant(rowsOfWord(find(fragment)));
      const within = {
        rows: () => add(mul(row, stride), column),
        columns: () => add(mul(column, stride), row),
        words: () => add(mul(div(row, inWord), stride), add(mul(column, inWord), rem(row, inWord))),
      };
      const at = add(index, within[order]());
      const { element } = writer.buffer(buffer);
      return overAll(find(fragment), (own) => {
        const target = `${matrix(fragment)}${own}`;
        if (kind === "fragment-load") return writer.line(`${target} = ${loaded(writer, { buffer, index: at })};`);
        const start = viewIndex(writer, writer.buffer(buffer), undefined, at, 1, "written");
        writer.line(`${writer.buffer(buffer).views}${viewOf[element]}[${start}] = ${encoded(element, target)};`);
      });
    }
    case "fragment-multiply": {
      const [sum, left, right] = [statement.sum, statement.left, statement.right].map(find) as [
        FragmentDeclaration,
        FragmentDeclaration,
        FragmentDeclaration,
      ];
      const product = `${matrix(left.name)}[${r} * ${left.columns} + k] * ${matrix(right.name)}[k * ${right.columns} + ${c}]`;
      const next = sum.element === "i32" ? `(sum + ${product}) | 0` : `fround(sum + ${product})`;
      return overAll(sum, (own) => {
        writer.line(`let sum = ${matrix(sum.name)}${own};`);
        writer.line(`for (let k = 0; k < ${left.columns}; k++) sum = ${next};`);
        writer.line(`${matrix(sum.name)}${own} = sum;`);
      });
    }
    case "fragment-scale": {
      const { sum, part, rows, columns } = statement;
      return overAll(find(sum), (own) => {
        const left = named(writer, loaded(writer, { ...rows, index: add(rows.index, row) }));
        const right = named(writer, loaded(writer, { ...columns, index: add(columns.index, column) }));
        const target = `${matrix(sum)}${own}`;
        const scaled = `fround(fround(${matrix(part)}${own}) * fround(${left} * ${right}))`;
        writer.line(`${target} = fround(${target} + ${scaled});`);
      });
    }
    case "fragment-scale-rows": {
      const { sum, rows } = statement;
      return overAll(find(sum), (own) => {
        const factor = named(writer, loaded(writer, { ...rows, index: add(rows.index, row) }));
        writer.line(`${matrix(sum)}${own} = fround(${matrix(sum)}${own} * ${factor});`);
      });
    }
    default:
      statement satisfies never;
  }
}

function loaded(writer: Writer, { buffer, index }: FragmentPlace): string {
  const { element } = writer.buffer(buffer);
  const type = element === "i8" || element === "i32" ? i32 : f32;
  return laneTexts(writer, { kind: "load", buffer, index, type })[0]!;
}
