/**
 * The syntax tree of a `.moe` file: what the parser returns and every later stage reads.
 *
 * Every node carries the half-open range of source offsets it was written at. The tree holds spelling (comments,
 * number texts, parentheses) only where the printer needs it; meaning is the checker's business. Square brackets after
 * a name are one node (`Index`) whether they instantiate a module (`TopK[D, E]`), gather (`tok[V: ids]`), slice
 * (`x[T: 0..W]`), rename (`x[T -> S]`) or pick a layer (`pools[l / 2]`): only names tell these apart.
 */

/** Half-open range of UTF-16 offsets into the source text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface NodeBase {
  readonly span: Span;
}

/** The words that open a module declaration and name the contract which the checker enforces. */
export const CONTRACTS = [
  "expert",
  "router",
  "mask",
  "matrix",
  "block",
  "model",
  "fn",
  "schedule",
  "loss",
  "probe",
  "recipe",
] as const;
export type Contract = (typeof CONTRACTS)[number];

/** `// …` and `/* … *\/` are kept for the printer; `/// …` also becomes the `doc` of the declaration or member below it. */
export interface Comment extends NodeBase {
  readonly kind: "comment";
  readonly style: "line" | "block" | "doc";
  /** Text without the comment marks. */
  readonly text: string;
}

export interface SourceFile extends NodeBase {
  readonly kind: "file";
  readonly imports: readonly ImportDecl[];
  readonly declarations: readonly Declaration[];
  readonly comments: readonly Comment[];
}

/** A name as written at one place. An identifier inserted by error recovery has an empty `text`. */
export interface Identifier extends NodeBase {
  readonly kind: "identifier";
  readonly text: string;
}

/** `import { SwiGLU, TopK as Gate } from "std"`. */
export interface ImportDecl extends NodeBase {
  readonly kind: "import";
  readonly names: readonly ImportName[];
  readonly from: StringLiteral;
}
export interface ImportName extends NodeBase {
  readonly kind: "import-name";
  readonly name: Identifier;
  readonly alias?: Identifier;
}

export type Declaration = ModuleDecl | TestDecl;

/**
 * Any declaration but a test. `members` is set for the braced form, `value` for the short forms `mask Causal = (q, k) =>
 * k <= q` (a lambda) and `block Big = Small[4096]` (an alias); `fn` and `loss` may carry parameters and `=> body`, which
 * parses as a `value` of kind lambda whose parameters are those of the declaration. A recipe has `making` and neither.
 */
export interface ModuleDecl extends NodeBase {
  readonly kind: "module";
  readonly contract: Contract;
  readonly name: Identifier;
  readonly axes: readonly AxisParam[];
  readonly params: readonly Parameter[];
  /** `batch dependent`: the result of one token depends on the other tokens of the batch. */
  readonly batchDependent: boolean;
  readonly members?: readonly Member[];
  readonly value?: Expression;
  /** Of a recipe: what it makes, and how. */
  readonly making?: Making;
  readonly doc?: string;
}

/** `-> sparse: Sparse[D, F, E] { … }` behind the sources of a recipe; `target` has a type and no default. */
export interface Making extends NodeBase {
  readonly kind: "making";
  readonly target: Parameter;
  readonly body: BlockExpression;
}

/** `test "choosing every expert is the dense mixture" { … }`. */
export interface TestDecl extends NodeBase {
  readonly kind: "test";
  readonly name: StringLiteral;
  readonly body: BlockExpression;
  readonly doc?: string;
}

/** One entry of the bracketed axis list of a declaration: `D` or `E = 8`. */
export interface AxisParam extends NodeBase {
  readonly kind: "axis-param";
  readonly name: Identifier;
  readonly default?: Expression;
}

/** `k: int = 2`, `knob k: int = 2 in 1..8`, `cell: GRUCell[R, R]`, `w: matrix = Dense`; in lambdas the type may be absent. */
export interface Parameter extends NodeBase {
  readonly kind: "parameter";
  readonly knob: boolean;
  readonly name: Identifier;
  readonly type?: TypeExpression;
  readonly default?: Expression;
  readonly range?: RangeExpression;
}

/* ---- types ---- */

export type TypeExpression = NamedType | TupleType;

/**
 * `f32[T, D]`, `[T, D]` (f32), `int`, `uint[3][D, F]` (bits), `routes[E]`, `csr[D, F]`, `GRUCell[R, R](…)`, `mask`;
 * then any number of storage formats: `sparse(2:4)`, `quant(q4_0)`.
 */
