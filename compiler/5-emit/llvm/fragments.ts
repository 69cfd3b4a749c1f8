/**
 * Fragments of kernel IR in the tile registers of AMX: 16 rows of 64 bytes each, whose shapes are set once for a kernel.
 * Four registers hold sums, two each the factors, so that products which need not wait for one another are under way
 * together. A register is taken again when what it held is used no more, the one that has been free longest first.
 */
import type {
  Expression,
  FragmentOrder,
  FragmentPlace,
  FragmentStatement,
  Kernel,
  Statement,
} from "../../4-schedule/kernel-ir.js";
import {
  holdsFragments,
  isFragmentStatement,
  rowsOfWord,
  someStatement,
  type FragmentDeclaration,
} from "../../4-schedule/kernel-fragments.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { LlvmFunction, Value } from "./function.js";
import { elementPointer } from "./memory.js";

type Role = FragmentDeclaration["role"];

const registersOf: Readonly<Record<Role, readonly number[]>> = { sum: [0, 1, 2, 3], left: [4, 5], right: [6, 7] };

const lacks = (what: string): Error => moecError("MOE4240", { target: "AMX", lacks: what });

interface Held {
  readonly register: number;
  readonly role: Role;
  /** True when it is loaded before it is used, so that it need not be cleared. */
  readonly isLoaded: boolean;
}

/** Tile registers of the fragments of a kernel, and the shapes of these registers. */
export interface FragmentPlan {
  readonly held: ReadonlyMap<string, Held>;
  readonly shapes: ReadonlyMap<Role, FragmentDeclaration>;
}

const namesOf = (statement: FragmentStatement): readonly string[] => {
  switch (statement.kind) {
    case "fragment":
      return [statement.name];
    case "fragment-load":
    case "fragment-store":
      return [statement.fragment];
    case "fragment-multiply":
      return [statement.sum, statement.left, statement.right];
    case "fragment-scale":
      return [statement.sum, statement.part];
    case "fragment-scale-rows":
      return [statement.sum];
  }
};

const uses = (statement: Statement, name: string): boolean =>
  someStatement([statement], (one) => isFragmentStatement(one) && namesOf(one).includes(name));

class Planner {
  readonly held = new Map<string, Held>();
  readonly shapes = new Map<Role, FragmentDeclaration>();

  constructor(private readonly kernel: string) {}

  /** `free`: registers of each role that hold nothing, the one that has been free longest first. */
  plan(statements: readonly Statement[], free: Readonly<Record<Role, readonly number[]>>): void {
    const now = { sum: [...free.sum], left: [...free.left], right: [...free.right] };
    const ends = new Map<number, { readonly role: Role; readonly register: number }[]>();
    statements.forEach((statement, i) => {
      if (statement.kind === "for") this.plan(statement.body, now);
      if (statement.kind === "if") [statement.then, statement.else].forEach((body) => this.plan(body, now));
      if (statement.kind === "fragment") {
        const { name, role } = statement;
        this.shape(statement);
        const register = now[role].shift();
        if (register === undefined) throw new TypeError(`kernel ${this.kernel}: no tile register is left for ${name}`);
        const later = statements.flatMap((other, at) => (at > i && uses(other, name) ? [at] : []));
        const end = later.at(-1) ?? i;
        ends.set(end, [...(ends.get(end) ?? []), { role, register }]);
        const next = statements[later[0] ?? i];
        this.held.set(name, { register, role, isLoaded: next?.kind === "fragment-load" });
      }
      for (const { role, register } of ends.get(i) ?? []) now[role].push(register);
    });
  }

  private shape(fragment: FragmentDeclaration): void {
    const { role, element, name } = fragment;
    if (element !== (role === "sum" ? "f32" : "bf16"))
      throw lacks(`${role === "sum" ? "sums" : "factors"} of ${element}`);
    const { lines, bytes } = registerShape(fragment);
    const known = registerShape(this.shapes.get(role) ?? fragment);
    if (known.lines !== lines || known.bytes !== bytes || lines > 16 || bytes > 64) {
      throw new TypeError(`kernel ${this.kernel}: ${name} does not fit the tile registers`);
    }
    this.shapes.set(role, fragment);
  }
}

