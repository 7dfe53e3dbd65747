"""The server's two hands: one decodes what was uploaded, one grades what was decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from androscope.errors import (
    AndroscopeError,
    ImageError,
    ImageUnreadableError,
    RecordConflictError,
    RecordExistsError,
)
from androscope.files import sha256_of
from androscope.records.clean import CleanFile
from androscope.records.store import Records
from androscope.records.types import Job
from androscope.types import Failure
from androscope.web.offered import Offer
from androscope.web.options import ServeOptions
from androscope.web.uploads.queue import DECODE, sweep
from androscope.web.work.direct import Direct
from androscope.web.work.job_thread import JobThread
from androscope.web.work.process import Worker, WorkerStoppedError
from androscope.web.work.tasks import grade_task
from androscope.web.work.wire import Decoded, DecodeTask, Graded, Stopped

__all__ = ["GRADE", "Dispatcher"]

#: Kind of the jobs that records make for each picture.
GRADE = "grade"

#: A picture in whose hand the whole server ended so often is not tried again.
_ATTEMPTS = 3
#: A process ends a task that takes longer than it may; the lease is longer by this, seconds.
_SPARE_S = 30.0


class Dispatcher:
    """Takes queued jobs, hands them to working processes and keeps what they say.

    Parameters
    ----------
    records
        Where jobs wait.
    options
        Limits, the folder of received files.
    offer
        The models that grade.
    changed
        Called from its threads with the id of a sample of which something was done.

    Attributes
    ----------
    direct
        Grades what is not to be kept, in the same processes.
    """

    def __init__(
        self,
        records: Records,
        options: ServeOptions,
        offer: Offer,
        changed: Callable[[int], None],
    ) -> None:
        self._records, self._options, self._changed = records, options, changed
        self._offer = offer
        limits = options.limits
        self._decoder = Worker(
            memory_bytes=limits.decode_bytes,
            seconds=limits.decode_s,
            reply_bytes=limits.reply_bytes,
        )
        self._grader = Worker(
            memory_bytes=limits.grade_bytes,
            seconds=limits.grade_s,
            reply_bytes=limits.reply_bytes,
            threads=options.threads,
        )
        self.direct = Direct(self._decoder, self._grader, options.incoming)
        self._threads = {
            kind: JobThread(records, kind, most_s + _SPARE_S, self._do)
            for kind, most_s in ((DECODE, limits.decode_s), (GRADE, limits.grade_s))
        }

    def start(self) -> None:
        """Go on where the last server of these records ended."""
        sweep(self._records, self._options.incoming)
        self._records.jobs.requeue()
        for thread in self._threads.values():
            thread.start()

    def stop(self) -> None:
        """Give up what is in hand; it stays queued."""
        for thread in self._threads.values():
            thread.stop()
        for worker in (self._decoder, self._grader):
            worker.stop()
        for thread in self._threads.values():
            thread.join()

    def wake(self) -> None:
        """Say that jobs were added."""
        for thread in self._threads.values():
            thread.wake()

    def _do(self, job: Job) -> None:
        try:
            if job.attempts > _ATTEMPTS:
                raise ImageError(
                    f"the server ended {_ATTEMPTS} times while it was read",
                    advice="Export or copy it again",
                )
            if job.kind == DECODE:
                self._decode(job)
            else:
                self._grade(job)
        except WorkerStoppedError:
            return  # the server is closing; the job stays queued
        except AndroscopeError as error:
            self._fail(job, error)
        except ValueError as error:  # what a process said may not be kept
            self._fail(job, ImageUnreadableError(str(error)))
        if job.sample_id is not None:
            self._changed(job.sample_id)

    def _decode(self, job: Job) -> None:
        assert job.sample_id is not None
        detail = {name: str(value) for name, value in job.detail.items()}
        path = self._options.incoming / Path(detail["file"]).name
        if not path.is_file():
            raise ImageUnreadableError("what was uploaded is gone", advice="Upload it again")
        try:
            reply = self._decoder.ask(DecodeTask(path=str(path), name=detail["name"]))
            if isinstance(reply, Stopped):
                raise _SaidError(reply)
            assert isinstance(reply, Decoded)
            file = CleanFile(
                detail["name"],
                reply.sha256,
                tuple(p if isinstance(p, Failure) else p.picture() for p in reply.pictures),
            )
        except (ImageError, _SaidError) as error:
            why = Failure(detail["name"], None, error.code, error.reason, error.advice)
            file = CleanFile(detail["name"], sha256_of(path), (why,))
        self._records.images.add(
            job.sample_id, file, replicate=detail["replicate"], actor=detail["actor"]
        )
        self._records.jobs.done(job)
        path.unlink(missing_ok=True)
        self._threads[GRADE].wake()

    def _grade(self, job: Job) -> None:
        assert job.image_id is not None
        assert job.sample_id is not None
        image = self._records.images.get(job.image_id)
        sample = self._records.samples.get(job.sample_id)
        path = self._records.images.path(image.sha256)
        model = self._offer.where(sample.settings.get("model"))
        chroma = None
        if image.chroma_sha256 is not None:
            chroma = self._records.images.path(image.chroma_sha256).read_bytes()
        reply = self._grader.ask(grade_task(path, image, sample, model, chroma))
        if isinstance(reply, Stopped):
            raise _SaidError(reply)
        assert isinstance(reply, Graded)
        try:
            self._records.crops.add(
                image.id,
                [find.find() for find in reply.finds],
                reply.model,
                kind=reply.kind,
                notes=reply.notes,
                head_length_px=reply.head_length_px,
                scale_origin=reply.scale_origin,
                job=job,
            )
        except RecordExistsError:
            self._records.jobs.done(job)  # kept by a server that ended right behind it

    def _fail(self, job: Job, error: AndroscopeError) -> None:
        if isinstance(error, RecordConflictError):
            return  # cancelled meanwhile
        self._records.jobs.fail(job, error)
        if job.kind == DECODE:
            (self._options.incoming / Path(str(job.detail["file"])).name).unlink(missing_ok=True)


class _SaidError(AndroscopeError):
    """What a working process said, with the code it gave."""

    def __init__(self, reply: Stopped) -> None:
        super().__init__(reply.reason, advice=reply.advice)
        self.code = reply.code  # type: ignore[misc]
