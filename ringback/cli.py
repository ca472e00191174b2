"""`ringback`: the command line. Errors are one line on stderr and an exit status."""

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from paging.errors import SettingsError, UnavailableError
from paging.people import CHANNELS_BUILT
from ringback import logs, reports, settings, starter, teamfile, urls
from ringback.client import Api, ApiError
from ringback.demo import demo
from ringback.listening import listen
from ringback.reports import say, told
from ringback.texts import suggestions

_HIGHEST_PORT = 65_534  # the sandbox's mail server is on the port after its own
_POLL_S = 0.3
_LONGEST_CALL_S = 900.0  # no call of ours is still open after this


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Chinese is no reason to fail
    args = _parser().parse_args(argv)
    logs.silence()  # until `serve` says otherwise
    try:
        status: int | None = args.run(args)
    except (SettingsError, ApiError) as exc:
        return _fail(str(exc))
    except UnavailableError as exc:
        return _fail(str(exc) or "the database cannot be opened or written")
    except BrokenPipeError:  # whoever was reading has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status or 0


def _fail(text: str) -> int:
    sys.stderr.write(f"ringback: {text}\n")
    return 1


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the words of a command."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}; {told('详见', 'see')} {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ringback",
        description=told(
            "把告警送到人:拨打电话,朗读告警,听到按键 1 即为认领。",
            "Gets an incident to a human being: calls, reads it out, and hears 1.",
        ),
        epilog=told("第一次使用:ringback demo", "new here? ringback demo"),
    )
    parser.add_argument("-V", "--version", action="version", version=version("ringback"))
    commands = parser.add_subparsers(
        required=True, metavar=told("命令", "COMMAND"), parser_class=_Parser
    )

    def command(
        name: str,
        run: Callable[[argparse.Namespace], int | None],
        does: str,
        *,
        example: str,
        takes: Sequence[Callable[[argparse.ArgumentParser], None]] = (),
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name, help=does, description=_sentence(does), epilog=_example(example)
        )
        one.set_defaults(run=run)
        for add in takes:
            add(one)
        return one

    init = command(
        "init",
        _init,
        told(
            "写出带注释和新密钥的 ringback.toml,以及 team.toml",
            "write a commented ringback.toml with fresh secrets, and a team.toml",
        ),
        example="ringback init /etc/ringback",
    )
    init.add_argument(
        "directory",
        nargs="?",
        default=".",
        metavar="DIR",
        help=told("目录,默认当前目录", "where; default: here"),
    )
    command(
        "templates",
        _templates,
        told(
            "打印须提交运营商审核的文本,以及通过后要填写的设置",
            "print the texts to have approved by each carrier, and the settings to fill in after",
        ),
        example="ringback templates",
        takes=[_add_config],
    )
    command(
        "serve",
        _serve,
        told("运行服务:API、回调与引擎", "run the service: API, callbacks and engine"),
        example="ringback serve --config /etc/ringback/ringback.toml",
        takes=[_add_config],
    )
    check = command(
        "check",
        _check,
        told(
            "赶在运营商或深夜之前,说出哪里有误、缺了什么",
            "say what is wrong or missing before a carrier or a night says it",
        ),
        example="ringback check --live",
        takes=[_add_config],
    )
    check.add_argument(
        "--live",
        action="store_true",
        help=told(
            "并向每家运营商提出不会发送任何东西的请求,再经 public_url 回调自己",
            "also ask each carrier something that sends nothing, and call back through public_url",
        ),
    )
    command(
        "urls",
        _urls,
        told(
            "打印每个回调地址,以及应粘贴到哪个控制台页面",
            "print every callback address and the console page to paste it in",
        ),
        example="ringback urls",
        takes=[_add_config],
    )
    apply = command(
        "apply",
        _apply,
        told(
            "把文件(TOML 或 YAML)中的人员、值班表与策略写入服务,要么全部,要么全不",
            "put the responders, schedules and policies of files (TOML or YAML) in place, all or "
            "nothing",
        ),
        example="ringback apply team.toml --dry-run",
        takes=[_add_config, _add_url],
    )
    apply.add_argument("files", nargs="+", metavar="FILE", type=Path)
    apply.add_argument(
        "--dry-run",
        action="store_true",
        help=told("只显示会改变什么", "show the plan and change nothing"),
    )
    apply.add_argument(
        "--prune",
        action="store_true",
        help=told(
            "并删除文件所含各节中没有写到的条目",
            "also remove what the files do not name, in the sections that they have",
        ),
    )
    who = command(
        "who",
        _who,
        told(
            "现在或某时刻谁值班,下一位是谁", "say who is on call, now or at a time, and who is next"
        ),
        example="ringback who --at 2026-12-24T20:00:00+08:00",
        takes=[_add_config, _add_url],
    )
    who.add_argument(
        "--at",
        metavar="TIME",
        type=_moment,
        help=told("时刻,带时区偏移", "a time with its offset; default: now"),
    )
    why = command(
        "why",
        _why,
        told(
            "某人为何被通知、为何晚了、为何没有被通知",
            "say why somebody was told of an incident, told late, or not told",
        ),
        example="ringback why 12 li.wei",
        takes=[_add_config, _add_url],
    )
    why.add_argument("incident", metavar="INCIDENT", help=told("编号或 id", "its number or id"))
    why.add_argument("responder", metavar="RESPONDER", help=told("人员的 id", "a responder's id"))
    test = command(
        "test",
        _test,
        told(
            "真的打一次电话、发一条短信或一封邮件,标明为测试,逐步显示进展",
            "place a real call, or send a real text or mail, marked as a test, and show how far "
            "it comes",
        ),
        example="ringback test li.wei --channel voice --provider tencent",
        takes=[_add_config, _add_url],
    )
    test.add_argument("responder", metavar="RESPONDER", help=told("人员的 id", "a responder's id"))
    test.add_argument("--channel", default="voice", choices=CHANNELS_BUILT)
    test.add_argument(
        "--provider",
        choices=["alibaba", "tencent", "smtp"],
        help=told("默认为可服务该地址的第一家", "default: the first one that serves the address"),
    )
    _add_incidents(
        command(
            "incidents",
            _list,
            told("列出、查看、认领、关闭告警", "list, show, acknowledge and close incidents"),
            example="ringback incidents ack 12 --by li.wei",
            takes=[_add_config, _add_url],
        )
    )
    database = command(
        "db",
        _upgrade,
        told(
            "把数据库升级到最新表结构,要么完成,要么不变",
            "bring the database to the newest schema, whole or not at all",
        ),
        example="ringback db upgrade",
        takes=[_add_config],
    )
    database.add_argument("action", choices=["upgrade"])
    box = command(
        "sandbox",
        _sandbox,
        told(
            "代替两家运营商与邮件服务器(端口加一),并在浏览器里提供一部电话",
            "stand in for both carriers and, on the next port, a mail server; with a phone in the "
            "browser",
        ),
        example="ringback sandbox --port 9100",
    )
    box.add_argument("--host", default="127.0.0.1")
    box.add_argument("--port", type=_port, default=9100)
    show = command(
        "demo",
        _demo,
        told(
            "在浏览器里呼叫您:服务、沙箱与一条告警,无需账号",
            "page you in the browser: service, sandbox and one incident, no account",
        ),
        example="ringback demo",
    )
    show.add_argument(
        "--once",
        action="store_true",
        help=told("告警被认领后即结束", "end once the incident is acknowledged"),
    )
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{told('。', '.')}"


