/** `route`: from scores to a sparse assignment of tokens to experts. */
import { Size } from "../axes/size.js";
import { bytesOf, countOf, elementsOf, moving } from "./cost.js";
import { bestOf } from "./choose-best.js";
import { defineOp } from "./define.js";
import { OpUse, withoutAxes } from "./op-use.js";
import { countElements, readAs, tensorAt, type RunAxis } from "./reference-tensor.js";
import type { Axis, OpCall, ReferenceContext, ReferenceRoutes, ReferenceValue, RoutesType } from "./types.js";

const choices = ["top", "within", "where", "experts", "everyone", "only"] as const;
type Choice = (typeof choices)[number];

function routeType(call: OpCall): RoutesType {
  const use = new OpUse("route", call);
  const choice = use.oneOf("choice", choices);
  const name = use.name("experts");
  use.flag("renormalize");
  use.number("epsilon");
  const operands = 1 + Number(use.flag("hasBy")) + Number(use.flag("hasWhere"));
  use.arity(operands);
  if (choice === "only") {
    const ids = use.tensor(0, ["i32"]);
    if (operands > 1) use.badAttr("choice", "a choice by weights");
    return { kind: "routes", tokens: ids.axes, experts: { name, size: use.size("size") }, slots: Size.one };
  }
  const weights = use.tensor(0, ["f32"]);
  const experts = use.axis(0, name);
  const tokens = withoutAxes(weights.axes, [name]);
  if (call.attrs.hasBy === true) checkScores(use, 1, ["f32"], name, weights.axes);
  if (call.attrs.hasWhere === true) checkScores(use, operands - 1, ["bool"], name, weights.axes);
  else if (choice === "where") use.badAttr("hasWhere", "true");
  return { kind: "routes", tokens, experts, slots: slotsOf(use, choice, experts, tokens) };
}

function checkScores(
  use: OpUse,
  index: number,
  dtypes: ["f32"] | ["bool"],
  experts: string,
  axes: readonly Axis[],
): void {
  use.tensor(index, dtypes);
  use.axis(index, experts);
  use.within(index, axes, 0);
}

function slotsOf(use: OpUse, choice: Exclude<Choice, "only">, experts: Axis, tokens: readonly Axis[]): Size {
  const k = use.size("k");
  switch (choice) {
    case "top":
    case "where":
      use.fits(k, experts, 0);
      return k;
    case "within": {
      const groups = use.size("groups");
      for (const [what, size] of [
        ["k", k],
        ["experts", experts.size],
      ] as const) {
        if (!size.dividedBy(groups)) use.fail("MOE2053", { what, size: size.key, groups: groups.key }, 0, experts.name);
      }
      use.fits(k, experts, 0);
      return k;
    }
    case "experts": {
      const last = tokens.at(-1) ?? use.fail("MOE2042", { axis: "of tokens", axes: "" }, 0);
      use.fits(k, last, 0);
      return experts.size;
    }
    case "everyone":
      return experts.size;
  }
}

/** What a choice reads: the operands in the order tokens, experts. */
interface Scores {
  readonly tokens: number;
  readonly experts: number;
  readonly weight: Float64Array;
  /** Score by which experts are compared; NaN for one that may not be chosen. */
  by(token: number, expert: number): number;
}

function scoresOf(operands: readonly ReferenceValue[], call: OpCall, axes: readonly RunAxis[]): Scores {
  const experts = axes.at(-1)!.size;
  const weight = readAs(tensorAt(operands, 0), axes);
  const by = call.attrs.hasBy === true ? readAs(tensorAt(operands, 1), axes) : weight;
  const where = call.attrs.hasWhere === true ? readAs(tensorAt(operands, operands.length - 1), axes) : undefined;
  return {
    tokens: countElements(axes.slice(0, -1)),
    experts,
    weight,
    by: (token, expert) => {
      const at = token * experts + expert;
      return by[at] === -Infinity || where?.[at] === 0 ? NaN : by[at]!;
    },
  };
}

function chooseTokenwise(scores: Scores, token: number, choice: Choice, k: number, groups: number): readonly number[] {
  const { experts } = scores;
  if (choice === "everyone") return Array.from({ length: experts }, (_, expert) => expert);
  if (choice !== "within") return bestOf(experts, k, (expert) => scores.by(token, expert));
  const width = experts / groups;
  return Array.from({ length: groups }, (_, group) => group * width).flatMap((first) =>
    bestOf(width, k / groups, (expert) => scores.by(token, first + expert)).map((expert) => first + expert),
  );
}

