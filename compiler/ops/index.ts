/**
 * The op table: every op of the graph IR by name. Total by construction: `OpName` is what the families define.
 */
import { attendOps } from "./attend.js";
import { axesOps } from "./axes.js";
import { contractOps } from "./contract.js";
import { elementwiseOps } from "./elementwise.js";
import { eachTextOps } from "./each-text.js";
import { gatherOps } from "./gather.js";
import { mixtureOps } from "./mixture.js";
import { placeOps } from "./place.js";
import { randomOps } from "./random.js";
import { reduceOps } from "./reduce.js";
import { repeatOps } from "./repeat.js";
import { routeOps } from "./route.js";
import { routesOps } from "./routes.js";
import { softmaxOps } from "./softmax.js";
import { sourceOps } from "./source.js";
import { stateOps } from "./state.js";
import { topOps } from "./top.js";
import type { OpDef } from "./types.js";

const table = {
  ...elementwiseOps,
  ...axesOps,
  ...placeOps,
  ...gatherOps,
  ...reduceOps,
  ...softmaxOps,
  ...contractOps,
  ...topOps,
  ...routeOps,
  ...routesOps,
  ...randomOps,
  ...sourceOps,
  ...stateOps,
  ...mixtureOps,
  ...attendOps,
  ...repeatOps,
  ...eachTextOps,
} as const;

/** Name of an op. */
export type OpName = keyof typeof table;

/** The record of each op. */
export const ops: Readonly<Record<OpName, OpDef>> = table;

export const opNames: readonly OpName[] = Object.keys(table) as OpName[];

const byName: ReadonlyMap<string, OpDef> = new Map(Object.entries(table));

/** The record of an op by a name that may be unknown. */
export function getOp(name: string): OpDef | undefined {
  return byName.get(name);
}

export { sameType, typeText } from "./type-text.js";
