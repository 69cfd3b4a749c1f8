/** The table of functions that the language itself provides. */
import type { CallExpression } from "../../../grammar/tree.js";
import type { Place, Walk } from "../context.js";
import { unknown, type Value } from "../values.js";
import { attention } from "./attention.js";
import { axisFunctions } from "./axes.js";
import { BuiltinCall, Stop, type Builtin } from "./call.js";
import { elementwise } from "./elementwise.js";
import { mixtureFunctions } from "./mixture.js";
import { randomFunctions } from "./random.js";
import { reductions } from "./reduce.js";
import { routing } from "./routing.js";
import { registerNames } from "./names.js";
import { timeFunctions } from "./time.js";

export type { Builtin, BuiltinParameter } from "./call.js";

/** All builtins by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [
    ...elementwise,
    ...axisFunctions,
    ...reductions,
    ...routing,
    ...mixtureFunctions,
    ...attention,
    ...randomFunctions,
    ...timeFunctions,
  ].map((definition) => [definition.name, definition]),
);
registerNames(builtins.keys());

export function callBuiltin(walk: Walk, name: string, node: CallExpression, place: Place): Value {
  const definition = builtins.get(name)!;
  const call = new BuiltinCall(walk, definition, node, place);
  if (!call.bind()) return unknown;
  try {
    return definition.run(call);
  } catch (error) {
    if (error instanceof Stop) return unknown;
    throw error;
  }
}

