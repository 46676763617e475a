"""Rate limits: so many requests in any sixty seconds, by tier.

Owns the counting and its headers. Counts by person, or by address for guests; a 304 counts, media do not.
Measured with the steady clock, so that a service with a wrong clock still limits rightly.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from vfdir_lab.sandbox.answers import Answer, Json, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vfdir_lab.sandbox.clock import Clock
    from vfdir_lab.sandbox.records import Tier

WINDOW_SECONDS = 60
PER_MINUTE: Mapping[str, int] = {"guest": 30, "free": 120, "premium": 300, "supporter": 600}


class RateLimits:
    """Counts requests and says when they are too many."""

    def __init__(self, clock: Clock, per_minute: Mapping[str, int] | None = None) -> None:
        self._clock = clock
        self._per_minute = {**PER_MINUTE, **(per_minute or {})}
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)

    def count(self, who: str, tier: Tier) -> int | None:
        """Count one request; returns the seconds to wait if it is one too many, else None."""
        seen, now = self._seen[who], self._clock.steady()
        while seen and seen[0] <= now - WINDOW_SECONDS:
            seen.popleft()
        if len(seen) >= self._per_minute[tier]:
            return max(1, math.ceil(seen[0] + WINDOW_SECONDS - now)) if seen else WINDOW_SECONDS
        seen.append(now)
        return None

    def headers(self, tier: Tier) -> dict[str, str]:
        """The headers that every answer but a 204 carries. The reset is a minute after the answer's date."""
        return {
            "X-RateLimit-Limit": str(self._per_minute[tier]),
            "X-RateLimit-Tier": tier,
            "X-RateLimit-Window": str(WINDOW_SECONDS),
            "X-RateLimit-Reset": str(self._clock.now() + WINDOW_SECONDS),
        }

    def refusal(self, tier: Tier, retry_after_seconds: int) -> Answer:
        """The 429, whose `error` is an object, unlike every other error."""
        limit = self._per_minute[tier]
        better = {"guest": "free", "free": "premium"}.get(tier, "supporter")
        upgrade: Json = {
            "current": tier,
            "recommended": better,
            "benefits": [f"{self._per_minute[better]} requests per minute"],
            "action": "Change the plan in the account's settings.",
        }
        status: Json = {"tier": tier, "limits": dict(self._per_minute), "upgrade_path": upgrade}
        error: Json = {
            "type": "rate_limit_exceeded",
            "message": f"Rate limit exceeded: {limit} requests per minute for the {tier} tier.",
            "tier": tier,
            "limit": limit,
            "limit_window": "1 minute",
            "retry_after": retry_after_seconds,
            "current_status": status,
            "suggestions": ["Wait before asking again.", "Use ETags for what has not changed."],
            "headers_note": "See the X-RateLimit headers of every answer.",
        }
        answer = json_answer({"error": error}, 429)
        return Answer(
            status=429, body=answer.body, headers=answer.headers | {"Retry-After": str(retry_after_seconds)}
        )
