/** The body of a small function in the place of a call. */
import type { FunctionBody } from "../../4-schedule/kernel-functions.js";
import type { Ref, WasmType } from "./binary.js";
import { emitExpression } from "./expressions.js";
import { wasmType, type WasmFunction } from "./function.js";
import { emitStatements } from "./statements.js";

/** `body` with `argument`, as one expression. Registers of the body become locals of `f`. */
export function inline(f: WasmFunction, body: FunctionBody, argument: Ref, argumentType: WasmType): Ref {
  const local = f.local(argumentType);
  const outer = f.body;
  f.body = [f.m.local.set(local, argument)];
  f.bind(body.parameter, local);
  emitStatements(f, body.body);
  f.emit(emitExpression(f, body.result));
  const result = f.m.block(null, f.body, wasmType(body.result.type, f.name));
  f.body = outer;
  return result;
}
