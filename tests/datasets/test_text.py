"""Text becomes tokens, and the class of each step is the token that follows."""

import numpy as np
import pytest

from tui_nn_datasets import DataError, load
from tui_nn_datasets.dataset import NO_TARGET


def test_words_are_lines_that_begin_with_the_end_of_the_line_before():
    data = load("words", encoding="tokens")
    assert data.vocabulary == ("·", "⏎", *"abcdefghijklmnopqrstuvwxyz")
    assert data.target_names == data.vocabulary[1:]
    place = next(i for i, row in enumerate(data.x) if data.lengths[i] == 5)
    x, y = data.x[place], data.y[place]
    assert (data.vocabulary[x[0]], data.target_names[y[4]]) == ("⏎", "⏎")
    assert np.array_equal(x[1:5], y[:4] + 1)
    assert (x[5:] == 0).all()
    assert (y[5:] == NO_TARGET).all()
    assert np.array_equal((data.x > 0).sum(axis=1), data.lengths)
    rows = load("words")
    assert rows.x.shape == (*data.x.shape, 27)
    assert np.array_equal(rows.x.any(axis=2), data.x > 0)
    assert np.array_equal(rows.y, data.y)


def test_a_text_of_ones_own_is_cut_into_windows(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("the cat\nand The\tdog", encoding="utf-8")
    data = load("text", path=path, window=6, stride=4, encoding="tokens")
    said = ["".join(data.vocabulary[one] for one in row) for row in data.x]
    wanted = ["".join(data.target_names[one] for one in row) for row in data.y]
    assert said == ["the ca", "cat⏎an", "and Th", "The do"]
    assert wanted == ["he cat", "at⏎and", "nd The", "he dog"]
    assert (data.in_order, data.shared_targets, data.lengths) == (True, 1, None)
    small = load("text", path=path, window=6, stride=4, lowercase=True)
    assert "T" not in small.vocabulary
    assert small.x.shape == (4, 6, len(small.vocabulary))
    assert (small.x.sum(axis=2) == 1).all()


def test_lines_of_ones_own_are_a_sequence_each(tmp_path):
    path = tmp_path / "names.csv"
    path.write_bytes("name\r\nÁnna\r\n\r\nBo\r\n".encode())
    data = load("text", path=str(path), lines=True, encoding="tokens")
    assert data.lengths.tolist() == [5, 5, 3]
    assert "".join(data.target_names[one] for one in data.y[1]) == "Ánna⏎"
    assert (data.in_order, data.steps) == (False, (5,))


REFUSED = {
    "not text": (b"\xff\xfe\x00", {}, "not text in UTF-8; save it"),
    "empty": (b"", {}, "0 characters; two windows of 32 need 49 at least"),
    "one line": (b"one line", {"lines": True}, r"two lines are needed at least \(it has 1\)"),
    "one letter": (b"a" * 100, {}, r"can be learned \(it has 1\)"),
    "long line": (b"a\n" + b"b" * 1200, {"lines": True}, "the line 'bbb.* has 1200 characters"),
    "many letters": ("".join(map(chr, range(20000, 21200))).encode(), {}, r"it has 1200"),
    "long": (b"ab" * 3_000_000, {}, "too long; take a part"),
    "wide": (b"abcdefghijklm\n" * 9000, {"stride": 1}, "are too many .* encode as tokens"),
    "many windows": (b"ab" * 10**6, {"stride": 1, "window": 1000}, "are too many"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learned_from_is_refused(tmp_path, case):
    content, options, message = REFUSED[case]
    (tmp_path / "own.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load("text", path=tmp_path / "own.txt", **options)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.txt: cannot be read \(No such file"):
        load("text", path=tmp_path / "none.txt")
    with pytest.raises(DataError, match="text: needs the option 'path'"):
        load("text")
