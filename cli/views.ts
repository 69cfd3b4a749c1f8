/** The views of `moec inspect`: each makes text for people and data for programs from a compiled project. */
import { nodeCost } from "../compiler/2-graph/cost.js";
import type { Entry, Program } from "../compiler/2-graph/ir.js";
import { printProgram } from "../compiler/2-graph/print.js";
import { declarationsOf, typesOf } from "../compiler/2-graph/types.js";
import { dumpPasses, passes } from "../compiler/3-optimize/index.js";
import { printKernel } from "../compiler/4-schedule/kernel-print.js";
import type { Schedule } from "../compiler/4-schedule/options.js";
import type { PlanStep } from "../compiler/4-schedule/plan.js";
import type { Project } from "./project.js";
import { bytesText, countText, plural } from "./show/units.js";
import { tableLines } from "./show/table.js";

export interface Compiled {
  readonly project: Project;
  readonly built: Program;
  readonly optimized: Program;
  /** Made on first use: some views need no kernels. */
  readonly schedule: () => Schedule;
}

export interface View {
  readonly title: string;
  readonly lines: readonly string[];
  readonly data: unknown;
}

type Strong = (text: string) => string;

export function graphView({ optimized }: Compiled): View {
  const text = printProgram(optimized);
  return { title: "graph", lines: text.trimEnd().split("\n"), data: text };
}

/** What `--ir` takes: the graph before all passes, after one of them, or after each. */
export const stagesOfGraph: readonly string[] = [
  "build",
  ...passes.filter(({ off }) => off === undefined).map(({ name }) => name),
  "all",
];

/** The graph after one pass, or after each of them for `all`. */
export function passView({ built }: Compiled, pass: string): View {
  const dumps = dumpPasses(built);
  if (pass === "all") {
    const lines = dumps.flatMap((dump) => [`// after ${dump.pass}`, ...dump.text.trimEnd().split("\n"), ""]);
    return { title: "passes", lines, data: dumps };
  }
  const found = dumps.find((dump) => dump.pass === pass);
  if (!found) throw new TypeError(`no pass ${pass}; names are checked before`);
  return { title: `after ${pass}`, lines: found.text.trimEnd().split("\n"), data: found.text };
}

export function kernelView(compiled: Compiled): View {
  const { kernels, plan } = compiled.schedule();
  const launches = new Map<string, number>();
  for (const entry of plan.entries) countLaunches(entry.steps, 1, launches);
  const parts = kernels.map((kernel) => {
    const times = plural(launches.get(kernel.name) ?? 0, "launch").replace(/launchs$/, "launches");
    return { name: kernel.name, doc: kernel.doc, launches: times, text: printKernel(kernel) };
  });
  const lines = parts.flatMap((part) => [`// ${part.launches}`, ...part.text.trimEnd().split("\n"), ""]);
  return { title: "kernels", lines, data: parts };
}

function countLaunches(steps: readonly PlanStep[], times: number, counts: Map<string, number>): void {
  for (const step of steps) {
    if (step.kind === "loop") countLaunches(step.steps, times * step.count, counts);
    else counts.set(step.kernel, (counts.get(step.kernel) ?? 0) + times);
  }
}

export function memoryView(compiled: Compiled, strong: Strong): View {
  const { plan } = compiled.schedule();
  const { weights, state, arena, io } = plan.spaces;
  const spaces = [
    ["weights", bytesText(weights), "read only, packed at build time"],
    ["state", bytesText(state), `caches of ${compiled.project.context} positions`],
    ["arena", bytesText(arena), `values of one call of up to ${compiled.project.prefill} tokens`],
    ["io", bytesText(io), "inputs and outputs"],
    ["all", bytesText(weights + state + arena + io), ""],
  ];
  const columns = [{ title: "space" }, { title: "size", align: "right" }, { title: "" }] as const;
  const largest = [...plan.buffers].sort((a, b) => b.bytes - a.bytes).slice(0, 20);
  const rows = largest.map((buffer) => [buffer.id, buffer.space, bytesText(buffer.bytes)]);
  const titles = [{ title: "largest buffers" }, { title: "space" }, { title: "size", align: "right" }] as const;
  const lines = [...tableLines(columns, spaces, strong), "", ...tableLines(titles, rows, strong)];
  return { title: "memory", lines, data: { spaces: plan.spaces, buffers: plan.buffers } };
}

