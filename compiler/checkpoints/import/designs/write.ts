/** From a design to the text of its spec, and from its tensors to what a checkpoint must have. */
import { badConfig, noOutputTensor, unknownTensors, wrongTensorShape } from "../../errors.js";
import { requireTensor } from "../../tensor-table.js";
import type { Checkpoint, StorageType } from "../../types.js";
import type { GenerateSettings } from "../spec.js";
import { generateSettings } from "../spec.js";
import { commentText, countText, indent, lines, stringText } from "../text.js";
import { PLAIN_HEAD } from "./parts.js";
import type { Design, StoredTensor } from "./types.js";

export interface DesignSource {
  readonly design: Design;
  readonly format: "gguf" | "safetensors";
  readonly name: string;
  readonly source: string;
  readonly tokenizer?: string;
  readonly generate?: GenerateSettings;
}

/** The text of the spec, before formatting. */
export function writeDesign({ design, format, name, source, tokenizer, generate }: DesignSource): string {
  const names = [...new Set(design.imports)].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const axes = Object.entries(design.axes).map(([axis, size]) => `${axis} = ${size}`);
  const body = [
    design.members,
    `weights ${format} {\n${design.tensors.map((tensor) => `  ${entryText(tensor)}`).join("\n")}\n}`,
    lines(tokenizer !== undefined && `tokenizer ${stringText(tokenizer)}`, generateSettings(generate ?? {})),
  ];
  const { total, active } = designCounts(design);
  const experts =
    design.k === 0
      ? ""
      : `, ${countText(active)} of them active for a token (${design.k} of ${design.axes["E"]} experts)`;
  const comment = [
    `${design.title} (${design.paper}), from \`${commentText(source).replaceAll("`", "'")}\`.`,
    `${countText(total)} parameters${experts}.`,
    ...(design.notes ?? []),
  ];
  return `import { ${names.join(", ")} } from "std"

${design.declarations.join("\n\n")}

${comment.map((line) => `/// ${line}`).join("\n")}
model ${name}[${axes.join(", ")}]${design.k > 0 ? `(k: int = ${design.k})` : ""} {
${indent(body.filter((part) => part !== "").join("\n\n"))}
}
`;
}

function entryText({ path, name, axes, interleaved }: StoredTensor): string {
  const own = axes.map((axis) => axis.split("=")[0]!);
  const place = `${stringText(name)}${own.length > 1 ? `[${own.join(", ")}]` : ""}`;
  return `${path}: ${interleaved ? `interleaved(${place})` : place}`;
}

/** One tensor as the checkpoint stores it. */
export interface ExpectedTensor {
  readonly name: string;
  /** Sizes of its axes; the file may have neighbours merged. */
  readonly shape: readonly number[];
  readonly tensor: StoredTensor;
  readonly layer: number | undefined;
  readonly expert: number | undefined;
}

/** Every tensor that the design reads, with names and shapes. */
export function expectedTensors(design: Design): readonly ExpectedTensor[] {
  const sizes: Readonly<Record<string, number>> = { ...design.axes, ...design.inner };
  const { L = 0, E = 0 } = design.axes;
  const all = Array.from({ length: L }, (_, layer) => layer);
  return design.tensors.flatMap((tensor) => {
    const shape = tensor.axes.map((axis) => {
      const size = sizes[axis.split("=").at(-1)!];
      if (size === undefined) throw new Error(`no size of ${axis} for ${tensor.path}`);
      return size;
    });
    const layers = tensor.path.startsWith("layers[") ? (tensor.layers ?? all) : [undefined];
    const experts = tensor.name.includes("{e}") ? Array.from({ length: E }, (_, expert) => expert) : [undefined];
    return layers.flatMap((layer) =>
      experts.map((expert) => ({
        name: tensor.name.replace("{i}", String(layer)).replace("{e}", String(expert)),
        shape,
        tensor,
        layer,
        expert,
      })),
    );
  });
}

/** Numbers in all parameters, and those that one token meets. */
export function designCounts(design: Design): { readonly total: number; readonly active: number } {
  const { E = 1 } = design.axes;
  let total = 0;
  let active = 0;
  for (const { shape, tensor } of expectedTensors(design)) {
    const count = shape.reduce((product, size) => product * size, 1);
    total += count;
    active += isOfExpert(tensor) ? (count * design.k) / E : count;
  }
  return { total, active: Math.round(active) };
}

const isOfExpert = ({ path }: StoredTensor): boolean => /\.(experts|queries|outputs)\./.test(path);

/**
 * Holds a checkpoint against a design.
 *
 * @param saidTied What the config says about the output projection: where it is the embedding, a copy of it is not read.
 * @returns the storage type of the largest tensor.
 * @throws MoecError MOE5116 (a tensor is missing), MOE5122 (it has another shape), MOE5124 (tensors that nothing reads).
 */
export function matchTensors(
  design: Design,
  family: string,
  checkpoint: Checkpoint,
  saidTied: boolean | undefined,
): StorageType {
  const { tensor: head } = design.head ?? PLAIN_HEAD;
  const used = new Set<string>();
  let largest: { readonly count: number; readonly type: StorageType } = { count: -1, type: "f32" };
  for (const { name, shape } of expectedTensors(design)) {
    if (name === head && saidTied === false && !checkpoint.tensors.has(name)) {
      throw noOutputTensor(name, checkpoint.tensors);
    }
    const info = requireTensor(checkpoint.tensors, name);
    if (!isSameShape(info.shape, shape)) throw wrongTensorShape(name, info.shape, shape);
    used.add(name);
    const count = shape.reduce((product, size) => product * size, 1);
    if (count > largest.count) largest = { count, type: info.type };
  }
  const unused = [...checkpoint.tensors.keys()].filter(
    (name) =>
      !used.has(name) &&
      !design.ignored?.test(name) &&
      !/rotary_emb\.inv_freq$/.test(name) &&
      !(saidTied === true && name === head),
  );
  if (unused.length > 0) throw unknownTensors(family, unused);
  return largest.type;
}

/** Whether a stored shape is these axes with neighbours merged; axes of size 1 do not count. */
function isSameShape(stored: readonly number[], axes: readonly number[]): boolean {
  const rest = axes.filter((size) => size !== 1);
  for (const size of stored.filter((one) => one !== 1)) {
    let product = 1;
    while (product < size && rest.length > 0) product *= rest.shift()!;
    if (product !== size) return false;
  }
  return rest.length === 0;
}

/** More than any model has: loops over layers and experts are bounded by these, not by a foreign file. */
export function checkBounds({ axes, k, context }: Design): void {
  const { L = 1, E = 0, H, G } = axes;
  if (L > 4096) throw badConfig("layers", `is ${L}, above 4096`);
  if (E > 65_536) throw badConfig("experts", `is ${E}, above 65536`);
  if (k > E) throw badConfig("experts per token", `is ${k}, above the ${E} experts`);
  if (H !== undefined && G !== undefined && H % G !== 0)
    throw badConfig("kvHeads", `is ${G}, no divisor of ${H} heads`);
  if (!(context >= 1)) throw badConfig("context", `is ${context}`);
}
