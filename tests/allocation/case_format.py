"""A case with every field in its place, checked; and the constraints a case may state. README.md has the format."""

import re
from fractions import Fraction

from bags import bag_of, contains, is_scalar, is_within, minus, quantities_of

DEFAULT_MINIMUM = ["cpus:0.01", "mem:32"]
STAGES = ("quota", "fair")


def complete(case):
    """The case with all defaults written out, in the order of the README; raises ValueError if it contradicts itself."""
    full = {
        "name": case.get("name", ""),
        "why": case.get("why", []),
        "region": case.get("region", ""),
        "gpus_scarce": case.get("gpus_scarce", True),
        "min_allocatable": case.get("min_allocatable", DEFAULT_MINIMUM),
        "fairness_excluded": case.get("fairness_excluded", []),
        "agents": [
            {
                "id": agent["id"],
                "hostname": agent.get("hostname", agent["id"]),
                "active": agent.get("active", True),
                "whitelisted": agent.get("whitelisted", True),
                "region": agent.get("region", ""),
                "zone": agent.get("zone", ""),
                "attributes": agent.get("attributes", ""),
                "resources": agent["resources"],
                "used": agent.get("used", []),
            }
            for agent in case["agents"]
        ],
        "frameworks": [
            {
                "id": framework["id"],
                "active": framework.get("active", True),
                "roles": framework["roles"],
                "suppressed": framework.get("suppressed", []),
                "capabilities": framework.get("capabilities", []),
                "min_allocatable": framework.get("min_allocatable", {}),
                "constraints": framework.get("constraints", {}),
                "grants": {role: framework["grants"].get(role, 0) for role in framework["roles"]}
                if "grants" in framework
                else {role: entries_of_used(case, framework["id"], role) for role in framework["roles"]},
            }
            for framework in case["frameworks"]
        ],
        "roles": [
            {
                "name": role["name"],
                "weight": role.get("weight", 1),
                "quota": {
                    "guarantees": role.get("quota", {}).get("guarantees", ""),
                    "limits": role.get("quota", {}).get("limits", ""),
                },
            }
            for role in case.get("roles", [])
        ],
        "filters": case.get("filters", []),
        "visit": {stage: case["visit"][stage] for stage in STAGES},
    }
    check(full)
    return full


def entries_of_used(case, framework, role):
    entries = [used for agent in case["agents"] for used in agent.get("used", [])]
    return sum(used["framework"] == framework and used["role"] == role for used in entries)


def demand(truth, complaint):
    if not truth:
        raise ValueError(complaint)


def check(case):
    ids = [agent["id"] for agent in case["agents"]]
    demand(len(set(ids)) == len(ids), "two agents have one id")
    roles_of = {framework["id"]: framework["roles"] for framework in case["frameworks"]}
    demand(len(roles_of) == len(case["frameworks"]), "two frameworks have one id")
    kinds = {}
    for agent in case["agents"]:
        left = bag_of(agent["resources"])
        for key, value in left.items():
            kind = "scalar" if is_scalar(value) else type(next(iter(value))).__name__
            demand(kinds.setdefault(key.name, kind) == kind, f"{key.name} has two kinds of values")
            demand(not key.revocable or key.role is None, "a revocable resource is not reserved")
            demand(not key.volume or key.role, "a volume is on a reserved disk")
            demand(not key.shared or key.volume, "only a volume is shared")
        for used in agent["used"]:
            demand(used["role"] in roles_of.get(used["framework"], []), f"used by a stranger: {used}")
            bag = bag_of(used["resources"])
            demand(contains(left, bag), f"{agent['id']} has less than is used")
            demand(all(not key.role or is_within(used["role"], key.role) for key in bag), f"reserved to another: {used}")
            left = minus(left, {key: value for key, value in bag.items() if not key.shared})
    for framework in case["frameworks"]:
        for field in ("suppressed", "min_allocatable", "constraints", "grants"):
            demand(set(framework[field]) <= set(framework["roles"]), f"{framework['id']}: {field} of a role it has not")
    for role in case["roles"]:
        guarantees, limits = (quantities_of(role["quota"][field]) for field in ("guarantees", "limits"))
        demand(Fraction(role["weight"]) > 0, f"{role['name']}: a weight is positive")
        demand("/" not in role["name"] or not (guarantees or limits), "quota is of top-level roles")
        demand(all(value <= limits.get(name, value) for name, value in guarantees.items()), "a guarantee above its limit")
    for held in case["filters"]:
        demand(held["role"] in roles_of.get(held["framework"], []), f"filter of a stranger: {held}")
        demand(held["agent"] in ids, f"filter on no agent: {held}")
    for stage in STAGES:
        demand(len(set(case["visit"][stage])) == len(case["visit"][stage]), "an agent is visited twice")
        demand(set(case["visit"][stage]) <= set(ids), "a visit to no agent")
    demand(set(case["visit"]["quota"]) == set(case["visit"]["fair"]), "the stages visit different agents")


def attribute_of(case, agent, name):
    """(is text, text) of the first attribute with the name, or of a pseudo-attribute; None if there is none."""
    if name in ("@hostname", "@region", "@zone"):
        return (True, agent[name[1:]]) if agent[name[1:]] else None
    for piece in filter(None, agent["attributes"].split(";")):
        key, value = piece.split(":", 1)
        if key == name:
            is_number = re.fullmatch(r"-?\d+(\.\d+)?", value)
            return (not (is_number or value[0] in "[{"), value)
    return None


def constraint_holds(case, agent, constraint):
    found = attribute_of(case, agent, constraint["attribute"])
    predicate = constraint["predicate"]
    if predicate == "exists":
        return found is not None
    if predicate == "not_exists":
        return found is None
    wants_other = predicate.startswith("text_not_")
    if found is None:
        return wants_other
    is_text, text = found
    if not is_text:
        return True
    if predicate in ("text_equals", "text_not_equals"):
        return (text == constraint["value"]) != wants_other
    if predicate in ("text_matches", "text_not_matches"):
        return (re.fullmatch(constraint["value"], text) is not None) != wants_other
    raise ValueError(f"no predicate: {predicate!r}")
