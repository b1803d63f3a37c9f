"""The pretended device refuses what CUDA refuses, takes what it takes, and computes truly.

Where PyTorch's own FakeTensorMode knows a rule, the two agree.
"""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from tests.pretended import Pretended, pretended

Case = Callable[[Tensor, Tensor], object]


def put(values: Tensor, where: Tensor, what: Tensor) -> None:
    values[where] = what


#: there: [4,4] on CUDA; here: the same on the CPU.
REFUSED: dict[str, Case] = {
    "sum": lambda there, here: there + here,
    "product": lambda there, here: there @ here,
    "choice": lambda there, here: torch.where(there > 0, there, here),
    "joined": lambda there, here: torch.cat([there, here]),
    "gathered": lambda there, here: there.gather(1, here.long()),
    "chosen": lambda there, here: there.index_select(0, here[0].long()),
    "put, A1": lambda there, here: put(there, there > 0, here[0, 0].expand(16).clone()),
    "convolved": lambda there, here: functional.conv2d(there[None, None], here[None, None]),
    "in place": lambda there, here: there.mul_(here),
}
#: What FakeTensorMode does not see, or raises of its own.
UNSEEN: dict[str, Case] = {
    "stacked numbers": lambda there, here: torch.stack([there[0, 0], here[0, 0]]),
    "a CPU tensor indexed, A2": lambda there, here: here[there[0].argsort()],
    "a CPU tensor masked": lambda there, here: here[there > 0],
    "a CPU tensor put": lambda there, here: put(here, there > 0, torch.tensor(1.0)),
    "numpy": lambda there, here: there.numpy(),
    "the CPU's noise": lambda there, here: there.normal_(generator=torch.Generator()),
    "drawn there": lambda there, here: torch.rand(
        2, generator=torch.Generator(), device=there.device
    ),
}
TAKEN: dict[str, Case] = {
    "a number": lambda there, here: there * here.sum(),
    "copied": lambda there, here: there.copy_(here),
    "copied back": lambda there, here: here.copy_(there),
    "sliced": lambda there, here: put(here, slice(2), there[:2]),  # type: ignore[arg-type]
    "indexed by the CPU": lambda there, here: there[here[0].long()],
    "moved": lambda there, here: there.cpu() + here,
    "moved there": lambda there, here: there + here.to(there.device),
    "moved as another": lambda there, here: there + here.to(there),
    "new there": lambda there, here: there + torch.ones(4, 4, device=there.device),
    "like": lambda there, here: here + torch.zeros_like(there, device="cpu"),
}


@pytest.fixture
def device() -> Iterator[str]:
    with pretended() as name:
        yield name


def both(device: str) -> tuple[Tensor, Tensor]:
    return torch.ones(4, 4, device=device), torch.ones(4, 4)


@pytest.mark.parametrize("case", [*REFUSED, *UNSEEN])
def test_what_cuda_refuses_is_refused(case: str, device: str) -> None:
    with pytest.raises((RuntimeError, TypeError)):
        (REFUSED | UNSEEN)[case](*both(device))


@pytest.mark.parametrize("case", TAKEN)
def test_what_cuda_takes_is_taken(case: str, device: str) -> None:
    TAKEN[case](*both(device))


@pytest.mark.parametrize("case", REFUSED)
def test_pytorchs_own_pretence_refuses_the_same(case: str) -> None:
    with FakeTensorMode(allow_non_fake_inputs=True), pytest.raises((RuntimeError, TypeError)):
        REFUSED[case](*both("cuda:0"))


@pytest.mark.parametrize("case", TAKEN)
def test_pytorchs_own_pretence_takes_the_same(case: str) -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):
        TAKEN[case](*both("cuda:0"))


def test_its_numbers_and_gradients_are_those_of_the_cpu(device: str) -> None:
    torch.manual_seed(0)
    here = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    batch = torch.rand(2, 3, 6, 6)
    here(batch).square().sum().backward()
    wanted = [parameter.grad for parameter in here.parameters()]
    here.zero_grad()
    there = here.to(device)
    moved = batch.to(device).requires_grad_()
    outputs = there(moved)
    assert str(outputs.device) == device
    outputs.square().sum().backward()
    assert isinstance(moved.grad, Pretended)
    for parameter, gradient in zip(there.parameters(), wanted, strict=True):
        assert gradient is not None
        assert parameter.grad is not None
        assert parameter.grad.cpu().equal(gradient)


def test_gradients_come_back_from_there(device: str) -> None:
    here = torch.ones(3, requires_grad=True)
    torch.autograd.backward((here.to(device) * torch.arange(3, device=device)).sum())
    assert here.grad is not None
    assert not isinstance(here.grad, Pretended)
    assert here.grad.tolist() == [0, 1, 2]
