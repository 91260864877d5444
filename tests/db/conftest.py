"""Logins as the program has them, and an identity as it makes one."""

from collections.abc import Callable

import pytest

from beerforyou.db.identity import Identity
from beerforyou.settings import Settings, kept_secret


@pytest.fixture
def token(settings: Settings) -> Callable[[str], str]:
    return Identity(kept_secret(settings, "identity_secret")).token
