"""Update rules against their published algorithms, written out in plain Python, and PyTorch."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.primitives.updates import (
    LBFGS,
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Nadam,
    Optimizer,
    RMSprop,
)
from tui_nn_engine.programs.program import Builder, Slot

UPDATES = 100
# L-BFGS, which needs the loss itself, is tested in test_lbfgs.py.
BY_GRADIENT = [kind for kind in OPTIMIZERS if kind is not LBFGS]
START = [1.0, -2.0, 0.5, 3.0]
# E(w) = ½ Σ cᵢ (wᵢ - tᵢ)² + cos(w₀ w₃): not convex, and every weight has a gradient of its own.
CURVATURE, TARGET = [1.0, 4.0, 0.25, 0.5], [0.3, 0.7, -1.0, 0.1]


def gradient_at(w: Any) -> list[float]:
    slope = [c * (each - t) for c, each, t in zip(CURVATURE, w, TARGET, strict=True)]
    slope[0] -= w[3] * math.sin(w[0] * w[3])
    slope[3] -= w[0] * math.sin(w[0] * w[3])
    return slope


def walk(optimizer: Optimizer, dtype: str = "float64", updates: int = UPDATES) -> np.ndarray:
    """The weights after so many updates of the engine's own operations."""
    values, slopes = np.array(START, dtype), np.zeros(4, dtype)
    weights = Slot("weights", values, "parameter")
    gradient = Slot("gradient", slopes, "gradient", weights)
    iteration = np.zeros((), np.int64)
    arrays = {"iteration": iteration, "learning_rate": np.array(optimizer.learning_rate, dtype)}
    arrays |= {s.name: np.full(s.shape, s.start, dtype) for s in optimizer.states(4)}
    state = {name: Slot(name, array, "state") for name, array in arrays.items()}
    # Two arrays, as a layer's kernel and bias: what is clipped by norm is clipped apart.
    places = {"kernel": slice(0, 3), "bias": slice(3, 4)}
    parameters = {name: Slot(name, values[place]) for name, place in places.items()}
    gradients = {name: Slot(f"d{name}", slopes[place]) for name, place in places.items()}
    builder = Builder(dtype, parameters, gradients, state, seed=0, training=True)
    with builder.within(optimizer.type, "update"):
        optimizer.emit(builder, weights, optimizer.clipped(builder, gradient))
    for _ in range(updates):
        slopes[...] = gradient_at(values.astype(float))
        for op in builder.ops:
            op.call()
        iteration += 1
    assert {slot.array.dtype for op in builder.ops for slot in op.outputs} == {np.dtype(dtype)}
    return values


Clip = Callable[[list[float]], list[float]]


def by_value(g: list[float]) -> list[float]:
    return [min(max(each, -0.4), 0.4) for each in g]


def by_norm(g: list[float]) -> list[float]:
    """Keras: each array by itself."""
    first, last = math.hypot(*g[:3]), abs(g[3])
    return [each * 0.4 / max(first, 0.4) for each in g[:3]] + [g[3] * 0.4 / max(last, 0.4)]


def by_global_norm(g: list[float]) -> list[float]:
    """Pascanu et al. 2013."""
    return [each * 0.4 / max(math.hypot(*g), 0.4) for each in g]


def sgd(rate: float, mu: float = 0.0, nesterov: bool = False, clip: Clip = list) -> list[float]:
    """Sutskever et al. 2013, in Keras's form: v ← µv - ηg; Nesterov's step is µv - ηg."""
    w, v = list(START), [0.0] * 4
    for _ in range(UPDATES):
        g = clip(gradient_at(w))
        for i in range(4):
            v[i] = mu * v[i] - rate * g[i]
            w[i] += mu * v[i] - rate * g[i] if nesterov else v[i]
    return w


def averaged(rate: float, beta: float) -> list[float]:
    """v = g at first, then v ← βv + (1 - β)g; w ← w - ηv."""
    w, v = list(START), gradient_at(START)
    for _ in range(UPDATES):
        g = gradient_at(w)
        for i in range(4):
            v[i] = beta * v[i] + (1 - beta) * g[i]
            w[i] -= rate * v[i]
    return w


def rmsprop(
    rate: float, rho: float, eps: float, mu: float = 0.0, centered: bool = False
) -> list[float]:
    """Hinton 2012 (centered: Graves 2013), as Keras writes it: ε inside the root."""
    w, v, a, b = list(START), [0.0] * 4, [0.0] * 4, [0.0] * 4
    for _ in range(UPDATES):
        g = gradient_at(w)
        for i in range(4):
            v[i] = rho * v[i] + (1 - rho) * g[i] ** 2
            a[i] = rho * a[i] + (1 - rho) * g[i] if centered else 0.0
            b[i] = mu * b[i] + rate * g[i] / math.sqrt(v[i] - a[i] ** 2 + eps)
            w[i] -= b[i]
    return w


