#!/usr/bin/env python3
"""What one allocation run offers, computed in the simplest way.

A case is a small cluster as JSON (README.md has the format). `solve` fills in the offers of one run of the hierarchical
weighted DRF policy in whole-agent mode; `generate` makes random cases with their offers. Every quantity is computed from
the case and the list of holdings each time it is asked for; shares are exact fractions, scalars are thousandths.
"""

import argparse
import collections
import decimal
import json
import sys
from fractions import Fraction

from bags import bag_of, bag_text, contains, is_regular, is_within, minus, plus, quantities, quantities_of, scalars, top_of
from case_format import STAGES, complete, constraint_holds
from random_cases import FEATURES, Statistics, random_case

# Where the behaviour is not said to the last detail the reference takes one reading; these are the other ones. A case whose
# offers differ under one of them names it in `undetermined`.
OTHER_READINGS = {
    "descendants": "descendants of a guaranteed role take part in the quota stage, by the guarantee of their tree",
    "required-kept": "grants of the fair stage do not lower the required headroom",
    "dot-weight": "the leaf '.' weighs what its role weighs, not 1",
    "doubles": "shares are doubles, not exact fractions",
}


class Run:
    def __init__(self, case, reading=None):
        self.case = case
        self.reading = reading
        self.agents = {agent["id"]: agent for agent in case["agents"]}
        self.total = {agent["id"]: bag_of(agent["resources"]) for agent in case["agents"]}
        self.cluster_total = sum((scalars(bag) for bag in self.total.values()), collections.Counter())
        self.frameworks = {framework["id"]: framework for framework in case["frameworks"]}
        self.weights = {role["name"]: Fraction(role["weight"]) for role in case["roles"]}
        self.guarantees = {role["name"]: quantities_of(role["quota"]["guarantees"]) for role in case["roles"]}
        self.limits = {role["name"]: quantities_of(role["quota"]["limits"]) for role in case["roles"]}
        self.filters = [
            (refused["framework"], refused["role"], refused["agent"], bag_of(refused["resources"]))
            for refused in case["filters"]
        ]
        # Who holds what: (agent, framework, role, bag). What is offered is held.
        self.holdings = [
            (agent["id"], used["framework"], used["role"], bag_of(used["resources"]))
            for agent in case["agents"]
            for used in agent["used"]
        ]
        self.steps = []  # (stage, framework, role, agent, bag), in the order made
        self.required_kept = None
        self.seen = set()  # what happened in this run, for the statistics

    # What there is

    def free(self, agent):
        """What nobody holds; a shared volume is free also while it is held."""
        rest = self.total[agent]
        for where, _, _, bag in self.holdings:
            if where == agent:
                rest = minus(rest, {key: value for key, value in bag.items() if not key.shared})
        return rest

    def held_scalars(self, is_chosen):
        """Scalars of the chosen holdings, a shared volume of an agent once."""
        by_agent = {}
        for agent, framework, role, bag in self.holdings:
            if is_chosen(framework, role):
                by_agent[agent] = plus(by_agent.get(agent, {}), bag)
        return sum((scalars(bag) for bag in by_agent.values()), collections.Counter())

    # Who is first

    def share(self, is_chosen, weight=Fraction(1)):
        held, total = self.held_scalars(is_chosen), self.cluster_total
        names = [name for name in total if total[name] > 0 and name not in self.case["fairness_excluded"]]
        if self.reading == "doubles":
            return max((held[name] / total[name] for name in names), default=0.0) / float(weight)
        return max((Fraction(held[name], total[name]) for name in names), default=Fraction(0)) / weight

    def grants(self, is_chosen):
        """How many allocations were made: those before this run and its steps."""
        before = sum(
            count
            for framework in self.frameworks.values()
            for role, count in framework["grants"].items()
            if is_chosen(framework["id"], role)
        )
        return before + sum(is_chosen(framework, role) for _, framework, role, _, _ in self.steps)

    def in_order(self, nodes):
        """nodes are (share, grants, name, what); the smaller is the earlier."""
        ordered = sorted(nodes, key=lambda node: node[:3])
        for left, right in zip(ordered, ordered[1:]):
            if left[0] == right[0]:
                self.seen.add(
                    "tie of shares, grants decide" if left[1] != right[1] else "tie of shares and grants, the name decides"
                )
        return ordered

    def claims(self, framework, role):
        return framework["active"] and role in framework["roles"] and role not in framework["suppressed"]

    def roles_in_order(self, parent=None):
        """Pre-order listing of the roles somebody claims in, each level sorted."""
        claimed = {
            role
            for framework in self.frameworks.values()
            for role in framework["roles"]
            if self.claims(framework, role)
        }
        nodes = []
        depth = len(parent.split("/")) if parent else 0
        below = {role for role in claimed if not parent or (role != parent and is_within(role, parent))}
        for child in {"/".join(role.split("/")[: depth + 1]) for role in below}:
            in_tree = lambda _, role, child=child: is_within(role, child)
            share = self.share(in_tree, self.weights.get(child, Fraction(1)))
            nodes.append((share, self.grants(in_tree), child.split("/")[-1], child))
        if parent in claimed:
            itself = lambda _, role: role == parent
            weight = self.weights.get(parent, Fraction(1)) if self.reading == "dot-weight" else Fraction(1)
            nodes.append((self.share(itself, weight), self.grants(itself), ".", None))
        listing = []
        for _, _, _, child in self.in_order(nodes):
            listing += [parent] if child is None else self.roles_in_order(child)
        return listing

    def frameworks_in_order(self, role):
        nodes = []
        for identity, framework in self.frameworks.items():
            if self.claims(framework, role):
                chosen = lambda whose, where, identity=identity: whose == identity and where == role
                nodes.append((self.share(chosen), self.grants(chosen), identity, identity))
        return [identity for _, _, _, identity in self.in_order(nodes)]

    # Quota

    def consumed(self, top):
        """Reservations of the tree, whether somebody holds them or not, and what it holds of the unreserved; no revocable."""
        reserved = sum(
            (scalars(bag, lambda key, _: key.role and is_within(key.role, top)) for bag in self.total.values()),
            collections.Counter(),
        )
        held = [scalars(bag, is_regular) for _, _, role, bag in self.holdings if is_within(role, top)]
        return sum(held, reserved)

    def missing(self, role):
        """What the guarantee lacks. Only top-level roles have one."""
        if self.reading == "descendants":
            role = top_of(role)
        guarantees = self.guarantees.get(role, {})
        consumed = self.consumed(role) if guarantees else {}
        return {name: value - consumed[name] for name, value in guarantees.items() if value > consumed[name]}

    def limit_left(self, role, name):
        """What the limit of the tree leaves of a name; None if there is no limit."""
        limit = self.limits.get(top_of(role), {}).get(name)
        return None if limit is None else max(0, limit - self.consumed(top_of(role))[name])

    def required_headroom(self):
        if self.required_kept is not None:
            return self.required_kept
        tops = [role for role in self.guarantees if "/" not in role]
        return sum((collections.Counter(self.missing(top)) for top in tops), collections.Counter())

    def available_headroom(self):
        """total - held - reservations nobody holds - revocable nobody holds: what is free, unreserved and regular anywhere."""
        return sum((scalars(self.free(agent), is_regular) for agent in self.agents), collections.Counter())

    def surplus(self, name):
        return max(0, self.available_headroom()[name] - self.required_headroom()[name])

    # One claimant at one agent

    def hidden(self, framework, role, agent):
        capabilities = framework["capabilities"]
        if self.case["gpus_scarce"] and scalars(self.total[agent["id"]])["gpus"] > 0 and "GPU_RESOURCES" not in capabilities:
            self.seen.add("hidden: gpus")
            return True
        is_remote = agent["region"] and self.case["region"] and agent["region"] != self.case["region"]
        if is_remote and "REGION_AWARE" not in capabilities:
            self.seen.add("hidden: region")
            return True
        groups = framework["constraints"].get(role)
        if groups is not None and not any(all(constraint_holds(self.case, agent, one) for one in group) for group in groups):
            self.seen.add("hidden: constraints")
            return True
        return False

    def may_have(self, framework, role, agent):
        """What is free on the agent, allocatable to the role and of a kind the framework can take."""
        may = {}
        for key, value in self.free(agent).items():
            if key.role is not None and not is_within(role, key.role):
                continue
            if key.revocable and "REVOCABLE_RESOURCES" not in framework["capabilities"]:
                self.seen.add("stripped: revocable")
                continue
            if key.shared and "SHARED_RESOURCES" not in framework["capabilities"]:
                self.seen.add("stripped: shared")
                continue
            if key.shared and any(where == agent and key in bag for _, _, _, where, bag in self.steps):
                self.seen.add("shared volume was offered in this run")
                continue
            may[key] = value
        return may

    def bundle(self, stage, framework, role, agent):
        may = self.may_have(framework, role, agent)
        missing = self.missing(role) if stage == "quota" else {}
        regular = {key: value for key, value in may.items() if is_regular(key, value)}
        if stage == "quota" and not any(key.name in missing for key in regular):
            return {}
        chosen = {key: value for key, value in may.items() if key not in regular}
        for key, value in regular.items():
            for_guarantee = min(value, missing.get(key.name, 0))
            extra = value - for_guarantee
            limit_left = self.limit_left(role, key.name)
            if limit_left is not None and limit_left - for_guarantee < extra:
                self.seen.add("chopped by a limit")
                extra = limit_left - for_guarantee
            if self.surplus(key.name) < extra:
                self.seen.add("chopped by the headroom")
                extra = self.surplus(key.name)
            if for_guarantee + extra:
                chosen[key] = for_guarantee + extra
        return chosen

    def is_enough(self, framework, role, bag):
        minimum = framework["min_allocatable"].get(role, self.case["min_allocatable"])
        has = quantities(bag)
        sets = [quantities_of(text) for text in minimum]
        return not sets or any(all(has[name] >= value for name, value in wanted.items()) for wanted in sets)

    def is_refused(self, framework, role, agent, bag):
        """Whether one filter contains all of the bag; filters are not summed."""
        refused = [what for whose, of, where, what in self.filters if (whose, of, where) == (framework["id"], role, agent)]
        if any(contains(what, bag) for what in refused):
            self.seen.add("held back by a filter")
            return True
        if refused:
            self.seen.add("a filter does not contain the bundle")
        return False

    def take(self, stage, framework, role, agent):
        if self.hidden(framework, role, self.agents[agent]):
            return
        bag = self.bundle(stage, framework, role, agent)
        if not bag:
            return
        if not self.is_enough(framework, role, bag):
            self.seen.add("below the minimum")
            return
        if self.is_refused(framework, role, agent, bag):
            return
        if any(where == agent for _, _, _, where, _ in self.steps):
            self.seen.add("several takers of one agent")
        if any(key.role and key.role != role for key in bag):
            self.seen.add("reservation of an ancestor is offered")
        self.seen.add(f"offer in the {stage} stage")
        self.steps.append((stage, framework["id"], role, agent, bag))
        self.holdings.append((agent, framework["id"], role, bag))

    def run(self):
        for stage in STAGES:
            if stage == "fair" and self.reading == "required-kept":
                self.required_kept = self.required_headroom()
            for agent in self.case["visit"][stage]:
                if not (self.agents[agent]["active"] and self.agents[agent]["whitelisted"]):
                    continue
                for role in self.roles_in_order():
                    for identity in self.frameworks_in_order(role):
                        self.take(stage, self.frameworks[identity], role, agent)
        return self

    def offers(self):
        """The steps of one framework, role and agent are one offer, in the place of the first."""
        offers = {}
        for _, framework, role, agent, bag in self.steps:
            offers[framework, role, agent] = plus(offers.get((framework, role, agent), {}), bag)
        return offers


