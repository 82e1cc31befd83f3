"""What is tested: the 38 subtests of internet.nl's mail test and ours beyond them, each with what it means, its standard, and how to mend it."""

from checks.catalogue.subtest import CATEGORIES, Level, Subtest
from checks.catalogue.table import EVERYTHING, SUBTESTS, by_id, in_category

__all__ = ["CATEGORIES", "EVERYTHING", "SUBTESTS", "Level", "Subtest", "by_id", "in_category"]