def adagrad(rate: float, start: float, eps: float) -> list[float]:
    """Duchi et al. 2011, as Keras writes it."""
    w, v = list(START), [start] * 4
    for _ in range(UPDATES):
        g = gradient_at(w)
        for i in range(4):
            v[i] += g[i] ** 2
            w[i] -= rate * g[i] / math.sqrt(v[i] + eps)
    return w


def adadelta(rate: float, rho: float, eps: float) -> list[float]:
    """Algorithm 1 of Zeiler 2012."""
    w, v, u = list(START), [0.0] * 4, [0.0] * 4
    for _ in range(UPDATES):
        g = gradient_at(w)
        for i in range(4):
            v[i] = rho * v[i] + (1 - rho) * g[i] ** 2
            step = -math.sqrt(u[i] + eps) / math.sqrt(v[i] + eps) * g[i]
            u[i] = rho * u[i] + (1 - rho) * step**2
            w[i] += rate * step
    return w


def nadam(rate: float, beta_1: float, beta_2: float, eps: float) -> list[float]:
    """Dozat 2016, with the momentum growing as in Keras."""
    w, m, v, product = list(START), [0.0] * 4, [0.0] * 4, 1.0
    for t in range(1, UPDATES + 1):
        g = gradient_at(w)
        mu, following = (beta_1 * (1 - 0.5 * 0.96**at) for at in (t, t + 1))
        product *= mu
        for i in range(4):
            m[i] = beta_1 * m[i] + (1 - beta_1) * g[i]
            v[i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2
            ahead = following * m[i] / (1 - product * following) + (1 - mu) * g[i] / (1 - product)
            w[i] -= rate * ahead / (math.sqrt(v[i] / (1 - beta_2**t)) + eps)
    return w


def adam(rate: float, beta_1: float, beta_2: float, eps: float, decay: float = 0.0) -> list[float]:
    """Algorithm 1 of Kingma & Ba 2015; with decay, Algorithm 2 of Loshchilov & Hutter 2019."""
    w, m, v = list(START), [0.0] * 4, [0.0] * 4
    for t in range(1, UPDATES + 1):
        g = gradient_at(w)
        for i in range(4):
            m[i] = beta_1 * m[i] + (1 - beta_1) * g[i]
            v[i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2
            m_hat, v_hat = m[i] / (1 - beta_1**t), v[i] / (1 - beta_2**t)
            w[i] -= rate * m_hat / (math.sqrt(v_hat) + eps) + rate * decay * w[i]
    return w


Torch = Callable[[Any, Any], Any]
# What is walked, its written-out reference, PyTorch's (where it follows the same formula), and
# where all three end, kept so that a machine without PyTorch checks the same numbers.
WALKS: dict[str, tuple[Optimizer, list[float], Torch | None, list[float]]] = {
    "sgd": (
        SGD(learning_rate=0.05),
        sgd(0.05),
        lambda torch, w: torch.optim.SGD(w, lr=0.05),
        [1.38769271507187, 0.69999999945, -0.573615224957332, 1.79325551583205],
    ),
    "momentum": (
        SGD(learning_rate=0.02, momentum=0.9),
        sgd(0.02, 0.9),
        lambda torch, w: torch.optim.SGD(w, lr=0.02, momentum=0.9),
        [1.39039662612382, 0.713111116185727, -1.00528761477113, 1.78713535155309],
    ),
    "nesterov": (
        SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
        sgd(0.02, 0.9, nesterov=True),
        lambda torch, w: torch.optim.SGD(w, lr=0.02, momentum=0.9, nesterov=True),
        [1.3895425802197, 0.70021625853977, -1.00597421706946, 1.79007626603027],
    ),
    # PyTorch's RMSprop has ε outside the root: it can only agree where ε is too small to matter.
    "rmsprop": (
        RMSprop(learning_rate=0.01),
        rmsprop(0.01, 0.9, 1e-7),
        None,
        [1.30601964103064, -0.946469871017061, -0.506416326869277, 2.01291472451041],
    ),
    "rmsprop, ε felt": (
        RMSprop(learning_rate=0.01, rho=0.8, epsilon=0.1),
        rmsprop(0.01, 0.8, 0.1),
        None,
        [1.25249367384975, -0.982337274164217, -0.169191324370797, 2.09084265354803],
    ),
    "rmsprop, ε tiny": (
        RMSprop(learning_rate=0.01, epsilon=1e-30),
        rmsprop(0.01, 0.9, 1e-30),
        lambda torch, w: torch.optim.RMSprop(w, lr=0.01, alpha=0.9, eps=1e-15),
        [1.30602456480307, -0.946469870117902, -0.506417284782066, 2.01291452123548],
    ),
    "rmsprop with momentum": (
        RMSprop(learning_rate=0.002, momentum=0.8),
        rmsprop(0.002, 0.9, 1e-7, 0.8),
        None,
        [1.2917711956708, -0.983499425093955, -0.475143919036114, 2.03852437219373],
    ),
    "rmsprop with momentum, ε tiny": (
        RMSprop(learning_rate=0.002, momentum=0.8, epsilon=1e-30),
        rmsprop(0.002, 0.9, 1e-30, 0.8),
        lambda torch, w: torch.optim.RMSprop(w, lr=0.002, alpha=0.9, eps=1e-15, momentum=0.8),
        [1.291802601229, -0.98349942425236, -0.475144774230885, 2.03852394365574],
    ),
    "adam": (
        Adam(learning_rate=0.05),
        adam(0.05, 0.9, 0.999, 1e-7),
        lambda torch, w: torch.optim.Adam(w, lr=0.05, eps=1e-7),
        [1.39161301889635, 0.700751044418962, -0.990327712414819, 1.78446910752579],
    ),
    "adam, ε felt": (
        Adam(learning_rate=0.05, beta_1=0.8, beta_2=0.95, epsilon=0.1),
        adam(0.05, 0.8, 0.95, 0.1),
        lambda torch, w: torch.optim.Adam(w, lr=0.05, betas=(0.8, 0.95), eps=0.1),
        [1.3893175079202, 0.705770444208647, -1.00067224961276, 1.79049291433808],
    ),
    "averaged": (
        SGD(learning_rate=0.1, momentum=0.9, averaged=True),
        averaged(0.1, 0.9),
        lambda torch, w: torch.optim.SGD(w, lr=0.1, momentum=0.9, dampening=0.9),
        [1.39080104880311, 0.713837433839487, -0.95939864713189, 1.78649937976908],
    ),
    "clipped by value": (
        SGD(learning_rate=0.02, momentum=0.9, clipvalue=0.4),
        sgd(0.02, 0.9, clip=by_value),
        lambda torch, w: torch.optim.SGD(w, lr=0.02, momentum=0.9),
        [1.38751814227754, 0.707156920178374, -1.00528761477113, 1.79582846963235],
    ),
    "clipped by norm": (
        SGD(learning_rate=0.02, momentum=0.9, clipnorm=0.4),
        sgd(0.02, 0.9, clip=by_norm),
        lambda torch, w: torch.optim.SGD(w, lr=0.02, momentum=0.9),
        [1.39090885712136, 0.709989149262457, -1.0189410137468, 1.78314118213931],
    ),
    "clipped by global norm": (
        SGD(learning_rate=0.02, momentum=0.9, global_clipnorm=0.4),
        sgd(0.02, 0.9, clip=by_global_norm),
        lambda torch, w: torch.optim.SGD(w, lr=0.02, momentum=0.9),
        [1.38331244839662, 0.713705797294771, -1.0014723627427, 1.80070000064627],
    ),
    "rmsprop centered": (
        RMSprop(learning_rate=0.002, centered=True, epsilon=1e-3),
        rmsprop(0.002, 0.9, 1e-3, centered=True),
        None,
        [1.2799616610959, -0.572005435795168, -0.399237980236593, 2.04461532463116],
    ),
    "rmsprop centered with momentum, ε tiny": (
        RMSprop(learning_rate=0.0005, momentum=0.5, centered=True, epsilon=1e-30),
        rmsprop(0.0005, 0.9, 1e-30, 0.5, centered=True),
        lambda torch, w: torch.optim.RMSprop(
            w, lr=0.0005, alpha=0.9, eps=1e-15, momentum=0.5, centered=True
        ),
        [1.1986496869645, -1.0173761723256, -0.247966008089077, 2.26775862671963],
    ),
    "adagrad": (
        Adagrad(learning_rate=0.3, epsilon=0.1),
        adagrad(0.3, 0.1, 0.1),
        None,
        [1.38931735089052, 0.662049775126019, -0.999626229198815, 1.79049275502468],
    ),
    "adagrad, ε tiny": (
        Adagrad(learning_rate=0.3, epsilon=1e-30),
        adagrad(0.3, 0.1, 1e-30),
        lambda torch, w: torch.optim.Adagrad(w, lr=0.3, initial_accumulator_value=0.1, eps=1e-15),
        [1.38931735168409, 0.66208200191506, -0.999874800100503, 1.79049275335035],
    ),
    "adadelta": (
        Adadelta(learning_rate=0.3, rho=0.9, epsilon=1e-4),
        adadelta(0.3, 0.9, 1e-4),
        lambda torch, w: torch.optim.Adadelta(w, lr=0.3, rho=0.9, eps=1e-4),
        [1.25521187562568, -0.97106367647195, -0.395699830432362, 2.12813904224865],
    ),
    "adamw": (
        AdamW(learning_rate=0.05, weight_decay=0.1),
        adam(0.05, 0.9, 0.999, 1e-7, 0.1),
        lambda torch, w: torch.optim.AdamW(w, lr=0.05, eps=1e-7, weight_decay=0.1),
        [1.3996788472802, 0.641425552937472, -0.947645957281574, 1.75324489075006],
    ),
    "nadam": (
        Nadam(learning_rate=0.05, beta_1=0.8, beta_2=0.99),
        nadam(0.05, 0.8, 0.99, 1e-7),
        lambda torch, w: torch.optim.NAdam(
            w, lr=0.05, betas=(0.8, 0.99), eps=1e-7, momentum_decay=1.0
        ),
        [1.38932168945733, 0.620909342832112, -1.00007404318094, 1.79048205750572],
    ),
}
CLIPS: dict[str, Clip] = {
    "clipped by value": by_value,
    "clipped by norm": by_norm,
    "clipped by global norm": by_global_norm,
}
WALKED = pytest.mark.parametrize("name", WALKS)


@WALKED
def test_it_walks_as_the_published_algorithm(name: str):
    optimizer, reference, _, literal = WALKS[name]
    np.testing.assert_allclose(walk(optimizer), reference, rtol=1e-9)
    np.testing.assert_allclose(walk(optimizer), literal, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name, (_, _, build, _) in WALKS.items() if build])
def test_it_walks_as_pytorch(name: str):
    torch = pytest.importorskip("torch")
    optimizer, _, build, literal = WALKS[name]
    assert build is not None
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    reference = build(torch, [w])
    for _ in range(UPDATES):
        gradient = CLIPS.get(name, list)(gradient_at(w.tolist()))
        w.grad = torch.tensor(gradient, dtype=torch.float64)
        reference.step()
    np.testing.assert_allclose(walk(optimizer), w.tolist(), rtol=1e-6)
    np.testing.assert_allclose(literal, w.tolist(), rtol=1e-6)


@WALKED
def test_single_precision_stays_single_and_near(name: str):
    optimizer, reference, _, _ = WALKS[name]
    epsilon = getattr(optimizer, "epsilon", 1.0)
    if epsilon > 1e-20:
        np.testing.assert_allclose(walk(optimizer, "float32"), reference, rtol=1e-2)


def test_no_update_rule_goes_unchecked():
    assert {type(optimizer) for optimizer, *_ in WALKS.values()} == set(BY_GRADIENT)


def test_the_cases_can_tell_the_rules_apart():
    ends = [tuple(np.round(reference, 6)) for _, reference, _, _ in WALKS.values()]
    tiny = sum("tiny" in name for name in WALKS)
    assert len(set(ends)) >= len(ends) - tiny


@pytest.mark.parametrize("kind", BY_GRADIENT, ids=kind_name)
def test_the_rate_is_read_at_each_update(kind: type[Optimizer]):
    """A changed rate acts from the next update on; nothing is compiled in."""
    assert not np.array_equal(walk(kind(learning_rate=0.01)), walk(kind(learning_rate=0.02)))


def test_the_first_step_of_adam_is_the_rate_itself():
    """m̂/√v̂ is the sign of the gradient at t = 1: what the bias correction is for."""
    step = walk(Adam(learning_rate=0.125), updates=1) - np.array(START)
    np.testing.assert_allclose(
        step, [-0.125 * math.copysign(1, g) for g in gradient_at(START)], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (SGD(), ()),
        (SGD(momentum=0.5), ("velocity",)),
        (SGD(momentum=0.5, averaged=True), ("mean_gradient",)),
        (RMSprop(), ("mean_square",)),
        (RMSprop(centered=True), ("mean_square", "mean_gradient")),
        (RMSprop(momentum=0.5), ("mean_square", "velocity")),
        (Adam(), ("m", "v")),
        (AdamW(), ("m", "v")),
        (Nadam(), ("m", "v", "momentum_product")),
        (Adagrad(), ("accumulator",)),
        (Adadelta(), ("mean_square", "mean_square_step")),
    ],
)
def test_the_state_it_keeps(optimizer: Optimizer, names: tuple[str, ...]):
    assert tuple(spec.name for spec in optimizer.states(4)) == names
