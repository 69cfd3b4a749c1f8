/** The body of one function as bytes: its locals, then its instructions, operands before what takes them. */
import type { ByteSink } from "./bytes.js";
import { types, type Coded, type Ref, type WasmType } from "./instructions.js";

/** Numbers of what lies outside of a function. */
export interface Numbers {
  function(name: string): number;
  global(name: string): number;
}

const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BR_IF = 0x0d;
const GLOBAL_GET = 0x23;
const I32_CONST = 0x41;
const F32_CONST = 0x43;

/** How many locals of each type there are, and which number each has: those of a type lie side by side. */
function numbered(
  parameters: number,
  locals: readonly WasmType[],
): { readonly counts: ReadonlyMap<WasmType, number>; readonly numbers: readonly number[] } {
  const counts = new Map<WasmType, number>();
  for (const type of locals) counts.set(type, (counts.get(type) ?? 0) + 1);
  const next = new Map<WasmType, number>();
  let first = parameters;
  for (const [type, count] of counts) {
    next.set(type, first);
    first += count;
  }
  const numbers = Array.from({ length: parameters }, (_, parameter) => parameter);
  for (const type of locals) {
    numbers.push(next.get(type)!);
    next.set(type, next.get(type)! + 1);
  }
  return { counts, numbers };
}

class BodyWriter {
  /** Of the blocks around, the innermost last; undefined for those that nothing branches to. */
  private readonly labels: (string | undefined)[] = [];

  constructor(
    private readonly to: ByteSink,
    private readonly outside: Numbers,
    private readonly locals: readonly number[],
  ) {}

  /** What lies in a block of its own already, such as a loop's body, needs no second one. */
  contents(ref: Ref): void {
    if (ref.kind === "block") for (const inner of ref.list) this.write(inner);
    else this.write(ref);
  }

  private code(code: number): void {
    if (code < 0x100) return this.to.byte(code);
    this.to.byte(code >>> 16);
    this.to.unsigned(code & 0xffff);
  }

  private open(code: number, label: string | undefined): void {
    this.to.byte(code);
    this.to.byte(types.none);
    this.labels.push(label);
  }

  private close(): void {
    this.labels.pop();
    this.to.byte(END);
  }

  private write(ref: Ref): void {
    const { to } = this;
    switch (ref.kind) {
      case "i32.const":
        to.byte(I32_CONST);
        return to.signed(ref.value);
      case "f32.const":
        to.byte(F32_CONST);
        return to.f32(ref.value);
      case "global":
        to.byte(GLOBAL_GET);
        return to.unsigned(this.outside.global(ref.name));
      case "block":
        return this.contents(ref);
      case "loop":
        this.open(LOOP, ref.label);
        this.contents(ref.body);
        return this.close();
      case "if":
        this.write(ref.condition);
        this.open(IF, undefined);
        this.contents(ref.then);
        if (ref.otherwise) {
          to.byte(ELSE);
          this.contents(ref.otherwise);
        }
        return this.close();
      case "br_if":
        this.write(ref.condition);
        to.byte(BR_IF);
        return to.unsigned(this.labels.length - 1 - this.labels.lastIndexOf(ref.label));
      default:
        return this.coded(ref);
    }
  }

  /** Operands, the number of the instruction, and what stands behind it. */
  private coded(ref: Extract<Ref, Coded>): void {
    const { to } = this;
    for (const operand of ref.operands) this.write(operand);
    this.code(ref.code);
    switch (ref.kind) {
      case "plain":
        return;
      case "lane":
        return to.byte(ref.lane);
      case "bytes":
        return to.raw(ref.bytes);
      case "memory":
        to.unsigned(Math.log2(ref.alignment));
        to.unsigned(ref.offset);
        if (ref.lane !== undefined) to.byte(ref.lane);
        return;
      case "local":
        return to.unsigned(this.locals[ref.local]!);
      case "call":
        return to.unsigned(this.outside.function(ref.name));
      default:
        ref satisfies never;
    }
  }
}

/**
 * Writes a body.
 *
 * @param parameters How many parameters there are: the first locals.
 * @param locals Types of the others, in the order of their numbers in `body`.
 */
export function writeBody(
  to: ByteSink,
  outside: Numbers,
  parameters: number,
  locals: readonly WasmType[],
  body: Ref,
): void {
  const { counts, numbers } = numbered(parameters, locals);
  to.unsigned(counts.size);
  for (const [type, count] of counts) {
    to.unsigned(count);
    to.byte(type);
  }
  new BodyWriter(to, outside, numbers).contents(body);
  to.byte(END);
}
