#pragma once

/// HDF5 itself loses memory when it meets a damaged object, which tests that include this make it do; the rest is still looked for.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5\n"; }
