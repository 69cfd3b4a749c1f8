/** The attention of a decoder family as a block of the language; the plain one is taken from the library. */
import type { FamilyConfig, RopeScaling } from "../families/types.js";
import { indent, lines, numberText } from "./text.js";

/** Part of a spec: what it declares, what it needs from the library, and how it is made. */
export interface SpecPart {
  /** Names to import from "std". */
  readonly imports: readonly string[];
  /** Declarations in front of the layer; empty when the library has what is needed. */
  readonly declarations: string;
  /** The module's expression inside a layer. */
  readonly use: string;
}

/** Rotary positions other than the plain ones, as a module that the model makes once and all layers share. */
export interface Rotary {
  readonly module: string;
  readonly arguments: string;
  /** Whether it has parameters in the checkpoint. */
  readonly stored: boolean;
}

/** The module of the library for a scaling; undefined for plain rotary positions. */
export function rotaryOf({ ropeScaling, ropeTheta }: FamilyConfig): Rotary | undefined {
  if (ropeScaling === undefined) return undefined;
  const theta = `theta: ${numberText(ropeTheta)}`;
  return rotaryModule(ropeScaling, theta);
}

function rotaryModule(scaling: RopeScaling, theta: string): Rotary {
  switch (scaling.kind) {
    case "linear":
      return { module: "LinearRoPE", arguments: `${theta}, factor: ${numberText(scaling.factor)}`, stored: false };
    case "llama3": {
      const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = scaling;
      const bands = `low: ${numberText(lowFrequencyFactor)}, high: ${numberText(highFrequencyFactor)}`;
      const rest = `factor: ${numberText(factor)}, ${bands}, context: ${numberText(originalContext)}`;
      return { module: "Llama3RoPE", arguments: `${theta}, ${rest}`, stored: false };
    }
    case "factors":
      return { module: "FactorRoPE", arguments: theta, stored: true };
  }
}

/** Which entries a query sees. */
function maskOf({ slidingWindow }: FamilyConfig): { readonly text: string; readonly imports: readonly string[] } {
  if (slidingWindow === undefined) return { text: "Causal", imports: ["Causal"] };
  return { text: `Causal & Window(${slidingWindow})`, imports: ["Causal", "Window"] };
}

/** Attention with everything that the config says. */
export function attentionPart(config: FamilyConfig): SpecPart {
  const { qkvBias, outputBias, qkNorm, clipQkv, ropeTheta, normEps } = config;
  const rotary = rotaryOf(config);
  const mask = maskOf(config);
  const axes = "[D, H, G, C]";
  const theta = `theta: ${numberText(ropeTheta)}`;
  const isPlain = !qkvBias && !outputBias && qkNorm === "none" && clipQkv === undefined && rotary === undefined;
  if (isPlain) {
    const imports = ["Attention", ...mask.imports];
    return { imports, declarations: "", use: `Attention${axes}(mask: ${mask.text}, ${theta})` };
  }
  const name = qkNorm === "none" ? "SelfAttention" : "NormedAttention";
  const parameters = [
    "mask: mask",
    rotary ? `rotary: ${rotary.module}[C]` : "theta: float",
    ...(qkNorm === "none" ? [] : ["epsilon: float"]),
    ...(clipQkv === undefined ? [] : ["clip: float"]),
  ];
  const given = [
    `mask: ${mask.text}`,
    rotary ? "rotary" : theta,
    ...(qkNorm === "none" ? [] : [`epsilon: ${numberText(normEps)}`]),
    ...(clipQkv === undefined ? [] : [`clip: ${numberText(clipQkv)}`]),
  ];
  const imports = [...mask.imports, rotary?.module ?? "rope", ...(qkNorm === "none" ? [] : ["RMSNorm"])];
  const declarations = `${comment(config)}
block ${name}${axes}(${parameters.join(", ")}) {
${indent(members(config))}
}`;
  return { imports, declarations, use: `${name}${axes}(${given.join(", ")})` };
}

function comment({ qkvBias, qkNorm, clipQkv }: FamilyConfig): string {
  const facts = [
    ...(qkvBias ? ["biases on queries, keys and values"] : []),
    ...(qkNorm === "head" ? ["a norm on every head of queries and keys"] : []),
    ...(qkNorm === "full" ? ["a norm over all heads of queries and of keys together"] : []),
    ...(clipQkv === undefined ? [] : ["clamped projections"]),
  ];
  const what = facts.length === 0 ? "" : `\n/// It has ${facts.join(", ")}.`;
  return `/// Attention of H heads of width C on G groups of keys and values, with a cache.${what}`;
}

function members(config: FamilyConfig): string {
  const { qkvBias, outputBias, qkNorm, clipQkv } = config;
  const rotary = rotaryOf(config);
  const norm = (name: string, heads: string): string | false =>
    qkNorm !== "none" && `use ${name} = RMSNorm[${qkNorm === "full" ? `${heads} * C` : "C"}](epsilon)`;
  const turned = (value: string): string => (rotary ? `rotary(${value})` : `rope(${value}, theta)`);
  const clipped = (value: string): string => (clipQkv === undefined ? value : `clamp(${value}, -clip, clip)`);
  const projected = (name: string): string => (qkvBias ? `x @ ${name} + ${name}_bias` : `x @ ${name}`);
  const merged = (name: string, heads: string): string =>
    `let ${name}s = split(${name}_norm(merge(${projected(name)}, [${heads}, C] -> N)), N -> [${heads}, C])`;
  const normed = (name: string): string => {
    if (qkNorm === "full") return `${name}s`;
    return qkNorm === "head" ? `${name}_norm(${projected(name)})` : projected(name);
  };
  const out = "contract(merge(seen, [G, R] -> H), o, over: [H, C])";
  return lines(
    "param q: [D, H, C]",
    qkvBias && "param q_bias: [H, C]",
    "param k: [D, G, C]",
    qkvBias && "param k_bias: [G, C]",
    "param v: [D, G, C]",
    qkvBias && "param v_bias: [G, C]",
    "param o: [H, C, D]",
    outputBias && "param o_bias: [D]",
    norm("q_norm", "H"),
    norm("k_norm", "G"),
    "state keys: cache[T, G, C]",
    "state values: cache[T, G, C]",
    "(x: [T, D]) => {",
    qkNorm === "full" && `  ${merged("q", "H")}\n  ${merged("k", "G")}`,
    `  let queries = split(${turned(clipped(normed("q")))}, H -> [G, R])`,
    `  let all_keys = append(keys, ${turned(clipped(normed("k")))}, as: S)`,
    `  let all_values = append(values, ${clipped(projected("v"))}, as: S)`,
    "  let seen = attend(queries, all_keys, all_values, mask: mask, scale: 1 / sqrt(C))",
    `  ${out}${outputBias ? " + o_bias" : ""}`,
    "}",
  );
}
