/**
 * Random trees of everything the language can say, for the properties of the printer. Spans are all zero.
 */
import fc, { type Arbitrary } from "fast-check";
import type * as Tree from "../../grammar/tree.js";
import { CONTRACTS } from "../../grammar/tree.js";

const span = { start: 0, end: 0 };
/** Contextual keywords among them: each must do as a name. */
const WORDS = [
  "x",
  "D",
  "E2",
  "long_name",
  "mask",
  "state",
  "train",
  "decode",
  "fold",
  "scan",
  "carry",
  "knob",
  "batch",
  "router",
  "test",
];
const MORE_WORDS = ["axis", "weights", "grad", "steps", "schedule", "as", "from", "until", "stack", "dependent", "_"];

const identifier: Arbitrary<Tree.Identifier> = fc
  .constantFrom(...WORDS, ...MORE_WORDS)
  .map((text) => ({ kind: "identifier", text, span }));
const name: Arbitrary<Tree.NameExpression> = identifier.map((each) => ({ kind: "name", name: each, span }));
const plainNumber: Arbitrary<Tree.NumberLiteral> = fc
  .constantFrom("0", "1", "42", "10_000", "0.5", "1e-3", "2.5E+4", "1_000.25")
  .map((text) => ({
    kind: "number",
    text,
    value: Number(text.replaceAll("_", "")),
    integer: /^[\d_]+$/.test(text),
    span,
  }));
const number: Arbitrary<Tree.NumberLiteral> = fc
  .tuple(plainNumber, fc.option(fc.constantFrom("steps", "tokens", "GiB"), { nil: undefined, freq: 6 }))
  .map(([each, text]) => (text === undefined ? each : { ...each, unit: { kind: "identifier", text, span } }));
const string: Arbitrary<Tree.StringLiteral> = fc
  .oneof(
    fc.constantFrom("", "a", 'say "no"', "back\\slash", "blk.{i}.w", "// no comment", "two\nlines"),
    fc.string({ unit: "binary", maxLength: 6 }),
  )
  .map((value) => ({ kind: "string", value, span }));
const boolean: Arbitrary<Tree.BooleanLiteral> = fc.boolean().map((value) => ({ kind: "boolean", value, span }));
const doc = fc.option(fc.constantFrom("One line.", "Two\nlines", "  indented", "a\n\nb"), { nil: undefined, freq: 3 });

