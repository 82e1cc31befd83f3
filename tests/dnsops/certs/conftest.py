import pytest

from tests.dnsops.certs.making import Authority


@pytest.fixture(scope="session")
def ca():
    return Authority()


@pytest.fixture(scope="session")
def pair(ca):
    """(chain, key) for HOST, PEM."""
    return ca.pair()
