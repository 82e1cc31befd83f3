"""What is tested: the 38 subtests of internet.nl's mail test, each with what it means, its standard, and how to mend it."""

from checks.catalogue.subtest import CATEGORIES, Level, Subtest
from checks.catalogue.table import SUBTESTS, by_id, in_category

__all__ = ["CATEGORIES", "SUBTESTS", "Level", "Subtest", "by_id", "in_category"]