export interface NamedType extends NodeBase {
  readonly kind: "named-type";
  readonly name?: Identifier;
  readonly bits?: Expression;
  readonly axes?: readonly AxisUse[];
  readonly args?: readonly Argument[];
  readonly formats: readonly StorageFormat[];
}
export interface TupleType extends NodeBase {
  readonly kind: "tuple-type";
  readonly items: readonly TypeExpression[];
}
/** One axis inside a type: `D`, `X = 2 ** bits`, `4 * D`, `8`. A bare size has no `name`. */
export interface AxisUse extends NodeBase {
  readonly kind: "axis-use";
  readonly name?: Identifier;
  readonly size?: Expression;
}
/** `sparse(2:4)`, `sparse(block: [16, 16], keep: 0.1)`, `quant(int4, group: 64)`. `2:4` parses as a `ratio` expression. */
export interface StorageFormat extends NodeBase {
  readonly kind: "format";
  readonly name: Identifier;
  readonly args: readonly Argument[];
}

/* ---- members ---- */

export type Member =
  | ParamMember
  | StateMember
  | KnobMember
  | UseMember
  | StackMember
  | ScheduleMember
  | AxisMember
  | LetMember
  | MethodMember
  | GradMember
  | WeightsMember
  | SettingsMember;

interface MemberBase extends NodeBase {
  readonly doc?: string;
}
/** `param gate: [D, F] = normal(0.02)`. */
export interface ParamMember extends MemberBase {
  readonly kind: "param";
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly init?: Expression;
}
/** `state bias: [E] = 0`; `state keys: cache[T, G, C]` grows along its first axis between calls. */
export interface StateMember extends MemberBase {
  readonly kind: "state";
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly init?: Expression;
}
/** `knob enabled: [E] = 1`, `knob k: int = 2 in 1..8`. */
export interface KnobMember extends MemberBase {
  readonly kind: "knob";
  readonly name: Identifier;
  readonly type?: TypeExpression;
  readonly init: Expression;
  readonly range?: RangeExpression;
}
/** `use route = TopK[D, E](k)`. */
export interface UseMember extends MemberBase {
  readonly kind: "use";
  readonly name: Identifier;
  readonly value: Expression;
}
/** `stack layers = L of Decoder[…](…) carry h: [T, R] = 0` or `stack rex = l in 0..L of Layer(pool: pools[l / 2])`. */
export interface StackMember extends MemberBase {
  readonly kind: "stack";
  readonly name: Identifier;
  readonly index?: Identifier;
  /** A count, or a range when `index` is set. */
  readonly count: Expression;
  readonly body: Expression;
  readonly carry: readonly CarryBinding[];
}
/** `h: [T, R] = 0`: a value carried from layer to layer or from one turn of a `fold` or `scan` to the next. */
export interface CarryBinding extends NodeBase {
  readonly kind: "carry";
  readonly name: Identifier;
  readonly type?: TypeExpression;
  readonly init: Expression;
}
/** `schedule tau = anneal(2.0 -> 0.3, over: 10_000 steps)`. */
export interface ScheduleMember extends MemberBase {
  readonly kind: "schedule";
  readonly name: Identifier;
  readonly value: Expression;
}
/** `axis C = ceil(T * factor / E)`: a derived axis, known at run time when it depends on a run-time size. */
export interface AxisMember extends MemberBase {
  readonly kind: "axis";
  readonly name: Identifier;
  readonly size: Expression;
}
/** `let half = D / 2` among members: a static value. */
export interface LetMember extends MemberBase {
  readonly kind: "let-member";
  readonly name: Identifier;
  readonly value: Expression;
}
/**
 * The body `(x: [D]) => …` (no `name`), a named entry point `forward(tokens: int[T]) -> f32[T, V] => …`, or one of the
 * parts with a fixed meaning: `prepare`, `affinity`, `densify`. `prepare(x: [D]) => c: [R] = x @ a` names its result.
 */