/** Each expert takes its k best of `run` neighbouring tokens (the last token axis); result: experts of each token. */
function chooseByExperts(scores: Scores, k: number, run: number): readonly (readonly number[])[] {
  const chosen: number[][] = Array.from({ length: scores.tokens }, () => []);
  for (let first = 0; first < scores.tokens; first += run) {
    for (let expert = 0; expert < scores.experts; expert++) {
      for (const token of bestOf(run, k, (n) => scores.by(first + n, expert))) chosen[first + token]!.push(expert);
    }
  }
  return chosen;
}

function routeReference(context: ReferenceContext, operands: readonly ReferenceValue[], call: OpCall): ReferenceRoutes {
  const first = tensorAt(operands, 0);
  const name = call.attrs.experts as string;
  const choice = call.attrs.choice as Choice;
  if (choice === "only") {
    const size = context.size(call.attrs.size as Size);
    const index = Int32Array.from(first.data, (expert) => (expert >= 0 && expert < size ? expert : -1));
    const weight = Float64Array.from(index, (expert) => Number(expert >= 0));
    return { kind: "routes", tokens: first.axes, experts: { name, size }, slots: 1, index, weight };
  }
  const tokens = first.axes.filter((axis) => axis.name !== name);
  const experts = first.axes.find((axis) => axis.name === name)!;
  const scores = scoresOf(operands, call, [...tokens, experts]);
  const k = context.size(call.attrs.k as Size);
  const groups = choice === "within" ? context.size(call.attrs.groups as Size) : 1;
  const slots = choice === "everyone" || choice === "experts" ? experts.size : k;
  const taken = choice === "experts" ? chooseByExperts(scores, k, tokens.at(-1)!.size) : undefined;
  const index = new Int32Array(scores.tokens * slots).fill(-1);
  const weight = new Float64Array(scores.tokens * slots);
  for (let token = 0; token < scores.tokens; token++) {
    const chosen = taken ? taken[token]! : chooseTokenwise(scores, token, choice, k, groups);
    const kept = chosen.map((expert) => scores.weight[token * experts.size + expert]!);
    const whole = kept.reduce((sum, x) => sum + x, 0) + (call.attrs.epsilon as number);
    for (const [slot, expert] of chosen.entries()) {
      index[token * slots + slot] = expert;
      const value = kept[slot]!;
      weight[token * slots + slot] = call.attrs.renormalize !== true ? value : whole === 0 ? 0 : value / whole;
    }
  }
  return { kind: "routes", tokens, experts, slots, index, weight };
}

const route = defineOp("route", "select", {
  doc: [
    "Chooses experts for tokens: operands `weights[tokens…, E]`, then scores `by` and a bool `where` when there are any.",
    "`top`: the k best per token by `by` (or by weight); `within`: k / groups best of each of `groups` equal runs of",
    "experts; `where`: at most k of those that are true; `experts`: each expert takes its k best tokens along the last",
    "token axis (a token's experts then come in order, and `slots` is E); `everyone`: all experts, slot = expert, with no",
    "regard to scores; `only`: the expert is given by number. Equal scores go to the lowest index; NaN, -Infinity and false",
    "are never chosen. Slots that stay empty are last, with index -1 and weight 0. `renormalize` divides the kept weights",
    "by their sum plus `epsilon`, and gives 0 where that is 0.",
  ].join(" "),
  example:
    "router Gate[D, E](k: int = 2) {\n  param w: [D, E]\n  (x: [D]) => choose(softmax(x @ w, over: E), top: k)\n}",
  attrs: ["choice", "k", "groups", "experts", "hasBy", "hasWhere", "renormalize", "epsilon", "size"],
  gradient: "chain",
  type: (call) => [routeType(call)],
  // One comparison per score and slot, and two operations per slot to renormalize.
  cost: (call) => {
    const type = routeType(call);
    const slots = countOf(type.tokens).times(type.slots);
    const { choice, k } = call.attrs;
    const compared =
      choice === "everyone" || choice === "only" ? Size.zero : elementsOf(call.operands[0]!).times(k as Size);
    return {
      flops: compared.plus(call.attrs.renormalize === true ? slots.times(Size.of(2)) : Size.zero),
      bytes: moving(call.operands).bytes.plus(bytesOf(type)),
    };
  },
  reference: (context, operands, call) => [routeReference(context, operands, call)],
  lowering: { kind: "template", template: "route" },
});

export const routeOps = { route } as const;
