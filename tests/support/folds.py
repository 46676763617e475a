"""The naive fold and the histories of `tests/projection/test_against_fold.py`, for other tests to use."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_PLACE = Path(__file__).parents[1] / "projection" / "test_against_fold.py"
_spec = spec_from_file_location("folds_of_test_against_fold", _PLACE)
assert _spec is not None
assert _spec.loader is not None
_module = module_from_spec(_spec)
_spec.loader.exec_module(_module)

Fold = _module.Fold
histories = _module.histories
