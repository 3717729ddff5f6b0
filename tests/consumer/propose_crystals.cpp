// Prints how many candidates the wurtzite and rocksalt types give in Ga-N.
#include <cstdio>

#include "tamiz/screening/campaign/campaign.hpp"
#include "tamiz/screening/propose/propose.hpp"

int main() {
  tamiz::ProposeOptions options;
  options.systems = {"Ga-N"};
  options.prototypes = {"wurtzite", "rocksalt"};
  options.orderings_per_parent = 0;
  options.random_per_formula = 0;
  std::printf("%zu\n", tamiz::propose(options).candidates.size());
}
