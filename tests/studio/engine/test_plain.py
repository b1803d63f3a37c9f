"""What goes through the pipe to the web's process can be read without torch and numpy."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import NotFiniteStep, Words, WrongField
from app.studio.engine.messages import Answer, Ended, Free, Ready, Step
from app.studio.engine.plain import NotPlain, checked
from app.studio.recipes import Made


def test_what_is_plain_goes_through() -> None:
    facts = {"a": [1, 2.0, None, True], "b": {"c": ("x", b"y")}}
    for message in (
        Ready("cpu", 1),
        Free(3),
        Answer(1, Made(facts, b"picture", parts={"part": b""})),
        Answer(1, NotFiniteStep(step=4)),
        Ended(1, WrongField(field="size", allowed=Words("at most {most}", most=219))),
        Step(1, 2, 3, (0.5, 0.25), b"", "stage"),
        Ended(1, None),
    ):
        assert checked(message) is message


@pytest.mark.parametrize(
    "value",
    [
        torch.__version__,
        torch.float32,
        torch.zeros(1),
        torch.Size([1]),
        torch.device("cpu"),
        np.float64(1),
        np.zeros(1),
        np.bool_(True),
        OrderedDict(),
        Path(),
        {1, 2},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_only_a_package_can_read_is_refused_with_its_place(value: object) -> None:
    answer = Answer(1, Made({"versions": [{"torch": value}]}))
    where = r"Answer\.made\.facts\['versions'\]\[0\]\['torch'\]"
    with pytest.raises(NotPlain, match=f"^{where} is a .*{type(value).__name__}"):
        checked(answer)
    with pytest.raises(NotPlain, match=r"facts\['step'\]"):
        checked(Ended(1, NotFiniteStep(step=value)))
    with pytest.raises(NotPlain, match=r"facts\['allowed'\]\.facts\['most'\]"):
        checked(Ended(1, WrongField(field="size", allowed=Words("words", most=value))))
    with pytest.raises(NotPlain):
        checked(Step(1, 1, 1, (value,), None, ""))  # type: ignore[arg-type]  # that is the fault
