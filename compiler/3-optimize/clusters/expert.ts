/** Finds banks whose body is two layers of products with elementwise work between and behind them. */
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import { getOp } from "../../ops/index.js";
import type { Scope } from "./scope.js";
import type { ExpertCluster, ExpertProduct } from "./types.js";

/** Views of a parameter that a weight layout takes up. */
const VIEWS = new Set(["rename", "order", "split", "merge"]);

/** How far a value is from the token: its own parameters and captures, the token, the first products, the second. */
type Stage = "given" | "token" | "first" | "second";

type Body = Pick<ExpertCluster, "projections" | "hidden" | "down" | "tail">;

const namesOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];

/** The parts of a body, or undefined when it has another form. */
function readBody(body: Region): Body | undefined {
  const [token, ...given] = body.params;
  if (!token) return undefined;
  const stages = new Map<ValueId, Stage>([[token.id, "token"], ...given.map(({ id }) => [id, "given"] as const)]);
  const projections: ExpertProduct[] = [];
  const hidden: ValueId[] = [];
  const tail: ValueId[] = [];
  let down: ExpertProduct | undefined;
  const product = (node: Node): Stage | undefined => {
    const stage = node.operands.map((id) => stages.get(id)!);
    const weight = node.operands[stage.indexOf("given")];
    const input = stage.find((each) => each !== "given");
    if (weight === undefined || input === undefined) return undefined;
    const found: ExpertProduct = { value: node.results[0]!.id, weight, over: namesOf(node.attrs["over"]) };
    if (input === "token") {
      projections.push(found);
      return "first";
    }
    if (input !== "first" || down) return undefined;
    down = found;
    return "second";
  };
  for (const node of body.nodes) {
    const stage = node.operands.map((id) => stages.get(id));
    const [result] = node.results;
    if (!result || node.results.length !== 1 || node.regions.length > 0) return undefined;
    let now: Stage | undefined;
    if (node.op === "contract") now = product(node);
    else if (node.operands.length === 0 && node.op === "constant") now = "given";
    else if (VIEWS.has(node.op) && stage[0] === "given") now = "given";
    else if (getOp(node.op)?.family === "elementwise") now = joined(stage);
    if (now === undefined) return undefined;
    if (now !== "given" && node.op !== "contract") (now === "second" ? tail : hidden).push(result.id);
    stages.set(result.id, now);
  }
  const end = stages.get(body.results[0]!);
  if (projections.length === 0 || body.results.length !== 1 || end !== (down ? "second" : "first")) return undefined;
  const over = projections[0]!.over.join();
  if (projections.some((each) => each.over.join() !== over)) return undefined;
  return { projections, hidden, ...(down ? { down } : {}), tail };
}

/** The token itself may not be worked on before the products: that work would be done once per slot. */
function joined(stages: readonly (Stage | undefined)[]): Stage | undefined {
  if (stages.includes("token") && !stages.includes("first") && !stages.includes("second")) return undefined;
  if (stages.includes("second")) return "second";
  return stages.includes("first") ? "first" : "given";
}

/** A cluster for each bank of the form, in each mixture and dispatch. */
export function findExperts(scope: Scope): readonly ExpertCluster[] {
  return scope.region.nodes.flatMap((node) => {
    if ((node.op !== "mixture" && node.op !== "dispatch") || !scope.isFree(node)) return [];
    const bodies = node.regions.map(readBody);
    if (!bodies.some((body) => body !== undefined)) return [];
    const taken = scope.take(new Set([node]));
    const mixture = node.results[0]!.id;
    return bodies.flatMap((body, bank): ExpertCluster[] =>
      body ? [{ kind: "expert", ...taken, mixture, bank, ...body }] : [],
    );
  });
}
