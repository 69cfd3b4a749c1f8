/** Devices that models are trained on, by their makers' data sheets. */
import { moecError } from "../../compiler/errors/raise.js";
import { a100, h100 } from "../ptxas.js";

/** One device. */
export interface Accelerator {
  readonly name: string;
  /** Operations on bf16 per second, dense. */
  readonly operations: number;
  /** Bytes of memory, and bytes of it per second. */
  readonly memory: number;
  readonly bandwidth: number;
  /** Devices that share fast links, and bytes per second that one sends over them. */
  readonly group: number;
  readonly link: number;
  /** Bytes per second that one sends to devices of other groups. */
  readonly network: number;
}

const hopper = {
  operations: h100.halfOperations,
  memory: 80e9,
  bandwidth: h100.bandwidth,
  group: 8,
  link: 450e9,
  network: 50e9,
} as const;

/** NVLink and network counted in one direction; a network card of 400 Gbit/s for each GPU (A100: 200). */
const ACCELERATORS: readonly Accelerator[] = [
  {
    name: "A100",
    operations: a100.halfOperations,
    memory: 80e9,
    bandwidth: a100.bandwidth,
    group: 8,
    link: 300e9,
    network: 25e9,
  },
  { name: "H100", ...hopper },
  { name: "H200", ...hopper, memory: 141e9, bandwidth: 4.8e12 },
  // An H100 with NVLink of 400 GB/s in both directions together.
  { name: "H800", ...hopper, link: 200e9 },
  { name: "B200", operations: 2.25e15, memory: 192e9, bandwidth: 8e12, group: 8, link: 900e9, network: 50e9 },
  { name: "MI300X", operations: 1.307e15, memory: 192e9, bandwidth: 5.3e12, group: 8, link: 448e9, network: 50e9 },
  // A torus: the links between neighbours are the network.
  { name: "TPUv4", operations: 275e12, memory: 32e9, bandwidth: 1.2e12, group: 1, link: 300e9, network: 300e9 },
  { name: "TPUv5p", operations: 459e12, memory: 95e9, bandwidth: 2.765e12, group: 1, link: 600e9, network: 600e9 },
];

export const acceleratorNames: readonly string[] = ACCELERATORS.map(({ name }) => name);

/**
 * The device of that name, in letters of any case.
 *
 * @throws MoecError MOE5465 when there is none.
 */
export function acceleratorOf(name: string): Accelerator {
  const found = ACCELERATORS.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw moecError("MOE5465", { name, names: acceleratorNames.join(", ") });
}
