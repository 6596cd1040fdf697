"""``python -m gateway`` is the ``polyculture`` command."""

from gateway.cli import main

if __name__ == "__main__":
    main()
