"""The tiers while the operator has switched limits off: everybody stays in his own, and none ends anywhere."""

from kyma.core.principal import AudioPools, MediaSlots, Tier

UNLIMITED = 10**9
NO_SLOT_LIMITS = MediaSlots(
    image_concurrent=UNLIMITED,
    image_queue_depth_cap=UNLIMITED,
    video_concurrent=UNLIMITED,
    video_queue_depth_cap=UNLIMITED,
    audio=AudioPools(UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED),
)
NO_LIMITS = tuple(Tier(n, f"Tier {n}", 0, UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED, NO_SLOT_LIMITS) for n in range(5))
