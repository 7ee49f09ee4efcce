"""The filter of one session: rule packs applied to what comes in and what goes out, every intervention audited."""

from collections import Counter
from collections.abc import Sequence

from models.safety.audit import AuditLog
from realtime.core.safety import Direction, RulePack, Verdict, judge


class SafetyFilter:
    """Behind the port `Safety`."""

    def __init__(
        self, packs: Sequence[RulePack], audit: AuditLog, *, session: str, scene: str = "host", language: str = "en"
    ) -> None:
        self._packs = tuple(packs)
        self._audit = audit
        self._session = session
        self._scene = scene
        self._language = language
        self.counts: Counter[str] = Counter()
        """Interventions by `direction-action`."""

    def incoming(self, text: str) -> Verdict:
        """What of a viewer's words may be taken in."""
        return self._judge(text, "in")

    def outgoing(self, text: str) -> Verdict:
        """What of a sentence may be spoken."""
        return self._judge(text, "out")

    def note(self, event: str, text: str = "", **about: str) -> None:
        """Audit a person's intervention."""
        self.counts[event] += 1
        self._audit.record(event, session=self._session, text=text, **about)

    def _judge(self, text: str, direction: Direction) -> Verdict:
        verdict = judge(text, direction, self._packs, scene=self._scene, language=self._language)
        if verdict.action != "allow":
            self.counts[f"{direction}-{verdict.action}"] += 1
            rules = [finding.rule for finding in verdict.findings]
            self._audit.record(
                verdict.action, session=self._session, text=text, direction=direction, rules=rules, scene=self._scene
            )
        return verdict
