"""Tests of the gateway: affinity, passing on, losing a worker."""
