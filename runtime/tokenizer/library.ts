/**
 * The door to `@huggingface/tokenizers`. Its type declarations do not resolve under NodeNext (their imports have no
 * file extensions), so the two methods that are used are declared here.
 */
import * as library from "@huggingface/tokenizers";
import { badForm } from "./errors.js";
import { rewritePreTokenizer } from "./rewrite.js";
import type { TokenizerJson } from "./schema.js";

/** What is used of the library's tokenizer. */
export interface LibraryTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
}

type Constructor = new (json: object, config: object) => LibraryTokenizer;

/**
 * Build the library's tokenizer from checked JSON.
 *
 * @throws MoecError MOE5202 when the library refuses it, which is a pattern that it cannot compile.
 */
export function buildLibraryTokenizer(json: TokenizerJson): LibraryTokenizer {
  const { Tokenizer } = library as unknown as { Tokenizer: Constructor };
  const { normalizer = null, pre_tokenizer: pre, post_processor: post = null, decoder = null } = json;
  const preTokenizer = pre === null || pre === undefined ? null : rewritePreTokenizer(pre);
  try {
    return new Tokenizer({ ...json, normalizer, pre_tokenizer: preTokenizer, post_processor: post, decoder }, {});
  } catch (error) {
    throw badForm("tokenizer.json", "a pattern", error instanceof Error ? error.message : "it was refused");
  }
}
