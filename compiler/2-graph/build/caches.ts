/** A cache grows once in a call: layers that share a module with a cache would write behind each other's rows. */
import type { StoredState } from "../../1-check/emitter.js";
import type { Reporter } from "../../1-check/reporter.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { Size } from "../../axes/size.js";
import type { Attrs } from "../../ops/types.js";
import type { Region } from "../ir.js";

interface Appends {
  times: number;
  readonly span: SourceSpan;
}

/** Reports MOE2280 for each cache of `states`, by path, that a call of `body` appends to more than once. */
export function checkCaches(reporter: Reporter, body: Region, states: ReadonlyMap<string, StoredState>): void {
  const found = new Map<string, Appends>();
  countAppends(body, states, [], found);
  // Several modules of one declaration append at the same place: once is enough to say.
  const said = new Set<string>();
  for (const [path, { times, span }] of found) {
    const place = `${span.file}:${span.start}`;
    if (times > 1 && !said.has(place))
      reporter.report("MOE2280", { path, times: times === Infinity ? "many" : times }, span);
    if (times > 1) said.add(place);
  }
}

/** A loop around nodes: the path of the layers that it runs, if any, and how often it turns. */
interface Turns {
  readonly path: unknown;
  readonly times: number;
}

function countAppends(
  region: Region,
  states: ReadonlyMap<string, StoredState>,
  around: readonly Turns[],
  found: Map<string, Appends>,
): void {
  for (const { op, attrs, regions, span } of region.nodes) {
    if (op === "append" && span) {
      const path = attrs["state"] as string;
      const own = new Set<unknown>(states.get(path)?.repetitions.map((repetition) => repetition.path));
      const times = around.filter((turns) => !own.has(turns.path)).reduce((product, turns) => product * turns.times, 1);
      const known = found.get(path);
      if (known) known.times += times;
      else found.set(path, { times, span });
    }
    const times = turnsOf(op, attrs);
    const inside = times === undefined ? around : [...around, { path: attrs["name"], times }];
    for (const inner of regions) countAppends(inner, states, inside, found);
  }
}

/** Turns of a node's region where it is a loop; undefined for any other node. Those that only a call knows may be many. */
function turnsOf(op: string, attrs: Attrs): number | undefined {
  switch (op) {
    case "stack":
      return (attrs["layers"] as Size).constant ?? Infinity;
    case "fold":
      return (attrs["to"] as Size).minus(attrs["from"] as Size).max(Size.zero).constant ?? Infinity;
    default:
      return undefined;
  }
}
