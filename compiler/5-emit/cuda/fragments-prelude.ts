/** What printed CUDA calls for fragments; `fragments.ts` writes the calls. */
import { fragmentThreads } from "../../4-schedule/kernel-fragments.js";

/** Instructions of tensor cores, where no header plays the GPU. */
export const matrixInstructions = `// Four matrices of 8 x 8 halves, line by line from where each eighth of the warp points to.
__device__ static __forceinline__ void moec_ldmatrix(unsigned (&to)[4], const void* line) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"((unsigned)__cvta_generic_to_shared(line))
               : "memory");
}
__device__ static __forceinline__ void moec_ldmatrix_turned(unsigned (&to)[4], const void* line) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"((unsigned)__cvta_generic_to_shared(line))
               : "memory");
}
#define MOEC_MMA(name, type, constraint, shape)                                                                  \\
  __device__ static __forceinline__ void name(type* c, const unsigned (&a)[4], unsigned b0, unsigned b1) {       \\
    asm("mma.sync.aligned." shape " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"             \\
        : "+" constraint(c[0]), "+" constraint(c[1]), "+" constraint(c[2]), "+" constraint(c[3])                 \\
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                                         \\
  }
MOEC_MMA(moec_mma_f16, float, "f", "m16n8k16.row.col.f32.f16.f16.f32")
MOEC_MMA(moec_mma_bf16, float, "f", "m16n8k16.row.col.f32.bf16.bf16.f32")
MOEC_MMA(moec_mma_i8, int, "r", "m16n8k32.row.col.s32.s8.s8.s32")`;

/** Where the lanes of a warp have the elements of a fragment. */
export const fragmentFunctions = `
// Fragments: lines of 32 bytes in memory, \`stride\` bytes apart. A lane points to half of a line; which lines its eighth
// of the warp points to decides what the four registers hold, and halves are turned where lines lie across the warp.
template <bool left, bool rows, int stride>
__device__ static __forceinline__ void moec_load_fragment(unsigned (&to)[4], const void* from) {
  const int lane = threadIdx.x % ${fragmentThreads};
  const int line = rows ? lane % 16 : lane % 8 + lane / 16 * 8, half = rows ? lane / 16 : lane / 8 % 2;
  const char* place = (const char*)from + line * stride + half * 16;
  if (left == rows) moec_ldmatrix(to, place);
  else moec_ldmatrix_turned(to, place);
}
#define MOEC_MULTIPLY(element, type)                                                                         \\
  __device__ static __forceinline__ void moec_multiply_##element(type (&sum)[8], const unsigned (&left)[4],  \\
                                                                 const unsigned (&right)[4]) {               \\
    moec_mma_##element(sum, left, right[0], right[1]);                                                       \\
    moec_mma_##element(sum + 4, left, right[2], right[3]);                                                   \\
  }
MOEC_MULTIPLY(f16, float)
MOEC_MULTIPLY(bf16, float)
MOEC_MULTIPLY(i8, int)
// A lane has two neighbouring columns of rows lane / 4 and lane / 4 + 8, in each half of the columns.
__device__ static __forceinline__ int moec_fragment_row(int i) { return (int)threadIdx.x % ${fragmentThreads} / 4 + (i / 2 % 2) * 8; }
__device__ static __forceinline__ int moec_fragment_column(int i) {
  return i / 4 * 8 + (int)threadIdx.x % 4 * 2 + i % 2;
}
__device__ static __forceinline__ void moec_scale_fragment(float (&sum)[8], const int (&part)[8], const float* rows,
                                                           const float* columns) {
#pragma unroll
  for (int i = 0; i < 8; i++) {
    const float scale = rows[moec_fragment_row(i)] * columns[moec_fragment_column(i)];
    sum[i] = fmaf(__int2float_rn(part[i]), scale, sum[i]);
  }
}
__device__ static __forceinline__ void moec_scale_fragment_rows(float (&sum)[8], const float* rows) {
#pragma unroll
  for (int i = 0; i < 8; i++) sum[i] *= rows[moec_fragment_row(i)];
}
template <int down, int across, typename T>
__device__ static __forceinline__ void moec_store_fragment(const T (&sum)[8], T* to) {
#pragma unroll
  for (int i = 0; i < 8; i++) to[moec_fragment_row(i) * down + moec_fragment_column(i) * across] = sum[i];
}`;
