"""Regions of Azure by every name that people write.

Names: ``az account list-locations -o table``.
"""

from __future__ import annotations

import difflib
import re

_DISPLAY_NAMES = (
    "East Asia",
    "Southeast Asia",
    "Central US",
    "East US",
    "East US 2",
    "West US",
    "North Central US",
    "South Central US",
    "North Europe",
    "West Europe",
    "Japan West",
    "Japan East",
    "Brazil South",
    "Australia East",
    "Australia Southeast",
    "South India",
    "Central India",
    "West India",
    "Canada Central",
    "Canada East",
    "UK South",
    "UK West",
    "West Central US",
    "West US 2",
    "Korea Central",
    "Korea South",
    "France Central",
    "France South",
    "Australia Central",
    "Australia Central 2",
    "UAE Central",
    "UAE North",
    "South Africa North",
    "South Africa West",
    "Switzerland North",
    "Switzerland West",
    "Germany North",
    "Germany West Central",
    "Norway West",
    "Norway East",
    # Newer than the tutorial's table.
    "Brazil Southeast",
    "Israel Central",
    "Italy North",
    "Jio India West",
    "Mexico Central",
    "New Zealand North",
    "Poland Central",
    "Qatar Central",
    "Spain Central",
    "Sweden Central",
    "West US 3",
)

_SHOWN = 3


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


REGIONS = {_key(name): name for name in _DISPLAY_NAMES}
"""Azure's name of each region, and the name for people."""

_BY_WORDS = {tuple(sorted(re.findall(r"[a-z]+|\d+", name.casefold()))): key for key, name in REGIONS.items()}


def find(text: str) -> str:
    """Return Azure's name of a region, empty when there is none of that name.

    Args:
        text: in any spelling: ``uksouth``, ``UKSouth``, ``UK South``, ``uk-south``, ``South UK``.
    """
    key = _key(text)
    if key in REGIONS:
        return key
    return _BY_WORDS.get(tuple(sorted(re.findall(r"[a-z]+|\d+", text.casefold()))), "")


def nearest(text: str) -> list[str]:
    """Return the names of the regions that ``text`` most likely means, the likeliest first; at least one."""
    close = difflib.get_close_matches(_key(text), REGIONS, _SHOWN, 0.5)
    return close or difflib.get_close_matches(_key(text), REGIONS, 1, 0.0)
