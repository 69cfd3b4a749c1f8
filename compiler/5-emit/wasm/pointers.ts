/**
 * Addresses in innermost loops. An index such as `row * K + k` in a loop over k costs a multiplication, additions and a
 * shift in every turn, and the engine leaves them in the loop. Where an index is a whole multiple of the loop variable
 * plus parts that do not change, the loop gets a pointer that starts at the first address and advances by a constant.
 */
import type { Expression, Statement } from "../../4-schedule/kernel-ir.js";
import { printExpression } from "../../4-schedule/kernel-print.js";
import { operandsOf } from "../../4-schedule/kernel-types.js";

/** index = constant + coefficient * loop variable + sum of (factor * part); everything modulo 2^32. */
export interface LinearIndex {
  readonly constant: number;
  readonly coefficient: number;
  readonly parts: ReadonlyMap<string, { readonly expression: Expression; readonly factor: number }>;
}

/** What is known about the registers of a loop body. */
export interface LoopFacts {
  readonly variable: string;
  /** Registers that the body defines or assigns. */
  readonly changing: ReadonlySet<string>;
  /** Immutable registers that the body defines. */
  readonly lets: ReadonlyMap<string, Expression>;
}

/** More pointers than this do not stay in registers. */
const maximumPointers = 8;

export interface Pointer {
  readonly local: number;
  readonly index: LinearIndex;
  readonly unit: number;
  readonly buffer: string;
  /** What pointers that differ by a constant have in common. */
  readonly line: string;
  /** Every turn makes an access at this address or up to `maximumOffset` above it. */
  readonly isSure: boolean;
}

/** Pointers of one loop by the key of their address. */
export class Pointers {
  readonly list = new Map<string, Pointer>();
  /** What an index is in this loop: asked when pointers are made, and again where they are used. */
  private readonly forms = new Map<Expression, LinearIndex | undefined>();

  constructor(private readonly facts: LoopFacts) {}

  private form(index: Expression): LinearIndex | undefined {
    if (this.forms.has(index)) return this.forms.get(index);
    const form = linearIndex(index, this.facts);
    this.forms.set(index, form);
    return form;
  }

  /** The address of this index as a pointer of the loop and a constant number of bytes beyond it. */
  find(
    buffer: string,
    unit: number,
    index: Expression,
  ): { readonly local: number; readonly offset: number } | undefined {
    if (this.list.size === 0) return undefined;
    const linear = this.form(index);
    if (!linear) return undefined;
    const folded = splitOffset(linear.constant, unit);
    const pointer = this.list.get(pointerKey(buffer, unit, linear, folded.rest));
    if (pointer) return { local: pointer.local, offset: folded.offset };
    const below = this.below(buffer, unit, linear);
    return below && { local: below.local, offset: (linear.constant - below.index.constant) * unit };
  }

  /**
   * Make a pointer for an access, unless it has one, cannot have one, or there are enough.
   *
   * @param isSure Every turn makes the access, so that its address is one of the buffer.
   */
  add(buffer: string, unit: number, index: Expression, isSure: boolean, local: () => number): void {
    const linear = this.form(index);
    if (!linear || linear.coefficient === 0 || this.list.size >= maximumPointers) return;
    const { rest } = splitOffset(linear.constant, unit);
    const key = pointerKey(buffer, unit, linear, rest);
    if (this.list.has(key) || (isSure && this.below(buffer, unit, linear))) return;
    this.list.set(key, {
      ...{ local: local(), buffer, unit, isSure, index: { ...linear, constant: rest } },
      line: pointerKey(buffer, unit, linear, 0),
    });
  }

  /** A pointer that an instruction reaches this index from, however far: rows and panels lie evenly. */
  private below(buffer: string, unit: number, linear: LinearIndex): Pointer | undefined {
    const own = pointerKey(buffer, unit, linear, 0);
    for (const pointer of this.list.values()) {
      const { index, isSure, line } = pointer;
      const distance = (linear.constant - index.constant) * unit;
      if (isSure && line === own && index.constant >= 0 && distance >= 0 && distance <= maximumReach) return pointer;
    }
    return undefined;
  }
}

/** Bytes between a pointer and what is reached from it; the pointer itself is the address of another access, so no sum wraps. */
const maximumReach = 1 << 24;

/** Bytes that may be taken out of the index of a new pointer: buffers lie at 1024 or above, so it stays positive. */
export const maximumOffset = 1024;

/** The constant of an index as bytes for the instruction and elements that stay in the index. */
export function splitOffset(constant: number, unit: number): { readonly offset: number; readonly rest: number } {
  const fits = constant >= 0 && constant * unit <= maximumOffset;
  return fits ? { offset: constant * unit, rest: 0 } : { offset: 0, rest: constant };
}

function pointerKey(buffer: string, unit: number, index: LinearIndex, rest: number): string {
  const { parts, coefficient } = index;
  const texts = parts.size === 0 ? [] : [...parts].map(([key, { factor }]) => `${factor}*${key}`).sort();
  return `${buffer} ${unit} ${coefficient} ${rest} ${texts.join(" ")}`;
}

