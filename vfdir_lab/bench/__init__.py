"""The benchmark: `python -m vfdir_lab.bench log | objects | replay [--json] [--size N] [--plot FILE]`.

Owns the figures of the log, of objects and of replay as ratios: what we do against the least that has to be
done, measured in turns in one run, so that a busy or a slow machine changes both alike. A `gate` that does
not hold makes the exit code 1; what `informs` is only printed. Never a timed unit test: `tests/bench` only
checks that it runs.
"""
