/** Checks that tokens and ids are one to one, and that merges join tokens that exist into tokens that exist. */
import { badForm, badVocabulary, show } from "./errors.js";
import type { PostProcessor, TokenizerJson } from "./schema.js";

/** More than any model has; ids are indices of a list in the library, and one huge id would make it sparse and slow. */
const MAX_ID = 2 ** 24;

/** Token texts by id, and ids by token text. Ids without a token are holes of `texts`. */
export interface Vocabulary {
  readonly texts: readonly (string | undefined)[];
  readonly ids: ReadonlyMap<string, number>;
}

/**
 * Check the vocabulary of model and added tokens.
 *
 * @throws MoecError MOE5202 for entries of another type, MOE5204 for a vocabulary that contradicts itself.
 */
export function checkVocabulary(json: TokenizerJson): Vocabulary {
  const texts: (string | undefined)[] = [];
  const ids = new Map<string, number>();
  const add = (token: string, id: number): void => {
    if (!Number.isSafeInteger(id) || id < 0 || id > MAX_ID)
      throw badVocabulary(`id ${id} of \`${show(token)}\` is no id`);
    const other = texts[id];
    if (other !== undefined && other !== token) {
      throw badVocabulary(`\`${show(other)}\` and \`${show(token)}\` both have id ${id}`);
    }
    const earlier = ids.get(token);
    if (earlier !== undefined && earlier !== id) {
      throw badVocabulary(`\`${show(token)}\` has the ids ${earlier} and ${id}`);
    }
    texts[id] = token;
    ids.set(token, id);
  };
  for (const [token, id] of modelEntries(json)) add(token, id);
  const modelSize = texts.length;
  for (const { content, id } of json.added_tokens) add(content, id);
  if (texts.length > modelSize + json.added_tokens.length + 100_000) {
    throw badVocabulary(`the largest id is ${texts.length - 1}, but there are only ${ids.size} tokens`);
  }
  checkSpecials(json, ids);
  checkMerges(json, ids);
  return { texts: Array.from(texts), ids };
}

function* modelEntries({ model }: TokenizerJson): Generator<[string, number], void, undefined> {
  if (model.type !== "Unigram") {
    if (Array.isArray(model.vocab)) throw badForm("tokenizer.json", "model.vocab", "it is a list, not an object");
    for (const [token, id] of Object.entries(model.vocab as object)) {
      if (typeof id !== "number") throw badForm("tokenizer.json", `model.vocab.${token}`, "it is not a number");
      yield [token, id];
    }
    return;
  }
  if (!Array.isArray(model.vocab)) throw badForm("tokenizer.json", "model.vocab", "it is not a list");
  if (model.vocab.length === 0) throw badVocabulary("it is empty");
  for (const [id, entry] of (model.vocab as unknown[]).entries()) {
    const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof token !== "string" || typeof score !== "number" || !Number.isFinite(score)) {
      throw badForm("tokenizer.json", `model.vocab.${id}`, "it is not a token with its score");
    }
    yield [token, id];
  }
}

function checkSpecials(json: TokenizerJson, ids: ReadonlyMap<string, number>): void {
  const { type, unk_token: unknown, unk_id: unknownId, vocab } = json.model;
  if (typeof unknown === "string" && !ids.has(unknown))
    throw badVocabulary(`there is no unknown token \`${show(unknown)}\``);
  if (type === "WordPiece" && typeof unknown !== "string") throw badVocabulary("a WordPiece model needs `unk_token`");
  if (type === "Unigram" && !(typeof unknownId === "number" && unknownId < (vocab as unknown[]).length)) {
    throw badVocabulary("a Unigram model needs an `unk_id` inside its vocabulary");
  }
  checkTemplate(json.post_processor, ids);
}

/** What `encode` adds must be tokens; the library would add `undefined`. */
function checkTemplate(processor: PostProcessor | null | undefined, ids: ReadonlyMap<string, number>): void {
  if (processor === null || processor === undefined) return;
  const check = (token: string, id: number | undefined): void => {
    if (ids.get(token) !== (id ?? ids.get(token) ?? -1)) {
      throw badVocabulary(`the post-processor adds \`${show(token)}\`, which is not the token of its id`);
    }
  };
  for (const item of [...(processor.single ?? []), ...(processor.pair ?? [])]) {
    if (!("SpecialToken" in item)) continue;
    const { id } = item.SpecialToken;
    const special = processor.special_tokens?.[id];
    if (special !== undefined && (special.ids.length !== 1 || special.tokens[0] !== id)) {
      throw badVocabulary(`the post-processor spells \`${show(id)}\` with several tokens`);
    }
    check(id, special?.ids[0]);
  }
  for (const [token, id] of [processor.cls, processor.sep].filter((entry) => entry !== undefined)) check(token, id);
  for (const inner of processor.processors ?? []) checkTemplate(inner, ids);
}

function checkMerges({ model }: TokenizerJson, ids: ReadonlyMap<string, number>): void {
  if (model.type !== "BPE") return;
  if (model.merges === undefined) throw badForm("tokenizer.json", "model.merges", "it is missing");
  let form: string | undefined;
  for (const [index, merge] of model.merges.entries()) {
    // The library looks at the first merge only to see which of the two spellings the file uses.
    form ??= typeof merge;
    const parts: unknown[] = typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
    const [left, right] = parts;
    if (typeof merge !== form || parts.length !== 2 || typeof left !== "string" || typeof right !== "string") {
      throw badForm("tokenizer.json", `model.merges.${index}`, "it is not a pair of tokens");
    }
    if (!ids.has(left) || !ids.has(right) || !ids.has(left + right)) {
      throw badVocabulary(
        `merge ${index} joins \`${show(left)}\` and \`${show(right)}\`, but not all three are tokens`,
      );
    }
  }
}
