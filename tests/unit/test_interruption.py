"""A signal stops requests at once, whatever the main thread is at."""

from __future__ import annotations

import signal
import threading

from uploader.cli.interruption import Interruption


def test_a_signal_is_known_in_every_thread_before_the_main_one_has_time_for_it() -> None:
    """While that waits for the disk, the threads that make requests must not begin another one."""
    interruption, found = Interruption(), list[object]()

    def requests() -> None:
        found.append(interruption.has_come())
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        found.extend([interruption.number, interruption.has_come(), interruption.has_come()])

    with interruption.listening():
        thread = threading.Thread(target=requests)
        thread.start()
        thread.join()
    assert found == [False, None, True, True]
    assert (interruption.number, interruption.has_come()) == (signal.SIGTERM, True)


def test_who_listens_leaves_nothing_behind() -> None:
    """Neither its handlers nor what they are woken by."""
    before = signal.getsignal(signal.SIGTERM)
    interruption = Interruption()
    with interruption.listening():
        assert signal.getsignal(signal.SIGTERM) == interruption.handle
    assert signal.getsignal(signal.SIGTERM) == before
    assert (signal.set_wakeup_fd(-1), interruption.has_come()) == (-1, False)
