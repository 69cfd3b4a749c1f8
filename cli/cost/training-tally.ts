/**
 * What a training step does beside the forward pass of one sequence: operations of the backward pass, what has to be kept for
 * it, and what mixtures send. Told of each op of a walk; exact in the sizes that the walk has names for.
 */
import { PAST, type Emitted, type EmittedRegion } from "../../compiler/1-check/emitter.js";
import { Size } from "../../compiler/axes/size.js";
import { backwardOf, isDifferentiable } from "../../compiler/ops/backward.js";
import { countOf, elementsOf } from "../../compiler/ops/cost.js";
import { getOp } from "../../compiler/ops/index.js";
import type { Axis, OpCall, RoutesType, ValueType } from "../../compiler/ops/types.js";

/** Numbers in activations are bf16, choices and places of four bytes, truth values of one. */
const ACTIVATION_BYTES = 2;

/** Bytes of a value that is kept. */
function keptBytes(type: ValueType): Size {
  // A slot of routes is a number of an expert and a weight.
  if (type.kind === "routes") return elementsOf(type).times(Size.of(4 + ACTIVATION_BYTES));
  return elementsOf(type).times(Size.of({ f32: ACTIVATION_BYTES, i32: 4, bool: 1 }[type.dtype]));
}

/** The mean number of keys that a token sees, where rows of earlier calls may stand before its own. */
export const KEYS = "keys";

/**
 * Attention behind a cache: a token sees what came before it, on average half of a sequence, and not all of it. The call with
 * that number of keys.
 */
function withSeenKeys(call: OpCall): OpCall {
  const seen = ({ name, size }: Axis): Axis =>
    name === call.attrs["keyAxis"] && size.names.includes(PAST) ? { name, size: Size.of(KEYS) } : { name, size };
  const operands = call.operands.map((type, index) =>
    type.kind === "tensor" && index > 0 ? { ...type, axes: type.axes.map(seen) } : type,
  );
  return { ...call, operands };
}

/** Ops whose result is their first operand in another form: nothing of its own to keep. */
const VIEWS = new Set(["rename", "split", "merge", "order", "slice", "expand", "append", "routes_dense"]);

/** Routes that a capacity bounds. */
export interface Bounded {
  readonly routes: RoutesType;
  /** Slots that each expert takes. */
  readonly capacity: Size;
  readonly overflow: string;
}

/** Sums over the ops of one region. */
interface Sums {
  /** Operations of the forward pass on pairs of a token and a key that it does not see. */
  readonly unseen: Size;
  /** Operations of the backward pass. */
  readonly backward: Size;
  /** Bytes kept in regions. */
  readonly kept: Size;
  /** Numbers that mixtures take and give, one for each slot. */
  readonly sent: Size;
}

const NOTHING: Sums = { unseen: Size.zero, backward: Size.zero, kept: Size.zero, sent: Size.zero };

const plus = (a: Sums, b: Sums): Sums => ({
  unseen: a.unseen.plus(b.unseen),
  backward: a.backward.plus(b.backward),
  kept: a.kept.plus(b.kept),
  sent: a.sent.plus(b.sent),
});

const scaled = (sums: Sums, by: Size): Sums => ({
  unseen: sums.unseen.times(by),
  backward: sums.backward.times(by),
  kept: sums.kept.times(by),
  sent: sums.sent.times(by),
});

/** One region that is open, or the entry. */
class Frame {
  sums = NOTHING;
  /** Bytes of the values of this region that are kept, each once. */
  readonly kept = new Map<Emitted, Size>();

  all(): Sums {
    const own = [...this.kept.values()].reduce((sum, bytes) => sum.plus(bytes), Size.zero);
    return { ...this.sums, kept: this.sums.kept.plus(own) };
  }
}

/** A value as it was made: views of it are the same memory. */
interface Origin {
  readonly value: Emitted;
  readonly frame: Frame;
  /** Whether it depends on a parameter. */
  readonly learns: boolean;
  /** Parameters are there anyhow. */
  readonly isStored: boolean;
}

export class TrainingTally {
  private frames: Frame[] = [new Frame()];
  private readonly origins = new WeakMap<Emitted, Origin>();
  private readonly regions = new WeakMap<EmittedRegion, Sums>();
  /** Of stacks outside of all regions: what comes in of each layer, operations of all, and bytes kept of a single one. */
  private readonly stacks: { readonly inputs: Size; readonly flops: Size; readonly all: Size; readonly layer: Size }[] =
    [];
  readonly bounded: Bounded[] = [];

  clear(): void {
    this.frames = [new Frame()];
    this.stacks.length = 0;
    this.bounded.length = 0;
  }

  /** A parameter, or something else that is there before the call. */
  stored(value: Emitted, isParameter: boolean): void {
    const learns = isParameter && value.type.kind === "tensor" && value.type.dtype === "f32";
    this.origins.set(value, { value, frame: this.frames[0]!, learns, isStored: true });
  }

  open(): void {
    this.frames.push(new Frame());
  }

  /** The values that a region takes: gradients flow into numbers. */
  params(values: readonly Emitted[]): void {
    for (const value of values) {
      const learns = value.type.kind === "routes" || value.type.dtype === "f32";
      this.origins.set(value, { value, frame: this.frames.at(-1)!, learns, isStored: false });
    }
  }

  close(region: EmittedRegion | undefined): void {
    const frame = this.frames.pop()!;
    if (region) this.regions.set(region, frame.all());
  }

