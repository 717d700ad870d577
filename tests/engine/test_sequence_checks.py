"""What does not go through time as the data does is told, and one mend makes it fit."""

from typing import Any

import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.checks.misfits import Misfit, misfits
from tui_nn_engine.data.prepared import prepare

LSTM = {"type": "lstm", "units": 3}
EVERY = {**LSTM, "return_sequences": True}


def dense(units: int, activation: str = "softmax") -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation}


def experiment(data: dict[str, Any], *layers: dict[str, Any]) -> Experiment:
    regression = data["name"] in {"sine", "adding"}
    loss = "mean_squared_error" if regression else "categorical_crossentropy"
    return Experiment.parse(
        {"data": data, "layers": list(layers), "loss": loss, "training": {"epochs": 1}}
    )


def found(one: Experiment) -> tuple[Misfit, ...]:
    return misfits(one, prepare(one.data, one.seed, one.dtype))


def the_only(one: Experiment) -> Misfit:
    (misfit,) = found(one)
    return misfit


def ends_fitting(one: Experiment) -> Experiment:
    """Mended until nothing is wrong; it must train."""
    for _ in range(4):
        if not (problems := found(one)):
            break
        assert problems[0].fixed is not None, problems[0]
        one = problems[0].fixed
    assert found(one) == ()
    Trainer(one).update()
    return one


FEW = {"samples": 20}


def test_one_target_for_a_sequence_wants_the_last_state() -> None:
    one = experiment({"name": "first_symbol", "symbols": 3, **FEW}, EVERY, dense(3))
    misfit = the_only(one)
    assert misfit.path == "layers[0].return_sequences"
    assert "(11, 3)" in misfit.message
    assert "one target for a whole sequence" in misfit.message
    assert ends_fitting(one).layers[0].return_sequences is False


def test_a_target_a_step_wants_every_state() -> None:
    one = experiment({"name": "copying", "symbols": 4, **FEW}, EVERY, LSTM, dense(5))
    misfit = the_only(one)
    assert misfit.path == "layers[1].return_sequences"
    assert "a target for every step" in misfit.message
    assert ends_fitting(one).layers[1].return_sequences is True


def test_a_recurrent_layer_within_another_is_mended_too() -> None:
    both = {"type": "bidirectional", "layer": LSTM}
    one = experiment({"name": "copying", "symbols": 4, **FEW}, both, dense(5))
    assert the_only(one).path == "layers[0].layer.return_sequences"
    assert ends_fitting(one).layers[0].layer.return_sequences is True


def test_outputs_are_counted_at_each_step() -> None:
    one = experiment({"name": "copying", "symbols": 4, **FEW}, EVERY, dense(7))
    misfit = the_only(one)
    assert misfit.path == "layers[1].units"
    assert "need (20, 5)" in misfit.message
    assert ends_fitting(one).layers[1].units == 5


def test_without_a_recurrent_layer_a_sequence_is_flattened() -> None:
    one = experiment({"name": "first_symbol", "symbols": 3, **FEW}, dense(3))
    assert ends_fitting(one).layers[0].type == "flatten"


def test_a_dense_layer_may_stand_at_every_step() -> None:
    assert found(experiment({"name": "copying", "symbols": 4, **FEW}, dense(5))) == ()
    sine = {"name": "sine", "targets": "every", "horizon": 2, **FEW}
    assert found(experiment(sine, EVERY, dense(2, "linear"))) == ()


@pytest.mark.parametrize("targets", ["last", "every"])
def test_balanced_classes_are_counted_by_the_step(targets: str) -> None:
    data = {"name": "parity", "targets": targets, "shortest": 8, **FEW}
    layers = [EVERY if targets == "every" else LSTM, dense(2)]
    one = experiment(data, *layers)
    loss = {"type": "categorical_crossentropy", "class_weight": "balanced"}
    trainer = Trainer(Experiment.parse({**one.tree(), "loss": loss}))
    y = trainer.data.train.y.ravel()
    weights = trainer.experiment.loss.class_weight
    assert weights == pytest.approx([len(y) / (2 * (y == k).sum()) for k in (0, 1)])


# -- tokens and padding ---------------------------------------------------------------------------


