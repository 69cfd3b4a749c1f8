/** `moec verify`: does the compiled model compute what its spec says, and what does its number format cost? */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
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
import type { CommandDefinition } from "../program.js";
import type { Project } from "../project.js";
import type { Shell } from "../shell.js";
import { named } from "../source-host.js";
import { tableLines } from "../show/table.js";
import type { RoutesComparison, RowsComparison } from "../verify/compare.js";

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
          "Runs a model on this machine's device and on the slow reference evaluator, and compares results and routes. " +
            "Tells apart what the number format costs and what the kernels add.",
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
  const { compareRows, compareRoutes, isExplained, tokensBeforeChange } = await import("../verify/compare.js");
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
    const ids = options.prompt === undefined ? undefined : model.tokenizer.encode(options.prompt);
    const tokens = ids?.length ?? options.tokens ?? TOKENS;
    if (tokens < 1 || tokens > project.context) {
      const expected = `a whole number from 1 to ${project.context}, the context`;
      throw moecError("MOE5323", { name: "tokens", value: String(tokens), expected });
    }
    const inputs = makeInputs(built, entry, tokens, options.seed ?? 1, ids);
    const device = await runDevice(model, entry.name, inputs);
    shell.progress.update("reference, parameters as stored…");
    const rounded = parameterReader(built, source, storedAs(plan, source));
    const stored = runReference(built, entry.name, inputs, rounded, project.cache);
    shell.progress.update("reference, parameters as in the checkpoint…");
    const exact = runReference(built, entry.name, inputs, parameterReader(built, source, unchanged), "f32");
    shell.progress.clear();
    const output = entry.outputs[0]!.name;
    const width = outputWidth(entry);
    const rows = { found: device.outputs[output]!, expected: stored.outputs[output]!, width };
    const kernels = compareRows(rows.found, rows.expected, width);
    const format = compareRows(stored.outputs[output]!, exact.outputs[output]!, width);
    const expected = routesAs(stored.traces, device.routes);
    const routes = compareRoutes(device.routes, expected);
    const bound = expectedError(plan, project.cache);
    const before = tokensBeforeChange(device.routes, expected);
    const explained = isExplained(rows, tokens, before, bound);
    const { report } = model;
    const findings = { kernels, format, routes, bound, explained };
    say(shell, { ...findings, project, entry: entry.name, tokens, before, device: report.device });
    shell.result(explained, { ...findings, entry: entry.name, tokens, device: report });
    return explained ? EXIT.ok : EXIT.wrongInput;
  } finally {
    parameters.close();
    shell.progress.clear();
  }
}

interface Findings {
  readonly project: Project;
  readonly entry: string;
  readonly tokens: number;
  readonly kernels: RowsComparison;
  readonly format: RowsComparison;
  readonly routes: readonly RoutesComparison[];
  readonly bound: number;
  readonly explained: boolean;
  /** Tokens before the first one that went to other experts. */
  readonly before: number;
  readonly device: string;
}

function say(shell: Shell, findings: Findings): void {
  const { project, entry, tokens, kernels, format, routes, bound, explained, before, device } = findings;
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
  const rows = [row(`parameters as ${project.quantization}${caches}`, format), row(`kernels on ${device}`, kernels)];
  for (const line of tableLines(columns, rows, palette.dim)) shell.say(line);
  shell.say();
  for (const { layer, same, all } of routes) {
    const text = `mixture ${layer}: ${same} of ${all} choices of experts agree`;
    if (same < all) shell.say(palette.warning(text));
  }
  const agree = routes.every(({ same, all }) => same === all);
  if (routes.length > 0 && agree) shell.say(`${palette.added("✓")} all choices of experts agree`);
  if (kernels.relativeError <= bound) {
    shell.say(`${palette.added("✓")} the kernels' error is within ${number(bound)}, what rounding explains`);
  } else if (explained) {
    const text = `the kernels' error is within ${number(bound)} up to token ${before}, which went to another expert`;
    shell.say(`${palette.warning("–")} ${text}; try another seed`);
  } else {
    shell.say(`${palette.error("✗")} the kernels' error is above ${number(bound)}, more than rounding explains`);
  }
}
