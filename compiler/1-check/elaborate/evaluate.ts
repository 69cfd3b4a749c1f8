/** Expressions to values: the dispatcher. Each kind with more than a few lines has a file beside it. */
import type { BlockExpression, Expression, IfExpression, ModeExpression } from "../../../grammar/tree.js";
import { InexactSize, Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { OpTypeError } from "../../ops/types.js";
import { appendingNothing } from "../cache-appends.js";
import { AssumeDivisible, at, joinPath, showSize, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import { integer, numberText, real, sizeOf, valueOf, type StaticNumber } from "../numbers.js";
import { BlockScope } from "../scope.js";
import { numberValue, unknown, type Value } from "../values.js";
import { evaluateCall } from "./calls.js";
import { closureOf } from "./closures.js";
import { evaluateFold } from "./fold.js";
import { evaluateIndex } from "./indexing.js";
import { evaluateMember } from "./member-access.js";
import { evaluateName } from "./names.js";
import { evaluateOf, bankOf } from "./banks.js";
import { evaluateBinary, evaluateUnary } from "./operators.js";
import { runStatements } from "./statements.js";
import { spoken } from "./op-words.js";
import { emitValue, needTensor, report } from "./tensors.js";
import { sameType } from "./same-type.js";

/** Words that may stand behind a number; they are for the reader. */
const UNITS: ReadonlySet<string> = new Set(["steps", "step", "tokens", "token"]);

/** The value of an expression; a stack's result stands for its stream. */
export function evaluate(walk: Walk, expression: Expression, place: Place): Value {
  return single(evaluateWhole(walk, expression, place));
}

export function single(value: Value): Value {
  return value.kind === "tuple" && value.stream ? (value.items[0] ?? unknown) : value;
}

/** As `evaluate`, with what a stack carries beside its stream. */
export function evaluateWhole(walk: Walk, expression: Expression, place: Place): Value {
  const value = guarded(walk, expression, place);
  if (walk.info && expression.kind !== "number" && expression.kind !== "string") {
    walk.info.type(at(place, expression), () => describe(walk, value));
  }
  return value;
}

/** What an op refuses that was made on the way is said at the expression that needed it. */
function guarded(walk: Walk, expression: Expression, place: Place): Value {
  try {
    return evaluateNode(walk, expression, place);
  } catch (error) {
    if (error instanceof InexactSize) return report(walk, "MOE2024", { value: error.value }, at(place, expression));
    if (!(error instanceof OpTypeError)) throw error;
    return report(walk, error.code, spoken(error.slots), at(place, expression));
  }
}

function evaluateNode(walk: Walk, expression: Expression, place: Place): Value {
  switch (expression.kind) {
    case "number":
      if (expression.unit && !UNITS.has(expression.unit.text)) {
        return report(walk, "MOE2097", { unit: expression.unit.text }, at(place, expression.unit));
      }
      return numberValue(expression.integer ? integer(expression.value) : real(expression.value));
    case "string":
      return { kind: "string", value: expression.value };
    case "boolean":
      return { kind: "boolean", value: expression.value };
    case "name":
      return evaluateName(walk, expression.name, place);
    case "member":
      return evaluateMember(walk, expression, place);
    case "call":
      return evaluateCall(walk, expression, place);
    case "index":
      return evaluateIndex(walk, expression, place);
    case "unary":
      return evaluateUnary(walk, expression, place);
    case "binary":
      return evaluateBinary(walk, expression, place);
    case "range": {
      const from = needNumber(walk, evaluate(walk, expression.from, place), at(place, expression.from));
      const to = needNumber(walk, evaluate(walk, expression.to, place), at(place, expression.to));
      return from && to ? { kind: "range", from, to } : unknown;
    }
    case "arrow":
      return { kind: "arrow", from: evaluate(walk, expression.from, place), to: evaluate(walk, expression.to, place) };
    case "ratio":
      return report(walk, "MOE2083", {}, at(place, expression));
    case "if":
      return evaluateIf(walk, expression, place);
    case "block":
      return evaluateBlock(walk, expression, place);
    case "lambda":
      return closureOf(walk, expression, place);
    case "tuple":
      return { kind: "tuple", items: expression.items.map((item) => evaluate(walk, item, place)) };
    case "list": {
      const items = expression.items.map((item, index) => ({
        ...(item.name ? { name: item.name.text } : {}),
        value: evaluate(
          walk,
          item.value,
          place.path === undefined ? place : { ...place, path: joinPath(place.path, String(index)) },
        ),
      }));
      const modules = items.some(({ value }) => value.kind === "bank" || value.kind === "instance");
      return modules
        ? bankOf(
            walk,
            expression,
            items.map(({ value }) => value),
            place,
          )
        : { kind: "list", items };
    }
    case "of":
      return evaluateOf(walk, expression, place);
    case "fold":
      return evaluateFold(walk, expression, place);
    case "mode":
      return evaluateMode(walk, expression, place);
    case "error":
      return unknown;
    default:
      return expression satisfies never;
  }
}

export function evaluateBlock(walk: Walk, block: BlockExpression, place: Place): Value {
  const inner: Place = { ...place, scope: new BlockScope(place.scope) };
  runStatements(walk, block.statements, inner, block.result);
  return block.result ? evaluateWhole(walk, block.result, inner) : { kind: "tuple", items: [] };
}

function evaluateIf(walk: Walk, expression: IfExpression, place: Place): Value {
  const condition = evaluate(walk, expression.condition, place);
  if (condition.kind === "unknown") return unknown;
  if (condition.kind === "boolean") {
    if (condition.value !== undefined)
      return evaluate(walk, condition.value ? expression.then : expression.else, place);
    const yes = evaluate(walk, expression.then, place);
    const no = appendingNothing(walk, () => evaluate(walk, expression.else, place));
    // With symbolic sizes either arm may come; tensors of the two must have one type, modules stay what they are.
    if (yes.kind === "tensor" && no.kind === "tensor" && !sameType(yes.value.type, no.value.type)) {
      return report(
        walk,
        "MOE2084",
        { first: describe(walk, yes), second: describe(walk, no) },
        at(place, expression.else),
        {
          labels: [{ span: at(place, expression.then), text: describe(walk, yes) }],
        },
      );
    }
    return yes.kind === "number" && no.kind === "number"
      ? numberValue({ kind: "real", value: undefined })
      : yes.kind === "unknown"
        ? no
        : yes;
  }
  const test = needTensor(walk, condition, at(place, expression.condition));
  if (!test) return unknown;
  const yes = needTensor(walk, evaluate(walk, expression.then, place), at(place, expression.then), "f32");
  const no = needTensor(walk, evaluate(walk, expression.else, place), at(place, expression.else), "f32");
  if (!yes || !no) return unknown;
  const spans = [expression.condition, expression.then, expression.else].map((node) => at(place, node));
  return emitValue(walk, "where", [test, yes, no], {}, at(place, expression), spans);
}

function evaluateMode(walk: Walk, expression: ModeExpression, place: Place): Value {
  const asks = expression.branches.some(({ mode }) => mode === "prefill" || mode === "decode");
  if (asks) walk.usesPhase = true;
  const { mode, phase, checking } = walk.options;
  const taken =
    expression.branches.find((branch) => branch.mode === mode || branch.mode === phase)?.body ?? expression.otherwise;
  const again = expression.branches.find(
    (branch, index) => expression.branches.findIndex((other) => other.mode === branch.mode) < index,
  );
  if (again)
    return report(
      walk,
      "MOE2093",
      { mode: again.mode },
      { ...at(place, again), end: again.span.start + again.mode.length },
    );
  if (checking) return checkBranches(walk, expression, taken, place);
  return taken ? evaluate(walk, taken, place) : missingBranch(walk, expression, place);
}

/** Every branch is checked, whatever is built later; all of them give one type. */
function checkBranches(walk: Walk, expression: ModeExpression, taken: Expression | undefined, place: Place): Value {
  const bodies: Expression[] = [
    ...expression.branches.map(({ body }) => body),
    ...(expression.otherwise ? [expression.otherwise] : []),
  ];
  const values = bodies.map((body) => {
    const value = (): Value => evaluate(walk, body, place);
    return { body, value: body === taken ? value() : appendingNothing(walk, value) };
  });
  const first = values.find(({ value }) => value.kind === "tensor");
  const odd = values.find(
    ({ value }) =>
      first?.value.kind === "tensor" && value.kind === "tensor" && !sameType(first.value.value.type, value.value.type),
  );
  // A number beside a tensor stands for it everywhere; two tensors must agree.
  if (first && odd) {
    const slots = { first: describe(walk, first.value), second: describe(walk, odd.value) };
    return report(walk, "MOE2084", slots, resultSpan(odd.body, place), {
      labels: [{ span: resultSpan(first.body, place), text: slots.first }],
    });
  }
  if (!taken) return missingBranch(walk, expression, place);
  return values.find(({ body }) => body === taken)!.value;
}

function resultSpan(body: Expression, place: Place): SourceSpan {
  return at(place, body.kind === "block" ? (body.result ?? body) : body);
}

function missingBranch(walk: Walk, expression: ModeExpression, place: Place): Value {
  const asks = expression.branches.some(({ mode }) => mode === "prefill" || mode === "decode");
  return report(walk, "MOE2085", { mode: asks ? walk.options.phase : walk.options.mode }, at(place, expression));
}

/** The value as a number known before anything runs. */
export function needNumber(walk: Walk, value: Value, span: SourceSpan): StaticNumber | undefined {
  if (value.kind === "number") return value.number;
  if (value.kind === "axis") return integer(value.size);
  if (value.kind === "tensor" && value.bound) return integer(value.bound);
  if (value.kind !== "unknown") report(walk, "MOE2081", { found: describe(walk, value) }, span);
  return undefined;
}

/** The value as a size: a whole number, or a polynomial of axes. */
export function needSize(walk: Walk, value: Value, span: SourceSpan): Size | undefined {
  const number = needNumber(walk, value, span);
  if (!number) return undefined;
  const size = sizeOf(number);
  if (size) return size;
  if (number.kind === "exact") {
    const name = number.top.names[0];
    const plain = name !== undefined && number.top.equals(Size.of(name));
    const runTime = number.top.names.some((part) => walk.free.has(part));
    if (walk.options.generic && valueOf(number) === undefined && !runTime) {
      if (plain && !walk.assumed.has(name) && !number.bottom.names.includes(name))
        // No error: it starts the walk again, and a stack trace would cost more than the walk.
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw new AssumeDivisible(name, number.bottom);
      const twice = [...walk.assumed].find(([, product]) => product.equals(number.top))?.[0];
      if (twice !== undefined && !runTime && !number.bottom.names.includes(twice))
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw new AssumeDivisible(twice, number.bottom);
      return number.top.floorDividedBy(number.bottom);
    }
    report(walk, "MOE2086", { top: showSize(walk, number.top), bottom: showSize(walk, number.bottom) }, span, {
      help: "`ceil(a / b)` and `floor(a / b)` round",
    });
    return undefined;
  }
  if (number.value === undefined && walk.options.generic) return Size.of("n");
  if (number.value !== undefined && Number.isInteger(number.value))
    report(walk, "MOE2024", { value: number.value }, span);
  else report(walk, "MOE2087", { found: numberText(number) }, span);
  return undefined;
}

/** The value as a truth value known before anything runs; undefined when it depends on a symbol or after an error. */
export function needBoolean(walk: Walk, value: Value, span: SourceSpan): boolean | undefined {
  if (value.kind === "boolean") return value.value;
  if (value.kind !== "unknown") report(walk, "MOE2082", { found: describe(walk, value) }, span);
  return undefined;
}
