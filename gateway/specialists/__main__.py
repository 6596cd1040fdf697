"""``python -m gateway.specialists NAME --fd N``: one specialist's process."""

from gateway.specialists.process import main

main()
