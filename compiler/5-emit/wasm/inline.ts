/** The body of a small function in the place of a call. */
import type { FunctionBody } from "../../4-schedule/kernel-functions.js";
import { emitExpression } from "./expressions.js";
import type { WasmFunction } from "./function.js";
import * as wasm from "./instructions.js";
import type { Ref, WasmType } from "./instructions.js";
import { emitStatements } from "./statements.js";

/** `body` with `argument`, as one expression. Registers of the body become locals of `f`. */
export function inline(f: WasmFunction, body: FunctionBody, argument: Ref, argumentType: WasmType): Ref {
  const local = f.local(argumentType);
  const outer = f.body;
  f.body = [wasm.local.set(local, argument)];
  f.bind(body.parameter, local);
  emitStatements(f, body.body);
  f.emit(emitExpression(f, body.result));
  const result = wasm.block(f.body);
  f.body = outer;
  return result;
}
