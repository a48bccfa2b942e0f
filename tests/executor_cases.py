"""Executors that tests run studies on."""

from concurrent.futures import Executor, Future
from threading import Thread
from typing import Any


class NewThread(Executor):
    """Runs each task in a thread of its own, which loads the model anew."""

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments, **options))
            except Exception as error:
                future.set_exception(error)

        thread = Thread(target=run)
        thread.start()
        thread.join()
        return future
