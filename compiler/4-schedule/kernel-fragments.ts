/** Fragments of kernel IR: who holds them, what fits together, and what their statements evaluate. */
import type { Expression, FragmentStatement, MemoryType, Statement } from "./kernel-ir.js";
import { memoryBytes } from "./kernel-types.js";

/** Threads of a warp: they run side by side and hand each other registers, where a block has that many. */
export const warpThreads = 32;

/** Threads that hold a fragment together, where a block has that many. */
export const fragmentThreads = warpThreads;

export type FragmentDeclaration = Omit<FragmentStatement & { readonly kind: "fragment" }, "kind">;

export const isFragmentStatement = (statement: { readonly kind: string }): statement is FragmentStatement =>
  statement.kind === "fragment" || statement.kind.startsWith("fragment-");

/** True when the test holds for some of the statements, or of those inside. */
export function someStatement(statements: readonly Statement[], test: (statement: Statement) => boolean): boolean {
  return statements.some((statement) => {
    if (statement.kind === "for") return someStatement(statement.body, test);
    if (statement.kind === "if") return someStatement(statement.then, test) || someStatement(statement.else, test);
    return test(statement);
  });
}

/** True when some of the statements are of fragments. */
export const holdsFragments = (statements: readonly Statement[]): boolean =>
  someStatement(statements, isFragmentStatement);

/** True when threads hand each other registers: fragments, and folds across bits of the number of a thread. */
export const sharesRegisters = (statements: readonly Statement[]): boolean =>
  someStatement(
    statements,
    (one) => isFragmentStatement(one) || (one.kind === "block-fold" && one.across !== undefined),
  );

/** Expressions that a statement evaluates, in order. */
export function fragmentOperands(statement: FragmentStatement): readonly Expression[] {
  switch (statement.kind) {
    case "fragment-load":
    case "fragment-store":
      return [statement.index];
    case "fragment-scale":
      return [statement.rows.index, statement.columns.index];
    case "fragment-scale-rows":
      return [statement.rows.index];
    case "fragment":
    case "fragment-multiply":
      return [];
    default:
      return statement satisfies never;
  }
}

/** Buffers that a statement reads or writes. */
export function fragmentBuffers(
  statement: FragmentStatement,
): readonly { readonly buffer: string; readonly access: "read" | "write" }[] {
  switch (statement.kind) {
    case "fragment-load":
      return [{ buffer: statement.buffer, access: "read" }];
    case "fragment-store":
      return [{ buffer: statement.buffer, access: "write" }];
    case "fragment-scale":
      return [statement.rows, statement.columns].map(({ buffer }) => ({ buffer, access: "read" }));
    case "fragment-scale-rows":
      return [{ buffer: statement.rows.buffer, access: "read" }];
    case "fragment":
    case "fragment-multiply":
      return [];
    default:
      return statement satisfies never;
  }
}

/** What the products of factors are added up as. */
export const sumElement = (factor: FragmentDeclaration["element"]): FragmentDeclaration["element"] =>
  factor === "i8" ? "i32" : "f32";

/** Rows of a right factor that lie in one word of four bytes. */
export const rowsOfWord = ({ element }: Pick<FragmentDeclaration, "element">): number => 4 / memoryBytes[element];

/** `acc (sum f32[16, 16])`. */
const textOf = ({ name, role, element, rows, columns }: FragmentDeclaration): string =>
  `${name} (${role} ${element}[${rows}, ${columns}])`;

/** Says what is wrong with a statement: of names that are no fragments, shapes and elements that do not meet. */
export function fragmentProblem(
  statement: FragmentStatement,
  find: (name: string) => FragmentDeclaration | undefined,
  elementOf: (buffer: string) => MemoryType | undefined,
): string | undefined {
  switch (statement.kind) {
    case "fragment": {
      const { role, element, rows, columns } = statement;
      if (![rows, columns].every((size) => Number.isInteger(size) && size > 0))
        return `${textOf(statement)} has no size`;
      const isSum = element === "f32" || element === "i32";
      return isSum === (role === "sum") ? undefined : `${textOf(statement)} is no ${role}`;
    }
    case "fragment-load":
    case "fragment-store": {
      const fragment = find(statement.fragment);
      if (!fragment) return `${statement.fragment} is no fragment`;
      const { stride, order, buffer, kind } = statement;
      if (fragment.role !== "sum" && kind === "fragment-store") return `${textOf(fragment)} in a ${kind}`;
      if (elementOf(buffer) !== fragment.element) return `${textOf(fragment)} does not lie in ${buffer}`;
      const inWord = rowsOfWord(fragment);
      if (order === "words" && (fragment.role !== "right" || fragment.rows % inWord !== 0)) {
        return `${textOf(fragment)} does not lie in words`;
      }
      const line = { rows: fragment.columns, columns: fragment.rows, words: inWord * fragment.columns }[order];
      return Number.isInteger(stride) && stride >= line ? undefined : `lines of ${textOf(fragment)} ${stride} apart`;
    }
    case "fragment-multiply": {
      const [sum, left, right] = [statement.sum, statement.left, statement.right].map(find);
      if (!sum || !left || !right) return "a product of what is no fragment";
      const fits =
        left.role === "left" &&
        right.role === "right" &&
        left.element === right.element &&
        left.columns === right.rows &&
        sum.element === sumElement(left.element) &&
        sum.rows === left.rows &&
        sum.columns === right.columns;
      return fits ? undefined : `${textOf(sum)} is not ${textOf(left)} times ${textOf(right)}`;
    }
    case "fragment-scale": {
      const [sum, part] = [statement.sum, statement.part].map(find);
      if (sum?.element !== "f32" || part?.element !== "i32") return "integers are scaled into floats";
      if (sum.rows !== part.rows || sum.columns !== part.columns)
        return `${textOf(part)} is not added to ${textOf(sum)}`;
      const floats = [statement.rows, statement.columns].every(({ buffer }) => elementOf(buffer) === "f32");
      return floats ? undefined : "scales are f32";
    }
    case "fragment-scale-rows":
      if (find(statement.sum)?.element !== "f32") return "rows of floats are scaled";
      return elementOf(statement.rows.buffer) === "f32" ? undefined : "scales are f32";
    default:
      return statement satisfies never;
  }
}

/** Registers of 32 bits that each of the threads keeps for a fragment. */
export function fragmentRegisters({ element, rows, columns }: FragmentDeclaration): number {
  return (rows * columns * memoryBytes[element]) / (4 * fragmentThreads);
}