def solved(case, reading=None):
    """(the complete case with its offers, the run)"""
    full = complete(case)
    run = Run(full, reading).run()
    full["offers"] = [
        {"framework": framework, "role": role, "agent": agent, "resources": bag_text(bag)}
        for (framework, role, agent), bag in run.offers().items()
    ]
    full["steps"] = [
        {"stage": stage, "framework": framework, "role": role, "agent": agent, "resources": bag_text(bag)}
        for stage, framework, role, agent, bag in run.steps
    ]
    full["undetermined"] = [other for other in OTHER_READINGS if Run(full, other).run().steps != run.steps]
    return full, run


def generated(seed, count, without=(), reading=None):
    """Yields (case with its offers, its run)."""
    for number in range(count):
        yield solved(random_case(seed, number, without), reading)


def cases_in(text):
    """JSON values one after the other, on one line each or on many."""
    decoder, place = json.JSONDecoder(parse_float=decimal.Decimal), 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        case, place = decoder.raw_decode(text, place)
        yield case


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--statistics", action="store_true", help="say on standard error how many cases have which feature")
    readings = "; ".join(f"{name}: {text}" for name, text in OTHER_READINGS.items())
    common.add_argument("--reading", choices=OTHER_READINGS, help="take this other reading instead: " + readings)
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate", parents=[common], help="print random cases with their offers, one on a line")
    generate.add_argument("--seed", type=int, default=1)
    generate.add_argument("--count", type=int, default=10)
    generate.add_argument(
        "--without", action="append", default=[], choices=FEATURES, help="make no cases with this feature (may be repeated)"
    )
    commands.add_parser("solve", parents=[common], help="read cases from standard input, print them with their offers")
    chosen = parser.parse_args(arguments)

    if chosen.command == "generate":
        results = generated(chosen.seed, chosen.count, chosen.without, chosen.reading)
    else:
        results = (solved(case, chosen.reading) for case in cases_in(sys.stdin.read()))
    statistics = Statistics()
    try:
        for case, run in results:
            print(json.dumps(case, default=float))
            statistics.add(case, run)
    except (ValueError, KeyError) as failure:
        print(f"reference.py: {type(failure).__name__}: {failure}", file=sys.stderr)
        return 2
    if chosen.statistics:
        statistics.print(sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
