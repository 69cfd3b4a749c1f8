/**
 * A mixture as one node, com.microsoft `MoE` or `QMoE`.
 *
 * The operator takes scores, makes a softmax of them and of its k largest the weights. Routes are chosen before it, as
 * the model says; their weights go in as logarithms: with sum s, the softmax of `log(weight)` gives `weight / s` for the
 * chosen ones and 0 for the others, and what comes out is multiplied by s. So every router whose weights are not
 * negative can be said, and a tie is decided once.
 */
import { Size } from "../../../axes/size.js";
import { BLOCK_VALUES } from "../../../checkpoints/blocks.js";
import type { Axis } from "../../../ops/types.js";
import { scatter } from "../gather.js";
import type { Use } from "../use.js";
import { tokensOf, type Parameter } from "../values.js";
import { expertFormula, type ExpertFormula, type Layer } from "./expert-body.js";
import { blocksOf, codesPerByte, interleavedRows, type QuantizedRows } from "./expert-weights.js";
import { isNonNegative } from "./nonnegative.js";
import type { ExpertStorage } from "./names.js";

interface Bank {
  readonly formula: ExpertFormula;
  readonly params: readonly Parameter[];
  readonly experts: number;
  /** Width of a token, and of the hidden layer. */
  readonly width: number;
  readonly inner: number;
}

function bankOf(use: Use, operator: string): Bank {
  const { attrs } = use;
  const banks = attrs.banks as unknown as readonly { readonly experts: Size; readonly params: number }[];
  if (banks.length !== 1) return use.refuse(`${banks.length} kinds of experts`, operator);
  if (((attrs.perToken as number | undefined) ?? 0) > 0 || (attrs.captures as number) > 0) {
    return use.refuse("experts that read something besides their token", operator);
  }
  if (attrs.weigh === "input") return use.refuse("weights on what goes into an expert", operator);
  const formula = expertFormula(use.node.regions[0]!);
  if (typeof formula === "string") return use.refuse(formula, operator);
  const experts = banks[0]!.experts.constant;
  if (experts === undefined) return use.refuse("a number of experts that is not known", operator);
  const params = use.operands.slice(2, 2 + banks[0]!.params).map((value): Parameter => {
    if (value.kind === "parameter" && value.leading.length === value.decl.layerAxes) return value;
    return use.refuse("weights that are computed", operator);
  });
  const size = (layer: Layer, name: string): number =>
    params[layer.weight]!.decl.axes.find((axis) => axis.name === name)!.size.constant!;
  const [first] = formula.first;
  const width = size(first!, first!.from);
  if (size(formula.second, formula.second.to) !== width) {
    return use.refuse("experts whose result is not as wide as their token", operator);
  }
  return { formula, params, experts, width, inner: size(first!, first!.to) };
}

/** Scores whose softmax is the share of each expert, and the sum of the weights. */
function scores(use: Use, operator: string) {
  const { graph } = use;
  const { node } = use;
  if (!isNonNegative(node.operands[1]!, (id) => use.around.producer(id))) {
    return use.refuse("weights of routes that may be below 0: it makes them by a softmax", operator);
  }
  const routes = use.routes(1);
  const slots = routes.index.axes.at(-1)!;
  const k = slots.size.constant;
  if (k === undefined) return use.refuse("a number of chosen experts that is not known", operator);
  const tokens = tokensOf(routes);
  const dense = scatter(graph, routes.index, routes.weight, slots, routes.experts, "add");
  const sum = graph.reduce("ReduceSum", dense, [routes.experts.name]);
  const isNone = graph.apply("Equal", [sum, graph.number("f32", 0)], "bool");
  const safe = graph.where(isNone, graph.number("f32", 1), sum);
  const shares = graph.apply("Div", [dense, safe], "f32");
  // A token without experts: any scores will do, since the sum of its weights, 0, is multiplied in behind.
  const logs = graph.where(isNone, graph.number("f32", 0), graph.apply("Log", [shares], "f32"));
  const rows = rowsOf(tokens);
  return { sum, tokens, k, logs: graph.reshape(graph.full(logs, [...tokens, routes.experts]), [rows, routes.experts]) };
}

