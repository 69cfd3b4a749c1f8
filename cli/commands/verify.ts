/** `moec verify`: does the compiled model compute what its spec says, and what does its number format cost? */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../../compiler/2-graph/ir.js";
import type { CacheStorage } from "../../compiler/4-schedule/options.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import type { Model } from "../../runtime/node/index.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import {
  addDeviceOptions,
  addModelOptions,
  MODEL_SOURCES,
  wholeAs,
  wholeFrom,
  type DeviceOptions,
  type ModelOptions,
} from "../options.js";
import type { CommandDefinition } from "../command.js";
import type { Project } from "../project.js";
import type { Shell } from "../shell.js";
import { named } from "../source-host.js";
import { tableLines } from "../show/table.js";
import type { RowsComparison } from "../verify/compare.js";
import type { Verdict } from "../verify/verdict.js";

interface VerifyOptions extends ModelOptions, DeviceOptions {
  readonly tokens?: number;
  readonly seed?: number;
  readonly prompt?: string;
}

const TOKENS = 16;

export const verifyCommand: CommandDefinition = (program, start) =>
  addDeviceOptions(
    addModelOptions(
      program
        .command("verify")
        .summary("compare a compiled model with the reference evaluator")
        .description(
          "Runs a model on this machine's device and on the slow reference evaluator, and compares results and routes: " +
            "of one call, and of a text that goes on token by token through the caches. Tells apart what the number " +
            "format costs and what the kernels add.",
        )
        .argument("[project]", MODEL_SOURCES, ".")
        .option("--tokens <count>", `tokens of the call (default ${TOKENS})`, wholeFrom(1))
        .option("--seed <number>", "seed of the token ids and other inputs", wholeAs("seed"))
        .option("--prompt <text>", "these tokens instead of seeded ones")
        .action((path: string, options: VerifyOptions) =>
          start("verify", options, async (shell) => {
            const { openRunnable } = await import("../runnable.js");
            const { sourcesOf } = await import("../project.js");
            return verify(shell, sourcesOf(await openRunnable(shell, path, options), path), options);
          }),
        ),
    ),
  ).addHelpText(
    "after",
    `
Examples:
  moec verify examples/tiny-moe
  moec verify examples/tiny-moe --quantization q4_0 --prompt "In the beginning"
  moec verify model.gguf --device native --tokens 4
  moec verify model.moe --random 1 --json
`,
  );

async function verify(shell: Shell, project: Project, options: VerifyOptions): Promise<ExitCode> {
  const { cachedBundle } = await import("../cached-bundle.js");
  const { buildModel, checkSpec } = await import("../compile.js");
  const { openParameters } = await import("../parameters.js");
  const { loadBundle } = await import("../load-bundle.js");
  const { parameterReader, storedAs, unchanged } = await import("../verify/stored-parameters.js");
  const { makeInputs, outputWidth, routesAs, runDevice, runReference } = await import("../verify/runs.js");
  const { StateStore } = await import("../../compiler/2-graph/index.js");
  const { cacheRounding } = await import("../../compiler/checkpoints/cache-rounding.js");
  const { compareRows } = await import("../verify/compare.js");
  const { verdictOn } = await import("../verify/verdict.js");
  const { planFile } = await import("../verify/plan-file.js");
  const { expectedError } = await import("../verify/expected-error.js");
  const { folder } = await cachedBundle(shell, project);
  const built = buildModel(checkSpec(shell, project.spec), project);
  const parameters = openParameters(shell, built, project);
  try {
    const { source } = parameters;
    using model = await loadBundle(shell, folder, options);
    const plan = JSON.parse(readFileSync(join(folder, planFile(model.manifest, model.report)), "utf8")) as Plan;
    const entry = model.manifest.entries[0]!;
    const prompt = options.prompt === undefined ? undefined : model.tokenizer.encode(options.prompt);
    const tokens = prompt?.length ?? options.tokens ?? TOKENS;
    if (tokens < 1 || tokens > project.context) {
      const expected = `a whole number from 1 to ${project.context}, the context`;
      throw moecError("MOE5323", { name: "tokens", value: String(tokens), expected });
    }
    const inputs = makeInputs(built, entry, tokens, options.seed ?? 1, prompt);
    const device = await runDevice(model, entry.name, inputs, "call");
    shell.progress.update("reference, parameters as stored…");
    const rounded = parameterReader(built, source, storedAs(plan, source));
    const newText = (cache: CacheStorage) => new StateStore(cacheRounding(cache));
    const stored = runReference(built, entry.name, inputs, rounded, newText(project.cache));
    shell.progress.update("reference, parameters as in the checkpoint…");
    const unrounded = parameterReader(built, source, unchanged);
    const exact = runReference(built, entry.name, inputs, unrounded, newText("f32"));
    const output = entry.outputs[0]!.name;
    const width = outputWidth(entry);
    const bound = expectedError(plan, project.cache);
    const expected = { outputs: stored.outputs, routes: routesAs(stored.traces, device.routes) };
    const call = verdictOn(device, expected, { output, width, tokens, bound });
    shell.progress.update("token by token…");
    const decoding = await decode(model, built, plan, {
      ...options,
      tokens,
      prompt,
      params: rounded,
      cache: project.cache,
      bound,
    });
    shell.progress.clear();
    const format = compareRows(stored.outputs[output]!, exact.outputs[output]!, width);
    const explained = call.explained && (decoding === undefined || decoding.explained);
    const { report } = model;
    const findings = { format, call, decoding, bound };
    await say(shell, { ...findings, project, entry: entry.name, tokens, device: report.device });
    const { kernels, routes } = call;
    shell.result(explained, {
      kernels,
      format,
      routes,
      bound,
      explained,
      entry: entry.name,
      tokens,
      device: report,
      ...(decoding
        ? { decoding: { kernels: decoding.kernels, routes: decoding.routes, explained: decoding.explained } }
        : {}),
    });
    return explained ? EXIT.ok : EXIT.wrongInput;
  } finally {
    parameters.close();
    shell.progress.clear();
  }
}

