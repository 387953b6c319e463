"""When two names of people agree, nearly agree, or differ. Works on normal forms; knows no orders and no patients.

*Near* is what a typing hand or a family does to a name without changing the person: a nickname, an initial, one edit,
half of a compound. Whatever more often parts two people of one family than it mistypes one is *different*: twins are given
names one letter apart on purpose, so an edit that leads from one given name to another is no slip (docs/adr/0016).
"""

from __future__ import annotations

from rapidfuzz.distance import OSA

from order_sync.evidence import Agreement
from order_sync.given_names import is_given_name, nicknamer

_SHORTEST_NAME_WITH_AN_EDIT = 4
_SHORTEST_SHARED_PART = 3
_FINAL_VOWELS = frozenset("aeiouy")


def compare_first_names(ours: str | None, theirs: str | None) -> Agreement:
    """Compare two first names; None is unknown.

    Equal: the same letters, however parted ("mary ann", "maryann"). Near: a nickname and its full name ("bob",
    "robert"), an initial ("j", "john"), a slip ("micheal", "michael"), or the head of a compound ("mary", "mary ann").
    Different, whatever else: two second names ("mary ann", "mary beth"; "john a", "john b").
    """
    if ours is None or theirs is None:
        return Agreement.UNKNOWN
    if _letters(ours) == _letters(theirs):
        return Agreement.EQUAL
    if _have_two_second_names(ours, theirs):
        return Agreement.DIFFERENT
    core, other_core = _without_initials(ours), _without_initials(theirs)
    is_near = (
        core == other_core
        or _is_initial(ours, theirs)
        or _are_nicknames(core, other_core)
        or _is_head_of_compound(core, other_core)
        or _is_slip(core, other_core)
    )
    return Agreement.NEAR if is_near else Agreement.DIFFERENT


def compare_last_names(ours: str | None, theirs: str | None) -> Agreement:
    """Compare two last names; None is unknown.

    Near: one edit ("gonzales", "gonzalez"), or a part of a compound ("garcia", "garcia lopez"). No initials: "r" says
    too little about a family.
    """
    if ours is None or theirs is None:
        return Agreement.UNKNOWN
    if _letters(ours) == _letters(theirs):
        return Agreement.EQUAL
    is_near = _is_part_of_compound(ours, theirs) or _is_one_edit(ours, theirs)
    return Agreement.NEAR if is_near else Agreement.DIFFERENT


def are_swapped(first: str | None, last: str | None, other_first: str | None, other_last: str | None) -> bool:
    """Say whether one side has first and last name in each other's place, letter for letter."""
    if first is None or last is None or other_first is None or other_last is None:
        return False
    return _letters(first) == _letters(other_last) and _letters(last) == _letters(other_first)


def _letters(name: str) -> str:
    return name.replace(" ", "")


def _without_initials(name: str) -> str:
    """Leave a middle initial away: "robert j" is "robert"."""
    first_word, *others = name.split()
    return " ".join([first_word, *(word for word in others if len(word) > 1)])


def _is_initial(ours: str, theirs: str) -> bool:
    shorter, longer = sorted((ours, theirs), key=len)
    return len(shorter) == 1 and longer.startswith(shorter)


def _are_nicknames(ours: str, theirs: str) -> bool:
    """Only a nickname and its own full name: two nicknames of Elizabeth may be two sisters, and so may Rosa and Rose."""
    a, b = _letters(ours), _letters(theirs)
    if len(a) == len(b) and _differ_in_final_vowel(a, b):
        return False
    return a in nicknamer().nicknames_of(b) or b in nicknamer().nicknames_of(a)


def _have_two_second_names(ours: str, theirs: str) -> bool:
    """John A and John B are father and son as often as not; John A and John Adam may be one."""
    (first, *rest), (other_first, *other_rest) = ours.split(), theirs.split()
    if first != other_first or not rest or not other_rest:
        return False
    a, b = rest[0], other_rest[0]
    return a != b and not _is_initial(a, b) and not _is_one_edit(a, b)


def _is_head_of_compound(ours: str, theirs: str) -> bool:
    """Mary is Mary Ann; Ann need not be: a second name is often a parent's."""
    shorter, longer = sorted((ours, theirs), key=len)
    return longer.startswith(f"{shorter} ") and len(shorter) >= _SHORTEST_SHARED_PART


def _is_part_of_compound(ours: str, theirs: str) -> bool:
    words, other_words = set(ours.split()), set(theirs.split())
    shared = words & other_words
    is_part = words < other_words or other_words < words
    return is_part and any(len(word) >= _SHORTEST_SHARED_PART for word in shared)


def _is_slip(ours: str, theirs: str) -> bool:
    """Say whether one first name is the other, mistyped.

    The first letter is seldom mistyped, and Jayden and Kayden are twins. Karen and Karin, Erin and Eric are two names, too; of
    two spellings that both are names neither is a slip.
    """
    a, b = _letters(ours), _letters(theirs)
    if a[0] != b[0] or not _is_one_edit(a, b) or _differ_in_final_vowel(a, b):
        return False
    return not (is_given_name(a) and is_given_name(b))


def _is_one_edit(ours: str, theirs: str) -> bool:
    """One letter wrong, missing or too many, or two neighbours swapped; short names differ by that between people."""
    a, b = _letters(ours), _letters(theirs)
    return min(len(a), len(b)) >= _SHORTEST_NAME_WITH_AN_EDIT and OSA.distance(a, b, score_cutoff=1) == 1


def _differ_in_final_vowel(ours: str, theirs: str) -> bool:
    """Maria and Mario, Eric and Erica, Carla and Carlo are a family, not a typing error."""
    shorter, longer = sorted((_letters(ours), _letters(theirs)), key=len)
    if len(shorter) == len(longer):
        return shorter[:-1] == longer[:-1] and {shorter[-1], longer[-1]} <= _FINAL_VOWELS
    return longer[:-1] == shorter and longer[-1] in _FINAL_VOWELS
