#!/usr/bin/env python3
"""The reference agrees with the cases worked by hand and keeps what any allocation run must keep.

The properties are checked by a replay that knows bags and the case format but none of the decisions of the reference. That
the checks can fail is itself tested: spoiled results must be found, and a reference with one rule broken must differ in a
case worked by hand.
ALLOCATION_CASES and ALLOCATION_SEED in the environment say how many random cases are made, from which seed.
"""

import collections
import copy
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import reference
from bags import bag_of, contains, is_regular, is_within, minus, plus, quantities, quantities_of, scalars, top_of
from case_format import complete, constraint_holds

HERE = pathlib.Path(__file__).parent
HAND_CASES = sorted((HERE / "cases").glob("*.json"))
COUNT = int(os.environ.get("ALLOCATION_CASES", "150"))
SEED = int(os.environ.get("ALLOCATION_SEED", "1"))


def rows(offers):
    return [(offer["framework"], offer["role"], offer["agent"], bag_of(offer["resources"])) for offer in offers]


def differs_from_hand(path, run_class):
    case = json.loads(path.read_text())
    run = run_class(complete(case)).run()
    return [(*triple, bag) for triple, bag in run.offers().items()] != rows(case["offers"])


class Replay:
    """Takes the steps of a solved case one by one and notes what is wrong with them."""

    def __init__(self, case):
        self.case = case
        self.agents = {agent["id"]: agent for agent in case["agents"]}
        self.frameworks = {framework["id"]: framework for framework in case["frameworks"]}
        self.quota = {role["name"]: role["quota"] for role in case["roles"]}
        # Who holds what: (agent, role, bag)
        self.held = [
            (agent["id"], used["role"], bag_of(used["resources"]))
            for agent in case["agents"]
            for used in agent["used"]
        ]
        self.offered_volumes = set()
        self.wrong = []

    def left(self, agent):
        left = bag_of(self.agents[agent]["resources"])
        for where, _, bag in self.held:
            if where == agent:
                left = minus(left, {key: value for key, value in bag.items() if not key.shared})
        return left

    def consumed(self, top):
        amounts = collections.Counter()
        for agent in self.agents.values():
            amounts.update(scalars(bag_of(agent["resources"]), lambda key, _: key.role and top_of(key.role) == top))
        for _, role, bag in self.held:
            if top_of(role) == top:
                amounts.update(scalars(bag, lambda key, _: key.role is None and not key.revocable))
        return amounts

    def missing(self, top):
        consumed = self.consumed(top)
        wanted = quantities_of(self.quota.get(top, {}).get("guarantees", ""))
        return {name: max(0, value - consumed[name]) for name, value in wanted.items()}

    def required(self):
        amounts = collections.Counter()
        for top in self.quota:
            amounts.update(self.missing(top) if "/" not in top else {})
        return amounts

    def available(self):
        """total - held - reservations nobody holds - revocable nobody holds, each summed on its own."""
        amounts = collections.Counter()
        for agent in self.agents:
            total, volumes = bag_of(self.agents[agent]["resources"]), set()
            amounts.update(scalars(total))
            for where, _, bag in self.held:
                if where == agent:
                    amounts.subtract(scalars({key: value for key, value in bag.items() if key not in volumes}))
                    volumes |= {key for key in bag if key.shared}
            unheld = {key: value for key, value in self.left(agent).items() if key not in volumes}
            amounts.subtract(scalars(unheld, lambda key, _: key.role is not None))
            amounts.subtract(scalars(unheld, lambda key, _: key.revocable))
        return amounts

    def is_visible(self, framework, role, agent):
        has = framework["capabilities"]
        if self.case["gpus_scarce"] and "GPU_RESOURCES" not in has and "gpus:" in agent["resources"].replace("(", ":"):
            return False
        regions = {agent["region"], self.case["region"]}
        if "REGION_AWARE" not in has and len(regions) == 2 and "" not in regions:
            return False
        groups = framework["constraints"].get(role)
        return groups is None or any(all(constraint_holds(self.case, agent, one) for one in group) for group in groups)

    def is_enough(self, framework, role, bag):
        sets = framework["min_allocatable"].get(role, self.case["min_allocatable"])
        has = quantities(bag)
        suffices = [all(has[name] >= value for name, value in quantities_of(one).items()) for one in sets]
        return bool(bag) and (not sets or any(suffices))

    def is_refused(self, framework, role, agent, bag):
        whose = {"framework": framework["id"], "role": role, "agent": agent}
        filters = [one for one in self.case["filters"] if whose.items() <= one.items()]
        return any(contains(bag_of(one["resources"]), bag) for one in filters)

    def can_take(self, framework, role, key):
        return (
            (key.role is None or is_within(role, key.role))
            and (not key.revocable or "REVOCABLE_RESOURCES" in framework["capabilities"])
            and (not key.shared or "SHARED_RESOURCES" in framework["capabilities"])
        )

    def expect(self, truth, what, step):
        if not truth:
            self.wrong.append(f"{what}: {step}")

    def step(self, step):
        agent, framework, role = self.agents[step["agent"]], self.frameworks[step["framework"]], step["role"]
        bag, left = bag_of(step["resources"]), self.left(step["agent"])
        self.expect(agent["active"] and agent["whitelisted"], "an agent that is not offered", step)
        self.expect(step["agent"] in self.case["visit"][step["stage"]], "an agent that is not visited", step)
        self.expect(framework["active"] and role in framework["roles"], "a framework that claims nothing", step)
        self.expect(role not in framework["suppressed"], "a suppressed role", step)
        self.expect(contains(left, bag), "more than is free", step)
        self.expect(all(self.can_take(framework, role, key) for key in bag), "not for this role or framework", step)
        self.expect(self.is_visible(framework, role, agent), "a hidden agent", step)
        self.expect(self.is_enough(framework, role, bag), "below the minimum", step)
        self.expect(not self.is_refused(framework, role, step["agent"], bag), "refused resources", step)
        volumes = {(step["agent"], key) for key in bag if key.shared}
        self.expect(not volumes & self.offered_volumes, "a shared volume twice", step)
        self.offered_volumes |= volumes

        taken = scalars(bag, lambda key, _: key.role is None and not key.revocable)
        missing = self.missing(role) if step["stage"] == "quota" else {}
        if step["stage"] == "quota":
            self.expect(any(missing.get(name, 0) for name in taken), "nothing for the guarantee in the quota stage", step)
        self.held.append((step["agent"], role, bag))
        limits = quantities_of(self.quota.get(top_of(role), {}).get("limits", ""))
        consumed, available, required = self.consumed(top_of(role)), self.available(), self.required()
        for name in taken:
            self.expect(consumed[name] <= limits.get(name, consumed[name]), f"above the limit of {name}", step)
            is_owed = taken[name] <= missing.get(name, 0)
            self.expect(is_owed or available[name] >= required[name], f"into the headroom of {name}", step)

    def nothing_left(self):
        """Without quota, whoever may take something of a visited agent has been offered it."""
        if any(quota["guarantees"] or quota["limits"] for quota in self.quota.values()):
            return
        for identity in self.case["visit"]["fair"]:
            agent = self.agents[identity]
            for framework in self.case["frameworks"] if agent["active"] and agent["whitelisted"] else []:
                for role in set(framework["roles"]) - set(framework["suppressed"]) if framework["active"] else []:
                    bag = {
                        key: value
                        for key, value in self.left(identity).items()
                        if self.can_take(framework, role, key) and (identity, key) not in self.offered_volumes
                    }
                    can = self.is_visible(framework, role, agent) and self.is_enough(framework, role, bag)
                    can = can and not self.is_refused(framework, role, identity, bag)
                    self.expect(not can, "left though it could be taken", (role, identity, bag))

    def offers_are_the_steps(self):
        summed = {}
        for step in self.case["steps"]:
            triple = (step["framework"], step["role"], step["agent"])
            summed[triple] = plus(summed.get(triple, {}), bag_of(step["resources"]))
        of_steps = [(*triple, bag) for triple, bag in summed.items()]
        self.expect(rows(self.case["offers"]) == of_steps, "offers are not the steps", "")

    def nothing_lost(self):
        """What is free, what was used and what was offered are together what the agent has."""
        for identity, agent in self.agents.items():
            total = self.left(identity)
            for where, _, bag in self.held:
                if where == identity:
                    total = plus(total, bag)
            self.expect(total == bag_of(agent["resources"]), "the sum is not the agent", identity)


