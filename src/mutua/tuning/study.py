"""The memory of a tuning: an Optuna study, on disk, that a killed process leaves whole."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mutua.core.seeds import stream
from mutua.errors import MissingExtra
from mutua.models.space import Among, Range, Space, tidy
from mutua.tuning.rungs import Rungs
from mutua.tuning.wanted import Tried

if TYPE_CHECKING:
    import optuna

HALVED = 2
"""Of so many trials one goes on to the next step."""
SECONDS = "seconds"
EVALUATED = 3
"""Trials through all steps that say something of what matters."""


def optuna_library() -> ModuleType:
    """Returns Optuna, told to be quiet.

    Raises:
        MissingExtra: code `extra.missing`.
    """
    try:
        import optuna
    except ImportError as reason:
        raise MissingExtra("optuna is not installed", "the extra `tune`", "pip install 'mutua[tune]'") from reason
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class Study:
    """The trials of one model on one state of the data.

    Args:
        path: the file that remembers them; None: nothing is remembered.
        name: tells studies in one file apart.
        starts: settings that are tried first, in this order.
    """

    def __init__(self, path: Path | None, name: str, space: Space, starts: tuple[dict[str, Any], ...], seed: int):
        self._optuna = optuna_library()
        self._space, self._starts, self._seed = space, starts, seed
        self._study: optuna.Study = self._optuna.create_study(
            storage=None if path is None else f"sqlite:///{path}",
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=self._optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=HALVED),
        )
        self._drop_broken_off()

    def ended(self) -> tuple[Tried, ...]:
        """Returns the trials that ended, in order."""
        states = self._optuna.trial.TrialState
        return tuple(_tried(one) for one in self._study.get_trials(states=(states.COMPLETE, states.PRUNED)))

    def ask(self, place: int) -> optuna.Trial:
        """Returns the trial that follows `place` that ended; it depends on the seed and on those alone."""
        draws = int(stream(self._seed, "tune", place).integers(2**31))
        self._study.sampler = self._optuna.samplers.TPESampler(seed=draws)
        waiting = self._study.get_trials(deepcopy=False, states=(self._optuna.trial.TrialState.WAITING,))
        if place < len(self._starts) and not waiting:
            self._study.enqueue_trial(self._starts[place])
        return self._study.ask()

    def drawn(self, trial: optuna.Trial) -> dict[str, Any]:
        """Returns the settings of a trial."""
        return {name: _value(trial, name, kind, what) for name, (kind, what) in self._space.items()}

    def end(self, trial: optuna.Trial, settings: dict[str, Any], value: float, pruned: bool, seconds: float) -> Tried:
        """Writes down how a trial ended and returns it."""
        trial.set_user_attr("settings", settings)
        trial.set_user_attr(SECONDS, seconds)
        states = self._optuna.trial.TrialState
        if pruned:
            return _tried(self._study.tell(trial, state=states.PRUNED))
        return _tried(self._study.tell(trial, value))

    def importance(self) -> dict[str, float]:
        """Returns the share of each setting in what sets the better trials apart (PED-ANOVA, Watanabe et al. 2023).

        Empty where fewer than `EVALUATED` trials went through all steps or all did alike.
        """
        done = self._study.get_trials(deepcopy=False, states=(self._optuna.trial.TrialState.COMPLETE,))
        if len(done) < EVALUATED or len({one.value for one in done}) == 1:
            return {}
        evaluator = self._optuna.importance.PedAnovaImportanceEvaluator()
        found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {name: float(share) for name, share in found.items()}

    def _drop_broken_off(self) -> None:
        """Trials that a killed process left under way do not count; what they tried is tried again."""
        states = self._optuna.trial.TrialState
        for one in self._study.get_trials(deepcopy=False, states=(states.RUNNING,)):
            self._study.tell(one.number, state=states.FAIL)


def steps_of(trial: optuna.Trial, rungs: Rungs, values: list[float]) -> float:
    """Returns what a trial is worth after the values of some steps, and tells the pruner."""
    worth = sum(values) / len(values) if rungs.averaged else values[-1]
    trial.report(worth, rungs.steps[len(values) - 1].cost)
    return worth


def _tried(one: optuna.trial.FrozenTrial) -> Tried:
    steps = tuple(value for _, value in sorted(one.intermediate_values.items()))
    settings, seconds = one.user_attrs["settings"], float(one.user_attrs[SECONDS])
    return Tried(one.number, settings, steps[-1], steps, one.state.name == "PRUNED", seconds)


def _value(trial: optuna.Trial, name: str, kind: type, what: Range) -> Any:
    if isinstance(what, Among):
        return trial.suggest_categorical(name, what.values)
    if kind is int:
        return trial.suggest_int(name, int(what.low), int(what.high), log=what.even)
    return tidy(trial.suggest_float(name, what.low, what.high, log=what.even))
