"""The sequences are what their names promise; their padding stands where it should."""

import numpy as np
import pytest

from tui_nn_datasets import DataError, load
from tui_nn_datasets.dataset import NO_TARGET
from tui_nn_datasets.sequences import PADDING

GENERATORS = {
    "first_symbol": {"samples": 40},
    "parity": {"samples": 40},
    "adding": {"samples": 40},
    "copying": {"samples": 40},
    "reversing": {"samples": 40, "shortest": 2},
    "sine": {"samples": 40, "noise": 0.1},
}


@pytest.mark.parametrize("name", GENERATORS)
def test_they_are_a_pure_function_of_options_and_seed(name):
    one, same = (load(name, **GENERATORS[name], seed=3) for _ in range(2))
    other = load(name, **GENERATORS[name], seed=4)
    assert one.digest() == same.digest()
    assert one.digest() != other.digest()


@pytest.mark.parametrize("name", ["first_symbol", "parity", "copying", "reversing"])
def test_one_hot_rows_and_tokens_say_the_same(name):
    rows = load(name, **GENERATORS[name])
    tokens = load(name, **GENERATORS[name], encoding="tokens")
    assert tokens.x.dtype == np.int64
    assert tokens.input_names == ()
    assert np.array_equal(rows.y, tokens.y)
    padded = tokens.vocabulary[0] == PADDING
    assert rows.input_names == tokens.vocabulary[padded:]
    assert np.array_equal(rows.x.argmax(axis=2) + padded, np.where(rows.x.any(2), tokens.x, padded))
    assert np.array_equal(rows.x.sum(axis=2) == 0, padded & (tokens.x == 0))


def test_first_symbol_is_told_by_the_first_step_alone():
    data = load("first_symbol", delay=6, symbols=3, distractors=4, samples=99, encoding="tokens")
    assert data.x.shape == (99, 7)
    assert np.array_equal(data.x[:, 0], data.y)
    assert np.bincount(data.y).tolist() == [33, 33, 33]
    assert set(np.unique(data.x[:, 1:])) == {3, 4, 5, 6}
    assert data.vocabulary == ("A", "B", "C", "d1", "d2", "d3", "d4")


def test_parity_counts_the_ones():
    every = load("parity", shortest=3, length=7, targets="every", encoding="tokens", samples=200)
    last = load("parity", shortest=3, length=7, encoding="tokens", samples=200)
    assert every.lengths is not None
    assert set(every.lengths) == {3, 4, 5, 6, 7}
    for tokens, steps, final, length in zip(every.x, every.y, last.y, every.lengths, strict=True):
        bits = tokens[:length] - 1
        assert set(bits) <= {0, 1}
        assert steps[:length].tolist() == [bits[: t + 1].sum() % 2 for t in range(length)]
        assert final == steps[length - 1]
        assert (tokens[length:] == 0).all()
        assert (steps[length:] == NO_TARGET).all()
    assert (every.steps, last.steps) == ((7,), ())
    assert load("parity", shortest=7, length=7).lengths is None


def test_adding_sums_one_marked_value_of_each_half():
    data = load("adding", length=9, samples=300)
    values, markers = data.x[..., 0], data.x[..., 1]
    assert (markers[:, :4].sum(axis=1) == 1).all()
    assert (markers[:, 4:].sum(axis=1) == 1).all()
    np.testing.assert_allclose((values * markers).sum(axis=1), data.y[:, 0], rtol=1e-15)
    assert (values.min() >= 0) & (values.max() <= 1)
    assert np.mean((load("adding").y - 1) ** 2) == pytest.approx(1 / 6, abs=0.01)


def test_copying_wants_the_symbols_after_the_silence():
    data = load("copying", length=3, delay=4, symbols=5, samples=50, encoding="tokens")
    assert data.x.shape == data.y.shape == (50, 10)
    assert data.vocabulary == ("_", "A", "B", "C", "D", "E", "!")
    assert data.target_names == ("_", "A", "B", "C", "D", "E")
    assert np.array_equal(data.y[:, 7:], data.x[:, :3])
    assert (data.y[:, :7] == 0).all()
    assert (data.x[:, 6] == 6).all()
    assert set(np.unique(data.x[:, :3])) == {1, 2, 3, 4, 5}
    assert (data.x[:, [3, 4, 5, 7, 8, 9]] == 0).all()