function constantIndex(value: number): LinearIndex {
  return { constant: value | 0, coefficient: 0, parts: new Map() };
}

function sum(a: LinearIndex, b: LinearIndex, sign: 1 | -1): LinearIndex {
  const parts = new Map(a.parts);
  for (const [key, { expression, factor }] of b.parts) {
    const total = ((parts.get(key)?.factor ?? 0) + sign * factor) | 0;
    if (total === 0) parts.delete(key);
    else parts.set(key, { expression, factor: total });
  }
  return {
    constant: (a.constant + sign * b.constant) | 0,
    coefficient: (a.coefficient + sign * b.coefficient) | 0,
    parts,
  };
}

function scaled(a: LinearIndex, factor: number): LinearIndex {
  const parts = [...a.parts].map(([key, part]) => [key, { ...part, factor: Math.imul(part.factor, factor) }] as const);
  return {
    constant: Math.imul(a.constant, factor),
    coefficient: Math.imul(a.coefficient, factor),
    parts: new Map(parts),
  };
}

const isConstant = (index: LinearIndex): boolean => index.coefficient === 0 && index.parts.size === 0;

/** The linear form of an index in a loop, or undefined when it is not linear or reads what the loop changes. */
export function linearIndex(expression: Expression, facts: LoopFacts): LinearIndex | undefined {
  if (expression.kind === "constant") return constantIndex(expression.value);
  if (expression.kind === "get") {
    if (expression.name === facts.variable) return { constant: 0, coefficient: 1, parts: new Map() };
    const value = facts.lets.get(expression.name);
    if (value) return linearIndex(value, facts);
  }
  if (expression.kind === "binary" && (expression.op === "add" || expression.op === "sub")) {
    const left = linearIndex(expression.left, facts);
    const right = left && linearIndex(expression.right, facts);
    return right && sum(left, right, expression.op === "add" ? 1 : -1);
  }
  if (expression.kind === "binary" && (expression.op === "mul" || expression.op === "shl")) {
    const left = linearIndex(expression.left, facts);
    const right = left && linearIndex(expression.right, facts);
    if (!right) return undefined;
    if (isConstant(right)) return scaled(left, expression.op === "mul" ? right.constant : 1 << (right.constant & 31));
    if (expression.op === "mul" && isConstant(left)) return scaled(right, left.constant);
  }
  if (!unchanging(expression, facts)) return undefined;
  const key = printExpression(expression);
  return { constant: 0, coefficient: 0, parts: new Map([[key, { expression, factor: 1 }]]) };
}

/** Whether an expression has the same value in every turn and reads no memory. */
function unchanging(expression: Expression, facts: LoopFacts): boolean {
  if (expression.kind === "load") return false;
  if (expression.kind === "get") return expression.name !== facts.variable && !facts.changing.has(expression.name);
  return operandsOf(expression).every((operand) => unchanging(operand, facts));
}

/** A load or store of a loop body. */
export interface Access {
  readonly buffer: string;
  readonly index: Expression;
  /** Every turn makes it. */
  readonly isSure: boolean;
}

/** Accesses of a loop body in order, or undefined when it holds another loop. */
export function accessesOf(body: readonly Statement[], found: Access[] = [], isSure = true): typeof found | undefined {
  const inside = (expression: Expression): void => {
    if (expression.kind === "load") found.push({ buffer: expression.buffer, index: expression.index, isSure });
    operandsOf(expression).forEach(inside);
  };
  for (const statement of body) {
    switch (statement.kind) {
      case "let":
      case "var":
      case "assign":
      case "block-fold":
        inside(statement.value);
        break;
      case "store":
        found.push({ buffer: statement.buffer, index: statement.index, isSure });
        inside(statement.index);
        inside(statement.value);
        break;
      case "atomic-add":
        inside(statement.index);
        inside(statement.value);
        break;
      case "if":
        inside(statement.condition);
        if (!accessesOf(statement.then, found, false) || !accessesOf(statement.else, found, false)) return undefined;
        break;
      case "for":
        return undefined;
      case "barrier":
      case "prefetch":
        break;
      case "fragment":
      case "fragment-load":
      case "fragment-store":
      case "fragment-multiply":
      case "fragment-scale":
      case "fragment-scale-rows":
        break;
      default:
        statement satisfies never;
    }
  }
  return found;
}

/** Names that a loop body gives a value to, and its immutable ones. */
export function loopFacts(variable: string, body: readonly Statement[]): LoopFacts {
  const changing = new Set<string>();
  const lets = new Map<string, Expression>();
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === "let" || statement.kind === "var" || statement.kind === "assign")
        changing.add(statement.name);
      if (statement.kind === "let") lets.set(statement.name, statement.value);
      if (statement.kind === "block-fold") changing.add(statement.name);
      if (statement.kind === "atomic-add" && statement.result !== undefined) changing.add(statement.result);
      if (statement.kind === "if") {
        visit(statement.then);
        visit(statement.else);
      }
    }
  };
  visit(body);
  return { variable, changing, lets };
}
