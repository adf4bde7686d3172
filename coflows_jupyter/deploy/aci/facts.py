"""What Azure says about a subscription and a region, as far as it could be asked."""

from __future__ import annotations

import msgspec

from coflows_jupyter.deploy.aci.limits import Offer


class Quota(msgspec.Struct, frozen=True):
    """How much of something a subscription may have in a region.

    Args:
        name: for people.
        used: how much there is, without what our container has.
        limit: how much there may be.
    """

    name: str
    used: float
    limit: float


class Facts(msgspec.Struct, frozen=True):
    """What was asked of Azure.

    Args:
        offers: what the region offers, ``None`` when that is not known.
        groups: the quota of container groups, ``None`` when it is not known.
        cores: that of cores.
        exists: whether our container is there already.
        unknown: why nothing could be asked, empty when it could.
        denied: why Azure does not let us in, empty when it does.
    """

    offers: tuple[Offer, ...] | None = None
    groups: Quota | None = None
    cores: Quota | None = None
    exists: bool = False
    unknown: str = ""
    denied: str = ""


NOT_ASKED = Facts(unknown="Azure was not asked")
