"""What is called after each cell, and how long."""

import gc

from IPython.core.interactiveshell import InteractiveShell

from vfdir_lab.notebook.sync.cells import after_each_cell


class Counter:
    def __init__(self, seen: list[int]) -> None:
        self.seen = seen

    def count(self) -> None:
        self.seen.append(1)


def test_it_is_called_after_each_cell_until_its_object_is_gone(shell: InteractiveShell) -> None:
    seen: list[int] = []
    counter = Counter(seen)
    after_each_cell(counter.count)
    shell.run_cell("1")
    shell.run_cell("1 / 0")
    assert len(seen) == 2
    del counter
    gc.collect()
    shell.run_cell("1")
    assert len(seen) == 2
    assert all("after_each_cell" not in repr(one) for one in shell.events.callbacks["post_run_cell"])


def test_outside_of_a_notebook_nothing_happens() -> None:
    after_each_cell(Counter([]).count)
