// Runs CUDA C++ kernels on a CPU, for their numbers: g++ -std=c++17 -x c++ -DMOEC_CPU='"cuda-cpu.h"' kernels.cu
//
// Each CUDA thread of a block is a fiber with a stack of its own. Fibers run one after the other, each from barrier to
// barrier, so a missing barrier gives wrong numbers in some order of the threads: run forward, reverse and random. A
// thread that ends while others wait at a barrier stops the process. Shared memory starts as NaN. Threads of a warp meet
// where they hand each other registers: shuffles and the matrices of tensor cores (cuda-matrices.h).
#pragma once
// It includes C headers only: those of C++ take longer to read than most kernels to compile.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)

namespace moec_cpu {

struct Index {
  unsigned x, y, z;
};

// Waiting for the block, or meeting the threads of its warp.
enum class State { ready, waiting, meeting, done };

struct Fiber {
#if defined(__x86_64__)
  void* top = nullptr;
#else
  ucontext_t context;
#endif
  char* stack = nullptr;
  State state = State::done;
  Index thread{0, 0, 0};
  // Shared buffers are declared in one order by all threads: each finds them by walking the same way.
  size_t declared = 0;
};

enum Order { forward, reverse, shuffled };

struct Block {
#if defined(__x86_64__)
  void* scheduler = nullptr;
#else
  ucontext_t scheduler;
#endif
  unsigned count = 0;
  Fiber* fibers = nullptr;
  // The order in which threads have their turns.
  unsigned* turns = nullptr;
  char* shared = nullptr;
  // What threads of a warp hand each other: some words of each.
  uint32_t* exchange = nullptr;
  void (*call)(const void*);
  const void* kernel;
  Fiber* current = nullptr;
  Index block{0, 0, 0};
};

inline Block* active = nullptr;
constexpr unsigned warpThreads = 32, exchangeWords = 8;
constexpr size_t stackBytes = 128 * 1024, sharedLimit = 256 * 1024;

[[noreturn]] inline void fail(const char* what) {
  fprintf(stderr, "cuda-cpu: %s in block %u\n", what, active->block.x);
  abort();
}

#if defined(__x86_64__)
// Keeps what a function must keep, exchanges the stacks, and returns on the other one.
extern "C" void moec_cpu_switch(void** save, void* load);
__asm__(
    ".text\n.weak moec_cpu_switch\n.type moec_cpu_switch,@function\nmoec_cpu_switch:\n"
    "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
    ".size moec_cpu_switch,.-moec_cpu_switch\n");
inline void leave() { moec_cpu_switch(&active->current->top, active->scheduler); }
inline void resume(Fiber& fiber) { moec_cpu_switch(&active->scheduler, fiber.top); }
#else
inline void leave() { swapcontext(&active->current->context, &active->scheduler); }
inline void resume(Fiber& fiber) { swapcontext(&active->scheduler, &fiber.context); }
#endif

inline void enter() {
  active->call(active->kernel);
  active->current->state = State::done;
  for (;;) leave();
}

inline void prepare(Fiber& fiber) {
#if defined(__x86_64__)
  const uintptr_t end = reinterpret_cast<uintptr_t>(fiber.stack + stackBytes) & ~uintptr_t(15);
  void** top = reinterpret_cast<void**>(end);
  // The stack of a function begins eight bytes below a multiple of 16; then where to go, and six registers.
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(&enter);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber.top = top;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = stackBytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, enter, 0);
#endif
}

inline void barrier() {
  active->current->state = State::waiting;
  leave();
}

template <class T>
T* shared(size_t length) {
  Fiber* self = active->current;
  const size_t start = self->declared;
  self->declared += (length * sizeof(T) + 15) / 16 * 16;
  if (self->declared > sharedLimit) fail("more shared memory than the harness has");
  return reinterpret_cast<T*>(active->shared + start);
}

// All threads of a warp come to the same place and go on together.
inline void meet() {
  active->current->state = State::meeting;
  leave();
}

inline unsigned lane() { return active->current->thread.x % warpThreads; }
inline unsigned firstOfWarp() { return active->current->thread.x - lane(); }

// What a lane of this warp has handed over, until the next `meet`.
inline const uint32_t* handed(unsigned from) {
  if (firstOfWarp() + from >= active->count) fail("a register of a thread that is not there");
  return active->exchange + (firstOfWarp() + from) * exchangeWords;
}
template <class T>
void hand(const T* values, unsigned count) {
  static_assert(sizeof(T) % 4 == 0, "threads hand each other words");
  if (count * sizeof(T) > exchangeWords * 4) fail("more words than a thread hands over");
  memcpy(active->exchange + active->current->thread.x * exchangeWords, values, count * sizeof(T));
  meet();
}

template <class T>
T shuffle(T value, unsigned from) {
  hand(&value, 1);
  T result;
  memcpy(&result, handed(from), sizeof(T));
  meet();
  return result;
}

struct Random {
  uint32_t state;
  // Numbers below a bound, by the generator of Marsaglia 2003 ("Xorshift RNGs").
  unsigned below(unsigned bound) {
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return state % bound;
  }
};

inline void shuffleTurns(unsigned* turns, unsigned count, Random& random) {
  for (unsigned i = count; i > 1; i--) {
    const unsigned j = random.below(i), kept = turns[i - 1];
    turns[i - 1] = turns[j];
    turns[j] = kept;
  }
}

inline void startTurns(unsigned* turns, unsigned count, Order order) {
  for (unsigned i = 0; i < count; i++) turns[i] = order == reverse ? count - 1 - i : i;
}

