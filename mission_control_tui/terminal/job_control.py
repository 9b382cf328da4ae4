"""Job control, as POSIX has it: whether somebody could bring a suspended process back."""

from __future__ import annotations

import os


def can_be_resumed() -> bool:
    """Tell whether a shell of this session waits for our process group; without one it is orphaned (POSIX, 3.264).

    `ssh -t host mission-control`, ForceCommand, `exec` and `su -c` leave none: what stops there stops for good.
    """
    import psutil  # needed only when somebody suspends

    group, session = os.getpgrp(), os.getsid(0)
    try:
        for parent in psutil.Process().parents():
            if os.getsid(parent.pid) != session:
                return False
            if os.getpgid(parent.pid) != group:
                return True
    except (psutil.Error, OSError):
        return False
    return False
