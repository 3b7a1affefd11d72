"""What must hold between the tables of a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rotator.errors import Problem
from rotator.mechanisms.registry import KNOWN_IDS
from rotator.model.policy import App, Policy, Release
from rotator.simulate.grammar import parse_action, parse_event, unknown_names


def cross_check(policy: Policy) -> list[Problem]:
    """Give every problem that lies between tables."""
    checks = (_names_apart, _loops, _shares, _apps, _apple, _custom, _timeline, _trust)
    return [problem for check in checks for problem in check(policy)]


def _problem(policy: Policy, path: str, message: str, **more: str) -> Problem:
    return Problem(message, file=policy.file, path=path, **more)


def _names_apart(policy: Policy) -> Iterator[Problem]:
    for name in policy.keys.keys() & policy.authorities.keys():
        yield _problem(
            policy,
            f"authorities.{name}",
            "a key has this name already",
            hint="names are unique over both tables",
        )
    for name in policy.mechanisms.keys() & set(KNOWN_IDS):
        yield _problem(policy, f"mechanisms.{name}", "this is the name of a known mechanism", hint="choose another")
    for label in policy.hosts:
        for name in policy.host_names(label):
            others = [o for o in policy.hosts if o != label and name in (o, *policy.host_names(o))]
            if others:
                yield _problem(
                    policy,
                    f"hosts.{label}.names",
                    "another host has this name",
                    value=name,
                    hint=f"hosts.{others[0]}",
                )


def _loops(policy: Policy) -> Iterator[Problem]:
    for start in policy.authorities:
        seen, waiting = {start}, list(policy.authorities[start].issued_by)
        while waiting:
            name = waiting.pop()
            if name == start:
                yield _problem(policy, f"authorities.{start}.issued_by", "goes round in a circle", value=start)
                break
            if name not in seen and name in policy.authorities:
                seen.add(name)
                waiting += policy.authorities[name].issued_by
    likes = {name: custom.like for name, custom in policy.mechanisms.items()}
    for name, like in likes.items():
        if like in likes:
            yield _problem(policy, f"mechanisms.{name}.like", "is itself not a known mechanism", value=like)


def _sums_to_one(policy: Policy, path: str, shares: Mapping[str, float]) -> Iterator[Problem]:
    total = sum(shares.values())
    if shares and abs(total - 1) > 1e-6:
        yield _problem(policy, path, "the shares do not add up to 1", value=f"{total:g}")


def _shares(policy: Policy) -> Iterator[Problem]:
    for label, host in policy.hosts.items():
        yield from _sums_to_one(policy, f"hosts.{label}.issuer_pool", host.issuer_pool)
    for name, app in policy.apps.items():
        yield from _sums_to_one(policy, f"apps.{name}.trust", app.trust)
        for index, release in enumerate(app.releases):
            yield from _sums_to_one(policy, f"apps.{name}.releases[{index}].trust", release.trust or {})


def _apps(policy: Policy) -> Iterator[Problem]:
    for name, app in policy.apps.items():
        if policy.fleet and (app.clients is not None or any(r.clients is not None for r in app.releases)):
            yield _problem(
                policy, f"apps.{name}", "counts stand here and in the fleet file", hint="keep one of the two"
            )
        yield from _mechanism_keys(policy, f"apps.{name}", app.mechanism, app)
        yield from _trust_counts(policy, f"apps.{name}", app.trust, app.clients)
        for index, release in enumerate(app.releases):
            path = f"apps.{name}.releases[{index}]"
            yield from _mechanism_keys(policy, path, release.mechanism or app.mechanism, release)
            trust = app.trust if release.trust is None else release.trust
            yield from _trust_counts(policy, path, trust, release.clients)
        versions = {v for r in app.releases for v in (r.version, *r.also)}
        for index, floor in enumerate(app.floors):
            if app.releases and floor.version not in versions:
                yield _problem(
                    policy,
                    f"apps.{name}.floors[{index}].version",
                    "no release has this version",
                    value=floor.version,
                )


def _mechanism_keys(policy: Policy, path: str, mechanisms: tuple[str, ...], owner: App | Release) -> Iterator[Problem]:
    for field, table in (("pinset", owner.pinset or {}), ("config", owner.config or {})):
        for mechanism in table:
            if mechanism and mechanism not in mechanisms:
                yield _problem(
                    policy,
                    f"{path}.{field}.{mechanism}",
                    "the app does not use this mechanism",
                    hint="it uses " + ", ".join(mechanisms),
                )
    if "" in (owner.config or {}) and len(mechanisms) > 1:
        yield _problem(
            policy,
            f"{path}.config",
            "one file for several mechanisms",
            expected="{ " + ", ".join(f'{mechanism} = "..."' for mechanism in mechanisms) + " }",
        )


def _trust_counts(policy: Policy, path: str, trust: Mapping[str, float], clients: object) -> Iterator[Problem]:
    if isinstance(clients, Mapping):
        for name in clients:
            if name not in trust:
                yield _problem(
                    policy,
                    f"{path}.clients.{name}",
                    "the app has no clients with this trust store",
                    hint="add it to trust",
                )


def _apple(policy: Policy) -> Iterator[Problem]:
    apple = {"apple-ats", *(n for n, custom in policy.mechanisms.items() if custom.like == "apple-ats")}
    for name, pinset in policy.pinsets.items():
        if not (pinset.keys and pinset.authorities) or pinset.combine == "leaf-and-ca":
            continue
        for app in policy.apps.values():
            releases = app.releases or (None,)
            for release in releases:
                mechanisms = (release and release.mechanism) or app.mechanism
                table = app.pinset if release is None or release.pinset is None else release.pinset
                if any(m in apple and table.get(m, table.get("")) == name for m in mechanisms):
                    yield _problem(
                        policy,
                        f"pinsets.{name}",
                        "Apple demands one of the keys and one of the authorities at once",
                        expected='combine = "leaf-and-ca", or keys and authorities in pinsets of their own',
                    )
                    break
            else:
                continue
            break


def _custom(policy: Policy) -> Iterator[Problem]:
    for name, custom in policy.mechanisms.items():
        if custom.runtime and custom.like != "okhttp":
            yield _problem(policy, f"mechanisms.{name}.runtime", "only okhttp has a runtime", value=custom.runtime)


def _timeline(policy: Policy) -> Iterator[Problem]:
    tables = [
        ("calendar", policy.calendar),
        *((f"scenarios.{n}", rows) for n, rows in policy.scenarios.items()),
    ]
    for table, rows in tables:
        for index, row in enumerate(rows):
            occurrence = parse_event(row.event) if row.event else parse_action(row.action or "")
            field = "event" if row.event else "action"
            for problem in unknown_names(occurrence, policy):
                yield _problem(
                    policy,
                    f"{table}[{index}].{field}",
                    problem.message,
                    value=problem.value or "",
                    expected=problem.expected,
                    hint=problem.hint,
                )


def _trust(policy: Policy) -> Iterator[Problem]:
    for name, trust in policy.trust.items():
        if trust.intercepted_by and trust.intercepted_by not in (*trust.local_roots, *_listed(trust.roots)):
            yield _problem(
                policy,
                f"trust.{name}.intercepted_by",
                "clients do not trust the proxy's root",
                value=trust.intercepted_by,
                hint="list it in local_roots",
            )


def _listed(roots: tuple[str, ...] | str | None) -> tuple[str, ...]:
    return roots if isinstance(roots, tuple) else ()
