/** A recipe while it is walked: what it is applied to, its lines, and what they have made so far. */
import type { Expression } from "../../../grammar/tree.js";
import type { Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Place, Walk } from "../context.js";
import type { CallArgument } from "../elaborate/calls.js";
import type { Emitted } from "../emitter.js";
import type { DeclarationValue, InstanceValue, ModuleInfo } from "../values.js";
import type { Model } from "./chains.js";

/** One parameter of what a recipe makes. */
export interface MadeParameter {
  readonly path: string;
  /** With the axes of its declaration, in their order. */
  readonly value: Emitted;
  /** The parameter that is taken over as it is; absent where a line says what it is. */
  readonly taken?: string;
  /** The value of the line that sets it. */
  readonly line?: SourceSpan;
  /** Axes along which the value is repeated. */
  readonly copied: readonly string[];
}

/** What a recipe made. */
export interface Made {
  readonly target: InstanceValue;
  /** Where the types of the head are read: with the recipe's axes and numbers. */
  readonly place: Place;
  /** Sources by their names in the head. */
  readonly sources: ReadonlyMap<string, InstanceValue>;
  readonly parameters: ReadonlyMap<string, MadeParameter>;
}

/** What a recipe is applied to. */
export interface RecipeCall {
  readonly info: ModuleInfo;
  /** By parameter; none where the sources are made by their types. */
  readonly args?: ReadonlyMap<string, CallArgument>;
  /** Numbers that are given by name, where there are no arguments. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Sizes of the recipe's axes that are given. */
  readonly axes?: ReadonlyMap<string, { readonly size: Size; readonly span?: SourceSpan }>;
  /** The module whose parameters it sets; made by its type when absent. */
  readonly target?: { readonly module: InstanceValue; readonly span: SourceSpan };
  /** Paths of the target that need a value; others may stay without. Those that the target's bodies read when absent. */
  readonly wanted?: ReadonlySet<string>;
  /** Recipes that are being applied while this one is, outermost first. */
  readonly within?: readonly ModuleInfo[];
  readonly span: SourceSpan;
  readonly place: Place;
}

/** A line that sets a parameter, or all parameters below a module. */
export interface Line {
  readonly path: Expression;
  readonly value: Expression;
  /** Path of the parameter or module. */
  readonly sets: string;
}

/** A recipe whose head is known. */
export interface Recipe {
  readonly walk: Walk;
  readonly info: ModuleInfo;
  /** Where its lines are: the scope has what the head names, but for the target. */
  readonly place: Place;
  /** Where the target has its name as well: only the left sides of lines know it. */
  readonly targetPlace: Place;
  readonly sources: readonly Model[];
  readonly target: Model;
  /** Names of the sources that were read. */
  readonly used: Set<string>;
  /** Paths of the target that need a value; undefined where all do. */
  readonly wanted: ReadonlySet<string> | undefined;
  /** What is set so far, by path. */
  readonly made: Map<string, MadeParameter>;
  /** Applies another recipe that sets a part of the target. */
  readonly apply: (
    recipe: DeclarationValue,
    args: readonly CallArgument[],
    span: SourceSpan,
    part: Required<Pick<RecipeCall, "target" | "wanted">>,
  ) => Made | undefined;
}
