"""Logs: one JSON object per line on stderr; never a variable's value, which could be a picture."""

import logging
import sys

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor


def configure_logs() -> None:
    """Let everything in this process log in this form."""
    traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(traceback),
    ]
    structlog.configure(
        processors=[*processors, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    _let_libraries_log(processors)


def _let_libraries_log(processors: list[Processor]) -> None:
    """Give what libraries log the same form; nothing changes where somebody else cares for that."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *processors],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler])
    # It warns of every odd byte in a form, which the answer tells the one who sent it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
