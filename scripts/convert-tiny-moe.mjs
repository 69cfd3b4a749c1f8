/**
 * Brings the tiny mixture-of-experts model from its training folder into `examples/tiny-moe/`: weights, config,
 * reference results and held-out texts as they are, the tokenizer converted to the Hugging Face schema.
 *
 *     node scripts/convert-tiny-moe.mjs <source-folder>
 *
 * The training folder's `tokenizer.json` has a small schema of its own:
 * `{pattern, merges: [[id, id], ...], vocab: [bytes as latin-1 text, ...], eot}`; token 256 + i is what merge i makes.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const target = fileURLToPath(new URL("../examples/tiny-moe/", import.meta.url));

/** Printable stand-in for each byte, as GPT-2 chose them: visible latin-1 stays, the others go to U+0100 and up. */
function byteCharacters() {
  const visible = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
}

/**
 * Python's `\s` on text also has U+001C to U+001F, which the Unicode property (and so Oniguruma's and our `\s`) lacks.
 * The converted pattern names them, so that it splits exactly as the training did.
 */
function pythonSpaces(pattern) {
  let inClass = false;
  return pattern.replace(/\\s|\\S|\[|\]/g, (part) => {
    if (part === "[" || part === "]") {
      inClass = part === "[";
      return part;
    }
    if (part === "\\S") return "[^\\s\\x1C-\\x1F]";
    return inClass ? "\\s\\x1C-\\x1F" : "[\\s\\x1C-\\x1F]";
  });
}

function convertTokenizer({ pattern, merges, vocab, eot }) {
  const characters = byteCharacters();
  const endOfText = vocab[eot];
  const spell = (id) => Array.from(vocab[id], (byte) => characters[byte.charCodeAt(0)]).join("");
  const ids = Object.fromEntries(vocab.slice(0, eot).map((_, id) => [spell(id), id]));
  if (Object.keys(ids).length !== eot) throw new Error("two tokens are spelled alike");
  const special = { id: endOfText, ids: [eot], tokens: [endOfText] };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: eot,
        content: endOfText,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: pythonSpaces(pattern) }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: endOfText, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [
        { SpecialToken: { id: endOfText, type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: endOfText, type_id: 1 } },
        { Sequence: { id: "B", type_id: 1 } },
      ],
      special_tokens: { [endOfText]: special },
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: { ...ids, [endOfText]: eot },
      merges: merges.map(([left, right]) => `${spell(left)} ${spell(right)}`),
    },
  };
}

const source = process.argv[2];
if (source === undefined) {
  console.error("usage: node scripts/convert-tiny-moe.mjs <source-folder>");
  process.exit(2);
}
const writeJson = (name, value) => writeFileSync(join(target, name), `${JSON.stringify(value, null, 1)}\n`);

mkdirSync(join(target, "val"), { recursive: true });
for (const name of ["model.safetensors", "config.json", "reference.json"]) {
  copyFileSync(join(source, name), join(target, name));
}
for (const name of readdirSync(join(source, "val"))) copyFileSync(join(source, "val", name), join(target, "val", name));
const tokenizer = convertTokenizer(JSON.parse(readFileSync(join(source, "tokenizer.json"), "utf8")));
writeJson("tokenizer.json", tokenizer);
writeJson("tokenizer_config.json", {
  tokenizer_class: "PreTrainedTokenizerFast",
  bos_token: tokenizer.added_tokens[0].content,
  eos_token: tokenizer.added_tokens[0].content,
  clean_up_tokenization_spaces: false,
  model_max_length: 512,
});
console.log(`wrote ${target}`);
