"""What a user can configure: plain dataclasses, one module per group of `conf/`. Ranges are checked on creation."""
