"""What can be read off an address that a client gives."""

import pytest

from beerforyou.errors import BadInput
from beerforyou.settings import Settings
from beerforyou.webhooks.addresses import check_url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.com/", "http"),
        ("ftp://example.com/", "ftp"),
        ("example.com", "host"),
        ("https://", "host"),
        ("https:///hooks", "host"),
        ("https://user:password@example.com/", "password"),
        ("https://@example.com/", "password"),
        ("https://example.com/#here", "fragment"),
        ("https://example.com/#", "fragment"),
        ("https://example.com:99999/", "host"),
        ("https://example.com:0/", "host"),
        ("https://[::1/", "host"),
        ("https://" + "a" * 64 + ".com/", "host"),
        ("https://example.com/a b", "blanks"),
        ("https://example.com/\r\nx: y", "control"),
        ("https://example.com/" + "a" * 2000, "2000"),
        ("https://127.0.0.1/", "public"),
        ("https://[::ffff:10.0.0.1]/", "public"),
        ("https://169.254.169.254/latest/meta-data", "public"),
    ],
)
def test_an_address_that_makes_no_sense_is_told_what_is_wrong(url: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        check_url(url, Settings())
    assert refused.value.message.startswith("url: ") and refused.value.hint


@pytest.mark.parametrize("url", ["https://example.com", "https://münchen.example/hook?a=b", "https://8.8.8.8:8443/x"])
def test_an_address_that_makes_sense(url: str) -> None:
    check_url(url, Settings())


def test_an_open_network_needs_no_tls() -> None:
    check_url("http://10.1.2.3/hook", Settings(webhook_networks="10.0.0.0/8"))
