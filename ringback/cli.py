"""`ringback`: the command line. Errors are one line on stderr and an exit status."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from paging.errors import SettingsError
from ringback import checks, logs, reports, settings, starter, teamfile, urls
from ringback.client import Api, ApiError
from ringback.demo import demo
from ringback.reports import say
from ringback.texts import suggestions

_POLL_S = 0.3
_LONGEST_CALL_S = 900.0  # no call of ours is still open after this


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = _parser().parse_args(argv)
    try:
        status: int | None = args.run(args)
    except (SettingsError, ApiError) as exc:
        sys.stderr.write(f"ringback: {exc}\n")
        return 1
    except BrokenPipeError:  # whoever was reading has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ringback",
        description="Gets an incident to a human being: calls, reads it out, and hears 1.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(  # noqa: PLR0913 - one row per command
        name: str,
        run: Callable[[argparse.Namespace], int | None],
        does: str,
        *,
        example: str,
        local: bool = False,
        api: bool = False,
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            epilog=f"example: {example}",
        )
        one.set_defaults(run=run)
        if not local:
            _add_config(one)
        if api:
            one.add_argument("--url", help="the service, where it is not the one in the settings")
        return one

    init = command(
        "init",
        _init,
        "write a commented ringback.toml with fresh secrets, and a team.toml",
        example="ringback init /etc/ringback",
        local=True,
    )
    init.add_argument("directory", nargs="?", default=".", metavar="DIR")

    command(
        "templates",
        _templates,
        "print the texts to have approved by each carrier, and the settings to fill in afterwards",
        example="ringback templates",
    )
    command(
        "serve",
        _serve,
        "run the service: API, callbacks and engine",
        example="ringback serve --config /etc/ringback/ringback.toml",
    )
    check = command(
        "check",
        _check,
        "say what is wrong or missing before a carrier or a night says it",
        example="ringback check --live",
    )
    check.add_argument(
        "--live",
        action="store_true",
        help="also ask each carrier something that sends nothing, and call back through public_url",
    )
    command(
        "urls",
        _urls,
        "print every callback address and the console page to paste it in",
        example="ringback urls",
    )
    apply = command(
        "apply",
        _apply,
        "put responders and policies of files (TOML or YAML) in place, all or nothing",
        example="ringback apply team.toml --dry-run",
        api=True,
    )
    apply.add_argument("files", nargs="+", metavar="FILE", type=Path)
    apply.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")

    test = command(
        "test",
        _test,
        "place a real call, marked as a test, and say how far it came",
        example="ringback test li.wei --channel voice --provider tencent",
        api=True,
    )
    test.add_argument("responder", metavar="RESPONDER")
    test.add_argument("--channel", default="voice", choices=["voice"])
    test.add_argument("--provider", choices=["alibaba", "tencent"])

    _add_incidents(
        command(
            "incidents",
            _list,
            "list, show, acknowledge and close incidents",
            example="ringback incidents ack 12 --by li.wei",
            api=True,
        )
    )
    database = command(
        "db",
        _upgrade,
        "bring the database to the newest schema, whole or not at all",
        example="ringback db upgrade",
    )
    database.add_argument("action", choices=["upgrade"])

    box = command(
        "sandbox",
        _sandbox,
        "stand in for both carriers, with a phone in the browser",
        example="ringback sandbox --port 9100",
        local=True,
    )
    box.add_argument("--host", default="127.0.0.1")
    box.add_argument("--port", type=int, default=9100)

    show = command(
        "demo",
        _demo,
        "page you in the browser: service and sandbox, one incident, no account",
        example="ringback demo",
        local=True,
    )
    show.add_argument("--once", action="store_true", help="end once the incident is acknowledged")
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", help="settings; default: RINGBACK_CONFIG, or ./ringback.toml"
    )


def _add_incidents(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(status=None, limit=50)
    actions = parser.add_subparsers(metavar="list|show|ack|close")
    several = actions.add_parser("list", help="newest first")
    several.set_defaults(run=_list)
    several.add_argument("--status", choices=["triggered", "acknowledged", "closed"])
    several.add_argument("--limit", type=int, default=50)
    one = actions.add_parser("show", help="one incident with its timeline")
    one.set_defaults(run=_show)
    one.add_argument("incident", metavar="INCIDENT", help="its number or id")
    for name, action in (("ack", "acknowledge"), ("close", "close")):
        change = actions.add_parser(name, help=f"{action} one incident")
        change.set_defaults(run=_act, action=action)
        change.add_argument("incident", metavar="INCIDENT", help="its number or id")
        change.add_argument("--by", metavar="RESPONDER", help="who does it")
        change.add_argument("--note", help="a word for the timeline")


def _load(args: argparse.Namespace) -> settings.Settings:
    return settings.load(settings.path_of(args.config, os.environ), os.environ)


def _api(args: argparse.Namespace) -> Api:
    """Return the service, from the settings where the command line and environment name none."""
    url: str | None = args.url
    token = os.environ.get("RINGBACK_TOKEN")
    if url and token:
        return Api(url, token)
    known = _load(args)
    return Api(
        url or settings.local_url(known), token or known.security.admin_token.get_secret_value()
    )


def _init(args: argparse.Namespace) -> None:
    for path in starter.write(Path(args.directory)):
        say(str(path))


def _templates(args: argparse.Namespace) -> None:
    path = settings.path_of(args.config, os.environ)
    menu = _load(args).menu if args.config or path.exists() else None
    say(*suggestions(menu))


def _serve(args: argparse.Namespace) -> None:
    from ringback import wiring  # noqa: PLC0415 - the SDKs take a second that no other command owes

    known = _load(args)
    logs.configure()
    wiring.serve(known)


def _check(args: argparse.Namespace) -> int:
    path = settings.path_of(args.config, os.environ)
    findings = checks.check(_load(args), path, live=args.live)
    say(*checks.lines(findings))
    return int(any(finding.is_wrong for finding in findings))


def _urls(args: argparse.Namespace) -> None:
    say(*urls.lines(_load(args)))


def _apply(args: argparse.Namespace) -> None:
    team = teamfile.read(args.files)
    try:
        answer = _api(args).post("/v1/apply", {**team.items, "dry_run": args.dry_run})
    except ApiError as exc:
        faults = [f"{team.place(field)}: {field}: {expected}" for field, expected in exc.errors]
        raise ApiError("\n".join(faults) if faults else str(exc)) from exc
    say(*teamfile.plan(answer["changes"], dry_run=args.dry_run))


def _test(args: argparse.Namespace) -> int:
    api, locale = _api(args), reports.language(os.environ)
    body = {"channel": args.channel}
    if args.provider:
        body["provider"] = args.provider
    attempt = api.post(f"/v1/responders/{quote(args.responder, safe='')}/test", body)
    shown: set[str] = set()
    until = time.monotonic() + _LONGEST_CALL_S
    while True:
        for line in reports.new_stages(attempt, shown, locale):
            say(line)
        if reports.is_over(attempt) or time.monotonic() > until:
            break
        time.sleep(_POLL_S)
        attempt = api.get(f"/v1/attempts/{attempt['id']}")
    if reports.reached(attempt):
        return 0
    raise ApiError(reports.failure(attempt, locale))


def _list(args: argparse.Namespace) -> None:
    asked: dict[str, Any] = {"limit": args.limit}
    if args.status:
        asked["status"] = args.status
    for incident in _api(args).get("/v1/incidents", **asked)["items"]:
        say(reports.incident_line(incident))


def _show(args: argparse.Namespace) -> None:
    incident = _api(args).get(f"/v1/incidents/{quote(args.incident, safe='')}")
    say(*reports.incident_lines(incident, reports.language(os.environ)))


def _act(args: argparse.Namespace) -> None:
    said = {"by": args.by, "note": args.note}
    body = {name: value for name, value in said.items() if value is not None}
    incident = _api(args).post(f"/v1/incidents/{quote(args.incident, safe='')}/{args.action}", body)
    say(reports.incident_line(incident))


def _upgrade(args: argparse.Namespace) -> None:
    from paging.store import schema  # noqa: PLC0415 - see _serve

    before, after = schema.upgrade(_load(args).database.url)
    say(after if before == after else f"{before or 'empty'} -> {after}")


def _sandbox(args: argparse.Namespace) -> None:
    from sandbox import server  # noqa: PLC0415 - see _serve

    say(f"http://{args.host}:{args.port}/")
    server.serve(args.host, args.port)


def _demo(args: argparse.Namespace) -> int:
    return demo(once=args.once)
