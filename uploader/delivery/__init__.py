"""Plan what is due, and deliver it: the only place that composes warehouse, sent log, platform and HTTP."""
