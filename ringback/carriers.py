"""The voice adapters that the settings ask for."""

from ringback.settings import Provider, Settings
from telephony.alibaba import AlibabaVoice
from telephony.tencent import TencentVoice

Voice = AlibabaVoice | TencentVoice


def voices(settings: Settings) -> dict[str, Voice]:
    """Return an adapter per voice provider, in failover order."""
    found: dict[str, Voice | None] = {name: _voice(settings, name) for name in settings.voice_order}
    return {name: voice for name, voice in found.items() if voice is not None}


def _voice(settings: Settings, name: Provider) -> Voice | None:
    match name:
        case "alibaba":
            cloud = settings.providers.alibaba
            return cloud and cloud.voice and AlibabaVoice(cloud.voice, cloud, settings.menu)
        case "tencent":
            cloud = settings.providers.tencent
            return cloud and cloud.voice and TencentVoice(cloud.voice, cloud)