interface OpTotal {
  readonly op: string;
  readonly nodes: number;
  readonly flops: number;
  readonly bytes: number;
}

export function opsView({ optimized, project }: Compiled, strong: Strong): View {
  const calls = [
    { name: "decode", T: 1, past: Math.floor(project.context / 2) },
    { name: "prefill", T: project.prefill, past: 0 },
  ];
  const tables = optimized.entries.flatMap((entry) =>
    calls.map((call) => ({ entry: entry.name, ...call, ops: opTotals(optimized, entry, call) })),
  );
  const columns = [
    { title: "op" },
    { title: "nodes", align: "right" },
    { title: "operations", align: "right" },
    { title: "share", align: "right" },
    { title: "bytes", align: "right" },
  ] as const;
  const lines = tables.flatMap(({ entry, name, T, past, ops }) => {
    const flops = ops.reduce((sum, op) => sum + op.flops, 0);
    const rows = ops
      .filter((op) => op.flops > 0 || op.bytes > 0)
      .slice(0, 12)
      .map((op) => [
        op.op,
        String(op.nodes),
        countText(op.flops),
        `${flops === 0 ? 0 : Math.round((100 * op.flops) / flops)}%`,
        bytesText(op.bytes),
      ]);
    const title = `${entry}, ${name}: ${plural(T, "token")} behind ${past}, ${countText(flops)} operations`;
    return [strong(title), ...tableLines(columns, rows, (text) => text), ""];
  });
  return { title: "ops", lines, data: tables };
}

/** Top-level nodes by op; a region op counts with its body. */
function opTotals(program: Program, entry: Entry, sizes: { readonly T: number; readonly past: number }): OpTotal[] {
  const types = typesOf(entry.body);
  const declared = declarationsOf(program);
  const values = Object.fromEntries(program.runtimeSizes.map((name) => [name, name === "past" ? sizes.past : sizes.T]));
  const totals = new Map<string, OpTotal>();
  for (const node of entry.body.nodes) {
    const cost = nodeCost(node, types, declared);
    const before = totals.get(node.op) ?? { op: node.op, nodes: 0, flops: 0, bytes: 0 };
    totals.set(node.op, {
      op: node.op,
      nodes: before.nodes + 1,
      flops: before.flops + cost.flops.evaluate(values),
      bytes: before.bytes + cost.bytes.evaluate(values),
    });
  }
  return [...totals.values()].sort((a, b) => b.flops - a.flops || b.bytes - a.bytes);
}

/** What a model is, on one screen. */
export function summaryView(compiled: Compiled, strong: Strong): View {
  const { optimized } = compiled;
  const count = (path: string): number => {
    const param = optimized.params.find((one) => one.path === path)!;
    return param.axes.reduce((product, axis) => product * (axis.size.constant ?? 1), 1);
  };
  const rows = optimized.params.map((param) => [
    param.path,
    `[${param.axes.map(({ name, size }) => `${name} = ${size.key}`).join(", ")}]`,
    countText(count(param.path)),
  ]);
  const total = optimized.params.reduce((sum, { path }) => sum + count(path), 0);
  const columns = [{ title: "parameter" }, { title: "axes" }, { title: "numbers", align: "right" }] as const;
  const entries = optimized.entries.map(
    ({ name, inputs, outputs }) => `${name}(${inputs.join(", ")}) -> ${outputs.join(", ")}`,
  );
  const lines = [
    `${strong(optimized.name)}: ${countText(total)} parameters, ${plural(optimized.states.length, "state")}`,
    ...entries.map((text) => `  ${text}`),
    "",
    ...tableLines(columns, rows, strong),
  ];
  const params = optimized.params.map(({ path, axes }) => ({ path, axes, numbers: count(path) }));
  return { title: "summary", lines, data: { name: optimized.name, entries, params, numbers: total } };
}
