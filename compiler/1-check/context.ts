/** Where the walk is, and what it carries along. */
import type { AssertStatement, ModuleDecl, Span, Statement } from "../../grammar/tree.js";
import { Size } from "../axes/size.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Axis } from "../ops/types.js";
import type { CacheAppend } from "./cache-appends.js";
import type { Emitted, Emitter, Repetition } from "./emitter.js";
import type { Reporter } from "./reporter.js";
import type { Scope } from "./scope.js";
import type { InfoSink } from "./info.js";
import type { AxisArgument, InstanceValue } from "./values.js";

/** Where an expression stands. */
export interface Place {
  readonly scope: Scope;
  readonly file: string;
  /** The module whose body or members these are. */
  readonly instance?: InstanceValue;
  /** Path for modules made here; undefined in the middle of a body, where modules that own parameters have no name. */
  readonly path?: string;
  readonly repetitions: readonly Repetition[];
  /** Token axes over which a per-token body is lifted: randomness is drawn for each of them. */
  readonly batch: readonly Axis[];
  /** The function whose body this is, and its axes that are unknown unless an argument decides them. */
  readonly open?: { readonly callee: string; readonly axes: readonly string[] };
}

export interface WalkOptions {
  readonly mode: "train" | "infer";
  readonly phase: "prefill" | "decode";
  /** The training step at which schedules are read; the end of every schedule when absent. */
  readonly step?: number;
  /** Sizes are symbols: both arms of an `if` are checked, divisibility is assumed and noted. */
  readonly generic: boolean;
  /** Only types are derived: branches that are not taken are looked at as well. */
  readonly checking: boolean;
}

/** Thrown when a body with symbolic sizes divides one by another: the walk starts again with `symbol` as a multiple. */
export class AssumeDivisible {
  constructor(
    readonly symbol: string,
    readonly by: Size,
  ) {}
}

export interface Walk {
  readonly emitter: Emitter;
  readonly reporter: Reporter;
  readonly options: WalkOptions;
  readonly info: InfoSink | undefined;
  /** Symbols known to be multiples: `D` as `H * D.by.H`. */
  readonly assumed: ReadonlyMap<string, Size>;
  /** Instances made so far, whose divisions are those of this declaration too. */
  readonly made: { readonly decl: ModuleDecl; readonly axes: ReadonlyMap<string, AxisArgument> }[];
  /** Names of sizes that are known at run time only: nothing may be assumed of them. */
  readonly free: Set<string>;
  /** Depth of calls, against endless recursion. */
  depth: number;
  /** Counts what needs a number of its own, such as seeds. */
  counter: number;
  /** Set when the body asked whether it is prefill or decode. */
  usesPhase: boolean;
  /** Told of each statement of a body before it is walked. */
  onStatement?: (statement: Statement) => void;
  /** Takes the assertions of a test. */
  onAssert?: (statement: AssertStatement, place: Place) => void;
  /** Takes the comparisons `a == b` and `close(a, b)`, for what an assertion that fails can tell. */
  onCompare?: (comparison: Comparison) => void;
  /** Set when rows were appended to a cache: where, for decoding token by token. */
  cacheUsed: SourceSpan | undefined;
  /** What the call under way appends to caches. */
  readonly appends: CacheAppend[];
  /** Set when a result depends on the other tokens of the batch by declaration. */
  batchDependent: BatchChoice | undefined;
}

/** Two tensors that are compared entry by entry. */
export interface Comparison {
  /** The whole expression. */
  readonly span: SourceSpan;
  readonly left: Emitted;
  readonly right: Emitted;
  /** Of `close`: entries may differ by `tolerance * (1 + |right|)`. */
  readonly tolerance?: number;
}

/** A walk at its start. */
export function newWalk(
  emitter: Emitter,
  reporter: Reporter,
  options: WalkOptions,
  { info, assumed = new Map() }: Partial<Pick<Walk, "info" | "assumed">> = {},
): Walk {
  return {
    emitter,
    reporter,
    options,
    info,
    assumed,
    free: new Set(),
    depth: 0,
    counter: 0,
    usesPhase: false,
    batchDependent: undefined,
    cacheUsed: undefined,
    appends: [],
    made: [],
  };
}

/** Where tokens are chosen among each other, and where the declaration under check asks for that. */
export interface BatchChoice {
  readonly place: SourceSpan;
  readonly source: SourceSpan;
}

/** Notes a choice among all tokens; the first one counts. */
export function noteBatch(walk: Walk, source: SourceSpan, call: SourceSpan = source): void {
  walk.batchDependent ??= { place: walk.reporter.visible(call), source };
}

export function at(place: Place, node: { readonly span: Span }): SourceSpan {
  return { file: place.file, start: node.span.start, end: node.span.end };
}

export function joinPath(path: string | undefined, name: string): string {
  return path === undefined || path === "" ? name : `${path}.${name}`;
}

/** A size in the symbols of the source: `H * D.by.H` is shown as `D`. */
export function showSize(walk: Pick<Walk, "assumed">, size: Size): string {
  let shown = size;
  for (const [name, product] of walk.assumed) {
    const rest = shown.dividedBy(product);
    if (rest && shown.constant === undefined) shown = rest.times(Size.of(name));
  }
  return shown.toString().replace(/([A-Za-z_]\w*)\.by\.(\w+)/g, "$1/$2");
}
