/**
 * The launches of one entry point as a CUDA graph: one node behind the other, handed to the driver once. A call changes
 * only the nodes whose sizes are other than before (a decode step: the few that know how many positions there are) and
 * launches the whole graph by one call of the driver.
 */
import type { CudaLaunch } from "../../compiler/5-emit/cuda/index.js";
import type { Address } from "../native/koffi.js";
import { Mapping } from "../native/mapping.js";
import { Words } from "../native/words.js";
import type { FlatLaunch } from "../plan/launches.js";
import type { SizeValues } from "../plan/sizes.js";
import type { CudaDriver } from "./driver.js";

/** A kernel of a loaded module, and how it is launched. */
export interface LoadedKernel extends Pick<CudaLaunch, "threads" | "groupBlocks"> {
  readonly function: Address;
}

/** `CUDA_KERNEL_NODE_PARAMS_v2`: byte offsets of its fields. */
const NODE = { function: 0, grid: 8, block: 20, parameters: 40, bytes: 72 } as const;
/** First block and end: what every kernel takes behind its scalars. */
const BLOCK_ARGUMENTS = 2;

interface Node {
  readonly launch: FlatLaunch;
  readonly kernel: LoadedKernel;
  /** Byte offsets in the table: the driver's record, and the values of the arguments. */
  readonly record: number;
  readonly values: number;
  /** The arguments, then the number of blocks: what the record says now. */
  readonly current: Float64Array;
  handle: Address;
  enabled: boolean;
}

/** What a call changes of a node. */
interface Change {
  readonly node: Node;
  readonly isRecord: boolean;
  readonly isEnabled: boolean;
}

export class LaunchGraph {
  private readonly nodes: readonly Node[];
  private readonly words: Words;
  private graph: Address | undefined;
  private ready: Address | undefined;

  constructor(
    private readonly driver: CudaDriver,
    launches: readonly FlatLaunch[],
    kernel: (launch: FlatLaunch) => LoadedKernel,
  ) {
    let end = 0;
    const place = (bytes: number): number => {
      const start = end;
      end += bytes;
      return start;
    };
    this.nodes = launches.map((launch) => {
      const count = launch.args.length + BLOCK_ARGUMENTS;
      const record = place(NODE.bytes + 8 * count);
      const current = new Float64Array(launch.args.length + 1).fill(NaN);
      return { launch, kernel: kernel(launch), record, values: place(8 * count), current, handle: 0, enabled: true };
    });
    this.words = new Words(Mapping.memory(Math.max(8, end), "launches"));
    for (const node of this.nodes) this.describe(node);
  }

  /** What never changes of a node. */
  private describe(node: Node): void {
    const { words } = this;
    const { launch, kernel, record, values } = node;
    const pointers = record + NODE.bytes;
    words.setAddress(record + NODE.function, kernel.function);
    [1, 1, 1].forEach((size, axis) => words.setInt(record + NODE.grid + 4 * axis, size));
    [kernel.threads, 1, 1].forEach((size, axis) => words.setInt(record + NODE.block + 4 * axis, size));
    words.setAddress(record + NODE.parameters, words.address + pointers);
    for (let at = 0; at < launch.args.length + BLOCK_ARGUMENTS; at++) {
      words.setAddress(pointers + 8 * at, words.address + values + 8 * at);
    }
    launch.args.forEach((value, at) => this.setArgument(node, at, value));
  }

  /** Whether the value is another than before. */
  private setArgument({ launch: { buffers, floats }, values, current }: Node, at: number, value: number): boolean {
    if (current[at] === value) return false;
    current[at] = value;
    if (at < buffers) this.words.setAddress(values + 8 * at, value);
    else if (floats[at - buffers] === true) this.words.setFloat(values + 8 * at, value);
    else this.words.setInt(values + 8 * at, value);
    return true;
  }

  private setBlocks({ launch, kernel, record, values, current }: Node, blocks: number): boolean {
    const at = launch.args.length;
    if (current[at] === blocks) return false;
    current[at] = blocks;
    this.words.setInt(record + NODE.grid, Math.ceil(blocks / kernel.groupBlocks));
    this.words.setInt(values + 8 * (at + 1), blocks);
    return true;
  }

  /** Writes what depends on the sizes of a call. */
  private prepare(node: Node, sizes: SizeValues): Change {
    const { launch, enabled } = node;
    const blocks = launch.grid.evaluate(sizes);
    node.enabled = blocks > 0;
    const isEnabled = node.enabled !== enabled;
    // A launch that is skipped keeps what it had: nobody reads it.
    if (!node.enabled) return { node, isRecord: false, isEnabled };
    let isRecord = this.setBlocks(node, blocks);
    for (const { at, evaluate } of launch.changing) isRecord = this.setArgument(node, at, evaluate(sizes)) || isRecord;
    return { node, isRecord, isEnabled };
  }

  /** @throws MoecError MOE4234 */
  run(sizes: SizeValues, stream: Address): void {
    if (this.nodes.length === 0) return;
    try {
      this.update(sizes, stream);
    } catch (error) {
      // What the driver has taken of the changes is not known: the next call builds the graph anew from the records.
      try {
        this.drop();
      } catch {
        // A GPU that is lost gives nothing back; the first error says more.
      }
      throw error;
    }
  }

  private update(sizes: SizeValues, stream: Address): void {
    const { driver } = this;
    const isNew = this.ready === undefined;
    // The nodes of a new graph are as their records say, and all of them run.
    if (isNew) for (const node of this.nodes) node.enabled = true;
    const changes = this.nodes.map((node) => this.prepare(node, sizes));
    const ready = (this.ready ??= this.build());
    for (const { node, isRecord, isEnabled } of changes) {
      if (isRecord && !isNew) {
        driver.call("cuGraphExecKernelNodeSetParams_v2", ready, node.handle, this.words.address + node.record);
      }
      if (isEnabled) driver.call("cuGraphNodeSetEnabled", ready, node.handle, node.enabled ? 1 : 0);
    }
    driver.call("cuGraphLaunch", ready, stream);
  }

  private build(): Address {
    const { driver } = this;
    const graph = driver.handle("cuGraphCreate", 0);
    this.graph = graph;
    let before: Address | undefined;
    for (const node of this.nodes) {
      const after = BigUint64Array.from(before === undefined ? [] : [BigInt(before)]);
      const record = this.words.address + node.record;
      before = node.handle = driver.handle("cuGraphAddKernelNode_v2", graph, after, after.length, record);
    }
    return driver.handle("cuGraphInstantiateWithFlags", graph, 0);
  }

  /** Gives back what the driver holds of the graph, as far as it was built. */
  private drop(): void {
    const { driver, ready, graph } = this;
    this.ready = this.graph = undefined;
    try {
      if (ready !== undefined) driver.call("cuGraphExecDestroy", ready);
    } finally {
      if (graph !== undefined) driver.call("cuGraphDestroy", graph);
    }
  }

  free(): void {
    try {
      this.drop();
    } finally {
      this.words.mapping.free();
    }
  }
}
