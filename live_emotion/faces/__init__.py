"""A picture -> faces: found, confirmed, cut out, judged and followed."""
