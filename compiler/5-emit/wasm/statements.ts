/** Statements of kernel IR as WebAssembly, with pointers for the addresses of innermost loops. */
import type { Expression, FragmentStatement, Statement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import { wasmTypes, type Ref } from "./binary.js";
import { emitExpression } from "./expressions.js";
import type { WasmFunction } from "./function.js";
import { addressOf, emitStore } from "./memory.js";
import { accessesOf, loopFacts, Pointers, type Pointer } from "./pointers.js";

export function emitStatements(f: WasmFunction, statements: readonly Statement[]): void {
  for (const statement of statements) emitStatement(f, statement);
}

function emitStatement(f: WasmFunction, statement: Statement): void {
  const { m } = f;
  switch (statement.kind) {
    // A block has one thread, whose value is that of all.
    case "block-fold":
    case "let":
    case "var": {
      const value = emitExpression(f, statement.value);
      return f.emit(m.local.set(f.define(statement.name, statement.value.type), value));
    }
    case "assign":
      return f.emit(m.local.set(f.register(statement.name), emitExpression(f, statement.value)));
    case "store":
      return f.emit(emitStore(f, statement, emitExpression));
    case "for":
      return emitLoop(f, statement);
    case "if": {
      const condition = emitExpression(f, statement.condition);
      const then = f.nested(() => emitStatements(f, statement.then));
      if (statement.else.length === 0) return f.emit(m.if(condition, then));
      return f.emit(
        m.if(
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
  const { m } = f;
  const { base, offset } = addressOf(f, statement.buffer, statement.index, emitExpression);
  const value = emitExpression(f, statement.value);
  const result = statement.result === undefined ? undefined : f.define(statement.result, { element: "i32", lanes: 1 });
  if (f.features.threads) {
    const old = m.i32.atomic.rmw.add(offset, base, value);
    return f.emit(result === undefined ? m.drop(old) : m.local.set(result, old));
  }
  const address = f.local(wasmTypes.i32);
  const old = result ?? f.local(wasmTypes.i32);
  const get = (local: number): Ref => m.local.get(local, wasmTypes.i32);
  f.emit(m.local.set(address, base));
  f.emit(m.local.set(old, m.i32.load(offset, 4, get(address))));
  f.emit(m.i32.store(offset, 4, get(address), m.i32.add(get(old), value)));
}

/** A bound that the loop can read again in every turn. */
function stable(f: WasmFunction, bound: Expression, changing: ReadonlySet<string>): () => Ref {
  const again = bound.kind === "constant" || (bound.kind === "get" && !changing.has(bound.name));
  if (again) return () => emitExpression(f, bound);
  const local = f.local(wasmTypes.i32);
  f.emit(f.m.local.set(local, emitExpression(f, bound)));
  return () => f.m.local.get(local, wasmTypes.i32);
}

function emitLoop(f: WasmFunction, loop: Statement & { kind: "for" }): void {
  const { m } = f;
  const facts = loopFacts(loop.name, loop.body);
  const accesses = accessesOf(loop.body);
  // Vars of inner loops may be the bound of this one, so without full facts every register counts as changing.
  const to = stable(f, loop.to, accesses ? facts.changing : everything);
  const variable = f.define(loop.name, { element: "i32", lanes: 1 });
  f.emit(m.local.set(variable, emitExpression(f, loop.from)));
  const current = (): Ref => m.local.get(variable, wasmTypes.i32);
  const label = f.label();
  const outer = f.pointers;
  const pointers = new Pointers(facts);
  for (const { buffer, index, isSure } of accesses ?? []) {
    pointers.add(buffer, memoryBytes[f.buffer(buffer).element], index, isSure, () => f.local(wasmTypes.i32));
  }
  const whole = f.nested(() => {
    f.pointers = undefined;
    for (const pointer of pointers.list.values()) f.emit(m.local.set(pointer.local, startOf(f, pointer, current())));
    f.pointers = pointers;
    const counter = [...pointers.list.values()].find(({ index }) => index.coefficient !== 0);
    let isCounted = true;
    const end = f.local(wasmTypes.i32);
    const body = f.nested(() => {
      const isRead = f.isRead(loop.name, () => emitStatements(f, loop.body));
      isCounted = isRead || counter === undefined;
      for (const pointer of pointers.list.values()) {
        const { local } = pointer;
        f.emit(
          m.local.set(local, m.i32.add(m.local.get(local, wasmTypes.i32), m.i32.const(bytesOfTurn(pointer, loop)))),
        );
      }
      if (isCounted) {
        f.emit(m.local.set(variable, m.i32.add(current(), m.i32.const(loop.step))));
        f.emit(m.br(label, m.i32.lt_s(current(), to())));
      } else {
        f.emit(m.br(label, m.i32.ne(m.local.get(counter!.local, wasmTypes.i32), m.local.get(end, wasmTypes.i32))));
      }
    });
    if (!isCounted) {
      // Nobody asks for the number of the turn, so a pointer counts: it ends where the last turn leaves it.
      const reach = m.i32.sub(to(), current());
      const turns =
        loop.step === 1 ? reach : m.i32.div_s(m.i32.add(reach, m.i32.const(loop.step - 1)), m.i32.const(loop.step));
      const length = m.i32.mul(turns, m.i32.const(bytesOfTurn(counter!, loop)));
      f.emit(m.local.set(end, m.i32.add(m.local.get(counter!.local, wasmTypes.i32), length)));
    }
    f.emit(m.loop(label, body));
  });
  f.pointers = outer;
  f.emit(m.if(m.i32.lt_s(current(), to()), whole));
}

const everything: ReadonlySet<string> = { has: () => true } as unknown as ReadonlySet<string>;

/** Bytes by which a pointer advances in one turn. */
function bytesOfTurn({ index, unit }: Pointer, loop: Statement & { kind: "for" }): number {
  return Math.imul(Math.imul(index.coefficient, loop.step), unit);
}

/** Byte address of a pointer before the first turn. */
function startOf(f: WasmFunction, pointer: Pointer, variable: Ref): Ref {
  const { m } = f;
  const { index, unit } = pointer;
  const times = (value: Ref, factor: number): Ref => (factor === 1 ? value : m.i32.mul(value, m.i32.const(factor)));
  let address = m.i32.add(
    m.local.get(f.buffer(pointer.buffer).local, wasmTypes.i32),
    m.i32.const(Math.imul(index.constant, unit)),
  );
  address = m.i32.add(address, times(variable, Math.imul(index.coefficient, unit)));
  for (const { expression, factor } of index.parts.values()) {
    address = m.i32.add(address, times(emitExpression(f, expression), Math.imul(factor, unit)));
  }
  return address;
}
