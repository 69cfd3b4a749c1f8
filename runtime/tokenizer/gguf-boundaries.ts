/** What a post-processor puts around a text, as far as GGUF can say it: the bos token in front, the eos token behind. */
import { notForGguf, show } from "./errors.js";
import type { PostProcessor } from "./schema.js";

/** The two ids and whether they are added. */
export interface Around {
  readonly bos: number | undefined;
  /** The bos token begins every text. */
  readonly before: boolean;
  /** The eos token ends every text. */
  readonly after: boolean;
}

/** @throws MoecError MOE5209 for other tokens or other places. */
export function addedAround(
  processor: PostProcessor | null | undefined,
  { bos, eos }: { readonly bos: number | undefined; readonly eos: number },
  tokens: readonly string[],
): Around {
  const templates = flat(processor).filter(({ type }) => type !== "ByteLevel");
  if (templates.length === 0) return { bos, before: false, after: false };
  const [template] = templates;
  if (templates.length > 1 || template?.type !== "TemplateProcessing") {
    throw notForGguf(`its post-processor is ${templates.map(({ type }) => type).join(", ")}`);
  }
  const items = template.single ?? [];
  const at = items.findIndex((item) => "Sequence" in item);
  const names = (part: typeof items): readonly string[] =>
    part.map((item) => ("SpecialToken" in item ? item.SpecialToken.id : "a second text"));
  const [before, after] = [names(items.slice(0, at)), names(items.slice(at + 1))];
  const only = (found: readonly string[], id: number | undefined, role: string): boolean => {
    if (found.length === 0) return false;
    if (found.length > 1 || id === undefined || found[0] !== tokens[id]) {
      throw notForGguf(`it puts \`${show(found.join(""))}\` where GGUF has the ${role} token alone`);
    }
    return true;
  };
  if (at < 0) throw notForGguf("its post-processor leaves the text out");
  return { bos, before: only(before, bos, "bos"), after: only(after, eos, "eos") };
}

function flat(processor: PostProcessor | null | undefined): readonly PostProcessor[] {
  if (processor === null || processor === undefined) return [];
  return processor.type === "Sequence" ? (processor.processors ?? []).flatMap(flat) : [processor];
}
