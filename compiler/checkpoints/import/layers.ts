/** The layers of a decoder family: dense ones, ones with experts, and which of them come where. */
import type { FamilyConfig } from "../families/types.js";
import { attentionPart, rotaryOf } from "./attention.js";
import { PAPERS } from "./papers.js";
import { indent, lines, numberText } from "./text.js";

/** The layer blocks of a spec and the stack that the model makes of them. */
export interface Layers {
  readonly imports: readonly string[];
  readonly declarations: string;
  /** The model's member. */
  readonly stack: string;
}

/** Axes of the attention, in the order of every block. */
const HEADS = ["D", "H", "G", "C"] as const;

interface Kind {
  readonly name: string;
  readonly axes: readonly string[];
  readonly imports: readonly string[];
  /** Name and module of the feed-forward part. */
  readonly part: readonly [name: string, module: string];
  readonly needsK: boolean;
}

/** Layers with a dense feed-forward part. Beside experts, F is the width of an expert and I that of the dense part. */
function denseKind({ experts }: FamilyConfig): Kind {
  const width = experts > 0 ? "I" : "F";
  const axes = [...HEADS, width];
  const name = experts > 0 ? "DenseLayer" : "Layer";
  return { name, axes, imports: ["SwiGLU"], part: ["ffn", `SwiGLU[D, ${width}]`], needsK: false };
}

/** Layers with experts. */
function sparseKind({ normalizeTopK, sharedWidth, denseLayers }: FamilyConfig): Kind {
  const name = denseLayers.length > 0 ? "SparseLayer" : "Layer";
  const settings = `k, renormalize: ${normalizeTopK}`;
  if (sharedWidth > 0) {
    const axes = [...HEADS, "F", "E", "S"];
    const module = `GatedSharedMoE[D, F, E, S](${settings})`;
    return { name, axes, imports: ["GatedSharedMoE"], part: ["moe", module], needsK: true };
  }
  const axes = [...HEADS, "F", "E"];
  return { name, axes, imports: ["MoE"], part: ["moe", `MoE[D, F, E](${settings})`], needsK: true };
}

/** All layers of a model. */
export function decoderLayers(config: FamilyConfig): Layers {
  const attention = attentionPart(config);
  const rotary = rotaryOf(config);
  const { experts, denseLayers, layers } = config;
  const hasDense = experts === 0 || denseLayers.length > 0;
  const hasSparse = experts > 0 && denseLayers.length < layers;
  const kinds = [...(hasDense ? [denseKind(config)] : []), ...(hasSparse ? [sparseKind(config)] : [])];
  const block = (kind: Kind): string => {
    const parameters = [...(kind.needsK ? ["k: int"] : []), ...(rotary ? [`rotary: ${rotary.module}[C]`] : [])];
    const norm = `RMSNorm[D](epsilon: ${numberText(config.normEps)})`;
    const [name, module] = kind.part;
    const body = lines(
      `use norm1 = ${norm}`,
      `use attn = ${attention.use}`,
      `use norm2 = ${norm}`,
      `use ${name} = ${module}`,
      "(x: [T, D]) => {",
      "  let h = x + attn(norm1(x))",
      `  h + ${name}(norm2(h))`,
      "}",
    );
    const comment = kind.name === "DenseLayer" ? "A layer without experts." : PAPERS[config.family].layer;
    return `/// ${comment}\nblock ${made(kind.name, kind.axes, parameters)} {\n${indent(body)}\n}`;
  };
  const make = (kind: Kind): string =>
    made(kind.name, kind.axes, [...(kind.needsK ? ["k"] : []), ...(rotary ? ["rotary"] : [])]);
  const [first, second] = kinds.map(make);
  const stack =
    second === undefined
      ? `stack layers = L of ${first!}`
      : `stack layers = l in 0..L of if ${condition(denseLayers, layers)} then ${first!} else ${second}`;
  const imports = ["RMSNorm", ...attention.imports, ...kinds.flatMap((kind) => kind.imports)];
  const declarations = [attention.declarations, ...kinds.map(block)].filter((text) => text !== "").join("\n\n");
  return { imports, declarations, stack };
}

/** `Layer[…](…)`. */
export function made(name: string, axes: readonly string[], parameters: readonly string[]): string {
  return `${name}[${axes.join(", ")}]${parameters.length > 0 ? `(${parameters.join(", ")})` : ""}`;
}

/**
 * A condition on the layer `l` that holds for exactly the listed ones, as short as the usual rules allow: the first
 * few, every n-th but one, or a list.
 *
 * @example condition([0, 1], 8) // "l < 2"
 */
export function condition(listed: readonly number[], count: number): string {
  const wanted = Array.from({ length: count }, (_, layer) => listed.includes(layer));
  const same = (rule: (layer: number) => boolean): boolean => wanted.every((is, layer) => rule(layer) === is);
  const total = wanted.filter(Boolean).length;
  if (same((layer) => layer < total)) return `l < ${total}`;
  for (let step = 2; step <= count; step++) {
    if (same((layer) => (layer + 1) % step !== 0)) return `(l + 1) % ${step} != 0`;
    for (let rest = 0; rest < step; rest++) {
      if (same((layer) => layer % step === rest)) return `l % ${step} == ${rest}`;
    }
    if (step > MOST_STEPS) break;
  }
  return runs(wanted)
    .map(([from, to]) => (to - from === 1 ? `l == ${from}` : from === 0 ? `l < ${to}` : `l >= ${from} & l < ${to}`))
    .map((test, _, all) => (all.length > 1 && test.includes("&") ? `(${test})` : test))
    .join(" | ");
}

/** No released model has a longer period. */
const MOST_STEPS = 16;

/** Stretches of wanted layers, as from and to (exclusive). */
function runs(wanted: readonly boolean[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  wanted.forEach((is, layer) => {
    if (!is) return;
    const last = found.at(-1);
    if (last?.[1] === layer) last[1] = layer + 1;
    else found.push([layer, layer + 1]);
  });
  return found;
}
