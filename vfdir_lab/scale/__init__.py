"""The same log and the same SQL on a distributed engine, and segments through S3-compatible storage."""
