"""TrustKit for Android: the platform's configuration file, with `<trustkit-config>` in its blocks.

Rules from TrustKit Android's `config/` and `PinningTrustManager`: since Android 7 the platform enforces the pins on
every connection; TrustKit speaks only on connections made with its socket factory or trust manager, where it reports
without enforcing unless `enforcePinning="true"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import nsc, nsc_edit, nsc_lint
from rotator.mechanisms.shared.splicing import Splices, indent_of, newline_of
from rotator.mechanisms.shared.xmltree import Node
from rotator.model.findings import Finding, info, warning
from rotator.model.pins import is_canonical
from rotator.model.rules import Cleartext, Expiry, Mode, Rule, Scope

VENDOR = "https://github.com/datatheorem/TrustKit-Android"
_TAG = "trustkit-config"


class _Reader(nsc.Reader):
    """Reads what TrustKit adds, and refuses what only TrustKit refuses."""

    def block(self, block: Node, inherited: nsc.Around, *, nested: nsc.Around | None) -> nsc.Around:
        """Read `enforcePinning` too; a nested block inherits it."""
        own = super().block(block, inherited, nested=nested)
        for node in block.all(_TAG):
            flag = node.attributes.get("enforcePinning")
            if flag is not None:
                own = replace(own, enforce=flag.lower() == "true")
        if own.enforce is None and nested is not None and own.pins:
            self.findings.append(
                warning(
                    "enforcement-missing",
                    f"{self.subject}: line {block.line}",
                    "enforcePinning is not given: TrustKit reports only, on its own connections",
                    'write <trustkit-config enforcePinning="true"/> into the block',
                    VENDOR,
                )
            )
        if own.enforce and nested is not None and (own.pins or own.empty_pins):
            count = len({pin for pins in own.pins[:1] for pin in pins.pins})
            if count < 2:
                raise self.reject(block, f"enforcePinning with {count} pins: TrustKit demands two and throws")
        return own

    def mode(self, own: nsc.Around) -> Mode:
        """TrustKit reports only, unless the block says otherwise."""
        return Mode.ENFORCE if own.enforce else Mode.REPORT_ONLY

    def pin_set(self, node: Node) -> tuple[tuple[PinList, ...], date | None]:
        """Give the platform's list, and TrustKit's own where a spelling can never match there."""
        for pin in node.all("pin"):
            digest = pin.attributes.get("digest")
            if digest is not None and digest != "SHA-256" and digest.upper() == "SHA-256":
                raise self.reject(pin, "a digest that TrustKit does not know: it is spelt SHA-256 exactly", digest)
        lists, expires = super().pin_set(node)
        texts = [pin.text.strip() for pin in node.all("pin")]
        dead = tuple(text for text in texts if not is_canonical(text))
        if not dead:
            return lists, expires
        alive = tuple(p for pins in lists for p, text in zip(pins.pins, texts, strict=True) if is_canonical(text))
        return (*lists, PinList(scope=Scope.ANY, pins=alive, dead=dead)), expires


class TrustKitAndroid(Mechanism):
    """The platform and TrustKit, both reading one file."""

    id = "trustkit-android"
    cleartext = Cleartext.REFUSED
    file_name = "network_security_config.xml"
    says_expiry = True
    says_report_only = True
    facts = Facts(
        title="TrustKit Android, over the Network Security Config",
        object="public key, SHA-256",
        scope="any certificate of the built path, root included",
        host_rule="as the platform; TrustKit itself keeps only the last domain of each block",
        expiry="date, at device-local midnight, then open",
        report_only="the default, but only on connections made through TrustKit; the platform enforces the others",
        local_roots="untrusted by default; if trusted, pins hold unless overridePins",
        update_channel="app release",
        bad_config="the app crashes when TrustKit starts, or every TLS connection fails",
        sources=("TrustKit Android config and PinningTrustManager", VENDOR, nsc.VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a `network_security_config.xml` with `<trustkit-config>` in it."""
        reader = _Reader(context.subject)
        reader.root(nsc.tree(data, context))
        config = reader.config()
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """End pins as the platform does."""
        return nsc.expiry(expires)

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand what the platform demands, and on TrustKit's own connections what TrustKit makes of it."""
        own_lists = (replace(e, lists=e.lists[:1], mode=Mode.ENFORCE) for e in config.entries)
        platform = replace(config, entries=tuple(own_lists))
        enforced = nsc.rule(platform, host)
        entry = nsc.choose(_last_names(config), host)
        if entry is None or not entry.lists:
            return enforced
        own = entry.lists[-1].clause
        if entry.mode is Mode.REPORT_ONLY:
            return replace(enforced, other=replace(enforced, clauses=(own,), mode=Mode.REPORT_ONLY))
        if own in enforced.clauses or not enforced.clauses:
            return enforced
        return replace(enforced, other=replace(enforced, clauses=(*enforced.clauses, own)))

    def refuse(self, config: PinConfig, context: Context) -> str:  # noqa: ARG002 - nothing from outside is needed
        """Refuse what makes TrustKit throw: fewer than two pins where it enforces."""
        for entry in config.pinned:
            if entry.mode is Mode.ENFORCE and len(set(entry.pins)) < 2:
                return f"{entry.title} has one pin, and TrustKit demands two where it enforces"
        return ""

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add what only the two together hide."""
        yield from super().lint(config, context)
        yield from nsc_lint.lint(config, context)
        for entry in config.pinned:
            subject = f"{context.subject}: {entry.title}"
            if len(entry.covers) > 1:
                kept = entry.covers[-1].text
                yield warning(
                    "last-domain-only",
                    subject,
                    f"TrustKit keeps only the last domain of a block, {kept}: it reports nothing about the others",
                    "give each domain a block of its own",
                    VENDOR,
                )
            if entry.mode is Mode.REPORT_ONLY:
                yield info(
                    "report-only-in-part",
                    subject,
                    "TrustKit reports only, on its own connections; the platform enforces the same pins on all others",
                    'enforcePinning="true" makes both agree',
                    VENDOR,
                )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make a block for each name, since TrustKit keeps one name of a block."""
        config = super().from_pinset(nsc.sayable(spec))
        return PinConfig(
            entries=tuple(
                replace(entry, covers=(cover,), mode=spec.mode) for entry in config.entries for cover in entry.covers
            )
        )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that the platform never reports only, and what the platform cannot say."""
        yield from super().losses(spec)
        if spec.mode is Mode.REPORT_ONLY:
            yield "report-only-in-part", "Android enforces the pins on connections that TrustKit does not make"
        said = len(spec.keys) + len(spec.authorities)
        if spec.mode is Mode.ENFORCE and said < 2:
            yield "too-few-pins", "trustkit-android refuses fewer than 2 pins where it enforces"
        yield from nsc.unsaid(self.id, spec)

    def render(self, config: PinConfig) -> bytes:
        """Write a configuration with `<trustkit-config>` in every pinned block."""
        return nsc.render(config, _lines)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change pins, expiry and `enforcePinning` inside the blocks of the names; add a block for other names."""
        root = nsc.tree(data, context)
        names = {cover.name: entry for entry in config.pinned for cover in entry.covers}
        splices = Splices(data)
        for block in nsc_edit.blocks(root):
            found = [name for name in nsc_edit.names(block) if name in names]
            if found and len(nsc_edit.names(block)) > 1:
                raise InputError(
                    Problem(
                        "TrustKit keeps only the last domain of a block",
                        file=context.subject,
                        path=f"line {block.line}",
                        value=", ".join(nsc_edit.names(block)),
                        hint="give each domain a block of its own, then export again",
                    )
                )
            if found:
                _enforce(splices, block, names[found[0]].mode is Mode.ENFORCE)
        result = splices.result()
        return nsc_edit.edited(result, nsc.tree(result, context), config, _lines, compares_text=True)


