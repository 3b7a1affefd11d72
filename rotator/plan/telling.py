"""What the dates of a plan come from, in formulas, and who is broken and exposed around a day."""

from __future__ import annotations

from datetime import date

from rotator.plan.dating import Dated
from rotator.plan.outlook import Outlook, instant_of
from rotator.plan.planner import Draft
from rotator.plan.swap import Swap, Weighed
from rotator.plan.timing import days_to, need
from rotator.plan.values import Standing
from rotator.simulate.roads import ramp_of


def formula(draft: Draft, found: Dated) -> str:
    """Spell out what the first day to serve comes from, for the segment that is in the way."""
    weighed = found.weighed
    view = found.swap.outlook
    lacking = list(dict.fromkeys(c.app for c in found.ships.carriers))
    name = weighed.app or (lacking[0] if len(lacking) == 1 and len(draft.policy.apps) == 1 else "")
    made = next((own for own in found.ships.published if own.app == name), None)
    if made is not None and name not in lacking:
        return f"published on {made.at:%Y-%m-%d}; {made.wait:.4g} days until every client that is reached has it"
    if not name:
        return f"everybody together: {_part(weighed)}"
    curve = draft.curves[name]
    stretch, old = found.swap.new.at(view.now), found.swap.old.at(view.now)
    refused = {i: sure for i, sure in stretch.broken.items() if i not in old.broken}
    refused |= dict.fromkeys(found.swap.behind, True)
    share = view.total(view.now, refused, name, weighed.trust).share
    if share is None:
        return f"how many of {weighed.segment or name} there are is not known"
    budget = weighed.budget
    asked = need(budget, 1.0 - share)
    if asked <= 0:
        return f"{1 - share:.3f} of {weighed.segment} accept it, 1 - {budget:g} is asked for"
    text = f"need = (1 - {budget:g} - {1 - share:.3f}) / (1 - {1 - share:.3f}) = {asked:.3f} of those who lack it; "
    if not found.ships.carriers and name not in {floor.app for floor in found.floors} and _standing_still(draft, name):
        return text + "no release of theirs is to come that would move them"
    days = days_to(curve, ramp_of(draft.policy.apps[name]), asked)
    limits = draft.policy.limits
    if days is not None:
        slip = f", up to {draft.slip(name):.2g} days late" if draft.slip(name) else ""
        return (
            f"{text}a fresh sample moves that far in {days:.0f} days after reaching the store{slip}, "
            f"+ {limits.safety_days:g} safety{_chance(draft, name)}"
        )
    if found.ready is not None:
        why = "with the floor" if found.floors else "those who lack it are no fresh sample, and pins may end"
        return f"{text}the curve ends at {curve.plateau:.3f}, but {why}: enough on {found.ready}{_chance(draft, name)}"
    return f"{text}the curve ends at {curve.plateau:.3f}: never{_chance(draft, name)}"


def _standing_still(draft: Draft, name: str) -> bool:
    return not draft.policy.apps[name].releases


def _chance(draft: Draft, name: str) -> str:
    """Say with which probability that holds, where the curve is open."""
    expected = draft.expected(name)
    if draft.chance.holds is None or draft.curves[name] == expected:
        return ""
    return f" (with {draft.chance.holds:.0%} confidence; as expected the curve ends at {expected.plateau:.3f})"


def _part(weighed: Weighed) -> str:
    if weighed.broken.share is None:
        return "how many would be broken is not known"
    return f"{weighed.broken.share:.2%} would be broken, the budget is {weighed.budget:.2%}"


def standing(view: Outlook, found: Swap, day: date, *, served: bool, floors: bool) -> Standing:
    """Count who is broken and who is exposed at the start of a day, as things stand then."""
    future = found.new if served else found.waiting if floors else found.old
    broken, exposed = view.standing(instant_of(day, view.now), future)
    return Standing(broken=broken, exposed=exposed)
