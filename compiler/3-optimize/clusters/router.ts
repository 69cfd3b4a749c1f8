/** Finds what lies between the scores of the experts and the routes. */
import type { Node, ValueId } from "../../2-graph/ir.js";
import { axisNames } from "../graph.js";
import type { Scope } from "./scope.js";
import type { RouterCluster } from "./types.js";

/** Ops that a router does token by token, beside the elementwise ones. */
const STEPS = new Set([
  "softmax",
  "log_softmax",
  "logsumexp",
  "reduce",
  "cumsum",
  "argmax",
  "argmin",
  "top",
  "top_mask",
  "sort",
  "rename",
  "split",
  "merge",
  "order",
  "expand",
  "route",
  "routes_scale",
  "routes_make",
]);
/** What goes on behind the route. */
const BEHIND = new Set(["routes_scale"]);

/** True when no token sees another one: what is reduced, sorted or renamed is not an axis of the tokens. */
function isPerToken(node: Node, tokens: ReadonlySet<string>, scope: Scope): boolean {
  if (!scope.isElementwise(node) && !STEPS.has(node.op)) return false;
  const { attrs } = node;
  const touched = [attrs["over"], attrs["axis"], attrs["axes"], attrs["from"]].flat();
  if (node.op !== "order" && touched.some((name) => typeof name === "string" && tokens.has(name))) return false;
  // Work that is the same for all tokens (a bias scaled once) stays in front.
  return node.results.every(({ type }) => [...tokens].every((name) => axisNames(type).includes(name)));
}

/** All routers of the region; a route over all tokens (expert choice) is none. */
export function findRouters(scope: Scope): readonly RouterCluster[] {
  const found: RouterCluster[] = [];
  for (const route of scope.region.nodes) {
    const [result] = route.results;
    if (route.op !== "route" || !scope.isFree(route) || result?.type.kind !== "routes") continue;
    if (route.attrs["choice"] === "experts") continue;
    const tokens = new Set(axisNames(result.type));
    const members = new Set<Node>([route]);
    let routes: ValueId = result.id;
    for (let next = scope.onlyUser(routes); next && BEHIND.has(next.op); next = scope.onlyUser(routes)) {
      if (next.operands[0] !== routes || !scope.isFree(next)) break;
      members.add(next);
      routes = next.results[0]!.id;
    }
    // Backwards, so that all users of a node are known when its turn comes.
    for (const node of [...scope.region.nodes].reverse()) {
      if (members.has(node) || !scope.isFree(node) || (scope.uses.get(node.results[0]?.id ?? -1) ?? []).length === 0)
        continue;
      if (isPerToken(node, tokens, scope) && scope.isInterior(node, members)) members.add(node);
    }
    const taken = scope.take(members);
    const scores = taken.inputs.filter((id) => {
      const names = axisNames(scope.type(id));
      return [...tokens].every((name) => names.includes(name)) && names.length > tokens.size;
    });
    found.push({ kind: "router", ...taken, route: result.id, routes, scores });
  }
  return found;
}
