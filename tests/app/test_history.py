from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn.history import SMOOTHINGS, History, smooth


def smooth_by_loop(values, time_constant):
    s, out = np.nan, []
    for v in values:
        if np.isfinite(v):
            s = v if np.isnan(s) else s + (1 - np.exp(-1 / time_constant)) * (v - s)
        out.append(s)
    return np.array(out)


def test_values_are_exact_while_they_fit():
    history = History(capacity=8)
    history.extend(1, [3.0, 1.0, 2.0])
    assert history.at(2) == (2, 2, 1.0, 1.0, 1.0, 1)
    assert (history.first, history.last, history.stride) == (1, 3, 1)
    np.testing.assert_array_equal(history.buckets().mean, [3, 1, 2])


def test_a_full_history_doubles_its_stride():
    history = History(capacity=4)
    history.extend(1, [1.0, 3.0, 5.0, 7.0, 9.0])
    assert (history.stride, len(history)) == (2, 3)
    assert history.at(1) == history.at(2) == (1, 2, 1.0, 3.0, 2.0, 2)
    assert history.at(5) == (5, 5, 9.0, 9.0, 9.0, 1)


@given(
    values=st.lists(
        st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]), min_size=1, max_size=200
    ),
    cuts=st.lists(st.integers(0, 200), max_size=5),
)
def test_buckets_agree_with_a_plain_loop_however_the_values_arrive(values, cuts):
    history = History(capacity=16)
    edges = sorted({0, len(values), *(min(cut, len(values)) for cut in cuts)})
    for begin, end in pairwise(edges):
        history.extend(begin + 1, values[begin:end])
    assert len(history) <= 16
    array = np.array(values)
    seen = 0
    for first in history.buckets().first.astype(int):
        bucket = history.at(first)
        assert bucket.first == seen + 1
        part = array[bucket.first - 1 : bucket.last]
        seen = bucket.last
        finite = part[np.isfinite(part)]
        assert bucket.values == finite.size
        if finite.size:
            assert (bucket.low, bucket.high) == (finite.min(), finite.max())
            assert bucket.mean == pytest.approx(finite.mean(), rel=1e-9, abs=1e-6)
        else:
            assert np.isnan([bucket.low, bucket.high, bucket.mean]).all()
    assert seen == len(values)
    for time_constant in SMOOTHINGS:
        reference = smooth_by_loop(array, time_constant)
        for first, shown in zip(
            history.buckets().first.astype(int),
            history.buckets(time_constant).smoothed,
            strict=True,
        ):
            bucket = history.at(first)
            expected = reference[bucket.last - 1] if bucket.values else np.nan
            np.testing.assert_allclose(shown, expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("time_constant", [0.3, 1.0, 10.0, 1000.0])
def test_smoothing_is_the_recurrence(time_constant):
    values = np.random.default_rng(0).standard_normal(3000)
    values[[0, 7, 8, 2999]] = [np.nan, np.inf, np.nan, -np.inf]
    np.testing.assert_allclose(
        smooth(values, time_constant), smooth_by_loop(values, time_constant), rtol=1e-9, atol=1e-12
    )


def test_a_gap_leaves_its_neighbours_alone():
    history = History(capacity=4)
    history.extend(1, [1.0, np.nan, np.inf, -np.inf, 5.0, 6.0])
    mean = history.buckets(10.0).mean
    np.testing.assert_array_equal(mean, [1.0, np.nan, 5.5])
    assert np.isnan(history.buckets(10.0).smoothed[1])
    assert history.at(3).values == 0


def test_values_near_the_largest_float_do_not_overflow():
    history = History(capacity=4)
    history.extend(1, np.full(1000, 9e279))
    history.extend(1001, [1e308, 1.0])
    assert history.at(5).mean == pytest.approx(9e279)
    assert np.isfinite(history.buckets(10.0).smoothed).all()


def test_a_million_values_take_no_more_room_than_ten_thousand():
    history = History(capacity=512)
    rng = np.random.default_rng(0)
    total = 0
    for size in [1, 60_000] * 17:
        history.extend(total + 1, rng.random(size))
        total += size
        assert len(history) <= 512
    assert total > 1_000_000
    assert history.stride == 2048
    assert history.at(total).last == total


def test_values_of_epochs_keep_their_iterations():
    history = History(capacity=16)
    for epoch in range(1, 11):
        history.append(epoch * 469, 1 / epoch)
    assert history.stride == 1
    assert history.at(469 * 3).mean == pytest.approx(1 / 3)
    assert history.at(469 * 3 + 100).first == 469 * 3  # the newest before it
    assert history.at(468) is None


def test_going_back_drops_what_came_after():
    history = History(capacity=64)
    history.extend(1, np.arange(1.0, 11.0))
    smoothed_at_6 = history.buckets(10.0).smoothed[5]
    history.truncate(6)
    assert history.last == 6
    assert len(history) == 6
    history.append(7, 100.0)
    expected = smoothed_at_6 + (1 - np.exp(-1 / 10)) * (100.0 - smoothed_at_6)
    assert history.buckets(10.0).smoothed[-1] == pytest.approx(expected)


def test_going_back_into_a_merged_bucket_drops_the_bucket():
    history = History(capacity=4)
    history.extend(1, np.arange(1.0, 9.0))  # stride 2: 1-2 3-4 5-6 7-8
    history.truncate(5)
    assert history.at(5).last == 4
    history.append(6, 60.0)
    assert history.at(6) == (6, 6, 60.0, 60.0, 60.0, 1)


def test_going_back_to_the_start_starts_afresh():
    history = History(capacity=4)
    history.extend(1, np.arange(100.0))
    history.truncate(0)
    assert (len(history), history.stride, history.last, history.first) == (0, 1, None, None)
    history.append(1, 5.0)
    assert history.at(1).mean == 5.0


def test_the_past_cannot_be_written_again():
    history = History()
    history.extend(1, [1.0, 2.0])
    with pytest.raises(ValueError, match="iteration 2 is not after 2"):
        history.append(2, 1.0)


def test_a_history_needs_room_for_two():
    with pytest.raises(ValueError, match="at least 2"):
        History(capacity=1)


def test_split_parts_a_history_in_two() -> None:
    history = History(8)
    history.extend(1, np.arange(1.0, 11.0))
    assert history.stride == 2
    later = history.split(6)
    assert (history.first, history.last) == (1, 6)
    assert (later.first, later.last) == (7, 10)
    assert later.buckets().mean.tolist() == [7.5, 9.5]
    history.extend(7, [0.0])
    assert len(history.split(99)) == 0
    assert history.last == 7
