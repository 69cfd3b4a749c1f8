/** Numbers and flags of a config, from `config.json` or from GGUF metadata, checked as they are read. */
import { badConfig, unsupportedConfig } from "../../errors.js";
import { lookUp } from "../../families/options.js";
import { rotaryBase, turnedPart } from "../../families/positions.js";
import { optionalNumber, optionalNumbers, optionalString } from "../../metadata.js";
import { isRecord } from "../../safetensors-header.js";
import type { Metadata, MetadataValue } from "../../types.js";

/** Where a config is read from. */
export type FieldSource =
  | { readonly format: "safetensors"; readonly config: Readonly<Record<string, unknown>> }
  | { readonly format: "gguf"; readonly metadata: Metadata; readonly architecture: string };

const MOST = 2 ** 31;

export class Fields {
  /** Numbers of `config.json` that were read, by the keys that GGUF has for them behind the architecture's name. */
  readonly said = new Map<string, MetadataValue>();

  /**
   * @param names tensors of the checkpoint, by which some facts show; undefined when only the config is known.
   */
  constructor(
    private readonly source: FieldSource,
    private readonly names: ReadonlyMap<string, { readonly shape: readonly number[] }> | undefined,
  ) {}

  get isGguf(): boolean {
    return this.source.format === "gguf";
  }

  /** One of two texts, by format. */
  name(hf: string, gguf: string): string {
    return this.isGguf ? gguf : hf;
  }

  has(tensor: string): boolean {
    return this.names?.has(tensor) ?? false;
  }

  /** Whether the tensors are known and this is none of them. */
  lacks(tensor: string): boolean {
    return this.names !== undefined && !this.names.has(tensor);
  }

  /** Rows of a tensor, for sizes that GGUF leaves to it. */
  rows(tensor: string): number | undefined {
    return this.names?.get(tensor)?.shape[0];
  }

  /** A number, or what it is without a key. */
  optional(hf: string | undefined, gguf: string | undefined): number | undefined {
    if (this.source.format === "gguf") {
      if (gguf === undefined) return undefined;
      const value = optionalNumber(this.source.metadata, `${this.source.architecture}.${gguf}`);
      return value === undefined ? undefined : shortest(value);
    }
    const value = hf === undefined ? undefined : (lookUp(this.source.config, hf) ?? undefined);
    if (value !== undefined && typeof value !== "number") throw badConfig(hf!, "is not a number");
    return value;
  }

  number(hf: string | undefined, gguf: string | undefined, otherwise?: number): number {
    const value = this.optional(hf, gguf) ?? otherwise;
    if (value === undefined) throw badConfig(this.key(hf, gguf), "is missing");
    if (!Number.isFinite(value)) throw badConfig(this.key(hf, gguf), `is ${value}`);
    if (hf !== undefined && gguf !== undefined) this.said.set(gguf, { type: "f32", value });
    return value;
  }

  /** The same, where it is a whole one. */
  private whole(
    hf: string | undefined,
    gguf: string | undefined,
    otherwise: number | undefined,
    least: number,
  ): number {
    const value = this.number(hf, gguf, otherwise);
    if (!Number.isInteger(value) || value < least || value > MOST) {
      throw badConfig(this.key(hf, gguf), `is ${value}, not a whole number from ${least} to ${MOST}`);
    }
    if (hf !== undefined && gguf !== undefined) this.said.set(gguf, { type: "u32", value });
    return value;
  }

  /**
   * The base of rotary frequencies, from wherever configs have it.
   *
   * @param prefix of the keys, where they are nested.
   * @throws MoecError MOE5121 where two places of the config say different things.
   */
  theta(otherwise: number, prefix = ""): number {
    const said = rotaryBase((key) => this.value(key), prefix);
    return this.positive(said?.key ?? `${prefix}rope_theta`, "rope.freq_base", otherwise);
  }

  /**
   * The part of each head that turns with the position; GGUF files give a width instead.
   *
   * @throws MoecError MOE5121 where two places of the config say different things.
   */
  turnedPart(otherwise: number): number {
    return turnedPart((key) => this.value(key))?.value ?? otherwise;
  }

