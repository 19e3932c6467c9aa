"""The command line: parse, wire, translate errors."""
