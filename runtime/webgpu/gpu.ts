/** The part of WebGPU that is used. Its types are in no library of TypeScript yet. */

export interface GpuBuffer {
  mapAsync(mode: number, offset: number, size: number): Promise<void>;
  getMappedRange(offset: number, size: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}
export interface GpuBindGroupLayout {
  readonly label: string;
}
export interface GpuBindGroup {
  readonly label: string;
}
export interface GpuPipeline {
  readonly label: string;
}
export interface GpuShaderModule {
  readonly label: string;
}
export interface GpuComputePass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: GpuBindGroup, dynamicOffsets: readonly number[]): void;
  dispatchWorkgroups(x: number, y: number): void;
  end(): void;
}
export interface GpuCommands {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void;
  finish(): object;
}
export interface GpuDevice {
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferView): void;
    submit(commands: readonly object[]): void;
  };
  readonly limits: GpuLimits;
  readonly lost: Promise<{ readonly message: string }>;
  addEventListener(
    type: "uncapturederror",
    listener: (event: { readonly error: { readonly message: string } }) => void,
  ): void;
  createBuffer(options: { readonly size: number; readonly usage: number; readonly label?: string }): GpuBuffer;
  createShaderModule(options: { readonly code: string; readonly label?: string }): GpuShaderModule;
  createBindGroupLayout(options: {
    readonly entries: readonly {
      readonly binding: number;
      readonly visibility: number;
      readonly buffer: { readonly type: string; readonly hasDynamicOffset?: boolean };
    }[];
  }): GpuBindGroupLayout;
  createPipelineLayout(options: { readonly bindGroupLayouts: readonly GpuBindGroupLayout[] }): object;
  createComputePipelineAsync(options: {
    readonly label?: string;
    readonly layout: object;
    readonly compute: { readonly module: GpuShaderModule; readonly entryPoint: string };
  }): Promise<GpuPipeline>;
  createBindGroup(options: {
    readonly layout: GpuBindGroupLayout;
    readonly entries: readonly {
      readonly binding: number;
      readonly resource: { readonly buffer: GpuBuffer; readonly offset?: number; readonly size?: number };
    }[];
  }): GpuBindGroup;
  createCommandEncoder(): GpuCommands;
  destroy(): void;
}
export interface GpuLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}
export interface GpuAdapter {
  readonly info: { readonly vendor: string; readonly architecture: string; readonly description: string };
  readonly limits: GpuLimits;
  readonly features: { has(name: string): boolean };
  requestDevice(options: {
    readonly requiredLimits: Readonly<Partial<Record<keyof GpuLimits, number>>>;
    readonly requiredFeatures: readonly string[];
  }): Promise<GpuDevice>;
}
/** `navigator.gpu`, or what the package `webgpu` makes in Node. */
export interface Gpu {
  /** Parts of WGSL that came after its first version. */
  readonly wgslLanguageFeatures?: { has(name: string): boolean };
  requestAdapter(options?: { readonly powerPreference: "high-performance" }): Promise<GpuAdapter | null>;
}

/** Numbers of the specification. */
export const USAGE = { mapRead: 1, copyFrom: 4, copyTo: 8, uniform: 64, storage: 128 } as const;
export const MAP_READ = 1;
export const COMPUTE_STAGE = 4;