const rowsOf = (tokens: readonly Axis[]): Axis => ({
  name: "'row",
  size: tokens.reduce((product, { size }) => product.times(size), Size.one),
});

/** Writes a mixture; experts are kept as f32 in `MoE` and as blocks in `QMoE`. */
export function fusedMixture(use: Use, storage: "f32" | ExpertStorage) {
  const { graph } = use;
  const operator = storage === "f32" ? "MoE" : "QMoE";
  const { formula, params, experts, width, inner } = bankOf(use, operator);
  const { sum, tokens, k, logs } = scores(use, operator);
  if (storage !== "f32" && (width % BLOCK_VALUES !== 0 || inner % BLOCK_VALUES !== 0)) {
    return use.refuse(`widths ${width} and ${inner}, which are not whole blocks of ${BLOCK_VALUES}`, operator);
  }
  const ofExpert = (index: number, axes: readonly string[]): Float32Array => {
    const param = params[index]!;
    const { decl } = param;
    return use.around.numbers(param, [decl.axes[decl.layerAxes]!.name, ...axes]);
  };
  const rowCount = inner * formula.first.length;

  /** Rows `[experts, out, in]` of layers side by side: the operator wants gate and up in turn. */
  const numbers = (layers: readonly Layer[]) => (): Float32Array =>
    interleavedRows(
      layers.map(({ weight, from, to }) => ofExpert(weight, [to, from])),
      layers[0] === formula.second ? inner : width,
    );
  const biases = (layers: readonly Layer[]): string => {
    if (layers[0]!.bias === undefined) return "";
    const read = (): Uint8Array =>
      bytesOf(interleavedRows(layers.map(({ bias, to }) => ofExpert(bias!, [to])), 1)); // prettier-ignore
    const count = layers[0] === formula.second ? width : rowCount;
    return graph.initializer(graph.fresh("bias"), "f32", [experts, count], read);
  };
  /** Names of the weights, and of their scales behind them. */
  const weights = (name: string, layers: readonly Layer[], rows: number, columns: number): readonly string[] => {
    if (storage === "f32") {
      return [graph.initializer(graph.fresh(name), "f32", [experts, rows, columns], () => bytesOf(numbers(layers)()))];
    }
    let made: QuantizedRows | undefined;
    const blocks = (): QuantizedRows => (made ??= blocksOf(storage, numbers(layers)()));
    // Weights are written first, then their scales; nothing is kept for long.
    const codes = (): Uint8Array => blocks().codes;
    const scales = (): Uint8Array => {
      const { scales: all } = blocks();
      made = undefined;
      return bytesOf(all);
    };
    return [
      graph.initializer(graph.fresh(name), "u8", [experts, rows, columns / codesPerByte(storage)], codes),
      graph.initializer(graph.fresh(`${name}_scales`), "f32", [experts, rows, columns / BLOCK_VALUES], scales),
    ];
  };

  const x = use.tensor(0);
  const rest = x.axes.filter(({ name }) => !tokens.some((axis) => axis.name === name));
  const row = rowsOf(tokens);
  const flat = graph.reshape(graph.full(x, [...tokens, ...rest]), [row, ...rest]);
  const inputs = [
    ...[flat.name, logs.name],
    ...weights("fc1", formula.first, rowCount, width),
    biases(formula.first),
    ...weights("fc2", [formula.second], width, inner),
    biases([formula.second]),
  ];
  const attributes = {
    activation_type: { text: formula.activation },
    k: { int: k },
    normalize_routing_weights: { int: 1 },
    ...(formula.activation === "swiglu"
      ? { swiglu_fusion: { int: 1 }, activation_alpha: { float: 1 }, activation_beta: { float: 0 } }
      : {}),
    ...(storage === "f32"
      ? {}
      : { expert_weight_bits: { int: 8 / codesPerByte(storage) }, block_size: { int: BLOCK_VALUES } }),
  };
  const name = graph.node(operator, inputs, attributes, "com.microsoft");
  const out = { name: formula.second.to, size: Size.of(width) };
  const product = graph.reshape({ kind: "tensor", name, type: "f32", axes: [row, out] }, [...tokens, out]);
  return graph.apply("Mul", [product, sum], "f32");
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
