/** Which of the free lengths of an entry is the number of new tokens: the one that goes on behind `past`. */
import { Size } from "../axes/size.js";
import type { Entry } from "./ir.js";
import { forEachNode } from "./walk.js";

const PAST = Size.of("past");

const isFree = ({ key, names }: Size): boolean => names.length === 1 && names[0] === key && key !== "past";

/**
 * The length whose rows caches take in and whose positions are counted; of an entry that has neither, the first free
 * length of its inputs. Undefined when no length is free.
 */
export function tokenSize({ body }: Entry): Size | undefined {
  const found: Size[] = [];
  forEachNode(body, ({ op, attrs, results }) => {
    const [type] = results.map((value) => value.type);
    if (op === "append" && type?.kind === "tensor") found.push(type.axes[0]!.size.minus(PAST));
    if (op === "index" && (attrs["offset"] as Size).names.includes("past")) found.push(attrs["size"] as Size);
  });
  return found.find(isFree) ?? firstFree({ body });
}

/** The first free length of the inputs, in their order. */
export function firstFree({ body }: Pick<Entry, "body">): Size | undefined {
  const axes = body.params.flatMap(({ type }) => (type.kind === "tensor" ? type.axes : []));
  return axes.map(({ size }) => size).find(isFree);
}
