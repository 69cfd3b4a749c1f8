/** Static report of a model's CUDA kernels: what the assembler says of each, and the least time of a call. */
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import { regionCost } from "../../compiler/2-graph/cost.js";
import type { Program, StorageType } from "../../compiler/2-graph/ir.js";
import { deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { schedule, type CacheStorage } from "../../compiler/4-schedule/index.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { layerCount, layoutOf } from "../../compiler/4-schedule/layout/pack.js";
import type { Plan, PlanStep } from "../../compiler/4-schedule/plan.js";
import { cudaLaunch, emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { cuda } from "../../compiler/targets/index.js";
import { compileCuda, nvccCapabilities, nvccVersion, VERBOSE } from "../../cli/nvcc.js";
import { a100, h100, occupancy, productRate, readPtxas, roofline, type KernelReport } from "../../cli/ptxas.js";
import { diskHost } from "../../cli/source-host.js";
import { storageOf } from "../../cli/storage-choice.js";

export interface ReportOptions {
  readonly spec: string;
  readonly storage: StorageType;
  readonly sizes: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly context: number;
  /** Whether attention is shown for other heads: in models that call the columns of a head `C`. */
  readonly attention: boolean;
}

interface KernelRow {
  readonly kernel: string;
  readonly threads: number;
  /** Launches of one call of the first entry. */
  readonly launches: number;
  /** By the place of a generation in `GENERATIONS`; undefined where the compiler does not know it. */
  readonly said: readonly (KernelReport | undefined)[];
}

/** A100, H100, B200: the generations that the page speaks of. */
const GENERATIONS: readonly number[] = [80, 90, 100];

/** The kernels that the report is about. */
export function scheduled(
  { spec, storage, sizes, tokens, context }: Omit<ReportOptions, "attention">,
  cache: CacheStorage = "f32",
) {
  const program = optimize(deriveLastToken(buildProgram(check(spec, diskHost(process.cwd())), { sizes })));
  const options = { limits: { T: tokens, context }, storage: storageOf(program, storage), cache };
  return { program, ...schedule(program, cuda, options) };
}

/** What the assembler says of kernels, for each generation. */
function assembled(kernels: readonly Kernel[]): readonly (ReadonlyMap<string, KernelReport> | undefined)[] {
  const source = emitCuda(kernels, cuda);
  const known = nvccCapabilities();
  return GENERATIONS.map((capability) => {
    if (!known.includes(capability)) return undefined;
    const { report } = compileCuda(source, { kind: "cubin", capability }, { more: VERBOSE });
    return new Map(readPtxas(report).map((one) => [one.kernel, one]));
  });
}

export function kernelRows(options: ReportOptions): {
  readonly rows: readonly KernelRow[];
  readonly program: Program;
  readonly plan: Plan;
} {
  const { program, kernels, plan } = scheduled(options);
  const reports = assembled(kernels);
  const launches = countLaunches(plan.entries[0]!.steps);
  const rows = kernels.map((kernel) => ({
    kernel: kernel.name,
    threads: cudaLaunch(kernel).threads,
    launches: launches.get(kernel.name) ?? 0,
    said: reports.map((report) => report?.get(kernel.name)),
  }));
  return { rows, program, plan };
}

/** Columns of a head that attention by tensor cores is shown for, and the caches that it reads. */
const HEADS: readonly number[] = [64, 80, 128];
const HALVES = ["f16", "bf16"] as const;

/** Kernels of attention by tensor cores, and what their rows are called. */
export function attentionKernels(
  options: Omit<ReportOptions, "attention">,
): readonly { readonly row: string; readonly kernel: Kernel }[] {
  return HALVES.flatMap((cache) =>
    HEADS.map((C) => {
      const { kernels } = scheduled({ ...options, sizes: { ...options.sizes, C } }, cache);
      const kernel = kernels.find(({ name }) => name.startsWith("attend_matrix"))!;
      return { row: `${C} columns, ${cache}`, kernel };
    }),
  );
}

function attentionRows(options: ReportOptions): readonly KernelRow[] {
  return attentionKernels(options).map(({ row, kernel }) => {
    const said = assembled([kernel]).map((report) => report?.get(kernel.name));
    return { kernel: row, threads: cudaLaunch(kernel).threads, launches: 0, said };
  });
}

function countLaunches(steps: readonly PlanStep[], times = 1, counts = new Map<string, number>()): Map<string, number> {
  for (const step of steps) {
    if (step.kind === "loop") countLaunches(step.steps, times * step.count, counts);
    else counts.set(step.kernel, (counts.get(step.kernel) ?? 0) + times);
  }
  return counts;
}

/** Bytes of weights that a call of so many tokens reads at least: of a bank, no more experts than tokens can choose. */
function weightBytes(plan: Plan, tokens: number): number {
  const [trace] = plan.entries[0]!.traces;
  const share = trace ? Math.min(1, (tokens * trace.slots) / trace.experts) : 1;
  return plan.weights.reduce((sum, weight) => {
    const isBank =
      trace !== undefined && weight.axes.some(({ size }, i) => i === weight.layerAxes && size === trace.experts);
    return sum + layerCount(weight) * layoutOf(weight).layerBytes * (isBank ? share : 1);
  }, 0);
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const percent = (value: number): string => `${Math.round(100 * value)} %`;

/** Registers, spills, stack, shared memory and occupancy of a kernel. */
function saidCells({ said, threads }: KernelRow): readonly string[] {
  const each = (number: (report: KernelReport) => number): string =>
    said.map((report) => (report ? number(report) : "-")).join(" / ");
  const there = [a100, h100].map((gpu) => {
    const report = said[GENERATIONS.indexOf(gpu.capability)];
    return report ? percent(occupancy(report, threads, gpu)) : "-";
  });
  const shared = new Set(said.map((report) => report?.shared).filter((bytes) => bytes !== undefined));
  return [
    ...[each(({ registers }) => registers), each(({ spills }) => spills), each(({ stack }) => stack)],
    ...[[...shared].join(" / "), there.join(" / ")],
  ];
}

/** The report as Markdown. */
export function reportText(options: ReportOptions): string {
  const { rows, program, plan } = kernelRows(options);
  const version = /release [\d.]+, V([\d.]+)/.exec(nvccVersion())?.[1] ?? "unknown";
  const entry = program.entries[0]!;
  const cost = regionCost(entry.body);
  const calls = [1, options.tokens].map((tokens) => {
    const sizes = { T: tokens, past: tokens === 1 ? options.context - 1 : 0 };
    const operations = cost.flops.evaluate(sizes);
    const bytes = weightBytes(plan, tokens);
    const times = [a100, h100].map((gpu) => {
      const rate = tokens === 1 ? gpu.operations : productRate(options.storage, gpu);
      return `${(1e6 * roofline(operations, bytes, gpu, rate)).toFixed(1)} µs`;
    });
    return row([`${tokens} behind ${sizes.past}`, (operations / 1e6).toFixed(1), (bytes / 1e6).toFixed(1), ...times]);
  });
  return [
    `\`${options.spec}\`, ${options.storage}, compiled by nvcc ${version}. Registers, spilled bytes and shared memory of`,
    `${GENERATIONS.map((capability) => `sm_${capability}`).join(" / ")}, "-" where the compiler does not know one;`,
    "occupancy of A100 / H100; launches of one call.",
    "",
    row(["kernel", "launches", "threads", "registers", "spills", "stack", "shared", "occupancy"]),
    row(["---", "--:", "--:", "--:", "--:", "--:", "--:", "--:"]),
    ...rows.map((one) => row([`\`${one.kernel}\``, one.launches, one.threads, ...saidCells(one)])),
    "",
    ...(options.attention
      ? [
          "Attention of many queries by tensor cores, by the columns of a head and how keys and values are kept:",
          "",
          row(["head", "threads", "registers", "spills", "stack", "shared", "occupancy"]),
          row(["---", "--:", "--:", "--:", "--:", "--:", "--:"]),
          ...attentionRows(options).map((one) => row([one.kernel, one.threads, ...saidCells(one)])),
          "",
        ]
      : []),
    "The least time of a call: the operations of the cost model (of many tokens at the rate of the tensor cores for these",
    "weights, of one at that for f32), or the weights that the call must read at the GPU's bandwidth, whichever is longer.",
    "No launch reaches it.",
    "",
    row(["tokens", "10^6 operations", "MB of weights", "A100", "H100"]),
    row(["---", "--:", "--:", "--:", "--:"]),
    ...calls,
    "",
  ].join("\n");
}
