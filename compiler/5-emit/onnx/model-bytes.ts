/** The messages of an ONNX model (onnx.proto3), as far as an export needs them. */
import { bytesField, floatField, integerField, joined, type Part } from "./wire.js";

/** Element types of tensors, with their numbers in the format. */
export const ELEMENT_TYPES = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** Version 10 of the file format is the one that came with opset 21. */
const IR_VERSION = 10;
export const OPSET = 21;

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A tensor that the file holds; its bytes are asked once, when their turn comes. */
export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly byteLength: number;
  readonly bytes: () => Uint8Array;
}

/** An input or output; a text names a size that is known only at run time. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Key and value pairs that runtimes show to their users. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where the bytes of an initializer lie when they are not in the model file. */
export interface ExternalPlace {
  readonly file: string;
  readonly offset: number;
}

function attributeBytes(name: string, value: Attribute): Part {
  const kind = (number: number): Part => integerField(20, number);
  const head = bytesField(1, name);
  if ("int" in value) return joined([head, integerField(3, value.int), kind(2)]);
  if ("float" in value) return joined([head, floatField(2, value.float), kind(1)]);
  if ("text" in value) return joined([head, bytesField(4, value.text), kind(3)]);
  return joined([head, ...value.ints.map((item) => integerField(8, item)), kind(7)]);
}

function nodeBytes(node: OnnxNode, index: number): Part {
  return joined([
    ...node.inputs.map((name) => bytesField(1, name)),
    ...node.outputs.map((name) => bytesField(2, name)),
    bytesField(3, `${node.op}_${index}`),
    bytesField(4, node.op),
    ...Object.entries(node.attributes).map(([name, value]) => bytesField(5, attributeBytes(name, value))),
    ...(node.domain === undefined ? [] : [bytesField(7, node.domain)]),
  ]);
}

function tensorParts(tensor: Initializer, place: ExternalPlace | undefined): readonly Part[] {
  const head = [
    ...tensor.dims.map((dim) => integerField(1, dim)),
    integerField(2, ELEMENT_TYPES[tensor.type]),
    bytesField(8, tensor.name),
  ];
  if (!place) return [...head, bytesField(9, tensor.bytes())];
  const entry = (key: string, value: string): Part => bytesField(13, [bytesField(1, key), bytesField(2, value)]);
  return [
    ...head,
    entry("location", place.file),
    entry("offset", String(place.offset)),
    entry("length", String(tensor.byteLength)),
    integerField(14, 1),
  ];
}

function portBytes({ name, type, dims }: Port): Part {
  const shape = dims.map((dim) => bytesField(1, typeof dim === "number" ? integerField(1, dim) : bytesField(2, dim)));
  return joined([
    bytesField(1, name),
    bytesField(2, bytesField(1, [integerField(1, ELEMENT_TYPES[type]), bytesField(2, shape)])),
  ]);
}

/** The model file. `place` says which initializers lie outside of it. */
export function modelBytes(
  graph: OnnxGraph,
  place: (tensor: Initializer) => ExternalPlace | undefined = () => undefined,
): Uint8Array {
  const parts = [
    ...graph.nodes.map((node, index) => bytesField(1, nodeBytes(node, index))),
    bytesField(2, graph.name),
    ...graph.initializers.map((tensor) => bytesField(5, tensorParts(tensor, place(tensor)))),
    ...graph.inputs.map((port) => bytesField(11, portBytes(port))),
    ...graph.outputs.map((port) => bytesField(12, portBytes(port))),
  ];
  const opset = (domain: string, version: number): Part =>
    bytesField(8, [bytesField(1, domain), integerField(2, version)]);
  const domains = new Set(graph.nodes.flatMap(({ domain }) => (domain === undefined ? [] : [domain])));
  return joined([
    integerField(1, IR_VERSION),
    bytesField(2, "moec"),
    bytesField(7, parts),
    opset("", OPSET),
    ...[...domains].map((domain) => opset(domain, 1)),
    ...Object.entries(graph.metadata).map(([key, value]) => bytesField(14, [bytesField(1, key), bytesField(2, value)])),
  ]);
}
