"""Suggestions of the nearest existing name for one that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches


def hint(name: object, candidates: Iterable[object]) -> str:
    """` (did you mean 'label'?)` for `labl`, ignoring case; empty if no candidate is near."""
    by_casefold = {str(candidate).casefold(): str(candidate) for candidate in candidates}
    near = get_close_matches(str(name).casefold(), by_casefold, n=1)
    return f" (did you mean {by_casefold[near[0]]!r}?)" if near else ""


def unknown_key(path: str, keys: Iterable[object]) -> str:
    """The message for a key that settings do not have.

    Args:
        path: of the key, from the root of the configuration.
        keys: the keys that exist in its place.
    """
    names = [str(key) for key in keys]
    expected = f", expected one of {names}" if names else ""
    return f"{path}: there is no such key{hint(path.rpartition('.')[2], names)}{expected}"
