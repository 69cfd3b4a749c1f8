/** Every example of the repository, small: what runs it on any device within seconds. */
import { applications, below, type Application } from "./applications.js";

/** A decoder: two layers, four heads that share keys by two. */
const decoder = { V: 20, L: 2, D: 8, H: 4, G: 2, C: 4, F: 6, E: 6, k: 2 };
/** One with latent attention: the first layer is dense. */
const latent = { V: 20, L: 2, D: 8, H: 4, K: 6, C: 4, P: 4, W: 3, I: 7, F: 6, E: 6, S: 5, k: 2 };

/** Models whose specs `moec import` writes: as many layers as show each of their kinds, as many experts as their groups need. */
const published: Readonly<Record<string, Application["sizes"]>> = {
  mixtral: decoder,
  olmoe: { ...decoder, G: 4 },
  "qwen2-moe": { ...decoder, S: 5 },
  "qwen3-moe": decoder,
  "qwen3-235b": decoder,
  "deepseek-v2-lite": latent,
  "deepseek-v2": { ...latent, Q: 5, E: 16, k: 3 },
  "deepseek-v3": { ...latent, Q: 5, L: 4, E: 16, k: 3 },
  "phi-3.5-moe": decoder,
  "gpt-oss-20b": decoder,
  "gpt-oss-120b": decoder,
  "llama-4-scout": { ...decoder, L: 4, k: 1 },
  "llama-4-maverick": { ...decoder, L: 4, I: 7, k: 1 },
  "granite-3-moe": decoder,
  "lfm2-moe": { ...decoder, L: 4, J: 3, I: 7 },
  smallthinker: decoder,
  "glm-4.5-air": { ...decoder, I: 7, S: 5 },
  "glm-4.5": { ...decoder, L: 4, I: 7, S: 5 },
  "pangu-pro-moe": { ...decoder, E: 16, S: 5, k: 8 },
  jetmoe: { V: 20, L: 2, D: 8, G: 4, C: 4, F: 6, E: 6, k: 2 },
  arctic: decoder,
  dbrx: decoder,
};

const decoders: Readonly<Record<string, Application["sizes"]>> = {
  ...published,
  "tiny-moe": decoder,
  "sentence-encoder": { V: 20, A: 8, D: 12, F: 6, H: 2 },
};

/** By the names of their folders; a test counts them. */
export const smallExamples: Readonly<Record<string, Application>> = {
  ...applications,
  ...Object.fromEntries(
    Object.entries(decoders).map(([name, sizes]) => [name, { sizes, inputs: { tokens: below(sizes["V"]!) } }]),
  ),
};