/** A record of arbitraries in which `undefined` means absent. */
function node<T extends object>(shape: { readonly [K in keyof T]: Arbitrary<unknown> }): Arbitrary<T> {
  return fc.record(shape as Record<string, Arbitrary<unknown>>).map((made) => {
    const entries = Object.entries(made).filter(([, value]) => value !== undefined);
    return Object.fromEntries([...entries, ["span", span]]) as T;
  });
}
const is = <const K>(value: K): Arbitrary<K> => fc.constant(value);
const maybe = <T>(each: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(each, { nil: undefined });
const few = <T>(each: Arbitrary<T>, minLength = 0): Arbitrary<T[]> => fc.array(each, { minLength, maxLength: 3 });

const OPERATORS = ["|", "&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "@", "**"] as const;

interface Tied {
  expression: Tree.Expression;
  block: Tree.BlockExpression;
  statement: Tree.Statement;
  type: Tree.TypeExpression;
  parameter: Tree.Parameter;
  argument: Tree.Argument;
  index: Tree.IndexEntry;
  carry: Tree.CarryBinding;
  axisUse: Tree.AxisUse;
  range: Tree.RangeExpression;
  format: Tree.StorageFormat;
}

const tied = fc.letrec<Tied>((tie) => {
  const e = tie("expression");
  const leaf = fc.oneof(name, number, string, boolean);
  const ratio = node<Tree.RatioExpression>({ kind: is("ratio"), left: plainNumber, right: plainNumber } as never);
  const item = node<Tree.ListItem>({ kind: is("list-item"), name: maybe(identifier), value: e } as never);
  const branch = node<Tree.ModeBranch>({
    kind: is("mode-branch"),
    mode: fc.constantFrom("train", "infer", "prefill", "decode"),
    body: tie("block"),
  } as never);
  const type = maybe(tie("type"));
  return {
    expression: fc.oneof(
      { maxDepth: 4, depthIdentifier: "expression" },
      leaf,
      node({ kind: is("member"), object: e, member: identifier }),
      node({ kind: is("call"), callee: e, args: few(tie("argument")) }),
      node({ kind: is("index"), object: e, entries: few(tie("index")) }),
      node({ kind: is("unary"), operator: fc.constantFrom("-", "!"), operand: e }),
      node({ kind: is("binary"), operator: fc.constantFrom(...OPERATORS), left: e, right: e }),
      node({ kind: is("binary"), operator: fc.constantFrom("*", "**", "-", "@"), left: e, right: e }),
      tie("range"),
      node({ kind: is("arrow"), from: e, to: e }),
      ratio,
      node({ kind: is("if"), condition: e, then: e, else: e }),
      tie("block"),
      node({ kind: is("lambda"), params: few(tie("parameter")), result: type, body: e }),
      node({ kind: is("tuple"), items: few(e) }),
      node({ kind: is("list"), items: few(item) }),
      node({ kind: is("of"), count: e, body: e }),
      node({
        kind: is("fold"),
        scan: maybe(is(true)),
        index: identifier,
        range: tie("range"),
        carry: few(tie("carry"), 1),
        until: maybe(e),
        body: e,
      }),
      node({ kind: is("mode"), branches: few(branch, 1), otherwise: maybe(e) }),
    ) as Arbitrary<Tree.Expression>,
    range: node({ kind: is("range"), from: e, to: e } as never),
    block: node<Tree.BlockExpression>({
      kind: is("block"),
      statements: few(tie("statement")),
      result: maybe(e),
    } as never).map(lastIsResult),
    statement: fc.oneof(
      node({ kind: is("let"), names: identifier.map((each) => [each]), tuple: is(false), type, value: e }),
      node({ kind: is("let"), names: few(identifier), tuple: is(true), type, value: e }),
      node({ kind: is("assert"), value: e, message: maybe(string) }),
      node({ kind: is("assign"), target: identifier, value: e }),
      node({ kind: is("axis"), name: identifier, size: e }),
      node({ kind: is("expression-statement"), value: e }),
    ) as Arbitrary<Tree.Statement>,
    type: fc.oneof(
      { maxDepth: 3, depthIdentifier: "type" },
      node({ kind: is("named-type"), name: identifier, axes: maybe(few(tie("axisUse"))), formats: is([]) }),
      node({ kind: is("named-type"), axes: few(tie("axisUse")), formats: few(tie("format")) }),
      node({ kind: is("named-type"), name: identifier, bits: e, axes: few(tie("axisUse")), formats: is([]) }),
      node({
        kind: is("named-type"),
        name: identifier,
        axes: maybe(few(tie("axisUse"))),
        args: maybe(few(tie("argument"))),
        formats: few(tie("format")),
      }),
      node({ kind: is("tuple-type"), items: few(tie("type")) }),
    ) as Arbitrary<Tree.TypeExpression>,
    parameter: node({
      kind: is("parameter"),
      knob: fc.boolean(),
      name: identifier,
      type,
      default: maybe(e),
      range: maybe(tie("range")),
    } as never),
    argument: node({ kind: is("argument"), name: maybe(identifier), value: e } as never),
    index: fc.oneof(
      node({ kind: is("plain"), value: e }),
      node({ kind: is("named"), name: identifier, value: e }),
      node({ kind: is("rename"), from: identifier, to: identifier }),
      node({ kind: is("pick"), axis: identifier, value: e }),
    ) as Arbitrary<Tree.IndexEntry>,
    carry: node({ kind: is("carry"), name: identifier, type, init: e } as never),
    axisUse: fc.oneof(
      node<Tree.AxisUse>({ kind: is("axis-use"), name: identifier } as never),
      node<Tree.AxisUse>({ kind: is("axis-use"), name: maybe(identifier), size: e } as never).map(bareAxis),
    ),
    format: node({ kind: is("format"), name: identifier, args: few(tie("argument")) } as never),
  };
});

/** The last expression of a block is its result, never a statement. */
function lastIsResult(block: Tree.BlockExpression): Tree.BlockExpression {
  const last = block.statements.at(-1);
  if (block.result !== undefined || last?.kind !== "expression-statement") return block;
  return { ...block, statements: block.statements.slice(0, -1), result: last.value };
}

/** A lone name in a type is the axis itself. */
function bareAxis(axis: Tree.AxisUse): Tree.AxisUse {
  if (axis.name !== undefined || axis.size?.kind !== "name") return axis;
  return { kind: "axis-use", name: axis.size.name, span };
}

const { expression: e, type, parameter, block, carry, argument, range } = tied;
const path: Arbitrary<Tree.Expression> = fc
  .tuple(identifier, few(fc.tuple(identifier, maybe(few(tied.index, 1)))))
  .map(([first, steps]) => {
    let value: Tree.Expression = { kind: "name", name: first, span };
    for (const [member, entries] of steps) {
      value = { kind: "member", object: value, member, span };
      if (entries !== undefined) value = { kind: "index", object: value, entries, span };
    }
    return value;
  });
const weightEntry = node<Tree.WeightEntry>({ kind: is("weight-entry"), path, source: e } as never);
const setting = fc
  .constantFrom("tokenizer", "generate", "sampling")
  .map((text) => ({ kind: "identifier", text, span }));

const member = fc.oneof(
  node({ kind: is("param"), name: identifier, type, init: maybe(e), doc }),
  node({ kind: is("state"), name: identifier, type, init: maybe(e), doc }),
  node({ kind: is("knob"), name: identifier, type: maybe(type), init: e, range: maybe(range), doc }),
  node({ kind: is("use"), name: identifier, value: e, doc }),
  node({ kind: is("stack"), name: identifier, index: maybe(identifier), count: e, body: e, carry: few(carry), doc }),
  node({ kind: is("schedule"), name: identifier, value: e, doc }),
  node({ kind: is("axis"), name: identifier, size: e, doc }),
  node({ kind: is("let-member"), name: identifier, value: e, doc }),
  node({ kind: is("method"), name: maybe(identifier), params: few(parameter), result: maybe(type), body: e, doc }),
  node({
    kind: is("method"),
    name: identifier,
    params: few(parameter),
    result: maybe(type),
    resultName: identifier,
    body: e,
    doc,
  }),
  node({ kind: is("grad"), name: identifier, params: few(parameter), body: maybe(e), doc }),
  node({ kind: is("weights"), format: identifier, entries: few(weightEntry), doc }),
  node({ kind: is("settings"), name: setting, entries: few(argument), doc }),
) as Arbitrary<Tree.Member>;

const axisParam = node<Tree.AxisParam>({ kind: is("axis-param"), name: identifier, default: maybe(e) } as never);
const head = {
  kind: is("module"),
  contract: fc.constantFrom(...CONTRACTS.filter((word) => word !== "recipe")),
  name: identifier,
  axes: few(axisParam),
  params: few(parameter),
  batchDependent: fc.boolean(),
  doc,
};
const target = node<Tree.Parameter>({ kind: is("parameter"), knob: is(false), name: identifier, type } as never);
const making = node<Tree.Making>({ kind: is("making"), target, body: block } as never);
const lambdaOf = fc
  .record({ module: node<Tree.ModuleDecl>(head as never), result: maybe(type), body: e })
  .map(({ module, result, body }) => {
    const value: Tree.Expression = {
      kind: "lambda",
      params: module.params,
      ...(result === undefined ? {} : { result }),
      body,
      span,
    };
    return { ...module, value };
  });
const declaration = fc.oneof(
  node<Tree.ModuleDecl>({ ...head, members: few(member) } as never),
  node<Tree.ModuleDecl>({ ...head, value: e } as never),
  lambdaOf,
  node<Tree.ModuleDecl>({ ...head, contract: is("recipe"), making } as never),
  node<Tree.TestDecl>({ kind: is("test"), name: string, body: block, doc } as never),
);
const importName = node<Tree.ImportName>({
  kind: is("import-name"),
  name: identifier,
  alias: maybe(identifier),
} as never);
const importDecl = node<Tree.ImportDecl>({ kind: is("import"), names: few(importName), from: string } as never);

/** Random files. */
export const files: Arbitrary<Tree.SourceFile> = node({
  kind: is("file"),
  imports: few(importDecl),
  declarations: few(declaration),
  comments: is([]),
} as never);

/** Random expressions, wrapped in the smallest file. */
export const expressionFiles: Arbitrary<Tree.SourceFile> = e.map((value) => ({
  kind: "file",
  imports: [],
  declarations: [
    {
      kind: "module",
      contract: "probe",
      name: { kind: "identifier", text: "p", span },
      axes: [],
      params: [],
      batchDependent: false,
      value,
      span,
    },
  ],
  comments: [],
  span,
}));
