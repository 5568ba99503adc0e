"""The nearest name that there is, for one that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches


def hint(name: object, known: Iterable[object]) -> str:
    """` (did you mean 'label'?)` of `labl`, whatever the case of its letters; nothing where no known name is near."""
    by = {str(one).casefold(): str(one) for one in known}
    near = get_close_matches(str(name).casefold(), by, n=1)
    return f" (did you mean {by[near[0]]!r}?)" if near else ""


def unknown_key(path: str, known: Iterable[object]) -> str:
    """What is told of a key that settings do not have.

    Args:
        path: of the key, from the root of the configuration.
        known: the keys that there are beside it.
    """
    names = [str(one) for one in known]
    expected = f", expected one of {names}" if names else ""
    return f"{path}: there is no such key{hint(path.rpartition('.')[2], names)}{expected}"
