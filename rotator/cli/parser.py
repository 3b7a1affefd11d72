"""Every command, its arguments and its help; what a command does is imported when it is called."""

from __future__ import annotations

import argparse
from typing import Any

from rotator import __version__

DESCRIPTION = "Plan the rotation of pinned TLS keys: which clients break, which are exposed, what to ship."
EPILOG = """\
exit codes:
  0  fine
  1  findings from warning up, or breakage or exposure beyond the budgets
  2  unusable input or usage
  3  refused because it would be unsafe

`rotator POLICY` opens the planner; where stdout is no terminal it prints the one-page summary.
"""


def parser(only: str = "") -> argparse.ArgumentParser:
    """Make the parser of the whole command line, or of one command of it: each takes time to make."""
    top = argparse.ArgumentParser(
        prog="rotator", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action="version", version=f"rotator {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name in (only,) if only in COMMANDS else COMMANDS:
        add, about = COMMANDS[name]
        command = commands.add_parser(name, help=about, description=about[:1].upper() + about[1:] + ".")
        add(command)
        _common(command)
    return top


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="the result as JSON")
    command.add_argument("--ascii", action="store_true", help="nothing but ASCII")
    command.add_argument("--no-color", action="store_true", help="no colour")


def _policy(command: argparse.ArgumentParser) -> None:
    command.add_argument("policy", metavar="POLICY", help="the policy file")


