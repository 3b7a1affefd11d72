"""Rows of telemetry to cohorts: a Parquet file of counts added up by version and system, against DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import Line, line, measure
from rotator.files.fleet_table import open_table

_WRITE = """
copy (
    select
        'app-' || (hash(range) % 5) as app,
        (hash(range + 1) % 10) || '.' || (hash(range + 2) % 40) || '.0' as version,
        'iOS ' || (12 + hash(range + 3) % 7) || '.' || (hash(range + 4) % 6) as os,
        (1 + hash(range + 5) % 5000)::bigint as clients
    from range({rows})
) to '{file}' (format parquet)
"""
_QUERY = "select app, version, os, sum(clients) as clients from read_parquet('{file}') group by all"


def lines(*, quick: bool) -> Iterator[Line]:
    """Measure reading the rows and adding them up, until cohorts can be asked for."""
    rows = 50_000 if quick else 10_000_000
    shown = f"{rows:,} rows of telemetry to cohorts"
    try:
        import duckdb
    except ImportError:
        yield Line(shown, "", "DuckDB is not installed (extra bench)", "not run")
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        base = duckdb.connect()
        base.execute(_WRITE.format(rows=rows, file=file))
        query = _QUERY.format(file=file)
        table, theirs = open_table(str(file)), base.execute(query).fetchall()
        known = {(app, version, os): clients for app, version, os, clients in theirs}
        app, version = theirs[0][:2]
        own = {(app, version, os): count.high for os, count in table.counts(app, (version,))}
        assert len(table) == len(known)  # noqa: S101 - held against one another before anything is timed
        assert own.items() <= known.items()  # noqa: S101
        ours = measure(lambda: open_table(str(file)), runs=3)
        yield line(
            shown,
            ours,
            f"DuckDB {duckdb.__version__}, the same query",
            measure(lambda: base.execute(query).fetchnumpy(), runs=3),
            most=1.2,
        )
