"""`python -m terminal_server`, and the installed command `terminal-server`."""

from terminal_server.cli import main

if __name__ == "__main__":
    main()
