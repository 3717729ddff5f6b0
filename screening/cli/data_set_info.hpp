#pragma once

#include <nlohmann/json.hpp>

#include "tamiz/core/io/data_set.hpp"

namespace tamiz::cli {

/// Card and counts of a data set: frames by split, by level and by number of elements, atoms, labels, elements, failures by
/// reason, core-hours.
nlohmann::json data_set_info(const DataSet& data);

}  // namespace tamiz::cli
