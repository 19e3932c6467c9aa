"""One module for each subcommand of ``python -m train``, with its ``command``."""
