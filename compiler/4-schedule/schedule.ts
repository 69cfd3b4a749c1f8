/** From a program to kernels and a plan. */
import type { Entry, Program } from "../2-graph/ir.js";
import { idLimits } from "../2-graph/id-limits.js";
import { positionLimit } from "../2-graph/position-limit.js";
import { firstFree, tokenSize } from "../2-graph/token-size.js";
import { collectNodes } from "../2-graph/walk.js";
import type { TensorType } from "../ops/types.js";
import { EntryLowering } from "./lower/entry-lowering.js";
import { bytesOf, memoryElement, ProgramLowering } from "./lower/program-lowering.js";
import { RegionLowering } from "./lower/region.js";
import { Routes } from "./lower/routes.js";
import { atStart } from "./lower/storage.js";
import { elements, rowMajor, Stored } from "./lower/tensor.js";
import { matrixUses } from "./layout/matrix-uses.js";
import { planMemory } from "./memory/plan-memory.js";
import type { Target } from "../targets/index.js";
import type { Schedule, ScheduleOptions } from "./options.js";
import type { PlanEntry, PlanPort } from "./plan.js";
import { refuse } from "./refusal.js";

function port(name: string, type: TensorType, buffer: string, rows?: number): PlanPort {
  return {
    name,
    dtype: type.dtype,
    axes: type.axes.map((axis) => ({ name: axis.name, size: axis.size.key })),
    buffer,
    ...(rows === undefined ? {} : { rows }),
  };
}

function ioTensor(program: ProgramLowering, id: string, type: TensorType): Stored {
  program.buffer(id, "io", program.bound(elements(type.axes)) * bytesOf[type.dtype]);
  return new Stored(type.dtype, type.axes, atStart(id), memoryElement(type.dtype), rowMajor(type.axes));
}

/** Most tokens of one call: an entry for several texts has one of each. */
function mostTokens(entry: Entry, limit: number): number {
  const most = collectNodes(entry.body, ({ op }) => op === "each_text").map(({ attrs }) => attrs.most as number);
  return Math.min(limit, ...most);
}

function scheduleEntry(program: ProgramLowering, entry: Entry): PlanEntry {
  program.tokens = mostTokens(entry, program.options.limits.T);
  const lowering = new EntryLowering(entry, program);
  const inputs: PlanPort[] = [];
  const limits = idLimits(entry.body);
  const args = entry.body.params.map((param, index) => {
    const name = entry.inputs[index]!;
    if (param.type.kind === "routes") return refuseRoutes(program, `input ${name}`);
    const id = `in:${entry.name}.${name}`;
    inputs.push(port(name, param.type, id, limits[index]));
    return ioTensor(program, id, param.type);
  });
  const results = new RegionLowering(lowering).run(entry.body, args);
  const types = new Map(
    entry.body.nodes
      .flatMap((node) => node.results)
      .concat(entry.body.params)
      .map((v) => [v.id, v.type]),
  );
  const outputs = results.map((result, index) => {
    const name = entry.outputs[index]!;
    const type = types.get(entry.body.results[index]!)!;
    if (type.kind === "routes" || result instanceof Routes) return refuseRoutes(program, `output ${name}`);
    const id = `out:${entry.name}.${name}`;
    lowering.store(result, ioTensor(program, id, type));
    return port(name, type, id);
  });
  const { name, derived } = entry;
  const tokens = tokenSize(entry);
  const positions = positionLimit(entry.body);
  return {
    name,
    ...(derived ? { derived } : {}),
    ...(tokens && tokens.key !== firstFree(entry)?.key ? { tokens: tokens.key } : {}),
    ...(positions === undefined ? {} : { positions }),
    inputs,
    outputs,
    steps: lowering.steps,
    traces: lowering.traces,
  };
}

function refuseRoutes(program: ProgramLowering, what: string): never {
  const reason = `${what} is a value of type routes; give its numbers (routes_index, routes_weight) instead`;
  return refuse("MOE3301", { op: "routes", target: program.target.name, reason });
}

/**
 * Kernels for a target and the plan that calls them.
 *
 * @param program What the optimizer gave.
 * @throws MoecError MOE3301 for an op without a kernel, MOE3302 when the plan does not fit into the target's memory,
 * MOE3303 for sizes that had to be known, MOE3304 for block formats on axes that they do not fit,
 * MOE3305 for a layer with more numbers than kernels count.
 */
export function schedule(program: Program, target: Target, options: ScheduleOptions): Schedule {
  const lowering = new ProgramLowering(program, target, options, matrixUses(program));
  const wanted = options.entries && new Set(options.entries);
  const entries = program.entries
    .filter((entry) => !wanted || wanted.has(entry.name))
    .map((entry) => {
      options.onStage?.(`lower ${entry.name}`);
      return scheduleEntry(lowering, entry);
    });
  options.onStage?.("memory");
  const { buffers, spaces } = planMemory(lowering.buffers, entries, target);
  return {
    kernels: lowering.kernels,
    plan: {
      limits: { ...options.limits },
      spaces,
      buffers,
      weights: [...lowering.weights.values()],
      states: [...lowering.states.values()],
      knobs: [...lowering.knobs.values()],
      entries,
    },
  };
}
