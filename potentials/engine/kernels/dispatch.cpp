#include <cstdlib>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/kernels/bfloat16.hpp"
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
namespace avx512_bf16 {
extern void multiply(const RoundedMultiplyArguments& a);
}  // namespace avx512_bf16
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

/// Of the tables of all instruction sets the one of instruction_set().
template <typename T>
const T& of_instruction_set(const T& generic, const T* avx2, const T* avx512) {
  const std::string name = instruction_set();
  if (name == "avx512") return *avx512;
  if (name == "avx2") return *avx2;
  return generic;
}

#if defined(__x86_64__)
#define TAMIZ_TABLES(table) generic::table, &avx2::table, &avx512::table
#else
#define TAMIZ_TABLES(table) generic::table, nullptr, nullptr
#endif

}  // namespace

const char* instruction_set() {
  static const std::string chosen = choose();
  return chosen.c_str();
}

bool has_bfloat16() {
#if defined(__x86_64__)
  static const bool has = instruction_set() == std::string("avx512") && __builtin_cpu_supports("avx512bf16");
  return has;
#else
  return false;
#endif
}

void multiply_bfloat16(const RoundedMultiplyArguments& arguments) {
#if defined(__x86_64__)
  avx512_bf16::multiply(arguments);
#else
  static_cast<void>(arguments);
#endif
}

// Asked for before every loop: found once.
template <>
const Table<float>& table<float>() {
  static const Table<float>& chosen = of_instruction_set(TAMIZ_TABLES(k_float));
  return chosen;
}

template <>
const Table<double>& table<double>() {
  static const Table<double>& chosen = of_instruction_set(TAMIZ_TABLES(k_double));
  return chosen;
}

template <>
const FusedTable<float>& fused_table<float>() {
  static const FusedTable<float>& chosen = of_instruction_set(TAMIZ_TABLES(k_fused_float));
  return chosen;
}

template <>
const FusedTable<double>& fused_table<double>() {
  static const FusedTable<double>& chosen = of_instruction_set(TAMIZ_TABLES(k_fused_double));
  return chosen;
}

}  // namespace tamiz::kernels
