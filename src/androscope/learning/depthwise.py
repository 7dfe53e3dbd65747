"""Depthwise convolutions whose backward pass is quick on a CPU.

oneDNN computes the gradients of depthwise convolutions in bfloat16 by a reference loop for 5x5
kernels (weights) and for stride 2 (input): three quarters of a training step of an EfficientNet.
The same gradients are had from passes that are quick: the input's, as a plain convolution of the
spread-out output gradient with the mirrored kernel; the weights', in float32.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn

__all__ = ["DepthwiseConv2d", "quicken_depthwise"]


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        cast = weight.to(x.dtype)
        ctx.save_for_backward(x, cast)
        ctx.stride, ctx.padding, ctx.weight_dtype = stride, padding, weight.dtype
        return F.conv2d(x, cast, None, stride, padding, 1, x.shape[1])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        stride, padding = ctx.stride, ctx.padding
        grad = grad.contiguous(memory_format=torch.channels_last)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = _input_gradient(grad, x.shape, weight, stride, padding)
        if ctx.needs_input_grad[1]:
            # 3x3 is quick in bfloat16 as well; larger kernels are not.
            wide = weight.shape[-1] > 3 and weight.dtype == torch.bfloat16
            a, b, w = (t.float() if wide else t for t in (grad, x, weight))
            grad_weight = torch.ops.aten.convolution_backward(
                a, b, w, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], x.shape[1],
                [False, True, False],
            )[1].to(ctx.weight_dtype)  # fmt: skip
        return grad_x, grad_weight, None, None


def _input_gradient(
    grad: Tensor, shape: torch.Size, weight: Tensor, stride: int, padding: int
) -> Tensor:
    channels, kernel = shape[1], weight.shape[-1]
    height, width = shape[2] + 2 * padding, shape[3] + 2 * padding
    if stride > 1:
        spread = torch.empty(
            (shape[0], channels, height - kernel + 1, width - kernel + 1),
            dtype=grad.dtype,
            memory_format=torch.channels_last,
        ).zero_()
        spread[:, :, ::stride, ::stride] = grad
        grad = spread
    full = F.conv2d(grad, weight.flip((2, 3)), None, 1, kernel - 1 - padding, 1, channels)
    return full


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution, with TensorFlow's padding or torch's, and a quick backward pass.

    Parameters
    ----------
    conv
        The convolution whose parameters it takes over.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]
            conv.stride,  # type: ignore[arg-type]
            conv.padding,  # type: ignore[arg-type]
            groups=conv.groups,
            bias=conv.bias is not None,
        )
        self.weight = conv.weight
        self.bias = conv.bias
        self.same = isinstance(conv, Conv2dSame)

    def forward(self, input: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C, H', W')``."""
        x = input
        padding = 0 if self.same else int(self.padding[0])
        if self.same:
            x = pad_same(x, list(self.kernel_size), list(self.stride))
        if not (torch.is_grad_enabled() and x.device.type == "cpu"):
            return F.conv2d(x, self.weight, self.bias, self.stride, padding, 1, self.groups)
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.get_autocast_dtype("cpu"))
        out: Tensor = _Depthwise.apply(x, self.weight, self.stride[0], padding)
        return out if self.bias is None else out + self.bias.to(out.dtype).view(1, -1, 1, 1)


def quicken_depthwise(body: nn.Module) -> int:
    """Exchange the depthwise convolutions of ``body``; weights and their names stay.

    Returns
    -------
    int
        How many were exchanged. Dilated and rectangular ones are left alone.
    """
    found = [(n, m) for n, m in body.named_modules() if isinstance(m, nn.Conv2d) and _fits(m)]
    for name, conv in found:
        body.set_submodule(name, DepthwiseConv2d(conv))
    return len(found)


def _fits(conv: nn.Conv2d) -> bool:
    # Exactly these classes: a subclass may do something to its weights first.
    if type(conv) not in (nn.Conv2d, Conv2dSame):
        return False
    kernel, padding = conv.kernel_size, conv.padding
    return (
        conv.groups == conv.in_channels == conv.out_channels > 1
        and conv.dilation == (1, 1)
        and kernel[0] == kernel[1]
        and conv.stride[0] == conv.stride[1]
        and conv.padding_mode == "zeros"
        and not isinstance(padding, str)
        and padding[0] == padding[1] <= kernel[0] - 1
    )
