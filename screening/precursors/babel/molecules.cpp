// Part of tamiz-babel, a program of its own: it links Open Babel and is therefore distributed under GPL-2.0.
#include "molecules.hpp"

#include <openbabel/atom.h>
#include <openbabel/builder.h>
#include <openbabel/elements.h>
#include <openbabel/forcefield.h>
#include <openbabel/generic.h>
#include <openbabel/mol.h>
#include <openbabel/obconversion.h>
#include <openbabel/oberror.h>
#include <openbabel/obiter.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace tamiz_babel {
namespace {

using nlohmann::json;
using namespace OpenBabel;

constexpr int k_relax_steps = 500;

/// "smi -- SMILES format" gives "smi" and "SMILES format".
json names(const std::vector<std::string>& lines) {
  json list = json::array();
  for (const std::string& line : lines) {
    const std::size_t dash = line.find(" -- ");
    list.push_back({{"name", line.substr(0, dash)}, {"description", dash == std::string::npos ? "" : line.substr(dash + 4)}});
  }
  return list;
}

void build_coordinates(OBMol& molecule) {
  molecule.AddHydrogens();
  OBBuilder builder;
  if (!builder.Build(molecule)) throw std::runtime_error("no coordinates could be built for " + std::string(molecule.GetTitle()));
  // UFF covers what MMFF94 has no parameters for.
  for (const char* name : {"MMFF94", "UFF"}) {
    OBForceField* field = OBForceField::FindForceField(name);
    if (field == nullptr || !field->Setup(molecule)) continue;
    field->ConjugateGradients(k_relax_steps, 1e-6);
    field->GetCoordinates(molecule);
    return;
  }
}

json to_json(OBMol& molecule) {
  json value{{"title", std::string(molecule.GetTitle())}, {"charge", molecule.GetTotalCharge()},
             {"symbols", json::array()}, {"positions", json::array()}};
  FOR_ATOMS_OF_MOL(atom, molecule) {
    value["symbols"].push_back(OBElements::GetSymbol(atom->GetAtomicNum()));
    value["positions"].push_back({atom->GetX(), atom->GetY(), atom->GetZ()});
  }
  if (auto* cell = dynamic_cast<OBUnitCell*>(molecule.GetData(OBGenericDataType::UnitCell))) {
    value["cell"] = json::array();
    for (const vector3& v : cell->GetCellVectors()) value["cell"].push_back({v.x(), v.y(), v.z()});
  }
  return value;
}

void add_atoms(OBMol& molecule, const json& value) {
  const json& symbols = value.at("symbols");
  const json& positions = value.at("positions");
  if (symbols.size() != positions.size()) throw std::runtime_error("as many symbols as positions are needed");
  molecule.BeginModify();
  for (std::size_t k = 0; k < symbols.size(); ++k) {
    OBAtom* atom = molecule.NewAtom();
    atom->SetAtomicNum(static_cast<int>(OBElements::GetAtomicNum(symbols[k].get<std::string>().c_str())));
    atom->SetVector(positions[k].at(0), positions[k].at(1), positions[k].at(2));
  }
  molecule.EndModify();
  if (value.contains("cell")) {
    auto* cell = new OBUnitCell;  // the molecule owns it
    const auto row = [&](int k) { return vector3(value["cell"][k].at(0), value["cell"][k].at(1), value["cell"][k].at(2)); };
    cell->SetData(row(0), row(1), row(2));
    molecule.SetData(cell);
  }
}

/// Bonds of an atom that has no charge: 3 for N and P, 2 for O and S, 1 for halogens; 0 for others.
int usual_valence(unsigned atomic_number) {
  switch (atomic_number) {
    case 7: case 15: case 33: return 3;
    case 8: case 16: case 34: return 2;
    case 9: case 17: case 35: case 53: return 1;
    default: return 0;
  }
}

/// Formats store the charges of atoms, of which Open Babel places few by itself: on atoms with a bond too many or too
/// few, and what is left on the first atom, so that the sum is right.
void place_charge(OBMol& molecule, int charge) {
  const int sign = charge < 0 ? -1 : 1;
  int left = charge;
  FOR_ATOMS_OF_MOL(atom, molecule) {
    const int usual = usual_valence(atom->GetAtomicNum());
    if (left == 0) break;
    if (usual == 0 || static_cast<int>(atom->GetExplicitValence()) != usual + sign) continue;
    atom->SetFormalCharge(sign);
    left -= sign;
  }
  if (left != 0 && molecule.NumAtoms() > 0) molecule.GetAtom(1)->SetFormalCharge(molecule.GetAtom(1)->GetFormalCharge() + left);
  molecule.SetTotalCharge(charge);
}

/// Open Babel often returns a part of what it could not read and says so in its log alone.
void throw_logged_error() {
  const std::vector<std::string> messages = obErrorLog.GetMessagesOfLevel(obError);
  obErrorLog.ClearLog();
  if (messages.empty()) return;
  std::string text = messages.front();
  for (char& c : text)
    if (c == '\n') c = ' ';
  throw std::runtime_error(text);
}

}  // namespace

json formats() {
  OBConversion conversion;
  return {{"read", names(conversion.GetSupportedInputFormat())}, {"write", names(conversion.GetSupportedOutputFormat())}};
}

json read(const std::string& text, const std::string& format) {
  OBConversion conversion;
  if (!conversion.SetInFormat(format.c_str())) throw std::runtime_error("unknown input format " + format);
  obErrorLog.ClearLog();
  std::istringstream stream(text);
  json molecules = json::array();
  OBMol molecule;
  for (bool more = conversion.Read(&molecule, &stream); more; more = conversion.Read(&molecule)) {
    if (molecule.NumAtoms() == 0) break;
    // Formulas have no coordinates, and drawings (two dimensions, hydrogens implied) none that mean distances.
    const bool is_drawing = molecule.GetDimension() == 2;
    if (!molecule.HasData(OBGenericDataType::UnitCell) && (is_drawing || !molecule.HasNonZeroCoords())) build_coordinates(molecule);
    molecules.push_back(to_json(molecule));
    molecule.Clear();
  }
  throw_logged_error();
  if (molecules.empty()) throw std::runtime_error("no molecule could be read as " + format);
  return molecules;
}

std::string write(const json& molecules, const std::string& format) {
  OBConversion conversion;
  if (!conversion.SetOutFormat(format.c_str())) throw std::runtime_error("unknown output format " + format);
  std::ostringstream stream;
  conversion.SetOutStream(&stream);
  for (const json& value : molecules) {
    OBMol molecule;
    add_atoms(molecule, value);
    molecule.SetDimension(3);  // a flat molecule is no drawing
    molecule.ConnectTheDots();
    molecule.PerceiveBondOrders();
    place_charge(molecule, value.value("charge", 0));
    std::string title = value.value("title", std::string());
    molecule.SetTitle(title);
    if (!conversion.Write(&molecule)) throw std::runtime_error("the molecule could not be written as " + format);
  }
  return stream.str();
}

}  // namespace tamiz_babel
