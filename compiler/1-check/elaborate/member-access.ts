/** `r.w`, `layers.attn`: members of modules, under the caller's names of axes. */
import type { MemberExpression } from "../../../grammar/tree.js";
import type { DiagnosticParts } from "../../errors/construct.js";
import { builtinNames } from "../builtins/names.js";
import { at, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import type { InstanceValue, OpaqueValue, Value } from "../values.js";
import { unknown } from "../values.js";
import { evaluate } from "./evaluate.js";
import { foreignName } from "./foreign-names.js";
import { suggestName } from "./names.js";
import { renameAll, report } from "./tensors.js";

export function evaluateMember(walk: Walk, expression: MemberExpression, place: Place): Value {
  const object = evaluate(walk, expression.object, place);
  if (object.kind === "unknown" || expression.member.text === "") return unknown;
  const module = moduleOf(object);
  if (module?.kind === "opaque") return unknown;
  if (!module)
    return report(
      walk,
      "MOE2014",
      { name: expression.member.text, found: describe(walk, object) },
      at(place, expression.member),
      functionHelp(expression.member.text),
    );
  return memberOf(walk, module, expression, place);
}

/** For those who write `x.softmax()`. */
function functionHelp(name: string): DiagnosticParts {
  if (name === "T" || name === "mT")
    return {
      help: "axes have names and no order: `x[T -> S]` gives one another name, `a @ b` finds the axis it sums over",
    };
  const foreign = foreignName(name)?.help;
  if (foreign !== undefined) return { help: foreign };
  return builtinNames.has(name) ? { help: `\`${name}\` is a function: write \`${name}(…)\` around the value` } : {};
}

function moduleOf(value: Value): InstanceValue | OpaqueValue | undefined {
  if (value.kind === "instance" || value.kind === "opaque") return value;
  if (value.kind === "bank" && value.groups.length === 1) return value.groups[0]!.module;
  if (value.kind === "stack" && value.runs.length === 1 && value.runs[0]!.modules.length === 1)
    return value.runs[0]!.modules[0];
  return undefined;
}

function memberOf(walk: Walk, instance: InstanceValue, expression: MemberExpression, place: Place): Value {
  const { text } = expression.member;
  const binding = instance.scope.own(text);
  if (!binding) {
    return report(
      walk,
      "MOE2015",
      { name: text, module: instance.info.decl.name.text },
      at(place, expression.member),
      suggestName(walk, place, expression.member, instance.scope.ownNames()),
    );
  }
  if (binding.span) walk.info?.definition(at(place, expression.member), binding.span, binding.doc);
  const value = binding.value();
  if (value.kind !== "tensor" || value.value.type.kind === "routes") return value;
  const names = new Map<string, string>();
  for (const [name, axis] of instance.axes) if (axis.name !== undefined) names.set(name, axis.name);
  return { ...value, value: renameAll(walk, value.value, names, at(place, expression)) };
}