/** Undefined where nothing is written token by token. */
async function decode(
  model: Model,
  program: Program,
  plan: Plan,
  given: {
    readonly tokens: number;
    readonly prompt: readonly number[] | undefined;
    readonly seed?: number;
    readonly params: (path: string) => ReferenceTensor;
    readonly cache: CacheStorage;
    readonly bound: number;
  },
): Promise<Verdict | undefined> {
  const { decodingEntries, runDecoding } = await import("../verify/decoding.js");
  const { makeInputs, outputWidth } = await import("../verify/runs.js");
  const { verdictOn } = await import("../verify/verdict.js");
  const { tokens, prompt, seed = 1, params, cache, bound } = given;
  const { entries, language } = model.manifest;
  const written = decodingEntries(program, plan, language);
  if (!written || tokens < 2) return undefined;
  const entry = entries.find(({ name }) => name === written.prompt)!;
  const ids = makeInputs(program, entry, tokens, seed, prompt)[written.input]!;
  const { found, expected, prompt: skipped } = await runDecoding(model, program, written, ids, params, cache);
  return verdictOn(found, expected, { output: written.output, width: outputWidth(entry), tokens, skipped, bound });
}

interface Findings {
  readonly project: Project;
  readonly entry: string;
  readonly tokens: number;
  readonly device: string;
  /** What the number format changes. */
  readonly format: RowsComparison;
  readonly call: Verdict;
  /** Absent for models that write no text. */
  readonly decoding: Verdict | undefined;
  readonly bound: number;
}

async function say(shell: Shell, findings: Findings): Promise<void> {
  const { verdictLines } = await import("../verify/verdict.js");
  const { project, entry, tokens, format, call, decoding, bound, device } = findings;
  const { palette } = shell;
  const number = (value: number): string => value.toExponential(1);
  shell.say(`${named(shell.io.cwd, project.spec)}, entry \`${entry}\`, ${tokens} tokens`);
  shell.say();
  const row = (what: string, one: RowsComparison): string[] => [
    what,
    number(one.relativeError),
    `${number(one.worst.relativeError)} at ${one.worst.position}`,
    `${one.sameBest} of ${one.positions}`,
  ];
  const columns = [
    { title: "what changes the results" },
    { title: "relative error", align: "right" as const },
    { title: "worst position", align: "right" as const },
    { title: "same best", align: "right" as const },
  ];
  const caches = project.cache === "f32" ? "" : `, caches as ${project.cache}`;
  const verdicts = [
    { how: "in one call", verdict: call },
    ...(decoding ? [{ how: "token by token", verdict: decoding }] : []),
  ];
  const rows = [
    row(`parameters as ${project.quantization}${caches}`, format),
    ...verdicts.map(({ how, verdict }) => row(`kernels on ${device}, ${how}`, verdict.kernels)),
  ];
  for (const line of tableLines(columns, rows, palette.dim)) shell.say(line);
  shell.say();
  for (const { how, verdict } of verdicts) {
    for (const line of verdictLines(verdict, bound, how, palette)) shell.say(line);
  }
}
