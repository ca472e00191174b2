"""The adapters that the settings ask for, and what the rest of the service uses of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clouds.pooled import Pooled
from clouds.threads import CallPool
from email_sender.directmail import AlibabaEmail
from email_sender.smtp import SmtpEmail
from paging.people import CHANNELS_BUILT, Channel
from paging.ports import CallbackReader, Provider
from paging.service import SUBMITS_AT_ONCE
from ringback.settings import Settings
from sms.alibaba import AlibabaSms, AlibabaSmsReplies, AlibabaSmsReports
from sms.tencent import TencentSms, TencentSmsReplies, TencentSmsReports
from telephony.alibaba import AlibabaVoice
from telephony.tencent import TencentVoice

Adapter = AlibabaVoice | TencentVoice | AlibabaSms | TencentSms | AlibabaEmail | SmtpEmail

DEADLINE_S = 8.0  # the SDKs' own time-outs (3 s to connect, 5 s a read) should end it first


@dataclass(frozen=True, slots=True)
class Adapters:
    """By channel and provider, in failover order; `readers` by provider and product."""

    by_channel: Mapping[Channel, Mapping[str, Adapter]]
    readers: Mapping[tuple[str, str], CallbackReader]
    pools: list[CallPool] = field(default_factory=list[CallPool])

    def providers(self) -> dict[Channel, dict[str, Provider]]:
        """Return them as the engine uses them: what blocks has a pool of threads of its own."""
        return {
            channel: {name: self._provider(channel, one) for name, one in adapters.items()}
            for channel, adapters in self.by_channel.items()
        }

    def _provider(self, channel: Channel, adapter: Adapter) -> Provider:
        if isinstance(adapter, SmtpEmail):
            return adapter
        self.pools.append(CallPool(f"{adapter.name}-{channel}", SUBMITS_AT_ONCE))
        return Pooled(adapter, self.pools[-1], deadline_s=DEADLINE_S)


def adapters(settings: Settings) -> Adapters:
    """Return an adapter per channel and provider that is on."""
    found: dict[Channel, dict[str, Adapter]] = {}
    for channel in CHANNELS_BUILT:
        made = {name: _adapter(settings, channel, name) for name in settings.order(channel)}
        found[channel] = {name: one for name, one in made.items() if one is not None}
    readers: dict[tuple[str, str], CallbackReader] = {}
    for by_name in found.values():
        for name, one in by_name.items():
            match one:
                case AlibabaVoice() | TencentVoice():
                    readers[name, "voice"] = one
                case AlibabaSms():
                    readers[name, "sms-report"] = AlibabaSmsReports()
                    readers[name, "sms-reply"] = AlibabaSmsReplies()
                case TencentSms():
                    readers[name, "sms-report"] = TencentSmsReports()
                    readers[name, "sms-reply"] = TencentSmsReplies()
                case AlibabaEmail() | SmtpEmail():
                    pass  # mail has no receipts
    return Adapters(found, readers)


def _adapter(settings: Settings, channel: Channel, name: str) -> Adapter | None:
    alibaba, tencent, smtp = (
        settings.providers.alibaba,
        settings.providers.tencent,
        settings.providers.smtp,
    )
    match channel, name:
        case "voice", "alibaba":
            return alibaba and alibaba.voice and AlibabaVoice(alibaba.voice, alibaba, settings.menu)
        case "sms", "alibaba":
            return alibaba and alibaba.sms and AlibabaSms(alibaba.sms, alibaba)
        case "email", "alibaba":
            return alibaba and alibaba.email and AlibabaEmail(alibaba.email, alibaba)
        case "voice", "tencent":
            return tencent and tencent.voice and TencentVoice(tencent.voice, tencent)
        case "sms", "tencent":
            return tencent and tencent.sms and TencentSms(tencent.sms, tencent)
        case _:
            return smtp and SmtpEmail(smtp, deadline_s=DEADLINE_S)


def callers(settings: Settings) -> Sequence[tuple[str, Channel, str]]:
    """Return (provider, channel, number) of every number that was bought to call from."""
    alibaba = settings.providers.alibaba
    numbers = alibaba.voice.show_numbers if alibaba is not None and alibaba.voice else ()
    return [("alibaba", "voice", number) for number in numbers]