export interface MethodMember extends MemberBase {
  readonly kind: "method";
  readonly name?: Identifier;
  readonly params: readonly Parameter[];
  readonly result?: TypeExpression;
  readonly resultName?: Identifier;
  readonly body: Expression;
}
/** `grad straight_through(hard, soft) => …`: a gradient declared beside the function which it replaces. */
export interface GradMember extends MemberBase {
  readonly kind: "grad";
  readonly name: Identifier;
  readonly params: readonly Parameter[];
  readonly body?: Expression;
}
/** `weights gguf { tok: "token_embd.weight", layers[i].moe.experts.gate: "blk.{i}.ffn_gate_exps.weight" }`. */
export interface WeightsMember extends MemberBase {
  readonly kind: "weights";
  readonly format: Identifier;
  readonly entries: readonly WeightEntry[];
}
export interface WeightEntry extends NodeBase {
  readonly kind: "weight-entry";
  /** A chain of `Name`, `Member` and `Index`, such as `layers[i].moe.experts.gate`. */
  readonly path: Expression;
  /** The tensor's name in the checkpoint, or a call that says how to read it: `transpose("h.{i}.w")`. */
  readonly source: Expression;
}
/** `tokenizer "tokenizer.json"` (one unnamed entry) and `generate { temperature: 0.8, stop: ["\n"] }`. */
export interface SettingsMember extends MemberBase {
  readonly kind: "settings";
  readonly name: Identifier;
  readonly entries: readonly Argument[];
}

/* ---- statements and expressions ---- */

export type Statement =
  LetStatement | AssertStatement | AssignStatement | SetStatement | AxisMember | ExpressionStatement;
