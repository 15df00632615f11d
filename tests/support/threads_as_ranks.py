"""An MPI whose ranks are threads of this process, so that tests of minigrad.distributed see each line run."""

import threading
import time
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from minigrad import distributed

LIMIT = 1  # seconds of processor time in which no rank makes a call


class JobEndedError(Exception):
    """What Abort raises."""


class Job:
    """What all ranks share: what they gave to each collective call, and their letters."""

    def __init__(self, size):
        self.size, self.ended = size, False
        self.calls, self.letters = defaultdict(dict), defaultdict(deque)
        self.last = time.process_time()

    def pause(self):
        """Let other ranks go on."""
        if self.ended:
            raise JobEndedError
        assert time.process_time() - self.last < LIMIT, "a rank waits for ever"
        time.sleep(0)


class Request:
    """A collective call that a rank has begun: what each rank gave, and this rank's array for the sum, if any."""

    def __init__(self, job, given, array=None):
        self.job, self.given, self.array = job, given, array

    def test(self):
        self.job.pause()
        done = len(self.given) == self.job.size
        if done and self.array is not None:
            self.array[...] = sum(self.given[rank] for rank in range(self.job.size))
            self.array = None
        return done

    @staticmethod
    def Testall(requests):
        return False not in [request.test() for request in requests]

    @staticmethod
    def Waitall(requests):
        assert not requests or Request.Testall(requests)


class World:
    """A communicator as one rank has it."""

    def __init__(self, rank, job):
        self.rank, self.size, self.job, self.calls = rank, job.size, job, 0

    def Dup(self):
        return self

    def join(self, value, array=None):
        given = self.job.calls[self.calls]
        given[self.rank] = value
        self.calls += 1
        self.job.last = time.process_time()
        return Request(self.job, given, array)

    def Iallreduce(self, in_place, array):
        assert in_place == MPI.IN_PLACE
        return self.join(array.copy(), array)

    def Ibarrier(self):
        return self.join(None)

    def allgather(self, value):
        request = self.join(value)
        while not request.test():
            pass
        return [request.given[rank] for rank in range(self.size)]

    def isend(self, value, dest, tag):
        self.job.letters[dest, tag].append(value)
        return Request(self.job, range(self.size))

    def iprobe(self, tag):
        return bool(self.job.letters[self.rank, tag])

    def recv(self, tag):
        while not self.iprobe(tag):
            self.job.pause()
        return self.job.letters[self.rank, tag].popleft()

    def Abort(self, code):
        self.job.ended = True
        raise JobEndedError(code)


class MPI:
    """What mpi4py.MPI has, for one rank."""

    IN_PLACE = "in place"
    Request = Request

    def __init__(self, world):
        self.COMM_WORLD = world


def on_ranks(n, run):
    """Return what run() returns on each of n ranks, or the exception that ends the job."""
    own, job = threading.local(), Job(n)

    def start(rank):
        own.ranks = distributed._Ranks(MPI(World(rank, job)))
        try:
            found = run()
            own.ranks.end()
        except JobEndedError as ended:
            return ended
        return found

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(n) as threads:
        patch.setattr(distributed, "_ranks", lambda: own.ranks)
        return [*threads.map(start, range(n))]