  /** A positive whole number. */
  size(hf: string | undefined, gguf: string | undefined, otherwise?: number): number {
    return this.whole(hf, gguf, otherwise, 1);
  }

  /** A whole number that may be 0. */
  count(hf: string | undefined, gguf: string | undefined, otherwise?: number): number {
    return this.whole(hf, gguf, otherwise, 0);
  }

  /** A number above 0. */
  positive(hf: string | undefined, gguf: string | undefined, otherwise?: number): number {
    const value = this.number(hf, gguf, otherwise);
    if (!(value > 0)) throw badConfig(this.key(hf, gguf), `is ${value}, not above 0`);
    return value;
  }

  /** A flag of `config.json`; GGUF files have none for these and mean `gguf`. */
  flag(hf: string, otherwise: boolean, gguf: boolean = otherwise): boolean {
    if (this.source.format === "gguf") return gguf;
    const value = lookUp(this.source.config, hf) ?? otherwise;
    if (typeof value !== "boolean") throw badConfig(hf, "is not true or false");
    return value;
  }

  text(hf: string | undefined, gguf: string | undefined): string | undefined {
    if (this.source.format === "gguf") {
      return gguf === undefined
        ? undefined
        : optionalString(this.source.metadata, `${this.source.architecture}.${gguf}`);
    }
    const value = hf === undefined ? undefined : (lookUp(this.source.config, hf) ?? undefined);
    if (value !== undefined && typeof value !== "string") throw badConfig(hf!, "is not a text");
    return value;
  }

  /** A list of `config.json`, or of numbers in GGUF. */
  list(hf: string | undefined, gguf?: string): readonly unknown[] | undefined {
    if (this.source.format === "gguf") {
      const key = `${this.source.architecture}.${gguf ?? ""}`;
      const entry = gguf === undefined ? undefined : this.source.metadata.get(key);
      return entry?.type === "array" ? optionalNumbers(this.source.metadata, key) : undefined;
    }
    const value = hf === undefined ? undefined : (lookUp(this.source.config, hf) ?? undefined);
    if (value !== undefined && !Array.isArray(value)) throw badConfig(hf!, "is not a list");
    return value;
  }

  /** What `config.json` has at a dotted key, as it is; undefined for GGUF. */
  value(hf: string): unknown {
    return this.source.format === "gguf" ? undefined : lookUp(this.source.config, hf);
  }

  /** An object of `config.json`, for what is nested. */
  record(hf: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.source.format === "gguf" ? undefined : lookUp(this.source.config, hf);
    return isRecord(value) ? value : undefined;
  }

  /** Refuses a value that the family's design does not have. */
  only(hf: string | undefined, gguf: string | undefined, allowed: readonly unknown[]): void {
    const value = this.raw(hf, gguf);
    if (value === undefined || value === null || allowed.includes(value)) return;
    throw unsupportedConfig(
      this.key(hf, gguf),
      JSON.stringify(value).slice(0, 60),
      allowed.length === 0 ? "Only models without it are supported." : `Supported: ${allowed.map(String).join(", ")}.`,
    );
  }

  private raw(hf: string | undefined, gguf: string | undefined): unknown {
    if (this.source.format !== "gguf") return hf === undefined ? undefined : lookUp(this.source.config, hf);
    const entry = gguf === undefined ? undefined : this.source.metadata.get(`${this.source.architecture}.${gguf}`);
    if (entry === undefined || entry.type === "array") return entry && "a list";
    if (entry.type === "f32") return shortest(entry.value);
    return entry.type === "u64" || entry.type === "i64" ? Number(entry.value) : entry.value;
  }

  private key(hf: string | undefined, gguf: string | undefined): string {
    return this.source.format === "gguf" ? `${this.source.architecture}.${gguf ?? "?"}` : (hf ?? "?");
  }
}

/** The shortest decimal that is the same f32: 1e-5 instead of 0.000009999999747378752. */
function shortest(value: number): number {
  if (Number.isInteger(value)) return value;
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}