  op(
    name: string,
    operands: readonly Emitted[],
    call: OpCall,
    flops: Size,
    regions: readonly EmittedRegion[],
    results: readonly Emitted[],
  ): void {
    const frame = this.frames.at(-1)!;
    const origins = operands.map((operand) => this.originOf(operand));
    const wanted = origins.map(({ learns }) => learns);
    const types = results.map(({ type }) => type);
    const learns = isDifferentiable(name) && (regions.length > 0 || wanted.includes(true));
    const isAttention = name === "attend";
    const seen = isAttention ? withSeenKeys(call) : call;
    const unseen = isAttention ? flops.minus(getOp(name)!.cost(seen).flops) : Size.zero;
    const back = backwardOf({ name, call: seen, results: types, flops, wanted });
    for (const index of back.operands) this.keep(origins[index]);
    results.forEach((value, index) => {
      const isNumber = value.type.kind === "routes" || value.type.dtype === "f32";
      const origin = VIEWS.has(name) && origins[0];
      const own = { value, frame, learns: learns && isNumber, isStored: false };
      this.origins.set(value, origin ? { ...origin, learns: own.learns } : own);
      if (back.results.includes(index)) this.keep(this.origins.get(value));
    });
    const beside = back.beside?.times(Size.of(ACTIVATION_BYTES)) ?? Size.zero;
    frame.sums = plus(frame.sums, { ...NOTHING, unseen, backward: back.flops, kept: beside });
    this.inside(name, operands, call, flops, regions, types);
  }

  /** What the regions of an op add. */
  private inside(
    name: string,
    operands: readonly Emitted[],
    call: OpCall,
    flops: Size,
    regions: readonly EmittedRegion[],
    results: readonly ValueType[],
  ): void {
    const frame = this.frames.at(-1)!;
    const sums = regions.map((region) => this.regions.get(region) ?? NOTHING);
    const routes = operands.find(({ type }) => type.kind === "routes")?.type as RoutesType | undefined;
    switch (name) {
      case "stack": {
        const layers = call.attrs["layers"] as Size;
        const [layer = NOTHING] = sums;
        if (this.frames.length === 1) {
          const inputs = results.reduce((sum, type) => sum.plus(keptBytes(type)), Size.zero).times(layers);
          const own = flops.minus(layer.unseen.times(layers));
          this.stacks.push({ inputs, flops: own, all: layer.kept.times(layers), layer: layer.kept });
        }
        frame.sums = plus(frame.sums, scaled(layer, layers));
        return;
      }
      case "fold": {
        const turns = (call.attrs["to"] as Size).minus(call.attrs["from"] as Size).max(Size.zero);
        frame.sums = plus(frame.sums, scaled(sums[0] ?? NOTHING, turns));
        return;
      }
      case "mixture":
      case "dispatch": {
        if (!routes) return;
        const slots = countOf(routes.tokens).times(routes.slots);
        // Of banks with several kinds of experts the costliest counts.
        const most: Sums = {
          unseen: sums.map(({ unseen }) => unseen).reduce((a, b) => a.max(b)),
          backward: sums.map(({ backward }) => backward).reduce((a, b) => a.max(b)),
          kept: sums.map(({ kept }) => kept).reduce((a, b) => a.max(b)),
          sent: sums.map(({ sent }) => sent).reduce((a, b) => a.max(b)),
        };
        const given = regions[0]!.type.results[0]!;
        const taken = regions[0]!.type.params[0]!;
        const sent = slots.times(elementsOf(taken).plus(elementsOf(given)));
        frame.sums = plus(plus(frame.sums, scaled(most, slots)), { ...NOTHING, sent });
        return;
      }
      case "routes_limit":
        this.bounded.push({
          routes: routes!,
          capacity: call.attrs["capacity"] as Size,
          overflow: call.attrs["overflow"] as string,
        });
        return;
      default:
        return;
    }
  }

  private originOf(value: Emitted): Origin {
    const known = this.origins.get(value);
    if (known) return known;
    // Inputs of the entry: nothing is learned of them.
    return { value, frame: this.frames[0]!, learns: false, isStored: false };
  }

  private keep(origin: Origin | undefined): void {
    if (!origin || origin.isStored) return;
    origin.frame.kept.set(origin.value, keptBytes(origin.value.type));
  }

  /** Operations of the forward pass that fall on pairs which are not seen. */
  get unseen(): Size {
    return this.frames[0]!.sums.unseen;
  }

  /** Operations of the backward pass. */
  get backward(): Size {
    return this.frames[0]!.sums.backward;
  }

  /** Numbers that mixtures take and give in the forward pass. */
  get sent(): Size {
    return this.frames[0]!.sums.sent;
  }

  /** Bytes that are kept for the backward pass. */
  get kept(): Size {
    return this.frames[0]!.all().kept;
  }

  /** The same when of each layer only what comes in is kept, and one layer at a time is computed again. */
  get keptRecomputed(): Size {
    let bytes = this.kept;
    let largest: Size | undefined;
    for (const { inputs, all, layer } of this.stacks) {
      bytes = bytes.minus(all).plus(inputs);
      largest = largest?.max(layer) ?? layer;
    }
    return bytes.plus(largest ?? Size.zero);
  }

  /** Operations of computing the layers again. */
  get again(): Size {
    return this.stacks.reduce((sum, { flops }) => sum.plus(flops), Size.zero);
  }
}
