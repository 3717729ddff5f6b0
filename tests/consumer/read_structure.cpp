// Prints formula and space group of the first structure of a file.
#include <cstdio>
#include <exception>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/structure/symmetry.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const tamiz::Structure structure = tamiz::read_frames(argv[1]).at(0).structure;
    std::printf("%s %d\n", structure.composition().formula().c_str(), tamiz::space_group(structure).number);
  } catch (const tamiz::FormatError& error) {  // the same type on both sides of the library's boundary
    std::fprintf(stderr, "format: %s\n", error.what());
    return 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
