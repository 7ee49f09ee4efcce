"""The net that makes portraits' mouths from sound."""
