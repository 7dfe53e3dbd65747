from __future__ import annotations

from copy import deepcopy

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
timm = pytest.importorskip("timm", reason="needs the train extra: timm is not installed")

from timm.layers import Conv2dSame  # noqa: E402
from torch import nn  # noqa: E402

from androscope.learning.depthwise import DepthwiseConv2d, quicken_depthwise  # noqa: E402

pytestmark = pytest.mark.train

CASES = [
    (kernel, stride, size, kind, padding)
    for kernel in (3, 5, 7)
    for stride in (1, 2, 3)
    for size in ((16, 16), (17, 20), (8, 9))
    for kind, padding in ((nn.Conv2d, 0), (nn.Conv2d, kernel // 2), (Conv2dSame, 0))
]


@pytest.mark.parametrize(("kernel", "stride", "size", "kind", "padding"), CASES)
def test_gradients_are_torchs_own(
    kernel: int, stride: int, size: tuple[int, int], kind: type[nn.Conv2d], padding: int
) -> None:
    torch.manual_seed(0)
    theirs = kind(4, 4, kernel, stride, padding, groups=4, bias=True).double()
    ours = DepthwiseConv2d(theirs)
    x = torch.randn(2, 4, *size, dtype=torch.double)
    found = []
    for conv in (theirs, ours):
        given = x.clone().requires_grad_()
        out = conv(given)
        weights = torch.arange(out.numel(), dtype=torch.double).cos().view_as(out)
        found.append((out, *torch.autograd.grad(out, [given, conv.weight, conv.bias], weights)))
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-10)


def test_half_precision_stays_near_single() -> None:
    torch.manual_seed(0)
    conv = DepthwiseConv2d(nn.Conv2d(16, 16, 5, 2, 2, groups=16, bias=False))
    x = torch.randn(4, 16, 17, 17)
    found = []
    for half in (False, True):
        given = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = conv(given)
        assert out.dtype == (torch.bfloat16 if half else torch.float32)
        found.append(torch.autograd.grad(out.float().square().sum(), [given, conv.weight]))
    for a, b in zip(*found, strict=True):
        assert b.dtype == torch.float32
        assert (a - b).norm() < 0.02 * a.norm()


def test_a_whole_network_is_exchanged_without_a_change() -> None:
    torch.manual_seed(0)
    plain = timm.create_model("tf_efficientnet_lite0", num_classes=2)
    quick = deepcopy(plain)
    assert quicken_depthwise(quick) == 16
    assert list(quick.state_dict()) == list(plain.state_dict())
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(plain.eval()(x), quick.eval()(x))


def test_others_are_left_alone() -> None:
    body = nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=4),
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, (3, 5), groups=4),
        nn.Conv2d(4, 4, 3, groups=4, dilation=2),
        nn.Conv2d(4, 4, 3, groups=4, padding="same"),
        nn.Conv2d(4, 4, 3, groups=4, padding=1, padding_mode="reflect"),
        nn.Conv2d(1, 1, 3),
    )
    assert quicken_depthwise(body) == 0
