#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "tamiz/screening/oracle/oracle.hpp"

/// Labels as JSON: the objects S and F of the worker protocol, and the label records of a ledger. Numbers
/// read back to the same bits. Everything read is checked: each `..._from_json` throws FormatError (missing
/// or mistyped member, wrong shape), NumericsError (a periodic cell without volume) or SpeciesError.
namespace tamiz {

/// S of the protocol: cell rows [Å], pbc, symbols, positions (n_atoms, 3) [Å].
nlohmann::json structure_to_json(const Structure& structure);
Structure structure_from_json(const nlohmann::json& value);

/// F of the protocol, with `info` and `arrays` of the frame where there are any.
nlohmann::json frame_to_json(const Frame& frame);
Frame frame_from_json(const nlohmann::json& value);

/// A result with its trajectory. Members that do not belong to it are ignored on reading, so that a record
/// may carry more ("kind", "round", ...).
nlohmann::json label_result_to_json(const LabelResult& result);
LabelResult label_result_from_json(const nlohmann::json& value);

/// What a property of a label is called among the `info` of a frame, where "mesh" is the class that a request asks for:
/// "mesh_used" for "mesh", the others as they are.
std::string info_name(std::string_view property);

/// Whether a piece of a frame's `info` says something of one label of its geometry, such as what it cost, its gap, by how much its energy was
/// moved or what it is worth in training: what is made from the frame does not take it over.
bool is_of_one_label(std::string_view key);

/// Names of the settings that are not the same, "cutoff, xc"; empty where all are.
std::string differing_members(const nlohmann::json& one, const nlohmann::json& other);

/// Settings of a request; empty text stands for no settings. Throws FormatError unless it is an object.
nlohmann::json settings_from_text(std::string_view text);

/// Whether the properties of a label say that there is no gap; false where they say nothing of it.
bool says_metal(const nlohmann::json& properties);

}  // namespace tamiz
