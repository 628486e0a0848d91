"""The command line: ``collide --help``.

Exit status: 0 done; 1 a check failed (`validate`, `info --check`); 2 a wrong argument; 3 a file that cannot be read or
written; 4 a worker process died; 70 an error of collide itself (``--debug`` shows where); 130 and 143 stopped by Ctrl-C
and by SIGTERM.
"""

from collide.cli.entry import main

__all__ = ["main"]
