/** `POST /v1/embeddings`: texts to vectors, with models that have an entry `encode`. */
import { moecError } from "../../compiler/errors/raise.js";
import { sendJson } from "../http.js";
import type { Exchange, Served } from "../served.js";
import { readEmbeddings } from "./parameters.js";

const ENTRY = "encode";

export async function embeddings(served: Served, exchange: Exchange): Promise<void> {
  const given = readEmbeddings(await exchange.body());
  served.checkModel(given.model);
  const { model } = served;
  const entry = model.manifest.entries.find(({ name }) => name === ENTRY);
  const output = entry?.outputs[0];
  const { name } = model.manifest;
  if (!entry || !output) throw moecError("MOE5520", { name, reason: `has no entry \`${ENTRY}\`` });
  if (output.axes.length !== 1) {
    throw moecError("MOE5520", { name, reason: "gives a vector for each token, not one for the text" });
  }
  const { input } = given;
  const isList = Array.isArray(input) && typeof input[0] !== "number";
  const texts = (isList ? input : [input]) as readonly (string | readonly number[])[];
  const all = texts.map((text) => served.writer.encode(text));
  const data: Readonly<Record<string, unknown>>[] = [];
  for (const [index, ids] of all.entries()) {
    const vector = await served.places.take(
      () => 0,
      exchange.signal,
      async (text) => {
        const zeros = entry.inputs.slice(1).map((port) => [port.name, ids.map(() => 0)] as const);
        const inputs = { [entry.inputs[0]!.name]: ids, ...Object.fromEntries(zeros) };
        const { outputs } = await served.model.call(ENTRY, inputs, { text, signal: exchange.signal });
        return Float32Array.from(outputs[output.name]!.data);
      },
    );
    served.metrics.promptTokens.add(ids.length);
    served.metrics.readTokens.add(ids.length);
    const embedding = given.encoding_format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    data.push({ object: "embedding", index, embedding });
  }
  const tokens = all.reduce((sum, ids) => sum + ids.length, 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  sendJson(exchange.response, 200, { object: "list", data, model: name, usage });
}
