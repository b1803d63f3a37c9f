"""Likeness: (picture, picture) -> how like they are, as numbers that others use too."""

import torch
from torch import Tensor
from torch.nn import functional

#: Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment", IEEE TIP 2004.
WINDOW, DEVIATION, STEADY = 11, 1.5, (0.01**2, 0.03**2)


def psnr(ours: Tensor, original: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of two pictures [1,3,H,W] in 0..1; inf for the same."""
    error = (ours - original).square().mean()
    return float(-10 * error.log10())


def ssim(ours: Tensor, original: Tensor) -> float:
    """Structural similarity of two pictures [1,3,H,W] in 0..1: at most 1, 0 for nothing alike.

    Wang et al. 2004: 11 x 11 Gaussian window of deviation 1.5, mean over positions and colours.
    """
    count = ours.shape[1]
    reach = torch.arange(WINDOW, device=ours.device) - WINDOW // 2
    bell = torch.exp(-reach.square() / (2 * DEVIATION**2))
    window = (bell[:, None] * bell[None, :] / bell.sum() ** 2).expand(count, 1, -1, -1)

    def blurred(values: Tensor) -> Tensor:
        return functional.conv2d(values, window, groups=count)

    means, others = blurred(ours), blurred(original)
    spread = blurred(ours * ours) - means.square()
    spread_other = blurred(original * original) - others.square()
    shared = blurred(ours * original) - means * others
    light = (2 * means * others + STEADY[0]) / (means.square() + others.square() + STEADY[0])
    detail = (2 * shared + STEADY[1]) / (spread + spread_other + STEADY[1])
    return float((light * detail).mean())
