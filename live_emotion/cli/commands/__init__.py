"""The subcommands of ``live-emotion``, one a module, each as ``command``."""
