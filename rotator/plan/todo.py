"""What is to do in an emergency, each with the latest time at which it has to have begun."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.model.when import DAY, HOUR, plus, start_of
from rotator.plan.alarm import Emergency, Suspected, Todo
from rotator.plan.choices import ISSUANCE, MARGIN, NEW_KEY
from rotator.plan.responding import Responding
from rotator.simulate.question import Picture


def todo_of(picture: Picture, answer: Emergency) -> Iterator[Todo]:
    """Give what has to be done, each with the latest time at which it has to have begun."""
    alarm, now = answer.alarm, answer.now
    best = answer.best
    if best is None:
        yield from _todo_reissue(answer)
        return
    response, key = best.weighed.response, alarm.key
    if not alarm.from_ca and alarm.chains:
        yield Todo(latest=now, what="have the CA revoke; its clock starts when it is told", undo="none: it is final")
    if answer.alarm.suspected is Suspected.UNKNOWN:
        latest = plus(response.swap or answer.ends, -ISSUANCE)
        yield Todo(latest=latest, what="find out whether the key is out: if surely not, reissue", undo="-")
    if response.swap is not None:
        choices = Responding(picture, answer, ()).choices
        lead = choices.lead(response.target)
        what = (
            "make a key and order its certificate" if response.target == NEW_KEY else _order(picture, response.target)
        )
        if lead:
            latest = plus(response.swap, -lead - HOUR)
            yield Todo(
                latest=max(now, latest),
                what=f"{what}; check CAA and the account first",
                undo="leave it unused",
            )
        yield Todo(
            latest=max(now, plus(response.swap, -HOUR)),
            what=f"serve {response.target} in one place and look at it (rotator observe)",
            undo="the old chain there",
        )
        until = f"the old chain, until {answer.ends:%d %b %H:%MZ}" if alarm.chains else "the old chain"
        hosts = ", ".join(alarm.hosts)
        yield Todo(latest=response.swap, what=f"serve {response.target} on {hosts}, in all places", undo=until)
        yield Todo(
            latest=plus(response.swap, HOUR),
            what=f"watch pin failures: up to {short(best.weighed.worst.high or 0)} users, of the versions above",
            undo="-",
        )
    for action in response.occurrences:
        if action.id == "floor":
            app, version = action.parts
            yield Todo(latest=action.at or now, what=f"raise the floor of {app} to {version}", undo="lower it again")
    for own in response.published:
        what = f"without {key}" if own.pins.drop else f"with {response.target} beside {key}"
        undo = "publish the old ones again"
        yield Todo(latest=max(now, own.at), what=f"publish the live pins of {own.app} {what}", undo=undo)
    for build in response.releases:
        review = picture.policy.apps[build.app].review_days
        days = picture.policy.limits.review_days if review is None else review
        yield Todo(
            latest=max(now, plus(build.at, -days * DAY)),
            what=f"hand in {build.app} {build.version} without {key}",
            undo="halt the roll-out",
        )
    for name, release in Responding(picture, answer, ()).choices.coming() if response.releases else ():
        eve = start_of(release.released) - DAY if release.released is not None else now
        what = f"take {key} out of {name} {release.version} before it goes out"
        yield Todo(latest=max(now, eve), what=what, undo="-")
    yield Todo(
        latest=answer.ends,
        what=f'set `status = "compromised"` for {key} in the policy, and make a new backup',
        undo="-",
    )


def _order(picture: Picture, target: str) -> str:
    if target in picture.policy.keys:
        ready = " (its request is there)" if picture.policy.keys[target].csr else ""
        return f"order a certificate for {target}{ready}"
    return f"order the certificate of {target}"


def _todo_reissue(answer: Emergency) -> Iterator[Todo]:
    """Give what has to be done where the key is sound."""
    if not answer.alarm.hosts:
        return
    what = answer.alarm.key or "the same key"
    yield Todo(
        latest=max(answer.now, plus(answer.ends, -MARGIN - 2 * HOUR)),
        what=f"order a certificate for {what} from the same issuer; check CAA and the account first",
        undo="leave it unused",
    )
    yield Todo(
        latest=max(answer.now, plus(answer.ends, -MARGIN)),
        what=f"serve it on {', '.join(answer.alarm.hosts)}, in all places",
        undo=f"the old chain, until {answer.ends:%d %b %H:%MZ}",
    )


def short(value: int) -> str:
    """Write a number in few characters: thousands and millions where it has them."""
    size = abs(value)
    for unit, of in ((" M", 1_000_000), (" k", 1_000)):
        if size >= 10 * of or (of > 1_000 and size >= of):
            return f"{value / of:.{1 if size < 100 * of else 0}f}{unit}"
    return f"{value:,}"
