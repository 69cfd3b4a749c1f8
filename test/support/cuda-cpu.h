// Runs CUDA C++ kernels on a CPU, for their numbers: g++ -std=c++17 -x c++ -DMOEC_CPU='"cuda-cpu.h"' kernels.cu
//
// Each CUDA thread of a block is a fiber with a stack of its own. Fibers run one after the other, each from barrier to
// barrier, so a missing barrier gives wrong numbers in some order of the threads: run forward, reverse and random. A
// thread that ends while others wait at a barrier stops the process. Shared memory starts as NaN.
#pragma once
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(threads)

namespace moec_cpu {

struct Index {
  unsigned x, y, z;
};

enum class State { ready, waiting, done };

struct Fiber {
  ucontext_t context;
  std::vector<char> stack;
  State state = State::done;
  Index thread{0, 0, 0};
  // Shared buffers are declared in one order by all threads: each finds them by walking the same way.
  size_t declared = 0;
};

enum Order { forward, reverse, shuffled };

struct Block {
  ucontext_t scheduler;
  std::vector<Fiber> fibers;
  std::vector<char> shared;
  std::function<void()> kernel;
  Fiber* current = nullptr;
  Index block{0, 0, 0};
};

inline Block* active = nullptr;
constexpr size_t stackBytes = 256 * 1024, sharedLimit = 256 * 1024;

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "cuda-cpu: %s in block %u\n", what, active->block.x);
  std::abort();
}

inline void enter() {
  active->kernel();
  active->current->state = State::done;
  swapcontext(&active->current->context, &active->scheduler);
}

inline void barrier() {
  Fiber* self = active->current;
  self->state = State::waiting;
  swapcontext(&self->context, &active->scheduler);
}

template <class T>
T* shared(size_t length) {
  Fiber* self = active->current;
  const size_t start = self->declared;
  self->declared += (length * sizeof(T) + 15) / 16 * 16;
  if (self->declared > sharedLimit) fail("more shared memory than the harness has");
  return reinterpret_cast<T*>(active->shared.data() + start);
}

inline void runBlock(Block& block, Order order, std::mt19937& random) {
  const size_t count = block.fibers.size();
  std::fill(block.shared.begin(), block.shared.end(), char(0xff));
  std::vector<size_t> turns(count);
  for (size_t i = 0; i < count; i++) turns[i] = order == reverse ? count - 1 - i : i;
  for (size_t i = 0; i < count; i++) {
    Fiber& fiber = block.fibers[i];
    fiber.thread = {unsigned(i), 0, 0};
    fiber.state = State::ready;
    fiber.declared = 0;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, enter, 0);
  }
  for (;;) {
    if (order == shuffled) std::shuffle(turns.begin(), turns.end(), random);
    for (size_t i : turns) {
      block.current = &block.fibers[i];
      swapcontext(&block.scheduler, &block.current->context);
    }
    const size_t done = std::count_if(block.fibers.begin(), block.fibers.end(),
                                      [](const Fiber& fiber) { return fiber.state == State::done; });
    if (done == count) return;
    if (done > 0) fail("a thread has ended while others wait at a barrier");
    for (Fiber& fiber : block.fibers) fiber.state = State::ready;
  }
}

// Blocks are independent, so their order is varied like that of the threads.
template <class Kernel>
void launch(unsigned blocks, unsigned threads, int order, unsigned seed, Kernel kernel) {
  Block block;
  block.kernel = kernel;
  block.shared.resize(sharedLimit);
  block.fibers.resize(threads);
  for (Fiber& fiber : block.fibers) fiber.stack.resize(stackBytes);
  std::mt19937 random(seed);
  std::vector<unsigned> turns(blocks);
  for (unsigned i = 0; i < blocks; i++) turns[i] = order == reverse ? blocks - 1 - i : i;
  if (order == shuffled) std::shuffle(turns.begin(), turns.end(), random);
  active = &block;
  for (unsigned i : turns) {
    block.block = {i, 0, 0};
    runBlock(block, Order(order), random);
  }
  active = nullptr;
}

}  // namespace moec_cpu

#define threadIdx (moec_cpu::active->current->thread)
#define blockIdx (moec_cpu::active->block)
#define MOEC_SHARED(type, name, length) type* const name = moec_cpu::shared<type>(length)

inline void __syncthreads() { moec_cpu::barrier(); }

inline float __int_as_float(int bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline int __float_as_int(float value) {
  int bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float __int2float_rn(int value) { return float(value); }
inline int __float2int_rz(float value) {
  if (std::isnan(value)) return 0;
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
using __half = _Float16;
inline float __half2float(__half value) { return float(value); }
inline __half __float2half_rn(float value) { return __half(value); }
