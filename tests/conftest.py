"""Settings of the test tools themselves."""

from hypothesis import HealthCheck, settings

# Timings on shared machines say nothing about correctness.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")
