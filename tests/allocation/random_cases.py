"""Random cases, small and contended, and how many of them have which feature."""

import collections
import random

from bags import Key, bag_of, bag_text, is_scalar, is_within, key_order, minus, plus, quantities_text, scalars, top_of
from case_format import DEFAULT_MINIMUM, STAGES, entries_of_used

ROLE_POOLS = (
    ("a", "b", "c"),
    ("a", "b", "c", "*"),
    ("a", "a/x", "a/y", "b"),
    ("a/x", "a/y", "b", "b/x"),
    ("a", "a/x", "a/x/p", "a/x/q", "b"),
    ("a", "a/x", "a/x/p", "b", "b/x", "*"),
)
FEATURES = ("grants", "constraints", "volumes", "regions", "gpus", "revocable", "quota", "reservations", "sets", "filters")


class Maker:
    """Makes one case from a stream of chance. A feature that is left out is decided against after its chance was drawn."""

    def __init__(self, chance, without):
        self.chance = chance
        self.without = without

    def happens(self, probability, feature=None):
        drawn = self.chance.random() < probability
        return drawn and feature not in self.without

    def pick(self, *choices):
        return self.chance.choice(choices)

    def some(self, items, least, most):
        return self.chance.sample(items, self.chance.randint(min(least, len(items)), min(most, len(items))))

    def shape(self, has_gpus, has_ports, has_zones):
        shape = {Key("cpus", None, False, None, False): self.pick(1, 2, 4, 4, 8, 1.5) * 1000}
        shape[Key("mem", None, False, None, False)] = self.pick(64, 512, 1024, 1024, 2048) * 1000
        if self.happens(0.3):
            shape[Key("disk", None, False, None, False)] = self.pick(100, 1000) * 1000
        if has_gpus and self.happens(0.5):
            shape[Key("gpus", None, False, None, False)] = self.pick(1, 2) * 1000
        if has_ports and self.happens(0.7):
            shape[Key("ports", None, False, None, False)] = frozenset(range(31000, 31000 + self.pick(2, 6, 10)))
        if has_zones and self.happens(0.7):
            shape[Key("zones", None, False, None, False)] = frozenset(self.some(["x", "y", "z"], 1, 3))
        return {key: int(value) if isinstance(value, float) else value for key, value in shape.items()}

    def piece(self, value):
        """A part of a value that is not empty, or all of it."""
        if is_scalar(value):
            unit = 1000 if value >= 1000 else 1
            return max(unit, value * self.chance.randint(1, 4) // 4 // unit * unit)
        items = sorted(value)
        first = self.chance.randrange(len(items))
        return frozenset(items[first : self.chance.randint(first + 1, len(items))])

    def part(self, bag, most=4):
        """Some entries of the bag, volumes as a whole."""
        chosen = self.some(sorted(bag, key=key_order), 1, most)
        return {key: bag[key] if key.volume else self.piece(bag[key]) for key in chosen}

    def reserve(self, bag, role):
        for key, value in self.part({key: value for key, value in bag.items() if not key.role}, 2).items():
            bag = plus(minus(bag, {key: value}), {key._replace(role=role): value})
        return bag

    def roles(self):
        pool = self.pick(*ROLE_POOLS)
        return sorted(self.some(pool, 1 if self.happens(0.1) else 2, len(pool)))

    def frameworks(self, roles):
        frameworks = []
        unserved = list(roles)
        for number in self.chance.sample(range(1, 13), self.pick(1, 2, 3, 3, 4, 4, 5, 6)):
            own = self.some(roles, 1, 3) if self.happens(0.35) else [self.chance.choice(unserved or roles)]
            unserved = [role for role in unserved if role not in own]
            capabilities = ["MULTI_ROLE"] if len(own) > 1 else []
            for name in ("GPU_RESOURCES", "REGION_AWARE", "REVOCABLE_RESOURCES", "SHARED_RESOURCES"):
                if self.happens(0.6):
                    capabilities.append(name)
            framework = {
                "id": f"f{number}",
                "active": not self.happens(0.04),
                "roles": own,
                "suppressed": [role for role in own if self.happens(0.12)],
                "capabilities": capabilities,
            }
            if self.happens(0.08):
                minimum = self.pick(["cpus:2"], ["cpus:1;mem:1024"], [], ["mem:512", "cpus:4"])
                framework["min_allocatable"] = {self.chance.choice(own): minimum}
            if self.happens(0.08, "constraints"):
                framework["constraints"] = {self.chance.choice(own): self.constraint_groups()}
            if self.happens(0.15, "grants"):
                framework["grants"] = {role: self.chance.randint(0, 3) for role in own}
            frameworks.append(framework)
        return frameworks

    def constraint_groups(self):
        def one():
            predicate = self.pick("exists", "not_exists", "text_equals", "text_not_equals", "text_matches", "text_not_matches")
            attribute = self.pick("rack", "rack", "level", "@hostname", "@region", "@zone")
            constraint = {"attribute": attribute, "predicate": predicate}
            if predicate.startswith("text"):
                values = ("r[12]", "r.*", "n[135]", "z1|z2") if predicate.endswith("matches") else ("r1", "r2", "n1", "z1")
                constraint["value"] = self.pick(*values)
            return constraint

        return [[one() for _ in range(self.pick(1, 1, 2))] for _ in range(self.pick(1, 1, 2))]

    def agents(self, roles, has_regions):
        reservable = sorted({"/".join(role.split("/")[:depth]) for role in roles for depth in (1, 2, 3)} - {"*"}) + ["idle"]
        kinds = (self.happens(0.25, "gpus"), self.happens(0.4), self.happens(0.2, "sets"))
        has_racks = self.happens(0.3)
        common = self.shape(*kinds)
        is_reserving = self.happens(0.5, "reservations")
        is_revocable = self.happens(0.2, "revocable")
        has_volumes = self.happens(0.25, "volumes")
        agents = []
        for number in range(1, self.pick(1, 2, 3, 3, 4, 4, 5, 6) + 1):
            bag = dict(common) if self.happens(0.65) else self.shape(*kinds)
            for _ in range(self.pick(1, 1, 2, 3) if is_reserving and self.happens(0.6) else 0):
                if any(not key.role for key in bag):
                    bag = self.reserve(bag, self.chance.choice(reservable))
            if has_volumes and self.happens(0.6):
                role = self.chance.choice(sorted({top_of(role) for role in roles} - {"*"}) or ["idle"])
                bag[Key("disk", role, False, "v1:data", self.happens(0.8))] = 100000
            if is_revocable and self.happens(0.7):
                bag[Key("cpus", None, True, None, False)] = self.pick(1000, 2000)
            agent = {"id": f"n{number}", "active": not self.happens(0.03), "whitelisted": not self.happens(0.03)}
            if has_regions:
                agent["region"] = self.pick("r1", "r1", "r2", "")
                agent["zone"] = self.pick("z1", "z2") if agent["region"] else ""
            if has_racks:
                agent["attributes"] = self.pick("rack:r1", "rack:r2", "rack:r2;rack:r1", "level:3", "rack:7;level:high", "")
            agent["resources"] = bag_text(bag)
            agents.append(agent)
        return agents

    def use(self, agents, frameworks):
        if self.happens(0.2):
            return
        for agent in agents:
            left, agent["used"] = bag_of(agent["resources"]), []
            for _ in range(self.pick(0, 0, 1, 1, 2)):
                framework = self.chance.choice(frameworks)
                role = self.chance.choice(framework["roles"])
                may = {key: value for key, value in allocatable(left, role).items() if can_take(framework, key)}
                if not may or any((used["framework"], used["role"]) == (framework["id"], role) for used in agent["used"]):
                    continue
                bag = may if self.happens(0.15) else self.part(may)
                if self.happens(0.8):
                    bag = plus(bag, {key: value for key, value in may.items() if key.shared})
                agent["used"].append({"framework": framework["id"], "role": role, "resources": bag_text(bag)})
                left = minus(left, {key: value for key, value in bag.items() if not key.shared})

    def quotas(self, agents, roles):
        total = sum((scalars(bag_of(agent["resources"])) for agent in agents), collections.Counter())
        left = {name: 7 for name in total}  # eighths of the cluster that may still be guaranteed
        result = {}
        for top in sorted({top_of(role) for role in roles} | ({"idle"} if self.happens(0.3) else set())):
            if not self.happens(0.65):
                continue
            guarantees, limits = {}, {}
            for name in self.some([name for name in ("cpus", "mem", "disk", "gpus") if name in total], 1, 2):
                unit = 1000 if name == "gpus" else 1
                eighths = self.chance.randint(0, 6)
                if 0 < eighths <= left[name]:
                    left[name] -= eighths
                    guarantees[name] = total[name] * eighths // 8 // unit * unit
                if self.happens(0.5):
                    limits[name] = guarantees.get(name, 0) + total[name] * self.chance.randint(0, 3) // 8 // unit * unit
            result[top] = {"guarantees": quantities_text(guarantees), "limits": quantities_text(limits)}
        return result

    def filters(self, agents, frameworks):
        filters = []
        for agent in agents:
            free = bag_of(agent["resources"])
            for used in agent.get("used", []):
                free = minus(free, {key: value for key, value in bag_of(used["resources"]).items() if not key.shared})
            for framework in frameworks:
                for role in framework["roles"]:
                    may = allocatable(free, role)
                    if not may or not self.happens(0.3):
                        continue
                    for _ in range(self.pick(1, 1, 1, 2)):
                        kind = self.pick("all", "all", "more", "part", "part", "without one", "unreserved")
                        refused = dict(may)
                        if kind == "more":
                            refused = {key: value + 1000 if is_scalar(value) and not key.volume else value
                                       for key, value in may.items()}  # fmt: skip
                        elif kind == "unreserved":
                            refused = unreserved(may)
                        elif kind == "part":
                            refused = self.part(may)
                        elif kind == "without one" and len(may) > 1:
                            del refused[self.chance.choice(sorted(may, key=key_order))]
                        filters.append({"framework": framework["id"], "role": role, "agent": agent["id"],
                                        "resources": bag_text(refused)})  # fmt: skip
        return filters

    def make(self, name):
        roles = self.roles()
        frameworks = self.frameworks(roles)
        has_regions = self.happens(0.2, "regions")
        agents = self.agents(roles, has_regions)
        self.use(agents, frameworks)
        named = sorted({"/".join(role.split("/")[:depth]) for role in roles for depth in (1, 2, 3)})
        weights = {role: self.pick(2, 3, 0.5, 1.5, 10) for role in named if self.happens(0.3)}
        quotas = self.quotas(agents, roles) if self.happens(0.75, "quota") else {}
        ids = [agent["id"] for agent in agents]
        candidates = ids if self.happens(0.9) else self.some(ids, 1, len(ids))
        case = {
            "name": name,
            "region": "r1" if has_regions else "",
            "gpus_scarce": not self.happens(0.15),
            "min_allocatable": self.pick(*[DEFAULT_MINIMUM] * 4, [], [], ["cpus:1"], ["cpus:1;mem:512", "disk:100"]),
            "fairness_excluded": ["gpus"] if self.happens(0.15, "gpus") else [],
            "agents": agents,
            "frameworks": frameworks,
            "roles": [
                {"name": role, "weight": weights.get(role, 1), "quota": quotas.get(role, {})}
                for role in sorted(set(weights) | set(quotas))
            ],
            "filters": self.filters(agents, frameworks) if self.happens(0.6, "filters") else [],
            "visit": {stage: self.chance.sample(candidates, len(candidates)) for stage in STAGES},
        }
        return case


def allocatable(bag, role):
    return {key: value for key, value in bag.items() if not key.role or is_within(role, key.role)}


def unreserved(bag):
    """The same quantities with no reservation; volumes, which need one, are left out."""
    result = {}
    for key, value in bag.items():
        if not key.volume:
            result = plus(result, {key._replace(role=None): value})
    return result


def can_take(framework, key):
    needed = {"REVOCABLE_RESOURCES"} if key.revocable else {"SHARED_RESOURCES"} if key.shared else set()
    return needed <= set(framework["capabilities"])


def random_case(seed, number, without=()):
    """Case `number` of a seed; it is the same however many are made."""
    name = f"seed-{seed}-{number}"
    return Maker(random.Random(name), without).make(name)


def features(case, run):
    found = set(run.seen)
    keys = [(agent["id"], key) for agent in case["agents"] for key in bag_of(agent["resources"])]
    claiming = {
        (framework["id"], role)
        for framework in case["frameworks"]
        for role in framework["roles"]
        if run.claims(framework, role)
    }
    demands = {
        "several claimants": len(claiming) > 1,
        "several roles claimed": len({role for _, role in claiming}) > 1,
        "several levels of roles": any("/" in role for _, role in claiming),
        "framework of several roles": any(len(framework["roles"]) > 1 for framework in case["frameworks"]),
        "suppressed role": any(framework["suppressed"] for framework in case["frameworks"]),
        "framework not active": not all(framework["active"] for framework in case["frameworks"]),
        "agent not active or not whitelisted": not all(agent["active"] and agent["whitelisted"] for agent in case["agents"]),
        "not all agents visited": len(case["visit"]["fair"]) < len(case["agents"]),
        "used parts": any(agent["used"] for agent in case["agents"]),
        "weights": any(role["weight"] != 1 for role in case["roles"]),
        "guarantees": any(run.guarantees.values()),
        "limits": any(run.limits.values()),
        "filters": bool(case["filters"]),
        "reservations": any(key.role for _, key in keys),
        "reservations of nested roles": any(key.role and "/" in key.role for _, key in keys),
        "nested reservations on one agent": any(
            one == other and left.role and right.role and left.role != right.role and is_within(left.role, right.role)
            for one, left in keys
            for other, right in keys
        ),
        "gpus": any(key.name == "gpus" for _, key in keys),
        "ranges": any(key.name == "ports" for _, key in keys),
        "sets": any(key.name == "zones" for _, key in keys),
        "revocable": any(key.revocable for _, key in keys),
        "volumes": any(key.volume for _, key in keys),
        "shared volumes": any(key.shared for _, key in keys),
        "regions": bool(case["region"]),
        "constraints": any(framework["constraints"] for framework in case["frameworks"]),
        "minimum of a framework": any(framework["min_allocatable"] for framework in case["frameworks"]),
        "grants that are not the entries of used": any(
            count != entries_of_used(case, framework["id"], role)
            for framework in case["frameworks"]
            for role, count in framework["grants"].items()
        ),
        "no offer": not run.steps,
        "steps of one offer summed": len(run.steps) > len(case["offers"]),
        "undetermined by some reading": bool(case["undetermined"]),
    }
    found |= {name for name, truth in demands.items() if truth}
    found |= {f"undetermined: {name}" for name in case["undetermined"]}
    return found


class Statistics:
    def __init__(self):
        self.cases = self.offers = 0
        self.by_feature = collections.Counter()

    def add(self, case, run):
        self.cases += 1
        self.offers += len(case["offers"])
        self.by_feature.update(features(case, run))

    def print(self, where):
        print(f"cases={self.cases} offers={self.offers}", file=where)
        for name, count in sorted(self.by_feature.items(), key=lambda pair: (-pair[1], pair[0])):
            print(f"{count:8} {100 * count // self.cases:3}%  {name}", file=where)