def test_tokens_want_an_embedding() -> None:
    one = experiment({"name": "first_symbol", "encoding": "tokens", **FEW}, LSTM, dense(2))
    misfit = the_only(one)
    assert misfit.path == "layers[0]"
    assert "would take tokens for amounts" in misfit.message
    embedding = ends_fitting(one).layers[0]
    assert (embedding.type, embedding.input_dim, embedding.mask_zero) == ("embedding", 4, False)


def test_an_embedding_must_know_every_token() -> None:
    small = {"type": "embedding", "input_dim": 3, "output_dim": 2}
    one = experiment({"name": "first_symbol", "encoding": "tokens", **FEW}, small, LSTM, dense(2))
    assert the_only(one).path == "layers[0].input_dim"
    assert ends_fitting(one).layers[0].input_dim == 4


def test_a_token_that_means_something_is_not_masked() -> None:
    masking = {"type": "embedding", "input_dim": 4, "output_dim": 2, "mask_zero": True}
    data = {"name": "first_symbol", "encoding": "tokens", **FEW}
    misfit = the_only(experiment(data, masking, LSTM, dense(2)))
    assert misfit.path == "layers[0].mask_zero"
    assert "is 'A'" in misfit.message
    assert ends_fitting(experiment(data, masking, LSTM, dense(2))).layers[0].mask_zero is False


def test_an_embedding_takes_no_amounts() -> None:
    embedding = {"type": "embedding", "input_dim": 4, "output_dim": 2}
    one = experiment({"name": "first_symbol", **FEW}, embedding, LSTM, dense(2))
    assert ends_fitting(one).data.encoding == "tokens"
    one = experiment({"name": "iris"}, embedding, dense(3))
    assert "are amounts" in the_only(one).message
    assert [layer.type for layer in ends_fitting(one).layers] == ["dense"]
    whole = {"name": "given", "x": [[0.0, 1.0], [5.0, 2.0]], "y": [0.0, 1.0]}
    one = experiment(whole, embedding, LSTM, dense(2))
    assert the_only(one).path == "layers[0].input_dim"
    assert ends_fitting(one).layers[0].input_dim == 6


@pytest.mark.parametrize("layer", [EVERY, {"type": "bidirectional", "layer": EVERY}])
def test_padding_wants_a_masking_layer(layer: dict[str, Any]) -> None:
    one = experiment({"name": "reversing", "shortest": 2, **FEW}, layer, dense(4))
    assert "padding that follows would be learned" in the_only(one).message
    assert [each.type for each in ends_fitting(one).layers][:2] == ["masking", layer["type"]]
    other = {"type": "masking", "mask_value": 7.0}
    wrong = experiment({"name": "reversing", "shortest": 2, **FEW}, other, layer, dense(4))
    assert the_only(wrong).path == "layers[0].mask_value"
    assert ends_fitting(wrong).layers[0].mask_value == 0.0


def test_padded_tokens_want_a_masking_embedding() -> None:
    one = experiment({"name": "words", "encoding": "tokens"}, EVERY, dense(27))
    assert ends_fitting(one).layers[0].mask_zero
    blind = {"type": "embedding", "input_dim": 28, "output_dim": 2}
    one = experiment({"name": "words", "encoding": "tokens"}, blind, EVERY, dense(27))
    assert the_only(one).path == "layers[0].mask_zero"
    assert ends_fitting(one).layers[0].mask_zero


def test_behind_repeat_vector_lengths_are_lost() -> None:
    repeat = {"type": "repeat_vector", "n": 6}
    layers = ({"type": "masking"}, LSTM, repeat, EVERY, dense(4))
    assert found(experiment({"name": "reversing", **FEW}, *layers[1:])) == ()
    misfit = the_only(experiment({"name": "reversing", "shortest": 2, **FEW}, *layers))
    assert misfit.path == "layers[2]"
    assert "let all its sequences have the same length" in misfit.message


def test_one_to_many_repeats_its_input() -> None:
    one = experiment({"name": "spelling"}, EVERY, dense(16))
    assert the_only(one).remedy == "repeat each sample 5 times"
    assert ends_fitting(one).layers[0].n == 5
    wrong = {"type": "repeat_vector", "n": 7}
    one = experiment({"name": "spelling"}, wrong, EVERY, dense(16))
    assert the_only(one).path == "layers[0].n"
    assert ends_fitting(one).layers[0].n == 5
