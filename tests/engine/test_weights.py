"""Single weights by name: found where they are, and told where they are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn_engine.programs.initializers import Zeros
from tui_nn_engine.programs.parameters import Parameters, ParameterSpec
from tui_nn_engine.programs.weights import weight_at, weight_named

PARAMETERS = Parameters(
    [
        ParameterSpec("dense_1.kernel", (2, 4), Zeros()),
        ParameterSpec("dense_1.bias", (4,), Zeros(), trainable=False),
        ParameterSpec("dense_2.kernel", (4, 3, 2), Zeros()),
    ],
    "float64",
)
PARAMETERS.values[:] = np.arange(PARAMETERS.values.size)


def test_every_weight_is_found_by_its_name_and_its_place() -> None:
    seen = set()
    for parameter, view in PARAMETERS.views.items():
        for index in np.ndindex(view.shape):
            weight = weight_named(f"{parameter}{list(index)}", PARAMETERS)
            assert (weight.parameter, weight.index) == (parameter, index)
            assert PARAMETERS.values[weight.position] == view[index]
            assert weight_at(weight.position, PARAMETERS) == weight
            assert weight_named(weight.name, PARAMETERS) == weight
            seen.add(weight.position)
    assert seen == set(range(PARAMETERS.values.size))


@pytest.mark.parametrize(
    "text", ["dense_1.kernel[1,3]", " dense_1.kernel [ 1 , 3 ] ", "dense_1.kernel[01, 3]"]
)
def test_spaces_do_not_matter(text: str) -> None:
    assert weight_named(text, PARAMETERS).name == "dense_1.kernel[1, 3]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "write it as dense_1.kernel\\[0, 3\\]"),
        ("w14", "'w14' is no weight; write it as"),
        ("dense_1.kernel", "write it as"),
        ("dense_1[0]", "write it as"),
        ("dense_1.kernel[0, 3] more", "write it as"),
        ("dense_3.kernel[0, 0]", "no parameter 'dense_3.kernel'; did you mean 'dense_2.kernel'"),
        ("conv.filters[1]", "there are dense_1.kernel, dense_1.bias, dense_2.kernel"),
        ("dense_1.kernel[2, 0]", "no dense_1.kernel\\[2, 0\\].*the last is dense_1.kernel\\[1, 3"),
        ("dense_1.bias[4]", "the last is dense_1.bias\\[3\\]"),
        ("dense_1.bias[0, 0]", "dense_1.bias has one index"),
        ("dense_1.kernel[1]", "has 2 indices"),
        ("dense_1.kernel[1, ]", "has 2 indices"),
        ("dense_1.kernel[0, -1]", "a whole number from 0"),
        ("dense_1.kernel[0, 1.0]", "a whole number from 0"),
        (f"dense_1.bias[{'9' * 5000}]", "a whole number"),
    ],
)
def test_what_is_no_weight_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        weight_named(text, PARAMETERS)


@pytest.mark.parametrize("position", [-1, PARAMETERS.values.size])
def test_a_place_outside_is_an_error(position: int) -> None:
    with pytest.raises(ValueError, match="there are 36"):
        weight_at(position, PARAMETERS)


def test_a_network_without_weights_says_so() -> None:
    with pytest.raises(ValueError, match="this network has none"):
        weight_named("dense_1.kernel[0, 0]", Parameters([], "float32"))


@given(st.text(alphabet="dense_12.kernlbias[]0123, -\n", max_size=30))
def test_any_text_is_a_weight_or_a_message(text: str) -> None:
    try:
        weight = weight_named(text, PARAMETERS)
    except ValueError:
        return
    assert weight == weight_named(weight.name, PARAMETERS)
