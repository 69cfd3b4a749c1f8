/** Which entry of a model reads and writes text. */
import type { Entry } from "../2-graph/ir.js";
import type { PlanEntry } from "../4-schedule/plan.js";
import type { DType } from "../ops/types.js";

interface Ports {
  readonly name: string;
  readonly inputs: readonly { readonly dtype: DType; readonly axes: readonly unknown[] }[];
  readonly outputs: readonly { readonly dtype: DType; readonly axes: readonly unknown[] }[];
}

function isLanguage({ inputs, outputs }: Ports): boolean {
  const [output] = outputs;
  return (
    inputs.length === 1 &&
    inputs[0]!.dtype === "i32" &&
    inputs[0]!.axes.length === 1 &&
    output?.dtype === "f32" &&
    output.axes.length === 2
  );
}

function chosen<E extends Ports>(entries: readonly E[]): E | undefined {
  return entries.find((entry) => entry.name === "forward" && isLanguage(entry)) ?? entries.find(isLanguage);
}

/** `forward`, or the first entry that turns token ids into numbers on two axes; its last-token form where there is one. */
export function languageEntry(entries: readonly PlanEntry[]): PlanEntry | undefined {
  const found = chosen(entries);
  return entries.find(({ derived }) => derived?.form === "last" && derived.from === found?.name) ?? found;
}

/** The same entry of a program that is not scheduled yet, in the form that reads every token. */
export function languageGraph(entries: readonly Entry[]): Entry | undefined {
  const ports = entries.map((entry) => {
    const { params, nodes, results } = entry.body;
    const types = new Map([...params, ...nodes.flatMap((node) => node.results)].map(({ id, type }) => [id, type]));
    const listed = (ids: readonly number[]): Ports["inputs"] =>
      ids.map((id) => types.get(id)!).filter((type) => type.kind === "tensor");
    return { entry, name: entry.name, inputs: listed(params.map(({ id }) => id)), outputs: listed(results) };
  });
  return chosen(ports)?.entry;
}
