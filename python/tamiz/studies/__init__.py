"""How shipped data were made, and what models are worth (README.md)."""

import spglib.error

spglib.error.OLD_ERROR_HANDLING = False  # raise, as everything else does
