"""The peers. Each module is one engine, see `worker`."""
