/** What is kept between calls: caches that grow with the tokens, and states of fixed size. */
import { Size } from "../axes/size.js";
import { bytesOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType } from "./op-use.js";
import { tensorAt } from "./reference-tensor.js";
import { typeText } from "./type-text.js";
import type { OpCall, TensorType } from "./types.js";

function stateType(use: OpUse, kind: "fixed" | "cache"): TensorType {
  const path = use.name("state");
  const found = use.call.declared?.state(path);
  if (!found) return use.fail("MOE2058", { what: "state", path });
  if (found.kind !== kind) use.fail("MOE2058", { what: kind === "cache" ? "cache" : "state of fixed size", path });
  return found.type;
}

/** The dtype, the names and the sizes of the axes behind the first `skip` agree; MOE2059. */
function fits(use: OpUse, value: TensorType, state: TensorType, skip: number): void {
  const rest = (type: TensorType): string => typeText(tensorType(type.dtype, type.axes.slice(skip)));
  if (rest(value) !== rest(state) || value.axes.length !== state.axes.length) {
    use.fail("MOE2059", { state: use.name("state"), expected: rest(state), found: rest(value) }, 0);
  }
}

function appendType(call: OpCall): TensorType {
  const use = new OpUse("append", call);
  use.arity(1);
  const value = use.tensor(0);
  const axis = use.axis(0, use.name("axis"));
  if (value.axes[0] !== axis) use.fail("MOE2060", { axis: axis.name, found: typeText(value) }, 0, axis.name);
  fits(use, value, stateType(use, "cache"), 1);
  const grown = { name: use.name("as"), size: Size.of("past").plus(axis.size) };
  const axes = [grown, ...value.axes.slice(1)];
  use.distinct(axes, 0);
  return tensorType(value.dtype, axes);
}

const append = defineOp("append", "state", {
  doc: "Writes `value[axis, …]` behind the cache `state` and gives all of it, past rows first: `[as, …]` with `past + size(axis)` rows. The axes after the first are those of the state, in its order. Inside a stack each layer has a cache of its own.",
  example:
    "block Memory[D] {\n  state rows: cache[T, D]\n  (x: [T, D]) => {\n    let all = append(rows, x, as: S)\n    x + mean(all, over: S)\n  }\n}",
  attrs: ["state", "axis", "as"],
  effect: true,
  gradient: "none",
  type: (call) => [appendType(call)],
  // The new rows are read and written; old ones are read by whoever uses the result.
  cost: (call) => ({ flops: Size.zero, bytes: bytesOf(call.operands[0]!).times(Size.of(2)) }),
  reference: (context, operands, call) => {
    const all = context.appendState(call.attrs.state as string, tensorAt(operands, 0));
    const [rows, ...rest] = all.axes;
    return [{ ...all, axes: [{ name: call.attrs.as as string, size: rows!.size }, ...rest] }];
  },
  lowering: { kind: "template", template: "append" },
});

function readType(call: OpCall): TensorType {
  const use = new OpUse("state_read", call);
  use.arity(0);
  return stateType(use, "fixed");
}

const read = defineOp("state_read", "state", {
  doc: "The present value of a state of fixed size: what the last write left, or what it was declared with. Reads and writes happen in the order of the graph.",
  example: "block Running[D] {\n  state load: [D] = 0\n  (x: [T, D]) => x + load\n}",
  attrs: ["state"],
  effect: true,
  gradient: "none",
  type: (call) => [readType(call)],
  cost: (call) => moving([readType(call)]),
  reference: (context, _operands, call) => {
    const path = call.attrs.state as string;
    const value = context.readState(path);
    if (!value) throw new RangeError(`no state ${path}`);
    return [value];
  },
  lowering: { kind: "template", template: "state_read" },
});

function writeType(call: OpCall): TensorType {
  const use = new OpUse("state_write", call);
  use.arity(1);
  const value = use.tensor(0);
  fits(use, value, stateType(use, "fixed"), 0);
  return value;
}

const write = defineOp("state_write", "state", {
  doc: "Replaces the value of a state of fixed size from here on; gives the value written.",
  example:
    "block Running[D] {\n  state load: [D] = 0\n  (x: [T, D]) => {\n    load = load + sum(x, over: T)\n    x\n  }\n}",
  attrs: ["state"],
  effect: true,
  gradient: "none",
  type: (call) => [writeType(call)],
  cost: (call) => moving([...call.operands, ...call.operands]),
  reference: (context, operands, call) => {
    context.writeState(call.attrs.state as string, tensorAt(operands, 0));
    return [tensorAt(operands, 0)];
  },
  lowering: { kind: "template", template: "state_write" },
});

export const stateOps = { append, state_read: read, state_write: write } as const;