def _open(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("--summary", action="store_true", help="print the summary on a terminal too")
    command.add_argument("--no-mouse", action="store_true", help="the planner does not listen to the mouse")
    command.add_argument("--keymap", choices=("default", "vim"), help="the keymap of the planner")


def _new(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "inputs",
        nargs="*",
        metavar="[APP[:VERSION]=]FILE",
        help="a PEM chain, the output of openssl s_client -showcerts (- reads it), a public key, a certificate "
        "request, a shipped pin file, or a file of user counts as the stores hand it out",
    )
    command.add_argument(
        "--app", action="append", default=[], metavar="NAME=MECHANISM", help="an app of which there is no shipped file"
    )
    command.add_argument(
        "--from-git",
        nargs=2,
        metavar=("REPO", "TAGS"),
        help="a release for every tag, with the file it shipped; TAGS is a name, a pattern such as v*, or v8.4..v9.4",
    )
    command.add_argument(
        "--from-folder", metavar="DIR", help="a release for every file with a date or a version in its name"
    )
    command.add_argument(
        "--path",
        action="append",
        default=[],
        metavar="[APP=]GLOB",
        help="which files shipped, such as **/network_security_config.xml; several for several apps",
    )
    command.add_argument(
        "--take",
        action="append",
        default=[],
        metavar="HOST=MECHANISM",
        help="take the pins that stand in code for this host, as this mechanism enforces them",
    )


def _names(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--names",
        action="append",
        default=[],
        metavar="FILE",
        help="name keys by this PEM bundle, or CSV list of the Common CA Database",
    )


def _check(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "--fail-on", choices=("info", "warning", "error"), default="warning", help="exit 1 from this severity up"
    )
    command.add_argument("--baseline", metavar="FILE", help="an earlier check --json: fail on new findings only")
    _names(command)


def _question(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "events",
        nargs="*",
        metavar="EVENT",
        help="such as key-compromise:KEY, revoke:HOST?clock=5d, renew:HOST:new-key",
    )
    command.add_argument("--scenario", metavar="NAME", help="a scenario of the policy")
    command.add_argument("--at", metavar="T", help="the date or instant of the answer")
    command.add_argument(
        "--serve", action="append", default=[], metavar="HOST=CHAIN|KEY[@T]", help="what a host serves from then on"
    )


def _why(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "path",
        metavar="PATH",
        help="the path of a number in simulate --json, such as broken.share, or in check --json, such as findings[0]",
    )
    _question(command)
    command.add_argument("--until", metavar="T", help="answer day by day until then, for a path into days")


def _simulate(command: argparse.ArgumentParser) -> None:
    _policy(command)
    _question(command)
    command.add_argument("--until", metavar="T", help="answer day by day until then")
    command.add_argument("--totals", action="store_true", help="totals without rows")
    command.add_argument("--no-report", action="store_true", help="keep no report of this answer")


def _plan(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("--to", metavar="KEY", help="the key that is to be served")
    command.add_argument(
        "--from", dest="from_", metavar="KEY", help="the key that is to go; its pins are dropped in the end"
    )
    command.add_argument(
        "--also", action="append", default=[], metavar="OLD=NEW", help="another key that changes in the same plan"
    )
    command.add_argument("--ca", metavar="CHAIN", help="the chain that is to be served: a change of CA")
    command.add_argument("--pinset", metavar="NAME", help="the pinset that everybody is to carry")
    command.add_argument("--algorithm", metavar="ALG", help="serve a key of this type, such as ec-p256")
    command.add_argument("--pin-to", choices=("keys", "roots", "none"), help="what pins are to be on")
    command.add_argument("--host", action="append", default=[], metavar="HOST", help="only this host")
    command.add_argument("--by", metavar="DATE", help="the day by which it must be done")
    command.add_argument(
        "--take", action="append", default=[], metavar="ID", help="plan with a way out, such as floor or bridge,floor"
    )
    command.add_argument("--move", action="append", default=[], metavar="STEP=DATE", help="a step on another day")
    command.add_argument("--override", metavar="REASON", help="why a loss is accepted; with --take accept")
    command.add_argument("--curve", action="store_true", help="also who accepts, breaks and is exposed over time")
    command.add_argument("--write", action="store_true", help="keep the plan beside the policy, for status and export")
    command.add_argument("--no-report", action="store_true", help="keep no report of this plan")


def _status(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("--plan", default="", metavar="ID", help="which plan (default: the newest that is kept)")
    command.add_argument("--seen", type=int, metavar="STEP", help="this step was seen done")
    command.add_argument("--share", default="", metavar="X", help="the share of users that was seen, such as 0.995")
    command.add_argument("--evidence", default="", metavar="FILE", help="what shows it; its digest is kept")
    command.add_argument("--by", default="", metavar="WHO", help="who saw it")
    command.add_argument("--ics", default="", metavar="FILE", help="write the dates still to come as a calendar")


def _now(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "--revoked",
        default="",
        metavar="SERIAL|PEM|HOST",
        help="a CA revokes: the serial it names, a file with the certificate, the host, or a chain",
    )
    command.add_argument("--stolen", default="", metavar="KEY", help="somebody else may hold this key of ours")
    command.add_argument(
        "--key-suspected",
        choices=("no", "yes", "unknown"),
        default="",
        help="whether the private key may be out (default: unknown, yes with --stolen); unknown counts as yes",
    )
    command.add_argument("--clock", default="24h", metavar="TIME", help="the time until the CA revokes (default: 24h)")
    command.add_argument("--no-report", action="store_true", help="keep no report of this answer")


def _threats(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("host", metavar="HOST", help="a host's label or one of its names")
    command.add_argument(
        "--mechanism", metavar="ID", help="the client to play (default: the one most users of the host have)"
    )


def _backtest(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("--history", required=True, metavar="DIR", help="recorded chains: PEM or JSON, dated")


def _observe(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "targets",
        nargs="*",
        metavar="HOST[=FILE]",
        help="hosts of the policy (default: all); with a PEM chain or the output of openssl s_client -showcerts "
        "(- reads it), what the host serves is taken from there",
    )
    command.add_argument(
        "--timeout", type=_seconds, default=5, metavar="SECONDS", help="the longest that one handshake may take"
    )
    command.add_argument("--write", action="store_true", help="write today into `observed` of every host that agrees")
    command.add_argument("--no-record", action="store_true", help="keep no record of what was seen")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 120:
        raise argparse.ArgumentTypeError("from 0.1 to 120")
    return value


def _review(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "--base", required=True, metavar="REF", help="what git knows the version before by (origin/main), or a file"
    )


def _import(command: argparse.ArgumentParser) -> None:
    command.add_argument("mechanism", metavar="MECHANISM", help="whose rules read the file")
    command.add_argument("file", metavar="FILE", help="the shipped pin file")
    _names(command)
    command.add_argument("--policy", metavar="POLICY", help="a policy whose keys and authorities keep their names")


def _export(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("--promote", metavar="KEY", help="make this backup the primary")
    command.add_argument(
        "--plan", default="", metavar="FILE", help="write what a step of this plan ships: its id or file"
    )
    command.add_argument("--step", type=int, metavar="N", help="the number of the step")
    command.add_argument("--drop", action="append", default=[], metavar="KEY", help="take this key out, as compromised")
    command.add_argument("--into", action="append", default=[], metavar="DIR", help="write into these folders")
    command.add_argument("--write", action="store_true", help="write over the policy's own files")
    command.add_argument(
        "--leave-out", action="append", default=[], metavar="FILE", help="do not write this one of the files shown"
    )
    command.add_argument("--override", default="", metavar="REASON", help="go on against a refusal; kept in the report")


def _fleet(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "inputs",
        nargs="*",
        metavar="[APP=]FILE",
        help="files of user counts as the stores hand them out, told by content (- reads one)",
    )
    command.add_argument("--write", action="store_true", help="write the counts into the policy")
    command.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="version=NAME,clients=NAME",
        help="the columns of a table of no known kind; also app, code, os, low, high, date, unit",
    )
    command.add_argument(
        "--builds",
        action="append",
        default=[],
        metavar="VERSION=CODE,...",
        help="the version codes of a release, written into the policy",
    )
    command.add_argument(
        "--opt-in", default="", metavar="LOW-HIGH", help="the share of users who agreed to be counted, as 0.22-0.30"
    )
    command.add_argument(
        "--scale", default="", metavar="LOW-HIGH", help="multiply by a number or a range; --unit says what it gives"
    )
    command.add_argument("--unit", default="", metavar="TEXT", help="what is counted, where the file does not say it")
    command.add_argument("--total", type=_clients, metavar="N", help="all clients by the store's own count")
    command.add_argument(
        "--count-unknown", action="store_true", help="count versions of no release among those older, unseen"
    )


def _clients(text: str) -> int:
    """Read a number of clients."""
    plain = text.replace("_", "").replace(",", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 15):
        raise argparse.ArgumentTypeError("not a whole number")
    return int(plain)


def _drill(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("--all", action="store_true", help="every pair, not the worst ones only")


def _mechanisms(command: argparse.ArgumentParser) -> None:
    command.add_argument("ids", nargs="*", metavar="ID", help="show these whole, such as okhttp")


def _report(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("list", "show", "diff"), help="list them, show one, or compare two")
    command.add_argument(
        "targets",
        nargs="*",
        metavar="[POLICY] [ID]",
        help="the policy (default: every one in this folder), and a report's id, its beginning, or `last`",
    )
    command.add_argument("--at", default="", metavar="DATE", help="show what the report says of one of its days")
    command.add_argument("--format", choices=("text", "md", "html", "json"), default="text", help="how to show it")


def _edit(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument(
        "edit", nargs="?", metavar="EDIT", help="what to do; none lists every edit and what it asks for"
    )
    command.add_argument("inputs", nargs="*", metavar="NAME=VALUE", help="the answers; lists have commas")
    command.add_argument("--write", action="store_true", help="write the change into the policy")


def _serve(command: argparse.ArgumentParser) -> None:
    _policy(command)
    command.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="the address to listen at")
    command.add_argument("--port", type=int, default=8000, metavar="N", help="the port to listen at")
    command.add_argument(
        "--open-to-others",
        action="store_true",
        help="listen at an address that others can reach, though whoever opens the page can write the policy",
    )


COMMANDS: dict[str, tuple[Any, str]] = {
    "open": (_open, "open the planner, or print the one-page summary"),
    "new": (_new, "build a policy from what you have: chains, keys, shipped pin files, git tags, counts"),
    "check": (_check, "findings and calendar, for CI"),
    "simulate": (_simulate, "who breaks and who is exposed"),
    "plan": (_plan, "the dated rotation, or NEVER with the ways out"),
    "status": (_status, "a plan that is kept, against reality; what may be done today"),
    "now": (_now, "the emergency: a certificate is revoked, or a key is stolen, and what to do"),
    "why": (_why, "where a number of an answer comes from"),
    "threats": (_threats, "what each kind of pin protects against, and what maintenance breaks"),
    "drill": (_drill, "every single loss and every pair: who breaks, who is exposed, what our servers answer"),
    "observe": (_observe, "what the hosts really serve, against the policy"),
    "backtest": (_backtest, "a pinset against a host's recorded chains"),
    "import": (_import, "a shipped pin file to policy TOML"),
    "export": (_export, "updated pinsets for every platform, the updated policy, the report"),
    "fleet": (_fleet, "user counts from files of the stores, shown before they are written"),
    "edit": (_edit, "add or retire keys, compose pinsets, plan chains, releases and events"),
    "report": (_report, "past reports"),
    "review": (_review, "what a change to the policy does, for a pull request"),
    "serve": (_serve, "the planner in a browser"),
    "mechanisms": (_mechanisms, "every client technology and what it checks"),
}
