/**
 * The models that can be written as GGUF: `model_type` of their `config.json` and the name that people know. The command's
 * help, its errors and `docs/import.md` say what stands here; the tests hold it against the writers.
 */
export const GGUF_MODELS = {
  llama: "Llama",
  qwen2: "Qwen2",
  qwen3: "Qwen3",
  mixtral: "Mixtral",
  olmoe: "OLMoE",
  qwen2_moe: "Qwen2-MoE",
  qwen3_moe: "Qwen3-MoE",
  deepseek_v2: "DeepSeek-V2",
  deepseek_v3: "DeepSeek-V3",
  gpt_oss: "GPT-OSS",
  glm4_moe: "GLM-4.5",
  granitemoe: "Granite MoE",
  granitemoeshared: "Granite MoE",
  llama4: "Llama 4",
  llama4_text: "Llama 4",
  lfm2_moe: "LFM2-MoE",
  smallthinker: "SmallThinker",
  dbrx: "DBRX",
  arctic: "Arctic",
} as const;

/** Their names, each once. */
export const GGUF_TITLES: readonly string[] = [...new Set(Object.values(GGUF_MODELS))];
