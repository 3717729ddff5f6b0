#include <cstdlib>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/kernels/fused.hpp"
#include "tamiz/potentials/engine/kernels/kernels.hpp"

namespace tamiz::kernels {

namespace generic {
extern const Table<float> k_float;
extern const Table<double> k_double;
extern const FusedTable<float> k_fused_float;
extern const FusedTable<double> k_fused_double;
}  // namespace generic
#if defined(__x86_64__)
namespace avx2 {
extern const Table<float> k_float;
extern const Table<double> k_double;
extern const FusedTable<float> k_fused_float;
extern const FusedTable<double> k_fused_double;
}  // namespace avx2
namespace avx512 {
extern const Table<float> k_float;
extern const Table<double> k_double;
extern const FusedTable<float> k_fused_float;
extern const FusedTable<double> k_fused_double;
}  // namespace avx512
#endif

namespace {

bool runs_here(const std::string& name) {
#if defined(__x86_64__)
  if (name == "avx512")
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (name == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return name == "generic";
}

std::string choose() {
  if (const char* asked = std::getenv("TAMIZ_ISA"); asked != nullptr && *asked != '\0') {
    if (runs_here(asked)) return asked;
    throw CapabilityError("TAMIZ_ISA is '" + std::string(asked) +
                          "', which this processor or build does not run: expected avx512, avx2 or generic");
  }
  for (const char* name : {"avx512", "avx2"})
    if (runs_here(name)) return name;
  return "generic";
}

}  // namespace

const char* instruction_set() {
  static const std::string chosen = choose();
  return chosen.c_str();
}

template <>
const Table<float>& table<float>() {
#if defined(__x86_64__)
  const std::string name = instruction_set();
  if (name == "avx512") return avx512::k_float;
  if (name == "avx2") return avx2::k_float;
#endif
  return generic::k_float;
}

template <>
const Table<double>& table<double>() {
#if defined(__x86_64__)
  const std::string name = instruction_set();
  if (name == "avx512") return avx512::k_double;
  if (name == "avx2") return avx2::k_double;
#endif
  return generic::k_double;
}

template <>
const FusedTable<float>& fused_table<float>() {
#if defined(__x86_64__)
  const std::string name = instruction_set();
  if (name == "avx512") return avx512::k_fused_float;
  if (name == "avx2") return avx2::k_fused_float;
#endif
  return generic::k_fused_float;
}

template <>
const FusedTable<double>& fused_table<double>() {
#if defined(__x86_64__)
  const std::string name = instruction_set();
  if (name == "avx512") return avx512::k_fused_double;
  if (name == "avx2") return avx2::k_fused_double;
#endif
  return generic::k_fused_double;
}

}  // namespace tamiz::kernels
