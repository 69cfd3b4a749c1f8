/** Where a `config.json` says how positions turn: beside the rest, or in an object of their own, as newer files have it. */
import { badConfig, unsupportedConfig } from "../errors.js";
import { isRecord } from "../safetensors-header.js";

/** Objects that may hold positions; older files have the first. */
const OBJECTS = ["rope_scaling", "rope_parameters"] as const;

/** Keys of these objects that say nothing about how positions are stretched. */
const BESIDES: readonly string[] = ["rope_type", "type", "rope_theta", "partial_rotary_factor"];

type LookUp = (key: string) => unknown;

/** The objects' dotted keys: those at `prefix` and, where it is not empty, those of the whole config. */
function objectKeys(prefix: string): readonly string[] {
  return [...new Set([prefix, ""])].flatMap((at) => OBJECTS.map((name) => `${at}${name}`));
}

/**
 * The dotted key of the object that says how positions are stretched; the first one where none says it.
 *
 * @param prefix of the keys, where they are nested: `attn_config.`.
 * @throws MoecError MOE5120 where it is no object or has a factor without a kind, MOE5121 where it has parts for kinds of
 * layers and where two objects say different things.
 */
export function scalingKey(value: LookUp, prefix = ""): string {
  const keys = objectKeys(prefix);
  const found = keys.flatMap((key) => {
    const scaling = value(key) ?? undefined;
    if (scaling === undefined) return [];
    if (!isRecord(scaling)) throw badConfig(key, "is not an object");
    const part = Object.keys(scaling).find((inner) => isRecord(scaling[inner]));
    if (part !== undefined) {
      throw unsupportedConfig(`${key}.${part}`, "an object", "Supported: the same positions in all layers.");
    }
    if (kindOf(scaling) === undefined && typeof scaling["factor"] === "number") {
      throw badConfig(`${key}.rope_type`, "is missing beside a factor");
    }
    const said = stretching(scaling);
    return said === undefined ? [] : [{ key, said, kind: kindOf(scaling) ?? "no kind" }];
  });
  const [first = { key: keys[0]!, said: undefined }] = found;
  const other = found.find(({ said }) => said !== first.said);
  if (other)
    throw unsupportedConfig(other.key, other.kind, `\`${first.key}\` says something else; one of them is wrong.`);
  return first.key;
}

const kindOf = (scaling: Readonly<Record<string, unknown>>): string | undefined => {
  const kind = scaling["rope_type"] ?? scaling["type"] ?? undefined;
  return kind === undefined ? undefined : String(JSON.stringify(kind));
};

/** What an object says about stretching, as a text that is the same for the same; undefined where it says nothing. */
function stretching(scaling: Readonly<Record<string, unknown>>): string | undefined {
  const kind = kindOf(scaling);
  const rest = Object.entries(scaling)
    .filter(([key, value]) => !BESIDES.includes(key) && (value ?? undefined) !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (kind === undefined && rest.length === 0) return undefined;
  return kind === '"default"' ? kind : JSON.stringify([kind, rest]);
}

/** A number and the dotted key that it stands at. */
export interface SaidNumber {
  readonly key: string;
  readonly value: number;
}

/**
 * A number that several places of a config may say.
 *
 * @param keys dotted ones; the first that says it counts.
 * @throws MoecError MOE5120 where one is no number, MOE5121 where two say different ones.
 */
export function saidOnce(value: LookUp, keys: readonly string[]): SaidNumber | undefined {
  const found = keys.flatMap((key) => {
    const said = value(key) ?? undefined;
    if (said === undefined) return [];
    if (typeof said !== "number") throw badConfig(key, "is not a number");
    return [{ key, value: said }];
  });
  const [first] = found;
  const other = found.find((each) => each.value !== first!.value);
  if (other) {
    const help = `\`${first!.key}\` says ${first!.value}; one of them is wrong.`;
    throw unsupportedConfig(other.key, String(other.value), help);
  }
  return first;
}

/** Every dotted key that a number about positions may have; those at `prefix` first. */
export function positionKeys(name: string, prefix = ""): readonly string[] {
  const places = ["", ...OBJECTS.map((object) => `${object}.`)];
  return [...new Set([prefix, ""])].flatMap((at) => places.map((place) => `${at}${place}${name}`));
}

/**
 * The part of each head that turns with the position, and where the config says it; undefined where it does not.
 *
 * @param prefix as for `scalingKey`.
 * @throws MoecError MOE5120 where it is no number from 0 to 1, MOE5121 where two places say different things.
 */
export function turnedPart(value: LookUp, prefix = ""): SaidNumber | undefined {
  const found = saidOnce(value, positionKeys("partial_rotary_factor", prefix));
  if (found && !(found.value > 0 && found.value <= 1)) {
    throw badConfig(found.key, `is ${found.value}, not above 0 and at most 1`);
  }
  return found;
}

/**
 * The base of rotary frequencies.
 *
 * @param prefix as for `scalingKey`.
 * @throws MoecError MOE5120 where it is no number, MOE5121 where two places say different ones.
 */
export const rotaryBase = (value: LookUp, prefix = ""): SaidNumber | undefined =>
  saidOnce(value, positionKeys("rope_theta", prefix));

/**
 * Refuses positions on a part of each head only.
 *
 * @throws MoecError MOE5121, and as `turnedPart`.
 */
export function onlyWholeHeads(value: LookUp, prefix = ""): void {
  const found = turnedPart(value, prefix);
  if (found && found.value !== 1) throw unsupportedConfig(found.key, String(found.value), "Supported: 1.");
}