def _example(text: str) -> str:
    return f"{told('示例', 'example')}: {text}"


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a port, 1 to {_HIGHEST_PORT}")
    return int(text)


def _add_config(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=default,
        help=told(
            "设置文件;默认取 RINGBACK_CONFIG,或 ./ringback.toml",
            "settings; default: RINGBACK_CONFIG, or ./ringback.toml",
        ),
    )


def _add_url(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    parser.add_argument(
        "--url",
        default=default,
        help=told(
            "服务的地址,若不是设置中的那一个", "the service, where it is not that of the settings"
        ),
    )


def _add_incidents(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(status=None, limit=50)
    actions = parser.add_subparsers(metavar="list|show|ack|close", parser_class=_Parser)

    def action(
        name: str, run: Callable[[argparse.Namespace], None], does: str, *, example: str
    ) -> argparse.ArgumentParser:
        one = actions.add_parser(
            name, help=does, description=_sentence(does), epilog=_example(example)
        )
        one.set_defaults(run=run)
        # Also after the action's name, without forgetting what was said before it.
        _add_config(one, argparse.SUPPRESS)
        _add_url(one, argparse.SUPPRESS)
        return one

    several = action(
        "list",
        _list,
        told("列出告警,最新的在前", "list incidents, newest first"),
        example="ringback incidents list --status triggered",
    )
    several.add_argument("--status", choices=["triggered", "acknowledged", "closed"])
    several.add_argument("--limit", type=int, default=50, help=told("最多几条", "how many at most"))
    one = action(
        "show",
        _show,
        told("显示一条告警及其经过", "show one incident with its timeline"),
        example="ringback incidents show 12",
    )
    _add_incident(one)
    for name, verb, zh in (("ack", "acknowledge", "认领"), ("close", "close", "关闭")):
        change = action(
            name,
            _act,
            told(f"{zh}一条告警", f"{verb} one incident"),
            example=f"ringback incidents {name} 12 --by li.wei",
        )
        change.set_defaults(action=verb)
        _add_incident(change)
        change.add_argument("--by", metavar="RESPONDER", help=told("由谁", "who does it"))
        change.add_argument("--note", help=told("记入经过的一句话", "a word for the timeline"))


def _add_incident(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "incident", metavar="INCIDENT", help=told("编号或 id", "its number or its id")
    )


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
    written = starter.write(Path(args.directory))
    say(
        *(str(path) for path in written),
        "",
        told(
            "接下来:填写两个文件,再运行 `ringback check`,它会说还缺什么。",
            "Next: fill both in, then run `ringback check`, which says what is still missing.",
        ),
    )


def _templates(args: argparse.Namespace) -> None:
    say(*suggestions(settings.draft(settings.path_of(args.config, os.environ), os.environ)))


def _serve(args: argparse.Namespace) -> None:
    from ringback import wiring  # noqa: PLC0415 - the SDKs take a second that no other command owes

    known = _load(args)
    logs.configure()
    wiring.serve(known)


def _check(args: argparse.Namespace) -> int:
    from ringback import checks  # noqa: PLC0415 - see _serve

    path = settings.path_of(args.config, os.environ)
    findings = checks.check(_load(args), path, live=args.live)
    say(*checks.lines(findings))
    return int(any(finding.is_wrong for finding in findings))


def _urls(args: argparse.Namespace) -> None:
    say(*urls.lines(_load(args)))


def _apply(args: argparse.Namespace) -> None:
    team = teamfile.read(args.files)
    try:
        with _api(args) as api:
            prune = team.sections if args.prune else []
            body = {**team.items, "dry_run": args.dry_run, "prune": prune}
            answer = api.post("/v1/apply", body)
    except ApiError as exc:
        faults = [f"{team.place(field)}: {field}: {expected}" for field, expected in exc.errors]
        raise ApiError("\n".join(faults) or str(exc)) from exc
    say(*teamfile.plan(answer["changes"], dry_run=args.dry_run))


def _moment(text: str) -> str:
    """Return the time as it was written, once it is one."""
    try:
        is_one = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        is_one = False
    if not is_one:
        example = "2026-12-24T20:00:00+08:00"
        raise argparse.ArgumentTypeError(
            told(
                f"{text!r}: 应为带时区偏移的时刻,如 {example}",
                f"{text!r}: expected a time with its offset, such as {example}",
            )
        )
    return text


def _who(args: argparse.Namespace) -> None:
    asked = {"at": args.at} if args.at else {}
    with _api(args) as api:
        found = api.get("/v1/schedules")["items"]
        for schedule in found:
            path = f"/v1/schedules/{quote(schedule['id'], safe='')}/on-call"
            say(*reports.on_call_lines(schedule, api.get(path, **asked)))
    if not found:
        say(told("没有值班表", "no schedules"))


def _why(args: argparse.Namespace) -> None:
    with _api(args) as api:
        found = api.get("/v1/why", incident=args.incident, responder=args.responder)
    say(*reports.why_lines(found, reports.language(os.environ)))


def _test(args: argparse.Namespace) -> int:
    locale = reports.language(os.environ)
    body = {"channel": args.channel}
    if args.provider:
        body["provider"] = args.provider
    with _api(args) as api:
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
    with _api(args) as api:
        found = api.get("/v1/incidents", **asked)
    say(*(reports.incident_line(incident) for incident in found["items"]))
    if not found["items"]:
        say(told("没有告警", "no incidents"))
    if found["next"]:
        say(told("还有更早的:--limit 可列出更多", "there are older ones: --limit lists more"))


def _show(args: argparse.Namespace) -> None:
    with _api(args) as api:
        incident = api.get(f"/v1/incidents/{quote(args.incident, safe='')}")
    say(*reports.incident_lines(incident, reports.language(os.environ)))


def _act(args: argparse.Namespace) -> None:
    said = {"by": args.by, "note": args.note}
    body = {name: value for name, value in said.items() if value is not None}
    with _api(args) as api:
        path = f"/v1/incidents/{quote(args.incident, safe='')}/{args.action}"
        say(reports.incident_line(api.post(path, body)))


def _upgrade(args: argparse.Namespace) -> None:
    from paging.store import schema  # noqa: PLC0415 - see _serve

    before, after = schema.upgrade(_load(args).database.url)
    if before == after:
        say(told(f"表结构已是最新:{after}", f"the schema is the newest already: {after}"))
    else:
        known = before or told("空", "empty")
        say(told(f"表结构已升级:{known} -> {after}", f"schema upgraded: {known} -> {after}"))


def _sandbox(args: argparse.Namespace) -> None:
    from sandbox import server  # noqa: PLC0415 - see _serve

    smtp_port = args.port + 1
    for port in (args.port, smtp_port):
        listen(args.host, port).close()  # its own words for a taken port are none
    say(
        f"http://{args.host}:{args.port}/",
        told(
            "打开此页,它就是电话、短信收件箱和邮箱;运营商的 endpoint 也填此地址。",
            "Open it: it is the phone, its texts and a mailbox. It is also what the carriers' "
            "`endpoint` has to be.",
        ),
        f"smtp://{args.host}:{smtp_port}",
        told(
            "邮件服务器:[providers.smtp] 的 host 与 port。Ctrl-C 结束。",
            "The mail server: `host` and `port` of [providers.smtp]. Ctrl-C ends both.",
        ),
    )
    server.serve(args.host, args.port, smtp_port)


def _demo(args: argparse.Namespace) -> int:
    return demo(once=args.once)