def _last_names(config: PinConfig) -> PinConfig:
    """Give the configuration as TrustKit keeps it: the last domain of each block."""
    return PinConfig(entries=tuple(replace(entry, covers=entry.covers[-1:]) for entry in config.entries))


def _lines(entry: Entry, pad: str) -> list[str]:
    flag = "true" if entry.mode is Mode.ENFORCE else "false"
    return [f'{pad}<{_TAG} enforcePinning="{flag}"/>'] if entry.lists else []


def _enforce(splices: Splices, block: Node, enforce: bool) -> None:  # noqa: FBT001 - the value that is written
    """Set `enforcePinning` where it says something else."""
    flag = "true" if enforce else "false"
    node = next(block.all(_TAG), None)
    if node is None:
        after = [*block.all("domain"), *block.all("pin-set")][-1]
        pad = indent_of(splices.data, after.start).decode()
        line = f'{pad}<{_TAG} enforcePinning="{flag}"/>'
        splices.insert(after.end, newline_of(splices.data) + line.encode())
        return
    if (node.attributes.get("enforcePinning", "false").lower() == "true") is enforce:
        return
    tag = splices.data[node.start : node.inner_start]
    at = tag.find(b"enforcePinning")
    if at < 0:
        splices.insert(node.start + len(_TAG) + 1, f' enforcePinning="{flag}"'.encode())
        return
    quote = next(i for i in range(at, len(tag)) if tag[i : i + 1] in (b'"', b"'"))
    end = tag.index(tag[quote : quote + 1], quote + 1)
    splices.replace(node.start + quote + 1, node.start + end, flag.encode())


MECHANISM = TrustKitAndroid()
