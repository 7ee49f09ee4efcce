"""The denoiser on a CUDA device: `python -m bench.roi_denoiser --gpu`. Random weights: times only.

Three figures, never mixed: `DEVICE_…` is the whole device; `proxy8sm_…` a green context of eight of its
multiprocessors, beside the matrix product's TFLOP/s and the copy's GB/s measured in that same context; `t4_projected_…`
is the larger of the proxy scaled to 24 TFLOP/s and a roofline per layer at 24 TFLOP/s and 240 GB/s over 0.35, plus 5 µs
per kernel. Half precision only; no bf16, TF32, FP8 or FlashAttention. The roofline needs no device."""

import re
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from bench.harness import Goal, Result, percentiles
from models.diffusion.runtime.port import BATCHES, RoiRuntime
from models.diffusion.spec import CONTROL_LENGTH, CROPS, PICTURE_CHANNELS, REFERENCE_STRIDE, SIZES, NetSpec
from realtime.core.units import FRAME_S

T4_FLOPS: Final = 24e12
T4_BYTES_PER_S: Final = 240e9
EFFICIENCY: Final = 0.35
LAUNCH_S: Final = 5e-6
KERNELS_PER_CONVOLUTION: Final = 2.5
"""Convolution, bias and ReLU, now and then a sum."""
PROXY_SMS: Final = 8
WORST_SHARE: Final = 0.8
"""Of a frame's time that a GPU may be busy when sessions are counted."""
CROPS_USED: Final = ("mouth", "eyes")
STEPS: Final = 2
GOALS: Final = (
    Goal("t4_projected_ms", most=4.0),
    Goal("t4_projected_sessions", least=8.0),
    Goal("musetalk_ratio", least=25.0),
)


def measure_gpu(n: int) -> Result:
    """All three figures; without a device the roofline alone, and a line that says so."""
    import torch

    found: Result = {f"t4_roofline_{size.lower()}_ms": round(roofline_ms(SIZES[size]), 3) for size in SIZES}
    if not torch.cuda.is_available():
        print(
            "no CUDA device: only the roofline is worked out; run this on a machine with an NVIDIA GPU and its driver"
        )
        return {"gpu": "none", **found}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    name = torch.cuda.get_device_name()
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower().replace("nvidia", "").replace("tesla", "")).strip("_")
    found["gpu"] = name
    for size in SIZES:
        found |= {f"{slug}_{size.lower()}_{key}": value for key, value in on_device(size, n).items()}
    m_ms = found[f"{slug}_m_mouth_eyes_2_steps_ms_p50"]
    found["musetalk_ms"] = musetalk_ms(max(5, n // 10))
    found["musetalk_ratio"] = round(found["musetalk_ms"] / m_ms, 1)
    found |= proxy(n)
    if "proxy8sm_ms_p50" in found:
        scaled = found["proxy8sm_ms_p50"] * found["proxy8sm_tflops"] / (T4_FLOPS / 1e12)
        found["t4_projected_ms"] = round(max(scaled, found["t4_roofline_m_ms"]), 3)
        found["t4_projected_sessions"] = int(WORST_SHARE * 1e3 * FRAME_S / found["t4_projected_ms"])
    return found


def on_device(size: str, n: int) -> Result:
    """Mouth and eyes in two steps, and each crop by batch size, through the runtime that the server uses."""
    from bench.roi_denoiser import job_of

    spec, runtime = SIZES[size], runtime_of(size)
    found: Result = {}
    both = [job_of(crop, spec) for crop in CROPS_USED]
    found |= percentiles(wall_ms(lambda: [runtime.evaluate(both) for _ in range(STEPS)], n), "mouth_eyes_2_steps_ms")
    for crop in CROPS:
        for batch in BATCHES if crop in CROPS_USED else (1,):
            jobs = [job_of(crop, spec)] * batch
            times = wall_ms(lambda jobs=jobs: runtime.evaluate(jobs), n)  # type: ignore[misc]  # bound to this round
            found[f"{crop}_x{batch}_ms_p50"] = round(float(np.median(times)), 3)
    eight_ms = STEPS * sum(found[f"{crop}_x8_ms_p50"] for crop in CROPS_USED)
    found["sessions"] = int(WORST_SHARE * 1e3 * FRAME_S / eight_ms * BATCHES[-1])
    found["mouth_speedup"] = round(found["full_x1_ms_p50"] / found["mouth_x1_ms_p50"], 1)
    runtime.close()
    return found


def runtime_of(size: str, device: str = "cuda") -> RoiRuntime:
    """An untrained net of a size, in half precision."""
    from models.diffusion.net import RoiDenoiser
    from models.diffusion.runtime.torch_net import TorchRuntime

    return TorchRuntime(RoiDenoiser.of(SIZES[size]), "fp16", device)


def wall_ms(work: Callable[[], object], n: int) -> list[float]:
    """Wall time of work whose result is on this side of the device."""
    for _ in range(5):
        work()
    times = []
    for _ in range(n):
        begun_s = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - begun_s))
    return times


