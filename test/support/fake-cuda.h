// A CUDA driver and an NVRTC for tests: kernels of one file, built by g++ with `cuda-cpu.h`, run on the CPU behind the
// functions that the runtime calls. Before this header `moec_fake::kernels` is defined, the table of what was built in.
//
// It is strict where a GPU would be silent: addresses outside of what was allocated, a grid that does not fit the blocks,
// handles that are not there and memory that is not given back are errors.
#pragma once
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace moec_fake {

enum Status { success = 0, invalidValue = 1, outOfMemory = 2, notFound = 500, illegalAddress = 700, invalidHandle = 400 };

struct Parameters {
  void* function;
  unsigned grid[3];
  unsigned block[3];
  unsigned shared;
  void** values;
  void** extra;
  void* kernel;
  void* context;
};
static_assert(sizeof(Parameters) == 72, "CUDA_KERNEL_NODE_PARAMS_v2");

struct Node {
  const Kernel* kernel;
  unsigned grid, block;
  std::vector<uint64_t> values;
  bool enabled = true;
};

struct Graph {
  std::vector<std::shared_ptr<Node>> nodes;
};

struct Ready {
  std::map<Node*, std::shared_ptr<Node>> nodes;
  std::vector<Node*> order;
};

struct Module {
  std::string image;
};

inline std::map<uint64_t, size_t> memory;
inline std::map<std::string, int> calls;
inline std::map<std::string, int> failures;
inline size_t memoryLimit = size_t(1) << 34;
inline int order = 0, capability = 90, devices = 1, contexts = 0, streams = 0;
inline std::set<Graph*> graphs;
inline std::set<Ready*> ready;
inline std::set<Module*> modules;

// Counts the call, and fails where a test wants it.
inline int enter(const char* name) {
  calls[name]++;
  const auto found = failures.find(name);
  if (found == failures.end()) return success;
  const int status = found->second;
  failures.erase(found);
  return status;
}

// Whether the range lies in one allocation.
inline bool holds(uint64_t address, size_t bytes) {
  auto next = memory.upper_bound(address);
  if (next == memory.begin()) return false;
  --next;
  return address + bytes <= next->first + next->second;
}

inline int describe(const Parameters& from, Node& node) {
  const Kernel* kernel = static_cast<const Kernel*>(from.function);
  if (kernel < kernels || kernel >= kernels + kernelCount) return invalidHandle;
  const int count = kernel->buffers + kernel->scalars + 2;
  node.kernel = kernel;
  node.grid = from.grid[0];
  node.block = from.block[0];
  node.values.assign(count, 0);
  for (int i = 0; i < count; i++) std::memcpy(&node.values[i], from.values[i], i < kernel->buffers ? 8 : 4);
  return success;
}

inline int run(const Node& node) {
  const Kernel& kernel = *node.kernel;
  const int scalars = kernel.scalars + 2;
  std::vector<void*> buffers;
  std::vector<int> numbers;
  for (int i = 0; i < kernel.buffers; i++) {
    if (!holds(node.values[i], 1)) return illegalAddress;
    buffers.push_back(reinterpret_cast<void*>(node.values[i]));
  }
  for (int i = 0; i < scalars; i++) numbers.push_back(int(uint32_t(node.values[kernel.buffers + i])));
  const int from = numbers[scalars - 2], to = numbers[scalars - 1];
  const unsigned blocks = unsigned(to - from + kernel.groupBlocks - 1) / kernel.groupBlocks;
  if (to <= from || blocks != node.grid || node.block != unsigned(kernel.threads)) return invalidValue;
  kernel.launch(buffers.data(), numbers.data(), from, to, order, 1);
  return success;
}

// The bytes of a module: PTX ends with a zero, machine code knows its length.
inline std::string imageOf(const char* image) {
  if (std::memcmp(image, "\x7f" "ELF", 4) != 0) return image;
  uint64_t sections;
  uint16_t size, count;
  std::memcpy(&sections, image + 40, 8);
  std::memcpy(&size, image + 58, 2);
  std::memcpy(&count, image + 60, 2);
  return std::string(image, sections + size_t(size) * count);
}

inline bool has(const Module& module, const std::string& name) {
  return module.image.find(".entry " + name + "(") != std::string::npos ||
         module.image.find(".text." + name + '\0') != std::string::npos;
}

}  // namespace moec_fake

