import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn_datasets import load, split
from tui_nn_datasets.splits import split_in_time

LABELS = st.lists(st.integers(0, 5), min_size=1, max_size=80).map(lambda y: np.array(y, np.int64))
FRACTIONS = st.floats(0, 1, exclude_max=True)


@given(LABELS, FRACTIONS, st.integers(0, 9), st.booleans())
def test_each_sample_is_in_one_part_and_in_order(y, fraction, seed, stratify):
    kept, held = split(y, fraction, seed, purpose="test", stratify=stratify)
    assert np.array_equal(np.sort(np.concatenate((kept, held))), np.arange(len(y)))
    assert np.all(np.diff(kept) > 0)
    assert np.all(np.diff(held) > 0)
    assert len(kept) >= 1


@given(LABELS, FRACTIONS)
def test_without_strata_the_count_is_the_rounded_fraction(y, fraction):
    _, held = split(y, fraction, 0, purpose="test", stratify=False)
    assert len(held) == min(round(fraction * len(y)), len(y) - 1)


@given(LABELS, FRACTIONS)
def test_stratified_the_count_is_as_near_as_keeping_one_of_each_class_allows(y, fraction):
    kept, held = split(y, fraction, 0, purpose="test", stratify=True)
    sizes = np.bincount(y)
    assert np.all(np.bincount(y[kept], minlength=6)[: len(sizes)][sizes >= 2] >= 1)
    spare = int(np.where(sizes > 1, sizes - 1, sizes).sum())
    assert len(held) == min(round(fraction * len(y)), len(y) - 1, spare)


@given(st.lists(st.integers(2, 40), min_size=1, max_size=6), st.floats(0, 0.5))
def test_stratified_each_class_gives_its_share_rounded_up_or_down(sizes, fraction):
    y = np.repeat(np.arange(len(sizes)), sizes)
    _, held = split(y, fraction, 3, purpose="test", stratify=True)
    exact = np.array(sizes) * len(held) / len(y)
    given_up = np.bincount(y[held], minlength=len(sizes))
    assert np.all(given_up >= np.minimum(np.floor(exact), np.array(sizes) - 1))
    assert np.all(given_up <= np.ceil(exact))


def test_iris_gives_the_same_number_of_each_species():
    y = load("iris").y
    kept, held = split(y, 0.2, 0, purpose="test", stratify=True)
    assert np.bincount(y[held]).tolist() == [10, 10, 10]
    assert np.bincount(y[kept]).tolist() == [40, 40, 40]


def test_the_only_sample_of_a_class_is_kept_while_others_can_go():
    y = np.array([0] * 6 + [1] * 6 + [2])
    _, held = split(y, 0.7, 0, purpose="test", stratify=True)
    assert len(held) == 9
    assert 12 not in held


def test_seed_and_purpose_choose_others_and_the_same_ones_again():
    y = np.arange(200) % 3

    def held(seed: int, purpose: str) -> list[int]:
        return split(y, 0.3, seed, purpose=purpose, stratify=True)[1].tolist()

    assert held(0, "test") == held(0, "test")
    assert held(0, "test") != held(1, "test")
    assert held(0, "test") != held(0, "validation")


def test_nothing_is_held_out_at_fraction_zero():
    kept, held = split(np.zeros((5, 2)), 0.0, 0, purpose="test", stratify=False)
    assert kept.tolist() == [0, 1, 2, 3, 4]
    assert held.size == 0
    assert np.issubdtype(held.dtype, np.integer)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(ValueError, match="fraction must be at least 0 and below 1"):
        split(np.arange(4), fraction, 0, purpose="test", stratify=False)


def test_regression_targets_cannot_be_stratified():
    with pytest.raises(ValueError, match="only class numbers"):
        split(np.zeros((5, 1)), 0.5, 0, purpose="test", stratify=True)


@given(st.integers(1, 80), FRACTIONS, st.integers(0, 9))
def test_a_series_is_held_out_from_its_end_with_no_target_shared(samples, fraction, shared):
    kept, held = split_in_time(samples, fraction, shared)
    assert kept.tolist() == list(range(len(kept)))
    assert held.tolist() == list(range(samples - len(held), samples))
    assert len(kept) >= 1
    if len(held):
        assert held[0] - kept[-1] == shared + 1
        assert len(held) == min(round(fraction * samples), samples - 1 - shared)
    else:
        assert len(kept) == samples


def test_a_series_of_ten_windows():
    kept, held = split_in_time(10, 0.3, 2)
    assert (kept.tolist(), held.tolist()) == ([0, 1, 2, 3, 4], [7, 8, 9])