def proxy(n: int) -> Result:
    """The same in a green context of eight multiprocessors, with what that context can do; empty where torch or the
    driver has no green contexts."""
    import torch

    from bench.roi_denoiser import job_of

    green: Any = getattr(torch.cuda, "GreenContext", None)
    try:
        context = green.create(num_sms=PROXY_SMS)
    except (AttributeError, RuntimeError) as error:
        print(f"no proxy: this torch or driver makes no green context ({error})")
        return {}
    context.set_context()
    try:
        runtime, spec = runtime_of("M"), SIZES["M"]
        both = [job_of(crop, spec) for crop in CROPS_USED]
        times = wall_ms(lambda: [runtime.evaluate(both) for _ in range(STEPS)], n)
        side = 4096
        a = torch.randn(side, side, device="cuda", dtype=torch.float16)
        big = torch.empty(2**28, device="cuda", dtype=torch.uint8)

        def synced(work: Callable[[], object]) -> float:
            def whole() -> None:
                work()
                torch.cuda.synchronize()

            return float(np.median(wall_ms(whole, 10))) / 1e3

        return {
            **percentiles(times, "proxy8sm_ms"),
            "proxy8sm_tflops": round(2 * side**3 / synced(lambda: a @ a) / 1e12, 2),
            "proxy8sm_copy_gb_s": round(2 * big.numel() / synced(big.clone) / 1e9, 1),
        }
    finally:
        context.pop_context()


def roofline_ms(spec: NetSpec) -> float:
    """Mouth and eyes in two steps on a T4, from the layers' arithmetic alone: per convolution the longer of operations
    and bytes, over what is sustained, plus the kernels' launches (Williams et al., "Roofline", 2009)."""
    import torch

    from models.diffusion.net import RoiDenoiser

    net = RoiDenoiser.of(spec).eval()
    spent_s = [0.0]

    def count(layer: Any, inputs: tuple[Any, ...], output: Any) -> None:
        flops = 2 * output.numel() * layer.weight[0].numel()
        moved = 2 * (inputs[0].numel() + output.numel() + layer.weight.numel())
        bound_s = max(flops / T4_FLOPS, moved / T4_BYTES_PER_S) / EFFICIENCY
        spent_s[0] += bound_s + KERNELS_PER_CONVOLUTION * LAUNCH_S

    hooks = [one.register_forward_hook(count) for one in net.modules() if isinstance(one, torch.nn.Conv2d)]
    with torch.inference_mode():
        for crop in CROPS_USED:
            height, width = CROPS[crop].height, CROPS[crop].width
            reference = torch.zeros(1, spec.reference_width, height // REFERENCE_STRIDE, width // REFERENCE_STRIDE)
            picture, level = torch.zeros(1, PICTURE_CHANNELS, height, width), torch.ones(1, 1)
            net(picture, torch.zeros(1, CONTROL_LENGTH), level, reference)
    for hook in hooks:
        hook.remove()
    return 1e3 * STEPS * spent_s[0]


def musetalk_ms(n: int) -> float:
    """A UNet of MuseTalk's shape (8 latent channels in, 32 x 32) and the decoder of its VAE, random weights, half
    precision, on the same device: one frame of a mouth, the encoder's reference cached."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel

    unet: Any = UNet2DConditionModel(  # type: ignore[no-untyped-call]  # diffusers has no types
        sample_size=32, in_channels=8, out_channels=4, cross_attention_dim=384, attention_head_dim=8
    )
    vae: Any = AutoencoderKL(  # type: ignore[no-untyped-call]  # as above
        block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, layers_per_block=2,
    )  # fmt: skip
    unet, vae = unet.half().cuda().eval(), vae.half().cuda().eval()
    latent = torch.randn(1, 8, 32, 32, device="cuda", dtype=torch.float16)
    sound = torch.randn(1, 50, 384, device="cuda", dtype=torch.float16)

    def frame() -> None:
        with torch.inference_mode():
            found = unet(latent, torch.zeros(1, device="cuda"), sound).sample
            vae.decode(found).sample.cpu()

    return round(float(np.median(wall_ms(frame, n))), 3)