#define ENTER(name) \
  if (const int failed = moec_fake::enter(#name)) return failed
#define HANDLE(set, value) \
  if (!moec_fake::set.count(value)) return moec_fake::invalidHandle

extern "C" {

int moec_fake_calls(const char* name) { return moec_fake::calls[name]; }
void moec_fake_fail(const char* name, int status) { moec_fake::failures[name] = status; }
void moec_fake_set(const char* what, int value) {
  const std::string name = what;
  if (name == "order") moec_fake::order = value;
  if (name == "capability") moec_fake::capability = value;
  if (name == "devices") moec_fake::devices = value;
  if (name == "memory") moec_fake::memoryLimit = size_t(value);
}
// What was taken and not given back.
int moec_fake_held() {
  using namespace moec_fake;
  return int(memory.size() + graphs.size() + ready.size() + modules.size()) + contexts + streams;
}

int cuInit(unsigned) {
  ENTER(cuInit);
  return 0;
}
int cuDriverGetVersion(int* version) {
  *version = 13000;
  return 0;
}
int cuGetErrorName(int status, const char** name) {
  static const std::map<int, const char*> names = {{1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"},
      {218, "CUDA_ERROR_INVALID_PTX"}, {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"}, {400, "CUDA_ERROR_INVALID_HANDLE"},
      {500, "CUDA_ERROR_NOT_FOUND"}, {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {719, "CUDA_ERROR_LAUNCH_FAILED"}};
  const auto found = names.find(status);
  *name = found == names.end() ? nullptr : found->second;
  return found == names.end() ? 1 : 0;
}
int cuDeviceGetCount(int* count) {
  *count = moec_fake::devices;
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = 7 + ordinal;
  return ordinal < moec_fake::devices ? 0 : moec_fake::invalidValue;
}
int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, size_t(length), "a GPU of this test");
  return device == 7 ? 0 : moec_fake::invalidValue;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? moec_fake::capability / 10 : attribute == 76 ? moec_fake::capability % 10 : 1;
  return device == 7 ? 0 : moec_fake::invalidValue;
}
int cuDevicePrimaryCtxRetain(void** context, int) {
  ENTER(cuDevicePrimaryCtxRetain);
  moec_fake::contexts++;
  *context = &moec_fake::contexts;
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  moec_fake::contexts--;
  return 0;
}
int cuCtxSetCurrent(void* context) { return context == &moec_fake::contexts ? 0 : moec_fake::invalidHandle; }
int cuMemGetInfo_v2(size_t* free, size_t* total) {
  *free = moec_fake::memoryLimit;
  for (const auto& [address, bytes] : moec_fake::memory) *free -= std::min(*free, bytes);
  *total = moec_fake::memoryLimit;
  return 0;
}
int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  ENTER(cuMemAlloc_v2);
  size_t free, total;
  cuMemGetInfo_v2(&free, &total);
  if (bytes == 0) return moec_fake::invalidValue;
  if (bytes > free) return moec_fake::outOfMemory;
  void* place = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(place, 0xff, bytes);
  *address = reinterpret_cast<uint64_t>(place);
  moec_fake::memory[*address] = bytes;
  return 0;
}
int cuMemFree_v2(uint64_t address) {
  if (!moec_fake::memory.erase(address)) return moec_fake::invalidValue;
  std::free(reinterpret_cast<void*>(address));
  return 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
  ENTER(cuMemcpyHtoDAsync_v2);
  if (!moec_fake::holds(to, bytes) || stream != &moec_fake::streams) return moec_fake::invalidValue;
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return 0;
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
  ENTER(cuMemcpyDtoHAsync_v2);
  if (!moec_fake::holds(from, bytes) || stream != &moec_fake::streams) return moec_fake::invalidValue;
  std::memcpy(to, reinterpret_cast<void*>(from), bytes);
  return 0;
}
int cuModuleLoadData(moec_fake::Module** module, const char* image) {
  ENTER(cuModuleLoadData);
  *module = new moec_fake::Module{moec_fake::imageOf(image)};
  moec_fake::modules.insert(*module);
  return 0;
}
int cuModuleGetFunction(const void** function, moec_fake::Module* module, const char* name) {
  HANDLE(modules, module);
  if (!moec_fake::has(*module, name)) return moec_fake::notFound;
  for (int i = 0; i < moec_fake::kernelCount; i++) {
    if (std::strcmp(moec_fake::kernels[i].name, name) == 0) return *function = &moec_fake::kernels[i], 0;
  }
  return moec_fake::notFound;
}
int cuModuleUnload(moec_fake::Module* module) {
  HANDLE(modules, module);
  moec_fake::modules.erase(module);
  delete module;
  return 0;
}
int cuStreamCreate(void** stream, unsigned) {
  moec_fake::streams++;
  *stream = &moec_fake::streams;
  return 0;
}
int cuStreamSynchronize(void* stream) {
  ENTER(cuStreamSynchronize);
  return stream == &moec_fake::streams ? 0 : moec_fake::invalidHandle;
}
int cuStreamDestroy_v2(void*) {
  moec_fake::streams--;
  return 0;
}
int cuGraphCreate(moec_fake::Graph** graph, unsigned) {
  ENTER(cuGraphCreate);
  moec_fake::graphs.insert(*graph = new moec_fake::Graph());
  return 0;
}
int cuGraphAddKernelNode_v2(moec_fake::Node** node, moec_fake::Graph* graph, moec_fake::Node* const* after,
                            size_t count, const moec_fake::Parameters* parameters) {
  ENTER(cuGraphAddKernelNode_v2);
  HANDLE(graphs, graph);
  // One node behind the other: the last one is what the next one waits for.
  const size_t wanted = graph->nodes.empty() ? 0 : 1;
  if (count != wanted || (count == 1 && after[0] != graph->nodes.back().get())) return moec_fake::invalidValue;
  auto made = std::make_shared<moec_fake::Node>();
  if (const int status = moec_fake::describe(*parameters, *made)) return status;
  *node = made.get();
  graph->nodes.push_back(made);
  return 0;
}
int cuGraphInstantiateWithFlags(moec_fake::Ready** result, moec_fake::Graph* graph, uint64_t) {
  ENTER(cuGraphInstantiateWithFlags);
  HANDLE(graphs, graph);
  auto* made = new moec_fake::Ready();
  for (const auto& node : graph->nodes) {
    made->nodes[node.get()] = std::make_shared<moec_fake::Node>(*node);
    made->order.push_back(node.get());
  }
  moec_fake::ready.insert(*result = made);
  return 0;
}
int cuGraphExecKernelNodeSetParams_v2(moec_fake::Ready* graph, moec_fake::Node* node,
                                      const moec_fake::Parameters* parameters) {
  ENTER(cuGraphExecKernelNodeSetParams_v2);
  HANDLE(ready, graph);
  if (!graph->nodes.count(node)) return moec_fake::invalidHandle;
  return moec_fake::describe(*parameters, *graph->nodes[node]);
}
int cuGraphNodeSetEnabled(moec_fake::Ready* graph, moec_fake::Node* node, unsigned enabled) {
  ENTER(cuGraphNodeSetEnabled);
  HANDLE(ready, graph);
  if (!graph->nodes.count(node)) return moec_fake::invalidHandle;
  graph->nodes[node]->enabled = enabled != 0;
  return 0;
}
int cuGraphLaunch(moec_fake::Ready* graph, void* stream) {
  ENTER(cuGraphLaunch);
  HANDLE(ready, graph);
  if (stream != &moec_fake::streams) return moec_fake::invalidHandle;
  for (auto* name : graph->order) {
    const moec_fake::Node& node = *graph->nodes[name];
    if (!node.enabled) continue;
    if (const int status = moec_fake::run(node)) return status;
  }
  return 0;
}
int cuGraphExecDestroy(moec_fake::Ready* graph) {
  HANDLE(ready, graph);
  moec_fake::ready.erase(graph);
  delete graph;
  return 0;
}
int cuGraphDestroy(moec_fake::Graph* graph) {
  HANDLE(graphs, graph);
  moec_fake::graphs.erase(graph);
  delete graph;
  return 0;
}

// NVRTC: what comes out names the kernels of the source, which is all that the driver above looks at.
struct moec_fake_program {
  std::string source, result, log;
};
int nvrtcCreateProgram(moec_fake_program** program, const char* source, const char*, int, const char**, const char**) {
  *program = new moec_fake_program{source, "", "kernels.cu(1): error: refused by the test"};
  return 0;
}
int nvrtcCompileProgram(moec_fake_program* program, int count, const char** options) {
  ENTER(nvrtcCompileProgram);
  for (int i = 0; i < count; i++) program->result += std::string("// ") + options[i] + "\n";
  const std::string head = "extern \"C\" __global__ void";
  for (size_t at = 0; (at = program->source.find(head, at)) != std::string::npos; at += head.size()) {
    const size_t open = program->source.find('(', program->source.find(") ", at));
    const size_t start = program->source.rfind(' ', open) + 1;
    program->result += ".visible .entry " + program->source.substr(start, open - start) + "()\n";
  }
  return 0;
}
int nvrtcGetPTXSize(moec_fake_program* program, size_t* size) { return *size = program->result.size() + 1, 0; }
int nvrtcGetPTX(moec_fake_program* program, char* text) { return std::strcpy(text, program->result.c_str()), 0; }
int nvrtcGetProgramLogSize(moec_fake_program* program, size_t* size) { return *size = program->log.size() + 1, 0; }
int nvrtcGetProgramLog(moec_fake_program* program, char* text) { return std::strcpy(text, program->log.c_str()), 0; }
int nvrtcDestroyProgram(moec_fake_program** program) { return delete *program, 0; }

}  // extern "C"
