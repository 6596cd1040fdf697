"""What is logged: append-only events, the system's only truth.

Each event is a msgpack array with the fields that the fold reads first. Fields are only ever added at the end, with
a default, so that old logs stay readable. Vectors travel as little-endian bytes.
"""

from gateway.events.changes import (
    ArmRemoved,
    ArmSet,
    Checkpoint,
    LearningFrozen,
    LineageStarted,
    PolicyTuned,
    PoolJoined,
    Promoted,
    StateImported,
    TrustTuned,
    VectorsSettled,
)
from gateway.events.codec import CONTROLS, TYPES, UnknownEvent, decode, doubles, encode, singles
from gateway.events.controls import Control, Erased, Exclusion, FeedbackExcluded, PolicyChanged, ShadowSet
from gateway.events.event import EVERYONE, POOL, Event
from gateway.events.traffic import (
    Answer,
    Audited,
    Decision,
    Draw,
    Estimate,
    Feedback,
    FeedbackReleased,
    Lesson,
    Payment,
    Reason,
)

__all__ = [
    "CONTROLS",
    "EVERYONE",
    "POOL",
    "TYPES",
    "Answer",
    "ArmRemoved",
    "ArmSet",
    "Audited",
    "Checkpoint",
    "Control",
    "Decision",
    "Draw",
    "Erased",
    "Estimate",
    "Event",
    "Exclusion",
    "Feedback",
    "FeedbackExcluded",
    "FeedbackReleased",
    "LearningFrozen",
    "Lesson",
    "LineageStarted",
    "Payment",
    "PolicyChanged",
    "PolicyTuned",
    "PoolJoined",
    "Promoted",
    "Reason",
    "ShadowSet",
    "StateImported",
    "TrustTuned",
    "UnknownEvent",
    "VectorsSettled",
    "decode",
    "doubles",
    "encode",
    "singles",
]