/** A right factor has a word of each column in a line, and everything else lies by rows. */
function registerShape(fragment: FragmentDeclaration): { readonly lines: number; readonly bytes: number } {
  const { role, element, rows, columns } = fragment;
  if (role !== "right") return { lines: rows, bytes: columns * memoryBytes[element] };
  return { lines: rows / rowsOfWord(fragment), bytes: 4 * columns };
}

/** The 64 bytes that say which shapes the registers have: a palette, then bytes of a row, then rows. */
function shapeBytes(shapes: FragmentPlan["shapes"]): readonly number[] {
  const bytes = Array<number>(64).fill(0);
  bytes[0] = 1;
  for (const [role, fragment] of shapes) {
    const shape = registerShape(fragment);
    for (const register of registersOf[role]) {
      bytes[16 + 2 * register] = shape.bytes;
      bytes[48 + register] = shape.lines;
    }
  }
  return bytes;
}

/**
 * Sets the shapes of the tile registers for a kernel with fragments, and gives what leaves them.
 *
 * @throws MoecError MOE4240 when the target has none, or none for such numbers.
 */
export function beginFragments(f: LlvmFunction, kernel: Kernel): () => void {
  if (!holdsFragments(kernel.body)) return () => undefined;
  if (!f.target.tiles?.matrices) {
    throw moecError("MOE4240", { target: f.target.name, lacks: "matrices in registers" });
  }
  const planner = new Planner(kernel.name);
  planner.plan(kernel.body, registersOf);
  f.fragments = planner;
  const bytes = shapeBytes(planner.shapes).map((value) => value.toString(16).padStart(2, "0"));
  const name = `@moec_tiles_${bytes.filter((text) => text !== "00").join("")}`;
  f.constant(`${name} = private unnamed_addr constant [64 x i8] c"${bytes.map((text) => `\\${text}`).join("")}"`);
  const start = f.value("i8*", `getelementptr inbounds [64 x i8], [64 x i8]* ${name}, i64 0, i64 0`, "tiles");
  f.effect("llvm.x86.ldtilecfg", [start]);
  return () => f.effect("llvm.x86.tilerelease", []);
}

/** @throws MoecError MOE4240 for an order in memory that is not that of a register, and for scales. */
export function emitFragment(
  f: LlvmFunction,
  statement: FragmentStatement,
  emit: (f: LlvmFunction, expression: Expression) => Value,
): void {
  const find = (name: string): Held => f.fragments!.held.get(name)!;
  const tile = (name: string): Value => ({ type: "i8", text: String(find(name).register) });
  /** A register takes lines as they lie, so the order has to be that of the instruction. */
  const mustLie = ({ fragment, order }: { readonly fragment: string; readonly order: FragmentOrder }): void => {
    const { role } = find(fragment);
    if (order !== (role === "right" ? "words" : "rows")) throw lacks(`${role} fragments that lie by ${order}`);
  };
  const lines = ({ buffer, index, stride }: FragmentPlace & { readonly stride: number }): readonly [Value, Value] => [
    { type: "i8*", text: elementPointer(f, buffer, "i8", index, emit) },
    { type: "i64", text: String(stride * memoryBytes[f.buffer(buffer).element]) },
  ];
  switch (statement.kind) {
    case "fragment":
      if (!find(statement.name).isLoaded) f.effect("llvm.x86.tilezero", [tile(statement.name)]);
      return;
    case "fragment-load":
      mustLie(statement);
      return f.effect("llvm.x86.tileloadd64", [tile(statement.fragment), ...lines(statement)]);
    case "fragment-multiply":
      return f.effect("llvm.x86.tdpbf16ps", [statement.sum, statement.left, statement.right].map(tile));
    case "fragment-store":
      mustLie(statement);
      return f.effect("llvm.x86.tilestored64", [tile(statement.fragment), ...lines(statement)]);
    case "fragment-scale":
    case "fragment-scale-rows":
      throw lacks("sums that are scaled");
    default:
      statement satisfies never;
  }
}
