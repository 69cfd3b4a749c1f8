/**
 * A Hugging Face tokenizer as the metadata of a GGUF file; the mirror image of `gguf.ts`. Byte-level BPE becomes the kind
 * `gpt2` with the name of its pre-tokenizer, SentencePiece BPE the kind `llama` with a score for each piece. What neither
 * can say is refused.
 */
import { moecError } from "../../compiler/errors/raise.js";
import type { MetadataValue } from "../../compiler/checkpoints/types.js";
import { notForGguf, show } from "./errors.js";
import { TOKEN_TYPES } from "./gguf-models.js";
import { addedAround } from "./gguf-boundaries.js";
import { byteLevelKind, sentencePieceKind, type TypedTokens } from "./gguf-kinds.js";
import { parseTokenizerJson } from "./parse.js";
import type { TokenizerJson } from "./schema.js";
import { loadTokenizer, type TokenizerFiles } from "./tokenizer.js";
import { checkVocabulary } from "./vocabulary.js";

/** A tokenizer to write. */
export interface TokenizerSource {
  /** As `loadTokenizer` takes them; `bos` and `eos` override the files. */
  readonly files: TokenizerFiles;
  /** How chats are written, in Jinja. */
  readonly chatTemplate?: string;
  /** Id that fills short texts of a batch. */
  readonly padding?: number;
}

/** What goes into the file. */
export interface WrittenTokenizer {
  /** Keys that begin with `tokenizer.`. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** What readers of the file do otherwise than the original, in sentences. */
  readonly notes: readonly string[];
}

/**
 * @param rows of the model's embedding; ids that the tokenizer leaves out become unused tokens.
 * @throws MoecError MOE5209 for what GGUF cannot say, MOE5468 for tokens without a row, and what `loadTokenizer` throws.
 */
export function tokenizerToGguf({ files, chatTemplate, padding }: TokenizerSource, rows: number): WrittenTokenizer {
  const json = parseTokenizerJson(files.tokenizer);
  const { bos, eos, vocabSize } = loadTokenizer(files);
  if (vocabSize > rows) throw moecError("MOE5468", { tokens: vocabSize, rows });
  if (json.model.type !== "BPE") throw notForGguf(`its model is ${json.model.type}, not BPE`);
  const [end] = eos;
  if (end === undefined) throw notForGguf("no file says which token ends a text, and readers would take another one");
  const typed = typedTokens(json, rows);
  const kind = json.model.byte_fallback === true ? sentencePieceKind(json, typed) : byteLevelKind(json);
  const around = addedAround(json.post_processor, { bos, eos: end }, typed.tokens);

  const id = (value: number): MetadataValue => ({ type: "u32", value });
  const flag = (value: boolean): MetadataValue => ({ type: "bool", value });
  const unknown = typed.types.indexOf(TOKEN_TYPES.unknown);
  const hasPadding = padding !== undefined && padding < rows;
  const metadata: readonly (readonly [string, MetadataValue | undefined])[] = [
    ...kind.metadata,
    ["ggml.tokens", { type: "array", of: "string", values: typed.tokens }],
    ["ggml.token_type", { type: "array", of: "i32", values: Int32Array.from(typed.types) }],
    ["ggml.bos_token_id", around.bos === undefined ? undefined : id(around.bos)],
    ["ggml.eos_token_id", id(end)],
    ["ggml.unknown_token_id", unknown < 0 ? undefined : id(unknown)],
    ["ggml.padding_token_id", hasPadding ? id(padding) : undefined],
    ["ggml.add_bos_token", flag(around.before)],
    ["ggml.add_eos_token", flag(around.after)],
    ["chat_template", chatTemplate === undefined ? undefined : { type: "string", value: chatTemplate }],
  ];
  const present = metadata.flatMap(([key, value]) => (value ? [[`tokenizer.${key}`, value] as const] : []));
  const noPadding =
    padding === undefined || hasPadding
      ? []
      : [
          `\`pad_token_id\` is ${padding}, beyond the ${rows} rows of the embedding: the file names no token for padding.`,
        ];
  return { metadata: new Map(present), notes: [...kind.notes, ...spacesTaken(json), ...noPadding] };
}

/** Every row of the embedding has a token; the type says what it is for. */
function typedTokens(json: TokenizerJson, rows: number): TypedTokens {
  const { texts, ids } = checkVocabulary(json);
  const added = new Map(json.added_tokens.map(({ id, special }) => [id, special === true]));
  const unknown = json.model.unk_token ?? undefined;
  const { byte_fallback: hasBytes } = json.model;
  const typeOf = (token: string, id: number): number => {
    if (hasBytes === true && token === unknown) return TOKEN_TYPES.unknown;
    const special = added.get(id);
    if (special !== undefined) return special ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined;
    return hasBytes === true && /^<0x[0-9A-F]{2}>$/.test(token) ? TOKEN_TYPES.byte : TOKEN_TYPES.normal;
  };
  const tokens: string[] = [];
  const types: number[] = [];
  for (let id = 0; id < rows; id++) {
    const token = texts[id];
    const filler = `[PAD${id}]`;
    if (token === undefined && ids.has(filler)) throw notForGguf(`\`${filler}\` is a token of another id`);
    tokens.push(token ?? filler);
    types.push(token === undefined ? TOKEN_TYPES.unused : typeOf(token, id));
  }
  return { tokens, types };
}

/** Tokens that take the spaces beside them: a property that GGUF does not have. */
function spacesTaken({ added_tokens: added }: TokenizerJson): readonly string[] {
  const taking = added.filter(({ lstrip, rstrip }) => lstrip === true || rstrip === true);
  if (taking.length === 0) return [];
  const names = taking.slice(0, 3).map(({ content }) => `\`${show(content)}\``);
  const more = taking.length > names.length ? ` and ${taking.length - names.length} more` : "";
  return [`Readers of GGUF keep the spaces beside ${names.join(", ")}${more}, which this tokenizer takes away.`];
}
