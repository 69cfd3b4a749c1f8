/** A small model run in the page by the reference evaluator, with random parameters: which experts do tokens go to? */
import type { CheckedProject } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate, ProgramRefused } from "../../compiler/2-graph/index.js";
import { refusal } from "../../editor/server/kernels/refusal.js";
import { randomParameters, tooMany } from "./random-parameters.js";

export interface ModelRun {
  readonly ok: boolean;
  /** A report to read, or why there is none. */
  readonly text: string;
}

/** Runs the first entry of the file's model on `tokens`. */
export function runModel(project: CheckedProject, tokens: readonly number[], seed: number): ModelRun {
  try {
    return { ok: true, text: report(project, tokens, seed) };
  } catch (error) {
    return { ok: false, text: refusal(error) };
  }
}

function report(project: CheckedProject, tokens: readonly number[], seed: number): string {
  const program = buildProgram(project);
  const large = tooMany(program);
  if (large !== undefined) return large;
  const entry = program.entries[0];
  if (!entry) throw new ProgramRefused([]);
  const [input] = entry.body.params;
  if (!input || entry.inputs.length !== 1 || input.type.kind !== "tensor" || input.type.axes.length !== 1) {
    return `${program.name}.${entry.name} takes more than tokens; only models from tokens run here.`;
  }
  const axis = input.type.axes[0]!.name;
  const data = Float64Array.from(tokens);
  const given = { kind: "tensor", dtype: input.type.dtype, axes: [{ name: axis, size: data.length }], data } as const;
  const { outputs, routes } = evaluate(program, entry.name, {
    inputs: { [entry.inputs[0]!]: given },
    params: randomParameters(program, seed),
    trace: true,
  });
  const lines = [`${program.name}.${entry.name}(${tokens.join(" ")}) with random parameters (seed ${seed})`, ""];
  for (const { layers, routes: found } of routes) {
    const where = layers.map(({ stack, index }) => `${stack}[${index}]`).join(".");
    lines.push(`${where || "mixture"}: experts of each token`);
    for (let token = 0; token < found.index.length / found.slots; token++) {
      const chosen = [...found.index.subarray(token * found.slots, (token + 1) * found.slots)];
      lines.push(`  token ${token}: ${chosen.filter((expert) => expert >= 0).join(", ") || "none"}`);
    }
  }
  for (const [name, value] of Object.entries(outputs)) {
    if (value.kind !== "tensor") continue;
    const shape = value.axes.map((each) => `${each.name} = ${each.size}`).join(", ");
    lines.push("", `${name}: [${shape}]`, ...rows(value.data, value.axes.at(-1)?.size ?? 1));
  }
  return lines.join("\n");
}

const MOST_ROWS = 8;
const MOST_COLUMNS = 8;

function rows(data: Float64Array, width: number): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < data.length && lines.length < MOST_ROWS; at += width) {
    const row = [...data.subarray(at, at + Math.min(width, MOST_COLUMNS))].map((x) => x.toFixed(3).padStart(8));
    lines.push(row.join("") + (width > MOST_COLUMNS ? "  …" : ""));
  }
  return lines;
}
