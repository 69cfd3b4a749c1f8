/** Statements of kernel IR as WebAssembly, with pointers for the addresses of innermost loops. */
import type { Expression, FragmentStatement, Statement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import { emitExpression } from "./expressions.js";
import type { WasmFunction } from "./function.js";
import * as wasm from "./instructions.js";
import type { Ref } from "./instructions.js";
import { addressOf, emitStore } from "./memory.js";
import { accessesOf, loopFacts, Pointers, type Pointer } from "./pointers.js";

export function emitStatements(f: WasmFunction, statements: readonly Statement[]): void {
  for (const statement of statements) emitStatement(f, statement);
}

function emitStatement(f: WasmFunction, statement: Statement): void {
  switch (statement.kind) {
    // A block has one thread, whose value is that of all.
    case "block-fold":
    case "let":
    case "var": {
      const value = emitExpression(f, statement.value);
      return f.emit(wasm.local.set(f.define(statement.name, statement.value.type), value));
    }
    case "assign":
      return f.emit(wasm.local.set(f.register(statement.name), emitExpression(f, statement.value)));
    case "store":
      return f.emit(emitStore(f, statement, emitExpression));
    case "for":
      return emitLoop(f, statement);
    case "if": {
      const condition = emitExpression(f, statement.condition);
      const then = f.nested(() => emitStatements(f, statement.then));
      if (statement.else.length === 0) return f.emit(wasm.ifThen(condition, then));
      return f.emit(
        wasm.ifThen(
          condition,
          then,
          f.nested(() => emitStatements(f, statement.else)),
        ),
      );
    }
    case "barrier":
    case "prefetch":
      // A block has one thread, which never waits; and there is no such hint.
      return;
    case "atomic-add":
      return emitAtomicAdd(f, statement);
    default:
      statement satisfies FragmentStatement;
      throw moecError("MOE4240", { target: "WebAssembly", lacks: "matrices in registers" });
  }
}

function emitAtomicAdd(f: WasmFunction, statement: Statement & { kind: "atomic-add" }): void {
  const { base, offset } = addressOf(f, statement.buffer, statement.index, emitExpression);
  const value = emitExpression(f, statement.value);
  const result = statement.result === undefined ? undefined : f.define(statement.result, { element: "i32", lanes: 1 });
  f.isAtomic = true;
  if (f.features.threads) {
    const old = wasm.i32.atomic_rmw_add(offset, base, value);
    return f.emit(result === undefined ? wasm.drop(old) : wasm.local.set(result, old));
  }
  const address = f.local(wasm.types.i32);
  const old = result ?? f.local(wasm.types.i32);
  const get = (local: number): Ref => wasm.local.get(local);
  f.emit(wasm.local.set(address, base));
  f.emit(wasm.local.set(old, wasm.i32.load(offset, 4, get(address))));
  f.emit(wasm.i32.store(offset, 4, get(address), wasm.i32.add(get(old), value)));
}

/** A bound that the loop can read again in every turn. */
function stable(f: WasmFunction, bound: Expression, changing: ReadonlySet<string>): () => Ref {
  const again = bound.kind === "constant" || (bound.kind === "get" && !changing.has(bound.name));
  if (again) return () => emitExpression(f, bound);
  const local = f.local(wasm.types.i32);
  f.emit(wasm.local.set(local, emitExpression(f, bound)));
  return () => wasm.local.get(local);
}

function emitLoop(f: WasmFunction, loop: Statement & { kind: "for" }): void {
  const facts = loopFacts(loop.name, loop.body);
  const accesses = accessesOf(loop.body);
  // Vars of inner loops may be the bound of this one, so without full facts every register counts as changing.
  const to = stable(f, loop.to, accesses ? facts.changing : everything);
  const variable = f.define(loop.name, { element: "i32", lanes: 1 });
  f.emit(wasm.local.set(variable, emitExpression(f, loop.from)));
  const current = (): Ref => wasm.local.get(variable);
  const label = f.label();
  const outer = f.pointers;
  const pointers = new Pointers(facts);
  for (const { buffer, index, isSure } of accesses ?? []) {
    pointers.add(buffer, memoryBytes[f.buffer(buffer).element], index, isSure, () => f.local(wasm.types.i32));
  }
  const whole = f.nested(() => {
    f.pointers = undefined;
    for (const pointer of pointers.list.values()) f.emit(wasm.local.set(pointer.local, startOf(f, pointer, current())));
    f.pointers = pointers;
    const counter = [...pointers.list.values()].find(({ index }) => index.coefficient !== 0);
    let isCounted = true;
    const end = f.local(wasm.types.i32);
    const body = f.nested(() => {
      const isRead = f.isRead(loop.name, () => emitStatements(f, loop.body));
      isCounted = isRead || counter === undefined;
      for (const pointer of pointers.list.values()) {
        const { local } = pointer;
        f.emit(wasm.local.set(local, wasm.i32.add(wasm.local.get(local), wasm.i32.const(bytesOfTurn(pointer, loop)))));
      }
      if (isCounted) {
        f.emit(wasm.local.set(variable, wasm.i32.add(current(), wasm.i32.const(loop.step))));
        f.emit(wasm.br_if(label, wasm.i32.lt_s(current(), to())));
      } else {
        f.emit(wasm.br_if(label, wasm.i32.ne(wasm.local.get(counter!.local), wasm.local.get(end))));
      }
    });
    if (!isCounted) {
      // Nobody asks for the number of the turn, so a pointer counts: it ends where the last turn leaves it.
      const reach = wasm.i32.sub(to(), current());
      const turns =
        loop.step === 1
          ? reach
          : wasm.i32.div_s(wasm.i32.add(reach, wasm.i32.const(loop.step - 1)), wasm.i32.const(loop.step));
      const length = wasm.i32.mul(turns, wasm.i32.const(bytesOfTurn(counter!, loop)));
      f.emit(wasm.local.set(end, wasm.i32.add(wasm.local.get(counter!.local), length)));
    }
    f.emit(wasm.loop(label, body));
  });
  f.pointers = outer;
  f.emit(wasm.ifThen(wasm.i32.lt_s(current(), to()), whole));
}

const everything: ReadonlySet<string> = { has: () => true } as unknown as ReadonlySet<string>;

/** Bytes by which a pointer advances in one turn. */
function bytesOfTurn({ index, unit }: Pointer, loop: Statement & { kind: "for" }): number {
  return Math.imul(Math.imul(index.coefficient, loop.step), unit);
}

/** Byte address of a pointer before the first turn. */
function startOf(f: WasmFunction, pointer: Pointer, variable: Ref): Ref {
  const { index, unit } = pointer;
  const times = (value: Ref, factor: number): Ref =>
    factor === 1 ? value : wasm.i32.mul(value, wasm.i32.const(factor));
  let address = wasm.i32.add(
    wasm.local.get(f.buffer(pointer.buffer).local),
    wasm.i32.const(Math.imul(index.constant, unit)),
  );
  address = wasm.i32.add(address, times(variable, Math.imul(index.coefficient, unit)));
  for (const { expression, factor } of index.parts.values()) {
    address = wasm.i32.add(address, times(emitExpression(f, expression), Math.imul(factor, unit)));
  }
  return address;
}