@pytest.mark.parametrize("shortest", [2, 5])
def test_reversing_reads_each_sequence_backwards(shortest):
    data = load("reversing", shortest=shortest, length=5, samples=100, encoding="tokens")
    padded = shortest < 5
    lengths = [5] * 100 if data.lengths is None else data.lengths
    for tokens, classes, length in zip(data.x, data.y, lengths, strict=True):
        assert (tokens[:length][::-1] - padded).tolist() == classes[:length].tolist()
        assert (tokens[length:] == 0).all()
        assert (classes[length:] == NO_TARGET).all()
    assert len(set(lengths)) == (4 if padded else 1)


def test_sine_goes_on_as_it_went():
    last = load("sine", window=30, horizon=2, samples=50)
    every = load("sine", window=30, horizon=2, samples=50, targets="every")
    assert (last.x.shape, last.y.shape) == ((50, 30, 1), (50, 2))
    assert every.y.shape == (50, 30, 2)
    assert np.array_equal(every.y[:, -1], last.y)
    assert np.array_equal(every.y[:, :-1, 0], every.x[:, 1:, 0])
    series = np.column_stack([last.x[..., 0], last.y])
    # A sampled sine obeys x(t+1) = 2 cos(w) x(t) - x(t-1), the same w all along.
    turn = (series[:, 2:] + series[:, :-2])[:, [0, 10, 29]]
    twice = turn / series[:, [1, 11, 30]]
    well = np.abs(series[:, [1, 11, 30]]).min(axis=1) > 0.1
    np.testing.assert_allclose(twice[well], twice[well][:, :1].repeat(3, axis=1), rtol=1e-6)
    noisy = load("sine", window=30, horizon=2, samples=50, noise=0.3)
    assert np.std(noisy.x - last.x) == pytest.approx(0.3, rel=0.1)


def test_spelling_is_the_numbers_names():
    data = load("spelling", count=20)
    said = ["".join(data.target_names[one] for one in row).rstrip("_") for row in data.y]
    assert said[:4] == ["zero", "one", "two", "three"]
    assert said[17:] == ["seventeen", "eighteen", "nineteen"]
    assert np.array_equal(data.x, np.eye(20))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("parity", {"shortest": 9, "length": 8}, r"shortest \(9\) must be at most length \(8\)"),
        ("adding", {"length": 1000, "samples": 10**6}, "too many .* ask for fewer samples"),
        ("copying", {"length": 1000, "samples": 10**6}, "too many"),
        ("sine", {"window": 1000, "samples": 10**6, "horizon": 100}, "too many"),
        ("sine", {"targets": "all"}, "targets must be one of last, every"),
        ("parity", {"encoding": "two"}, "encoding must be one of one_hot, tokens"),
        ("first_symbol", {"delay": 0}, "delay must be a whole number from 1"),
        ("co2", {"window": 600, "horizon": 1}, "more than the 525 there are"),
    ],
)
def test_what_cannot_be_is_refused(name, options, message):
    with pytest.raises(DataError, match=message):
        load(name, **options)


def test_co2_is_every_window_of_the_months():
    from tui_nn_datasets.time_series import monthly

    levels = monthly()
    assert levels.shape == (526,)
    assert levels[[0, -1]].tolist() == [316.1, 371.02]
    data = load("co2", window=12, horizon=2, differences=False)
    assert data.x.shape == (513, 12, 1)
    assert np.array_equal(data.x[100, :, 0], levels[100:112])
    assert np.array_equal(data.y[100], levels[112:114])
    changes = load("co2", window=12, targets="every")
    assert np.array_equal(changes.x[7, :, 0], np.diff(levels)[7:19])
    assert np.array_equal(changes.y[7, :, 0], np.diff(levels)[8:20])
    assert (data.in_order, data.shared_targets, changes.shared_targets) == (True, 1, 11)
