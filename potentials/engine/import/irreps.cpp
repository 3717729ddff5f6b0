#include "tamiz/potentials/engine/import/irreps.hpp"

#include <string>

namespace tamiz::importer {
namespace {

constexpr std::int64_t k_largest = 1 << 20;
constexpr std::size_t k_most_irreps = 1024;

/// Members of a tuple class: `Class(tuple)`.
std::vector<Record> members(const Record& record, const char* type) {
  if (record.type_name() != type) record.fail(std::string("is not an e3nn ") + type);
  const auto arguments = record.arguments();
  if (arguments.size() != 1) record.fail(std::string("is a damaged ") + type);
  return arguments[0].items();
}

std::int64_t bounded(const Record& record) {
  const std::int64_t value = record.integer();
  if (value < -1 || value > k_largest) record.fail("is " + std::to_string(value) + ", which is no size of a model");
  return value;
}

}  // namespace

std::vector<MulIrrep> irreps_of(const Record& record) {
  std::vector<MulIrrep> irreps;
  const auto pairs = members(record, "Irreps");
  if (pairs.size() > k_most_irreps) record.fail("has " + std::to_string(pairs.size()) + " irreps");
  for (const Record& pair : pairs) {
    const auto parts = members(pair, "_MulIr");
    if (parts.size() != 2) pair.fail("is a damaged pair");
    const auto numbers = members(parts[1], "Irrep");
    if (numbers.size() != 2) parts[1].fail("is a damaged Irrep");
    const MulIrrep irrep{bounded(parts[0]), static_cast<int>(bounded(numbers[0])),
                         static_cast<int>(bounded(numbers[1]))};
    if (irrep.l < 0 || irrep.mul < 1 || irrep.parity != (irrep.l % 2 == 0 ? 1 : -1))
      record.fail("has an irrep of l = " + std::to_string(irrep.l) + " and parity " + std::to_string(irrep.parity) +
                  ": only the parity of spherical harmonics is supported (0e, 1o, 2e, …)");
    irreps.push_back(irrep);
  }
  return irreps;
}

int largest_l(const Record& record, std::int64_t mul) {
  int l = 0;
  for (const MulIrrep& irrep : irreps_of(record)) {
    if (irrep.l != l || irrep.mul != mul)
      record.fail("has " + std::to_string(irrep.mul) + " irreps of l = " + std::to_string(irrep.l) + ", expected " +
                  std::to_string(mul) + " of l = " + std::to_string(l) +
                  ": only l = 0, 1, … with equal multiplicities are supported");
    ++l;
  }
  if (l == 0) record.fail("is empty");
  return l - 1;
}

}  // namespace tamiz::importer
