"""Where strangers may send us: judged by the address that a socket would connect to."""

import pytest

from beerforyou.errors import SetupError
from beerforyou.outside.public import networks, reachable
from beerforyou.settings import Settings


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
        "192.0.0.192", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "168.63.129.16",
        "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0",
        "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "100::1", "2001::1", "2001:db8::1", "3fff::1",
        "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_reachable(address: str) -> None:
    assert not reachable(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_what_is_public_is_reachable(address: str) -> None:
    assert reachable(address)


def test_the_operator_may_open_networks() -> None:
    opened = networks(Settings(webhook_networks="10.0.0.0/8, fd00::/8"))
    assert all(reachable(address, opened) for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "8.8.8.8"))
    assert not any(reachable(address, opened) for address in ("127.0.0.1", "192.168.0.1", "::1"))


@pytest.mark.parametrize("nonsense", ["10.0.0.0/33", "10.0.0.1/8", "home", "10.0.0.0/8;127.0.0.0/8"])
def test_networks_that_are_none_are_refused_by_name(nonsense: str) -> None:
    with pytest.raises(SetupError, match="BEERFORYOU_WEBHOOK_NETWORKS"):
        networks(Settings(webhook_networks=nonsense))
