"""The only place that opens files: PEM, policies, shipped pin files, tables, and what is kept beside a policy."""