// How many of these threads are in a state; when all are and it is one of waiting, they go on.
inline unsigned release(Block& block, unsigned first, unsigned end, State state) {
  unsigned count = 0;
  for (unsigned i = first; i < end; i++) count += block.fibers[i].state == state;
  if (count == end - first && state != State::done)
    for (unsigned i = first; i < end; i++) block.fibers[i].state = State::ready;
  return count;
}

inline void runBlock(Block& block, Order order, Random& random) {
  memset(block.shared, 0xff, sharedLimit);
  startTurns(block.turns, block.count, order);
  for (unsigned i = 0; i < block.count; i++) {
    Fiber& fiber = block.fibers[i];
    fiber.thread = {i, 0, 0};
    fiber.state = State::ready;
    fiber.declared = 0;
    prepare(fiber);
  }
  for (;;) {
    if (order == shuffled) shuffleTurns(block.turns, block.count, random);
    for (unsigned i = 0; i < block.count; i++) {
      Fiber& fiber = block.fibers[block.turns[i]];
      if (fiber.state != State::ready) continue;
      block.current = &fiber;
      resume(fiber);
    }
    const unsigned done = release(block, 0, block.count, State::done);
    if (done == block.count) return;
    bool goesOn = release(block, 0, block.count, State::waiting) == block.count;
    for (unsigned first = 0; first < block.count; first += warpThreads) {
      const unsigned end = first + warpThreads < block.count ? first + warpThreads : block.count;
      goesOn |= release(block, first, end, State::meeting) == end - first;
    }
    if (goesOn) continue;
    fail(done > 0 ? "a thread has ended while others wait at a barrier" : "threads wait for each other in two places");
  }
}

// Threads that never meet need no stacks of their own.
inline void runApart(Block& block, Order order, Random& random) {
  startTurns(block.turns, block.count, order);
  if (order == shuffled) shuffleTurns(block.turns, block.count, random);
  for (unsigned i = 0; i < block.count; i++) {
    block.current = &block.fibers[block.turns[i]];
    block.current->thread = {block.turns[i], 0, 0};
    block.call(block.kernel);
  }
}

// Blocks are independent, so their order is varied like that of the threads.
template <class Kernel>
void launch(unsigned blocks, unsigned threads, bool meet, int order, unsigned seed, Kernel kernel) {
  Block block;
  block.kernel = &kernel;
  block.call = [](const void* body) { (*static_cast<const Kernel*>(body))(); };
  block.count = threads;
  block.fibers = new Fiber[threads];
  block.turns = new unsigned[threads];
  char* stacks = nullptr;
  if (meet) {
    block.shared = static_cast<char*>(aligned_alloc(16, sharedLimit));
    block.exchange = new uint32_t[threads * exchangeWords];
    stacks = static_cast<char*>(malloc(threads * stackBytes));
    for (unsigned i = 0; i < threads; i++) block.fibers[i].stack = stacks + i * stackBytes;
  }
  Random random{seed | 1};
  unsigned* turns = new unsigned[blocks];
  startTurns(turns, blocks, Order(order));
  if (order == shuffled) shuffleTurns(turns, blocks, random);
  active = &block;
  for (unsigned i = 0; i < blocks; i++) {
    block.block = {turns[i], 0, 0};
    if (meet) runBlock(block, Order(order), random);
    else runApart(block, Order(order), random);
  }
  active = nullptr;
  free(stacks);
  free(block.shared);
  delete[] block.exchange;
  delete[] block.turns;
  delete[] block.fibers;
  delete[] turns;
}

}  // namespace moec_cpu

#define threadIdx (moec_cpu::active->current->thread)
#define blockIdx (moec_cpu::active->block)
#define MOEC_SHARED(type, name, length) type* const name = moec_cpu::shared<type>(length)

struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

inline void __syncthreads() { moec_cpu::barrier(); }
template <class T>
T __shfl_xor_sync(unsigned, T value, int lanes) {
  return moec_cpu::shuffle(value, moec_cpu::lane() ^ unsigned(lanes));
}

template <class T>
T __shfl_sync(unsigned, T value, int from) {
  return moec_cpu::shuffle(value, unsigned(from));
}

inline float __int_as_float(int bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}
inline int __float_as_int(float value) {
  int bits;
  memcpy(&bits, &value, 4);
  return bits;
}
inline float __int2float_rn(int value) { return float(value); }
inline int __float2int_rz(float value) {
  if (value != value) return 0;
  if (value >= 2147483648.0f) return INT32_MAX;
  return value <= -2147483648.0f ? INT32_MIN : int(value);
}
inline int __dp4a(int a, int b, int c) {
  unsigned sum = unsigned(c);
  for (int shift = 0; shift < 32; shift += 8) sum += unsigned(int(int8_t(a >> shift)) * int(int8_t(b >> shift)));
  return int(sum);
}
inline int atomicAdd(int* place, int value) {
  const int old = *place;
  *place = int(unsigned(old) + unsigned(value));
  return old;
}

// The 16-bit float of the compiler has the same bits and rounds to nearest even.
inline float moec_from_f16(unsigned short bits) {
  _Float16 value;
  memcpy(&value, &bits, 2);
  return float(value);
}
inline unsigned short moec_to_f16(float value) {
  const _Float16 half = _Float16(value);
  unsigned short bits;
  memcpy(&bits, &half, 2);
  return bits;
}

#include "cuda-matrices.h"