def violations(case):
    replay = Replay(case)
    for step in case["steps"]:
        replay.step(step)
    replay.nothing_left()
    replay.offers_are_the_steps()
    replay.nothing_lost()
    return replay.wrong


# Each breaks one rule of the reference, in the words of the rule it breaks.


class NoWeights(reference.Run):
    def share(self, is_chosen, weight=Fraction(1)):
        return super().share(is_chosen)


class SumOfShares(reference.Run):
    def share(self, is_chosen, weight=Fraction(1)):
        held = self.held_scalars(is_chosen)
        return sum(Fraction(held[name], total) for name, total in self.cluster_total.items() if total) / weight


class NoGrants(reference.Run):
    def grants(self, is_chosen):
        return 0


class FlatRoles(reference.Run):
    def roles_in_order(self, parent=None):
        nodes = []
        claims = [(framework, role) for framework in self.frameworks.values() for role in framework["roles"]]
        for role in {role for framework, role in claims if self.claims(framework, role)}:
            itself = lambda _, other, role=role: other == role
            nodes.append((self.share(itself, self.weights.get(role, Fraction(1))), self.grants(itself), role, role))
        return [role for *_, role in self.in_order(nodes)]


class SuppressedAsOthers(reference.Run):
    def claims(self, framework, role):
        return framework["active"] and role in framework["roles"]


