/** The entry point of decoding: only the last token's result is asked for, so only that is computed. */
import { Size } from "../axes/size.js";
import type { Entry, Program } from "../2-graph/ir.js";
import { mapEntries, RegionEditor } from "./rewrite.js";

export interface LastTokenOptions {
  /** The entry to start from; `forward` when absent. */
  readonly entry?: string;
  /** Name of the new entry; `<entry>_last` when absent. */
  readonly as?: string;
}

/**
 * Adds an entry with the same inputs whose outputs hold the last token only: a token axis keeps its name and has size 1.
 * The pass `sink-slices` then computes the head for one token. The program itself when it has no such entry, no output
 * with a token axis, or the new entry already.
 *
 * @example deriveLastToken(program) // adds `forward_last`
 */
export function deriveLastToken(program: Program, options: LastTokenOptions = {}): Program {
  const name = options.entry ?? "forward";
  const as = options.as ?? `${name}_last`;
  const entry = program.entries.find((each) => each.name === name);
  if (!entry || program.entries.some((each) => each.name === as)) return program;
  const tokens = new Set(program.runtimeSizes.filter((size) => size !== "past"));
  const only: Program = { ...program, entries: [entry] };
  const derived = mapEntries(only, (body, ids, declared) => {
    const editor = new RegionEditor(ids, declared, body.params);
    for (const node of body.nodes) editor.emit(node);
    const results = body.results.map((id) => {
      const type = editor.type(id);
      const axis = type.kind === "tensor" ? type.axes.find(({ size }) => tokens.has(size.key)) : undefined;
      if (!axis) return id;
      return editor.add("slice", [id], { axis: axis.name, from: axis.size.minus(Size.one), to: axis.size });
    });
    return results.some((id, i) => id !== body.results[i]) ? { ...body, nodes: editor.nodes, results } : body;
  });
  const [last] = derived.entries;
  if (derived === only || !last) return program;
  const added: Entry = { ...last, name: as, derived: { from: name, form: "last" } };
  return { ...program, entries: [...program.entries, added] };
}
