/** Routes of the calls of a text as those of one. */
import { joinRoutes, type GenerationStep, type RouteTrace } from "../../runtime/node/index.js";
import { acrossCalls } from "./across-calls.js";

/**
 * Each mixture's traces over all calls. Tokens of calls without one have empty slots there, so that places stay those of the
 * text.
 */
export function joinedRoutes(steps: readonly Pick<GenerationStep, "read" | "routes">[]): readonly RouteTrace[] {
  const key = ({ label, layers, slots, experts }: RouteTrace): string => [label, layers, slots, experts].join(" ");
  const calls = steps.map(({ routes }) => routes);
  return acrossCalls(calls, key).map(({ one, parts }) => {
    const own = parts.filter((part) => part !== undefined);
    // Rows that are no tokens have no place in the text to keep.
    if (!own.every(({ byToken }) => byToken)) return joinRoutes(own);
    return joinRoutes(parts.map((part, step) => part ?? withoutExperts(one, steps[step]!.read.length)));
  });
}

function withoutExperts(mixture: RouteTrace, tokens: number): RouteTrace {
  const places = mixture.layers * tokens * mixture.slots;
  return { ...mixture, tokens, index: new Int32Array(places).fill(-1), weight: new Float32Array(places) };
}