class SuppressedInEachRole(reference.Run):
    def claims(self, framework, role):
        return super().claims(framework, role) and not framework["suppressed"]


class NoHeadroom(reference.Run):
    def surplus(self, name):
        return self.available_headroom()[name]


class HeadroomOfTheVisited(reference.Run):
    def available_headroom(self):
        visible = [agent["id"] for agent in self.case["agents"] if agent["active"] and agent["whitelisted"]]
        return sum((scalars(self.free(agent), is_regular) for agent in visible), collections.Counter())


class ReservationsInTheHeadroom(reference.Run):
    def available_headroom(self):
        return sum((scalars(self.free(agent)) for agent in self.agents), collections.Counter())


class NoLimits(reference.Run):
    def limit_left(self, role, name):
        return None


class ReservationsConsumeNothing(reference.Run):
    def consumed(self, top):
        held = [scalars(bag, is_regular) for _, _, role, bag in self.holdings if is_within(role, top)]
        return sum(held, collections.Counter())


class ConsumptionWithoutDescendants(reference.Run):
    def consumed(self, top):
        held = [scalars(bag, is_regular) for _, _, role, bag in self.holdings if role == top]
        return sum(held, collections.Counter())


class NoQuotaStage(reference.Run):
    def bundle(self, stage, framework, role, agent):
        return {} if stage == "quota" else super().bundle(stage, framework, role, agent)


class NoFilters(reference.Run):
    def is_refused(self, framework, role, agent, bag):
        return False


class AnyFilter(reference.Run):
    def is_refused(self, framework, role, agent, bag):
        return any(held[:3] == (framework["id"], role, agent) for held in self.filters)


class FiltersByQuantity(reference.Run):
    def is_refused(self, framework, role, agent, bag):
        refused = [quantities(held[3]) for held in self.filters if held[:3] == (framework["id"], role, agent)]
        return any(all(what[name] >= value for name, value in quantities(bag).items()) for what in refused)


class NoMinimum(reference.Run):
    def is_enough(self, framework, role, bag):
        return True


class OnlyTheMinimumOfTheCluster(reference.Run):
    def is_enough(self, framework, role, bag):
        return super().is_enough({"min_allocatable": {}}, role, bag)


class NothingHidden(reference.Run):
    def hidden(self, framework, role, agent):
        return False


class AllCapabilities(reference.Run):
    def may_have(self, framework, role, agent):
        every = framework["capabilities"] + ["REVOCABLE_RESOURCES", "SHARED_RESOURCES"]
        return super().may_have({**framework, "capabilities": every}, role, agent)


class OnlyOwnReservations(reference.Run):
    def may_have(self, framework, role, agent):
        return {key: value for key, value in super().may_have(framework, role, agent).items() if key.role in (None, role)}


class SharesOfAllRoles(reference.Run):
    def frameworks_in_order(self, role):
        nodes = []
        for identity, framework in self.frameworks.items():
            if self.claims(framework, role):
                chosen = lambda whose, _, identity=identity: whose == identity
                nodes.append((self.share(chosen), self.grants(chosen), identity, identity))
        return [identity for *_, identity in self.in_order(nodes)]


class UsedVolumesAreGone(reference.Run):
    def free(self, agent):
        rest = self.total[agent]
        for where, _, _, bag in self.holdings:
            rest = minus(rest, bag) if where == agent else rest
        return rest


BROKEN = [thing for thing in list(globals().values()) if isinstance(thing, type) and reference.Run in thing.__bases__]


# Each spoils a result; the properties must notice.


def more_than_there_is(case):
    case["steps"][0]["resources"] = case["offers"][0]["resources"] = "cpus:1000"


def a_step_twice(case):
    case["steps"].append(copy.deepcopy(case["steps"][0]))


def an_offer_lost(case):
    del case["offers"][-1]


def a_step_lost(case):
    del case["steps"][-1]
    del case["offers"][-1]


def taker_suppressed(case):
    taker = next(one for one in case["frameworks"] if one["id"] == case["steps"][0]["framework"])
    taker["suppressed"] = taker["roles"]


def agent_not_active(case):
    next(one for one in case["agents"] if one["id"] == case["steps"][0]["agent"])["active"] = False


def all_refused(case):
    case["filters"].append({key: case["steps"][0][key] for key in ("framework", "role", "agent", "resources")})


def nothing_suffices(case):
    case["min_allocatable"] = ["cpus:1000"]
    for framework in case["frameworks"]:
        framework["min_allocatable"] = {}


