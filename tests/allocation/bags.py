"""Bags of resources, quantities and role paths.

A bag is a dict from Key to a value. A scalar is an int in thousandths, ranges are a frozenset of ints, a set is a frozenset
of strings. On all three `>=` is "contains" and `-` is "without".
"""

import collections
import decimal
import re

Key = collections.namedtuple("Key", "name role revocable volume shared")
ENTRY = re.compile(r"([A-Za-z_][\w.-]*)(?:\(([^()]+)\))?(?:\[([^\[\]]+:[^\[\]]+)\])?(<SHARED>)?(\{REV\})?:(.+)")
WELL_KNOWN = ("cpus", "mem", "disk", "gpus", "ports")


def scalar_of(text):
    """'1.5' -> 1500; more than three decimals are rounded, halves away from zero."""
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError(f"no quantity: {text!r}")
    value = decimal.Decimal(text) * 1000
    return int(value.quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP))


def scalar_text(value):
    whole, rest = divmod(value, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)


def value_of(text):
    if text.startswith("["):
        values = set()
        for piece in text[1:-1].split(","):
            first, last = piece.split("-")
            values |= set(range(int(first), int(last) + 1))
        return frozenset(values)
    if text.startswith("{"):
        return frozenset(item for item in text[1:-1].split(",") if item)
    return scalar_of(text)


def value_text(value):
    if isinstance(value, int):
        return scalar_text(value)
    if all(isinstance(item, str) for item in value):
        return "{" + ",".join(sorted(value)) + "}"
    pieces = []
    for item in sorted(value):
        if pieces and pieces[-1][1] + 1 == item:
            pieces[-1][1] = item
        else:
            pieces.append([item, item])
    return "[" + ",".join(f"{first}-{last}" for first, last in pieces) + "]"


def bag_of(text):
    bag = {}
    for piece in filter(None, text.split(";")):
        match = ENTRY.fullmatch(piece)
        if not match:
            raise ValueError(f"no resource: {piece!r}")
        name, role, volume, shared, revocable, value = match.groups()
        key = Key(name, None if role == "*" else role, bool(revocable), volume, bool(shared))
        bag = plus(bag, {key: value_of(value)})
    return bag


def key_order(key):
    known = WELL_KNOWN.index(key.name) if key.name in WELL_KNOWN else len(WELL_KNOWN)
    return (known, key.name, key.role or "", key.revocable, key.volume or "")


def bag_text(bag):
    pieces = []
    for key in sorted(bag, key=key_order):
        role = f"({key.role})" if key.role else ""
        volume = f"[{key.volume}]" if key.volume else ""
        marks = ("<SHARED>" if key.shared else "") + ("{REV}" if key.revocable else "")
        pieces.append(f"{key.name}{role}{volume}{marks}:{value_text(bag[key])}")
    return ";".join(pieces)


def plus(left, right):
    """The sum; a shared volume is there once, however often it is added."""
    total = dict(left)
    for key, value in right.items():
        if key not in total or key.shared:
            total[key] = value
        else:
            total[key] = total[key] + value if isinstance(value, int) else total[key] | value
    return {key: value for key, value in total.items() if value}


def minus(left, right):
    rest = {key: value - right[key] if key in right else value for key, value in left.items()}
    return {key: value for key, value in rest.items() if value}


def contains(left, right):
    return all(key in left and left[key] >= value for key, value in right.items())


def is_scalar(value):
    return isinstance(value, int)


def is_regular(key, value):
    """Of the kind that quota is about: unreserved, not revocable, a scalar."""
    return key.role is None and not key.revocable and is_scalar(value)


def quantities(bag):
    """Name -> thousandths; ranges and sets count their values."""
    count = collections.Counter()
    for key, value in bag.items():
        count[key.name] += value if is_scalar(value) else 1000 * len(value)
    return count


def scalars(bag, wanted=lambda key, value: True):
    return quantities({key: value for key, value in bag.items() if is_scalar(value) and wanted(key, value)})


def quantities_of(text):
    """Like bag_of, but a zero stays: a limit of zero is not the absence of a limit."""
    result = {}
    for piece in filter(None, text.split(";")):
        name, value = piece.split(":")
        result[name] = scalar_of(value)
    return result


def quantities_text(amounts):
    order = sorted(amounts, key=lambda name: (WELL_KNOWN.index(name) if name in WELL_KNOWN else 9, name))
    return ";".join(f"{name}:{scalar_text(amounts[name])}" for name in order)


# Roles are paths; a tree is a top-level role with all its descendants.


def is_within(role, ancestor):
    return role == ancestor or role.startswith(ancestor + "/")


def top_of(role):
    return role.split("/")[0]