/** `let p = …`, `let (a, b) = …`, `let h: [T, D] = …`. */
export interface LetStatement extends NodeBase {
  readonly kind: "let";
  readonly names: readonly Identifier[];
  /** True when the names stand in parentheses, so that `let (a) = …` prints as it was. */
  readonly tuple: boolean;
  readonly type?: TypeExpression;
  readonly value: Expression;
}
export interface AssertStatement extends NodeBase {
  readonly kind: "assert";
  readonly value: Expression;
  readonly message?: StringLiteral;
}
/** `bias = bias + step * sign(load)`: only a `state` of the same module may stand on the left. */
export interface AssignStatement extends NodeBase {
  readonly kind: "assign";
  readonly target: Identifier;
  readonly value: Expression;
}
/** `sparse.layers.moe.route.w = …`: a parameter, or all below a module, of what a recipe makes. */
export interface SetStatement extends NodeBase {
  readonly kind: "set";
  /** A chain of `Name`, `Member` and `Index`. */
  readonly path: Expression;
  readonly value: Expression;
}
export interface ExpressionStatement extends NodeBase {
  readonly kind: "expression-statement";
  readonly value: Expression;
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | BooleanLiteral
  | NameExpression
  | MemberExpression
  | CallExpression
  | IndexExpression
  | UnaryExpression
  | BinaryExpression
  | RangeExpression
  | ArrowExpression
  | RatioExpression
  | IfExpression
  | BlockExpression
  | LambdaExpression
  | TupleExpression
  | ListExpression
  | OfExpression
  | FoldExpression
  | ModeExpression
  | ErrorExpression;

/** `10_000`, `1e-3`, `10_000 steps`, `2 ** 3` is no literal. `text` is the number as written, without its unit. */
export interface NumberLiteral extends NodeBase {
  readonly kind: "number";
  readonly value: number;
  readonly integer: boolean;
  readonly text: string;
  readonly unit?: Identifier;
}
export interface StringLiteral extends NodeBase {
  readonly kind: "string";
  /** The value, with escapes resolved. */
  readonly value: string;
}
export interface BooleanLiteral extends NodeBase {
  readonly kind: "boolean";
  readonly value: boolean;
}
export interface NameExpression extends NodeBase {
  readonly kind: "name";
  readonly name: Identifier;
}
export interface MemberExpression extends NodeBase {
  readonly kind: "member";
  readonly object: Expression;
  readonly member: Identifier;
}
/** An argument of a call, a storage format or a settings block; `name` is absent for positional ones. */
export interface Argument extends NodeBase {
  readonly kind: "argument";
  readonly name?: Identifier;
  readonly value: Expression;
}
export interface CallExpression extends NodeBase {
  readonly kind: "call";
  readonly callee: Expression;
  readonly args: readonly Argument[];
}
export interface IndexExpression extends NodeBase {
  readonly kind: "index";
  readonly object: Expression;
  readonly entries: readonly IndexEntry[];
}
/**
 * `plain`: `D`, `4 * D`, `l / 2`; `named`: `X = 2 ** bits`; `rename`: `T -> S`; `pick`: `V: ids` (gather) or `T: 0..W`
 * (slice, when `value` is a range).
 */
export type IndexEntry =
  | (NodeBase & { readonly kind: "plain"; readonly value: Expression })
  | (NodeBase & { readonly kind: "named"; readonly name: Identifier; readonly value: Expression })
  | (NodeBase & { readonly kind: "rename"; readonly from: Identifier; readonly to: Identifier })
  | (NodeBase & { readonly kind: "pick"; readonly axis: Identifier; readonly value: Expression });

export type UnaryOperator = "-" | "!";
export interface UnaryExpression extends NodeBase {
  readonly kind: "unary";
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}
/**
 * From loosest to tightest: `|`, `&`, comparisons (do not chain), `+ -`, `* / %`, `@`, unary `- !`, `**` (right). A
 * lambda, `if`, `fold`, `scan` and a mode branch stretch as far to the right as they can.
 */
export type BinaryOperator =
  "|" | "&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" | "@" | "**";
export interface BinaryExpression extends NodeBase {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  /** Where the operator itself stands, for errors that underline it. */
  readonly operatorSpan: Span;
}
/** `0..W`: from inclusive, to exclusive. */
export interface RangeExpression extends NodeBase {
  readonly kind: "range";
  readonly from: Expression;
  readonly to: Expression;
}
/** `D -> [H, K]`, `[H, K] -> D`, `2.0 -> 0.3`. */
export interface ArrowExpression extends NodeBase {
  readonly kind: "arrow";
  readonly from: Expression;
  readonly to: Expression;
}
/** `2:4` in `sparse(2:4)`. */
export interface RatioExpression extends NodeBase {
  readonly kind: "ratio";
  readonly left: NumberLiteral;
  readonly right: NumberLiteral;
}
/** `if c then a else b`. */
export interface IfExpression extends NodeBase {
  readonly kind: "if";
  readonly condition: Expression;
  readonly then: Expression;
  readonly else: Expression;
}
/** `{ let a = … (a, b) }`: statements, then a result; a test body may end without a result. */
export interface BlockExpression extends NodeBase {
  readonly kind: "block";
  readonly statements: readonly Statement[];
  readonly result?: Expression;
}
/** `(q, k) => k <= q`, `(x: [D]) -> [F] => …`. */
export interface LambdaExpression extends NodeBase {
  readonly kind: "lambda";
  readonly params: readonly Parameter[];
  readonly result?: TypeExpression;
  readonly body: Expression;
}
/** `(a, b)`; parentheses around one expression leave no node. */
export interface TupleExpression extends NodeBase {
  readonly kind: "tuple";
  readonly items: readonly Expression[];
}
/** `[H, K]`, `[G = groups, M]`, `[48 of SwiGLU[D, F], 8 of Zero[D]]`, `[1.0, 2.0]`. */
export interface ListExpression extends NodeBase {
  readonly kind: "list";
  readonly items: readonly ListItem[];
}
export interface ListItem extends NodeBase {
  readonly kind: "list-item";
  readonly name?: Identifier;
  readonly value: Expression;
}
/** `E of SwiGLU[D, F]`: that many modules with their parameters stacked. */
export interface OfExpression extends NodeBase {
  readonly kind: "of";
  readonly count: Expression;
  readonly body: Expression;
}
/**
 * `fold(i in 0..n, (u: [T] = 0, v: [E] = 0)) => body`; the body gives the next values, one or a tuple.
 * `scan(t in 0..T, s: [D] = 0) => body`; the body gives a row or several behind the next values.
 */
export interface FoldExpression extends NodeBase {
  readonly kind: "fold";
  /** Written `scan`: rows are kept. */
  readonly scan?: true;
  readonly index: Identifier;
  readonly range: RangeExpression;
  readonly carry: readonly CarryBinding[];
  /** `until: condition` stops early; `range` stays the bound. */
  readonly until?: Expression;
  readonly body: Expression;
}
/** `train { a } else { b }`, `infer { … }`, `prefill { a } decode { b }`. */
export interface ModeExpression extends NodeBase {
  readonly kind: "mode";
  readonly branches: readonly ModeBranch[];
  readonly otherwise?: Expression;
}
export type Mode = "train" | "infer" | "prefill" | "decode";
export interface ModeBranch extends NodeBase {
  readonly kind: "mode-branch";
  readonly mode: Mode;
  readonly body: BlockExpression;
}
/** Left behind by error recovery: an error has been reported, so later stages stay silent about this place. */
export interface ErrorExpression extends NodeBase {
  readonly kind: "error";
}
