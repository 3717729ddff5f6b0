#pragma once

/// House units: Å, eV, fs, u, K, e. Conversions multiply: `x_in_house = x * unit`.
/// Source of the constants: CODATA 2018 (doi:10.1103/RevModPhys.93.025010).
namespace tamiz::units {

inline constexpr double k_boltzmann = 8.617333262e-5;          ///< [eV/K]
inline constexpr double k_planck = 4.135667696e-3;             ///< [eV/THz]
inline constexpr double k_acceleration = 9.648533212331e-3;    ///< (eV/Å)/u in Å/fs²
inline constexpr double k_gpa = 1.0 / 160.21766339999998;      ///< 1 GPa in eV/Å³
inline constexpr double k_hartree = 27.211386245988;           ///< [eV]
inline constexpr double k_bohr = 0.529177210903;               ///< [Å]

}  // namespace tamiz::units
