"""Exceptions of tamiz. Each has the name of its C++ class (core/base/error.hpp) and is also the built-in that fits it,
so that ``except ValueError`` or ``except OSError`` catch what one expects them to catch."""


class Error(Exception):
    """Root of every exception that tamiz raises."""


class FileError(Error, OSError):
    """A file cannot be opened, read, written or synced."""


class FormatError(Error, ValueError):
    """The content of a file or text does not follow its format; the message holds ``file:line``."""


class ShapeError(Error, ValueError):
    """Array sizes do not fit together."""


class UnitError(Error, ValueError):
    """A quantity is in the wrong unit or outside its physical range."""


class SpeciesError(Error, ValueError):
    """An element is unknown, or outside what a potential was made for."""


class CapabilityError(Error, NotImplementedError):
    """A potential, format or build does not offer what was asked for."""


class ConvergenceError(Error, RuntimeError):
    """An iteration ended before it reached its tolerance."""


class NumericsError(Error, ArithmeticError):
    """A value is not finite, or a geometry is degenerate."""


class OracleError(Error, RuntimeError):
    """An oracle cannot be started or broke its protocol."""


__all__ = ["Error", "FileError", "FormatError", "ShapeError", "UnitError", "SpeciesError", "CapabilityError",
           "ConvergenceError", "NumericsError", "OracleError"]