def limit_of_nothing(case):
    top = top_of(case["steps"][0]["role"])
    case["roles"] = [role for role in case["roles"] if role["name"] != top]
    case["roles"].append({"name": top, "weight": 1, "quota": {"guarantees": "", "limits": "cpus:0;mem:0"}})


def all_is_guaranteed_to_another(case):
    case["roles"].append({"name": "another", "weight": 1, "quota": {"guarantees": "cpus:1000;mem:1000000", "limits": ""}})


SPOILERS = (
    more_than_there_is, a_step_twice, an_offer_lost, a_step_lost, taker_suppressed, agent_not_active, all_refused,
    nothing_suffices, limit_of_nothing, all_is_guaranteed_to_another,
)  # fmt: skip


class ReferenceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.solved = list(reference.generated(SEED, COUNT))
        cls.cases = [case for case, _ in cls.solved]

    def test_agrees_with_the_cases_worked_by_hand(self):
        self.assertGreaterEqual(len(HAND_CASES), 30)
        for path in HAND_CASES:
            with self.subTest(path.stem):
                case = json.loads(path.read_text())
                self.assertTrue(case["why"])
                solved, _ = reference.solved(case)
                self.assertEqual(rows(solved["offers"]), rows(case["offers"]))
                self.assertEqual(violations(solved), [])

    def test_keeps_the_properties_in_random_cases(self):
        for case in self.cases:
            with self.subTest(case["name"]):
                self.assertEqual(violations(case), [], json.dumps(case, default=float))

    def test_the_order_of_the_lists_of_a_case_does_not_matter(self):
        for case in self.cases:
            with self.subTest(case["name"]):
                shuffled = copy.deepcopy(case)
                for field in ("agents", "frameworks", "roles", "filters"):
                    random.Random(case["name"]).shuffle(shuffled[field])
                self.assertEqual(reference.solved(shuffled)[0]["steps"], case["steps"])

    def test_one_seed_makes_the_same_cases(self):
        again = [case for case, _ in reference.generated(SEED, 10)]
        self.assertEqual(again, self.cases[:10])
        other = [case for case, _ in reference.generated(SEED + 1, 10)]
        self.assertNotEqual([case["agents"] for case in other], [case["agents"] for case in again])

    def test_what_the_program_generates_it_solves_alike(self):
        program = [sys.executable, str(HERE / "reference.py")]
        as_text = {"capture_output": True, "text": True, "check": True}
        made = subprocess.run(program + ["generate", "--seed", "7", "--count", "5"], **as_text).stdout
        self.assertEqual(len(made.splitlines()), 5)
        solved = subprocess.run(program + ["solve"], input=made, **as_text).stdout
        self.assertEqual(solved, made)

    def test_a_case_that_contradicts_itself_is_refused(self):
        for spoil in (
            {"used": [{"framework": "f1", "role": "a", "resources": "cpus:2"}]},
            {"used": [{"framework": "f1", "role": "b", "resources": "cpus:1"}]},
            {"resources": "cpus:[1-2];cpus(a):1"},
            {"resources": "cpus"},
            {"resources": "cpus:many"},
        ):
            with self.subTest(spoil):
                agent = {"id": "n1", "resources": "cpus:1", **spoil}
                visit = {"quota": ["n1"], "fair": ["n1"]}
                case = {"agents": [agent], "frameworks": [{"id": "f1", "roles": ["a"]}], "visit": visit}
                with self.assertRaises(ValueError):
                    complete(case)

    def test_spoiled_results_are_found(self):
        for spoil in SPOILERS:
            with self.subTest(spoil.__name__):
                found = 0
                for case in self.cases:
                    if case["steps"]:
                        spoiled = copy.deepcopy(case)
                        spoil(spoiled)
                        found += bool(violations(spoiled))
                self.assertGreater(found, 0)

    def test_each_broken_rule_differs_in_a_case_worked_by_hand(self):
        self.assertGreater(len(BROKEN), 20)
        for broken in BROKEN:
            with self.subTest(broken.__name__):
                self.assertTrue(any(differs_from_hand(path, broken) for path in HAND_CASES))

    def test_many_random_cases_have_what_is_hard(self):
        statistics = reference.Statistics()
        for case, run in self.solved:
            statistics.add(case, run)
        for feature, percent in (
            ("several claimants", 70), ("offer in the quota stage", 16), ("chopped by the headroom", 15),
            ("chopped by a limit", 8), ("held back by a filter", 14), ("a filter does not contain the bundle", 8),
            ("tie of shares and grants, the name decides", 25), ("tie of shares, grants decide", 11),
            ("nested reservations on one agent", 4), ("several takers of one agent", 12),
        ):  # fmt: skip
            with self.subTest(feature):
                self.assertGreaterEqual(100 * statistics.by_feature[feature], percent * len(self.cases))


if __name__ == "__main__":
    unittest.main()
