"""What Azure Container Instances can be asked for.

Sources: learn.microsoft.com/azure/container-instances, "Resource availability & quota limits" and "GPU" (November
2025), and for regions and sizes of GPUs the tables of the tutorial. What a region really offers is asked of Azure, see
``asking.py``; these figures are for what can be known without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from coflows_jupyter.deploy.aci.regions import REGIONS

SMALLEST_CORES, SMALLEST_MEMORY = 1.0, 1.0
LARGEST_CORES, LARGEST_MEMORY = 31.0, 240.0
# Larger ones are allowed and fail when the region is full.
EASY_CORES, EASY_MEMORY = 4.0, 16.0

GPU_REGIONS = {
    "K80": ("eastus", "northeurope", "westeurope", "westus2"),
    "P100": ("eastus", "southeastasia", "westeurope", "westus2"),
    "V100": ("centralindia", "eastus", "southeastasia", "westeurope", "westus2"),
}
# By how many GPUs: the most cores and gigabytes beside them.
GPU_SIZES = {
    "K80": {1: (6, 56), 2: (12, 112), 4: (24, 224)},
    "P100": {1: (6, 112), 2: (12, 224), 4: (24, 448)},
    "V100": {1: (6, 112), 2: (12, 224), 4: (24, 448)},
}
GPU_RETIRED = {"K80": "31 August 2023", "P100": "31 August 2023", "V100": "14 July 2025"}
INSTEAD_OF_GPU = (
    'leave "SKU" empty to deploy without a GPU; for GPUs Azure offers node pools of AKS and serverless GPUs of '
    "Container Apps"
)


class Offer(msgspec.Struct, frozen=True):
    """What a region says that a container group may have.

    Args:
        cores: the most CPU cores.
        memory: the most gigabytes.
        gpu: kind of GPU, empty for none.
        gpus: the most GPUs.
    """

    cores: float
    memory: float
    gpu: str = ""
    gpus: float = 0


class Wanted(msgspec.Struct, frozen=True):
    """What a container is to have.

    Args:
        region: Azure's name.
        cores: CPU cores.
        memory: gigabytes.
        gpu: kind of GPU, empty for none.
        gpus: how many, 0 for none.
    """

    region: str
    cores: float
    memory: float
    gpu: str = ""
    gpus: int = 0


class Objection(NamedTuple):
    """Why something can't be had.

    Args:
        code: short stable name.
        key: of the configuration, below ``AzureContainerInstance``.
        message: what is wrong.
        hint: what to do.
        forcible: whether ``--force`` asks Azure all the same.
    """

    code: str
    key: tuple[str, ...]
    message: str
    hint: str
    forcible: bool = True


def objections(wanted: Wanted, offers: tuple[Offer, ...] | None) -> Iterator[Objection]:
    """Yield what speaks against a container.

    Args:
        wanted: what it is to have.
        offers: what its region says, ``None`` when that is not known.
    """
    if wanted.gpus:
        yield from _gpu(wanted, offers)
        return
    offer = _largest(offers)
    for code, key, value, unit, smallest, largest in (
        ("cores", "Cores", wanted.cores, "cores", SMALLEST_CORES, offer.cores),
        ("memory", "Mem", wanted.memory, "GB", SMALLEST_MEMORY, offer.memory),
    ):
        if value < smallest:
            yield Objection(code, (key,), f"{value:g} {unit} are too few: at least {smallest:g}", _write(key, smallest))
        elif value > largest:
            message = f"{value:g} {unit} are too many: {_who(wanted, offers)} at most {largest:g}"
            yield Objection(code, (key,), message, _write(key, largest))


def remarks(wanted: Wanted, offers: tuple[Offer, ...] | None) -> Iterator[Objection]:
    """Yield what may make trouble and is no reason to refuse."""
    if wanted.gpus:
        return
    largest = _largest(offers)
    if EASY_CORES < wanted.cores <= largest.cores or EASY_MEMORY < wanted.memory <= largest.memory:
        message = f"more than {EASY_CORES:g} cores or {EASY_MEMORY:g} GB may be refused while the region is full"
        yield Objection("large", ("Cores",), message, "deploy again later, or take less or another region")


def _largest(offers: tuple[Offer, ...] | None) -> Offer:
    plain = [offer for offer in offers or () if not offer.gpu]
    if not plain:
        return Offer(LARGEST_CORES, LARGEST_MEMORY)
    return Offer(max(offer.cores for offer in plain), max(offer.memory for offer in plain))


def _gpu(wanted: Wanted, offers: tuple[Offer, ...] | None) -> Iterator[Objection]:
    key = ("Gpu", "SKU")
    offered = any(offer.gpu == wanted.gpu for offer in offers or ())
    if not offered:
        said = f"; {wanted.region} offers {_gpus(offers)}" if offers is not None else ""
        message = f"Azure retired containers with {wanted.gpu} on {GPU_RETIRED[wanted.gpu]}{said}"
        yield Objection("gpu-retired", key, message, f"{INSTEAD_OF_GPU}; --force asks for it all the same")
        if wanted.region not in GPU_REGIONS[wanted.gpu]:
            names = ", ".join(REGIONS[name] for name in GPU_REGIONS[wanted.gpu])
            message = f"{REGIONS.get(wanted.region, wanted.region)} never had {wanted.gpu}: {names} had"
            yield Objection("gpu-region", ("Region",), message, f'write one of these as "Region", or {INSTEAD_OF_GPU}')
    cores, memory = GPU_SIZES[wanted.gpu][wanted.gpus]
    beside = f"beside {wanted.gpus} {wanted.gpu}"
    if wanted.cores > cores:
        yield Objection(
            "cores",
            ("Cores",),
            f"{wanted.cores:g} cores are too many {beside}: at most {cores}",
            _write("Cores", cores),
        )
    if wanted.memory > memory:
        yield Objection(
            "memory", ("Mem",), f"{wanted.memory:g} GB are too many {beside}: at most {memory}", _write("Mem", memory)
        )


def _gpus(offers: tuple[Offer, ...] | None) -> str:
    return ", ".join(sorted({offer.gpu for offer in offers or () if offer.gpu})) or "no GPU"


def _who(wanted: Wanted, offers: tuple[Offer, ...] | None) -> str:
    return f"{wanted.region} offers" if offers else "Azure offers"


def _write(key: str, value: float) -> str:
    return f'write "{key}": {value:g}'
