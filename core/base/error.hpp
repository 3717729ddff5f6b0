#pragma once

#include <stdexcept>
#include <string>

namespace tamiz {

/// Root of every exception that Tamiz throws.
///
/// Messages are lower case without a full stop: what was wrong, what was expected and what came,
/// where, and what to do next.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file cannot be opened, read, written or synced.
class FileError : public Error {
 public:
  using Error::Error;
};

/// The content of a file or text does not follow its format; the message holds `file:line`.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// Array sizes do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A quantity is in the wrong unit or outside its physical range.
class UnitError : public Error {
 public:
  using Error::Error;
};

/// An element is unknown, or outside what a potential was made for.
class SpeciesError : public Error {
 public:
  using Error::Error;
};

/// A potential, format or build does not offer what was asked for.
class CapabilityError : public Error {
 public:
  using Error::Error;
};

/// An iteration ended before it reached its tolerance.
class ConvergenceError : public Error {
 public:
  using Error::Error;
};

/// A value is not finite, or a geometry is degenerate.
class NumericsError : public Error {
 public:
  using Error::Error;
};

/// An oracle cannot be started or broke its protocol.
class OracleError : public Error {
 public:
  using Error::Error;
};

}  // namespace tamiz
